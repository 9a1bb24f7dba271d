"""`ganpo scan`, `ganpo check --online` and `ganpo doctor`, against servers of others."""

import json
import os
import signal
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

import ganpo_config
from ganpo_agent.cli.main import main
from ganpo_agent.device import bundle, kept_scan
from ganpo_agent.device.plausible import judged
from ganpo_agent.device.scanning import Found
from ganpo_agent.reloading import last_good
from ganpo_drivers import FaultKind, PointFault
from ganpo_model.errors import ConfigError
from support import writes
from support.configs import BUS, HEAD, meter, plant
from support.laid_meters import SAID, meter_laid
from support.libmodbus import compiled, running
from support.modbus_server import ModbusServer
from support.processes import BIN


@pytest.fixture(scope="module")
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running_server:
        blocks = [(1, *block) for one in meter_laid("eastron_sdm630", SAID[0]) for block in one.blocks]
        running_server.set_many(blocks)
        running_server.set(2, "holding", 100, [7] * 40)
        running_server.set(2, "input", 3, [1])
        yield running_server


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_scan_finds_the_units_and_their_registers(server: ModbusServer) -> None:
    server.silent(3)
    told = typed(
        "scan", server.url, "--units", "1-3", "--registers", "0-150", "--set", "timeout_s=0.2", "--json"
    )
    server.silent()
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["units"] == {"1": "answers", "2": "answers", "3": None}
    assert found["ranges"] == [
        [1, "input", 0, 17],
        [1, "input", 52, 53],
        [1, "input", 62, 63],
        [1, "input", 70, 77],
        [2, "holding", 100, 139],
        [2, "input", 3, 3],
    ]


def test_a_scan_of_a_serial_line_of_others(tmp_path: Path) -> None:
    with running(compiled(tmp_path), "rtu", "2") as device:
        words = ["--units", "2", "--registers", "380-405", "--set", "baud=115200"]
        told = typed("scan", f"rtu://{device}", *words)
    assert told.exit_code == 0, told.output
    assert "  2:holding:380 - 2:holding:399         40381-40400, 20 registers\n" in told.output
    assert "1 unit answers, 0 are silent" in told.output
    assert writes.noted() == []


def test_what_a_scan_prints_and_a_decode_is_an_address_of_the_list(
    tmp_path: Path, server: ModbusServer
) -> None:
    """Of a connection in its own numbering, of a URL in the protocol's."""
    server.set(5, "holding", 4, [1, 0, 1, 1])
    config = Path(_config(tmp_path, server, SDM630))
    usual = config.read_text()
    words = ["--units", "5", "--registers", "2-9", "--config", str(config)]
    for addressing, first, last in (
        ("0-based", "5:holding:4", "5:holding:7"),
        ("1-based", "5:holding:5", "5:holding:8"),
        ("4xxxxx", "5:holding:40005", "5:holding:40008"),
    ):
        config.write_text(usual.replace('"0-based"', f'"{addressing}"'))
        assert f"  {first} - {last}  " in typed("scan", "bus", *words).output
        for printed in (first, last):
            assert typed("read", "bus", printed, "--config", str(config)).output.split() == [printed, "1"]
        told = typed("decode", "bus", "--unit", "5", "--at", "40005", "--config", str(config))
        assert f" {first} " in told.output
    one = ["--units", "5", "--registers", "7-7", "--config", str(config)]
    assert "  5:holding:40008  " in typed("scan", "bus", *one).output


def test_a_scan_that_is_broken_off_leaves_the_line_free_and_goes_on_from_there(server: ModbusServer) -> None:
    words = ["scan", server.url, "--units", "1-2", "--registers", "0-150", "--set", "timeout_s=10"]
    command = [str(BIN / "ganpo"), *words]
    server.requests()
    server.delay(0.05)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not any(asked[2] >= 5 for asked in server.requests()):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    server.delay(0)
    assert process.returncode == 130
    assert "the same command goes on from here" in err
    assert "Traceback" not in out + err
    told = typed(*words)
    assert "goes on after" in told.output
    assert "2:holding:100 - 2:holding:139" in told.output
    again = typed(*words)
    assert "goes on after" not in again.output, "what came to its end begins anew"


def test_what_was_kept_and_is_damaged_is_begun_anew(tmp_path: Path) -> None:
    kept = kept_scan.KeptScan("tcp://h", ["1"])
    found = Found(
        {1: "answers", 2: None}, [(1, "holding", 0, 9)], {"1 holding": 10}, {"1 holding": False}, ["n"]
    )
    kept.keep(found, now=True)
    assert kept.taken_up() == found
    for damage in ("{", "[]", '{"units": 5}', ""):
        kept.path.write_text(damage)
        assert kept.taken_up() == Found()


@pytest.mark.parametrize("text", ["", "a", "5-1", "1-300", "1,,2", "1-2-3"])
def test_units_that_are_none_are_told(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--units"):
        kept_scan.numbers("--units", text, 0, 255)


def _config(folder: Path, server: ModbusServer, *meters: str) -> str:
    file = folder / "agent.toml"
    text = HEAD + BUS.replace("tcp://127.0.0.1:502", server.url) + "".join(meters)
    file.write_text(text.replace("/var/lib/ganpo", str(folder)), encoding="utf-8")
    return str(file)


SDM630 = meter("max_rate = 1000").replace("power_meter_3p_modbus", "eastron_sdm630")


def test_every_point_is_read_once_and_told(tmp_path: Path, server: ModbusServer) -> None:
    away = meter("max_rate = 1000", asset_no="DB-9", parameters="unit=9")
    odd = meter("max_rate = 1000", asset_no="DB-2", parameters="unit=2 energy=100 power=200")
    server.silent(9)
    server.set(2, "holding", 100, [0, 0])
    config = _config(tmp_path, server, SDM630, away, odd)
    told = typed("check", "--online", "--json", "--config", config)
    text = typed("check", "--online", "--config", config)
    server.silent()
    server.set(2, "holding", 100, [7, 7])
    (bus,) = json.loads(told.stdout)["online"]
    levels = {point["name"]: (point["level"], point["why"]) for point in bus["points"]}
    assert told.exit_code == 1
    assert levels["DB-1/voltage_l1"] == ("ok", "")
    assert levels["DB-9/power"][0] == "failed"
    assert "[unit-silent]" in levels["DB-9/power"][1]
    assert levels["DB-2/energy_import"][0] == "suspicious"
    assert levels["DB-2/power"] == ("failed", "exception 02: illegal data address")
    assert bus["cycle_s"] > 0
    assert 0 < bus["load"] < 1
    assert "16 ok, 1 suspicious, 3 failed; everything once takes" in " ".join(text.output.split())
    lines = text.output.splitlines()
    (note,) = (line for line in lines if line.startswith("note"))
    assert "`ganpo check` has them" in note
    order = [line.split()[0] for line in lines if line.split()[0] in ("ok", "suspicious", "failed")]
    assert order == ["ok"] * 16 + ["suspicious"] + ["failed"] * 3, "what is wrong stands at the prompt"
    well = typed("check", "--online", "--config", _config(tmp_path, server, SDM630))
    assert well.exit_code == 0, well.output


def test_a_line_that_is_away_fails_every_point_of_it(tmp_path: Path, server: ModbusServer) -> None:
    config = Path(_config(tmp_path, server, SDM630))
    config.write_text(config.read_text().replace(server.url, "tcp://127.0.0.1:1"))
    told = typed("check", "--online", "--config", str(config))
    assert told.exit_code == 1
    assert "0 ok, 0 suspicious, 16 failed" in told.output
    assert "[unreachable]" in told.output


@pytest.mark.parametrize(
    ("signal_of", "value", "true"),
    [
        ("voltage_l1", 231.4, True),
        ("voltage_l1", 2314.0, False),
        ("voltage_l1", 5773.0, True),  # before a transformer
        ("voltage_l1_l2", 400.0, True),
        ("frequency", 49.98, True),
        ("frequency", 4998.0, False),
        ("power_factor", 0.91, True),
        ("power_factor", 913.0, False),
        ("energy_import", 123456.7, True),
        ("energy_import", 1e12, False),
        ("energy_import", -1.0, False),
        ("current_l1", 1e-30, False),
        ("power", float("nan"), False),
        ("power", PointFault(FaultKind.BAD, "no"), False),
    ],
)
def test_what_can_be_true_of_the_world(signal_of: str, value: float, true: bool) -> None:
    assert (judged(signal_of, value, medium=True).weight > -0.4) is true


def test_a_doctor_tells_what_would_stop_a_gateway(tmp_path: Path, server: ModbusServer) -> None:
    config = Path(_config(tmp_path, server, SDM630))
    told = typed("doctor", "--json", "--config", str(config))
    checks = {one["check"]: one for one in json.loads(told.stdout)}
    words = {
        "clock",
        "ntp",
        "rtc",
        "disk",
        "permissions",
        "dns",
        "broker",
        "certificate",
        "backlog",
        "versions",
    }
    assert checks.keys() == words
    assert (told.exit_code, checks["broker"]["level"]) == (1, "alarm")
    assert checks["dns"]["level"] == checks["certificate"]["level"] == "ok"
    text = config.read_text().replace("mqtt://127.0.0.1:1883", "mqtt://nobody.invalid")
    config.write_text(text.replace(server.url, "rtu:///dev/not-there"))
    told = typed("doctor", "--config", str(config))
    assert "nobody knows nobody.invalid" in told.output
    assert "/dev/not-there is not there" in " ".join(told.output.split())


def test_beside_a_broken_file_a_doctor_looks_by_the_last_good_one_or_says_what_is_wrong(
    tmp_path: Path, server: ModbusServer
) -> None:
    config = Path(_config(tmp_path, server, SDM630))
    loaded = ganpo_config.load(config)
    config.write_text(config.read_text().replace("0-based", "0based"))
    told = typed("doctor", "--config", str(config))
    assert (told.exit_code, "the configuration has errors" in told.output) == (1, True)
    last_good.keep(loaded, config, tmp_path, datetime.now(UTC))
    for command in ([], ["--bundle", str(tmp_path / "help.tar.gz")]):
        told = typed("doctor", *command, "--config", str(config))
        output = " ".join(told.output.split())
        assert "addressing = 0based" in output
        assert "has 1 error: what follows is that of the last good configuration -> ganpo check" in output
        assert "no outbox yet" in output
    assert (tmp_path / "help.tar.gz").exists()


def test_a_bundle_has_what_helps_and_no_secret(tmp_path: Path, server: ModbusServer) -> None:
    config = Path(_config(tmp_path, server, SDM630))
    config.write_text(config.read_text() + '\n# password = "hunter2" was here, mqtt://me:hunter2@h\n')
    (tmp_path / "meters.csv").write_text("asset_no\nDB-1\n")
    file = tmp_path / "help.tar.gz"
    told = typed("doctor", "--bundle", str(file), "--config", str(config))
    assert "without secrets" in told.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as opened:
        names = {name.removeprefix("ganpo-doctor/") for name in opened.getnames()}
        whole = b"".join(
            content.read() for name in opened.getnames() if (content := opened.extractfile(name))
        )
    assert {"doctor.json", "check.txt", "versions.json", "config/agent.toml", "config/meters.csv"} <= names
    assert b"hunter2" not in whole
    assert b"eastron_sdm630" in whole
    told = typed("doctor", "--bundle", str(file), "--config", str(config))
    assert (told.exit_code, "is there already" in told.output) == (1, True)


def test_what_the_configuration_keeps_secret_is_hidden_wherever_it_stands(tmp_path: Path) -> None:
    found = plant(tmp_path, BUS)
    uplink = found.uplink.model_copy(update={"password": SecretStr("correct horse")})
    secrets = bundle.secrets_of(
        type(found)(**{n: getattr(found, n) for n in found.__slots__} | {"uplink": uplink})
    )
    text = (
        'log: login with correct horse failed\n"token": "abc", api_key=xyz\n-----BEGIN PRIVATE KEY-----\nMII'
    )
    hidden = bundle.without_secrets(text, secrets)
    for secret in ("horse", "abc", "xyz", "MII"):
        assert secret not in hidden
    assert bundle.without_secrets("password_file = 'mqtt_password'") == "password_file = 'mqtt_password'"


def test_help_of_the_tools_fits_80_columns() -> None:
    for command in ("ping", "identify", "browse", "read", "decode", "scan", "check", "doctor"):
        told = typed(command, "--help")
        assert told.exit_code == 0
        assert max(map(len, told.output.splitlines())) <= 80, command


def test_a_pipe_that_is_closed_early_ends_a_doctor_without_a_word(
    tmp_path: Path, server: ModbusServer
) -> None:
    config = _config(tmp_path, server, SDM630)
    shell = f"{BIN / 'ganpo'} check --online --config {config} | head -1"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=60, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
