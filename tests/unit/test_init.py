"""`ganpo init` writes a first agent.toml that passes `ganpo check`, by asking, and touches nothing that is there."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganpo_agent.cli import starting
from ganpo_agent.cli.main import main
from ganpo_config import first, load
from ganpo_config.plant import Plant
from ganpo_config.profiles import Profiles


def init(folder: Path, *words: str, answers: str | None = None) -> Result:
    command = ["init", "--config", str(folder / "agent.toml"), *words]
    return CliRunner().invoke(main, command, input=answers, env={"LANG": "en_US.UTF-8", "LC_ALL": None})


def written(folder: Path) -> Plant:
    loaded = load(folder / "agent.toml", {})
    assert loaded.errors == ()
    assert loaded.plant is not None
    return loaded.plant


def test_with_yes_nothing_is_asked_and_what_comes_of_it_is_right(tmp_path: Path) -> None:
    done = init(tmp_path, "--yes")
    assert done.exit_code == 0, done.output
    assert "Next: `ganpo check --online`" in done.output
    plant = written(tmp_path)
    assert plant.connections == ()
    assert plant.uplink.broker == "mqtt://127.0.0.1:1883"


def test_a_file_that_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text("mine")
    done = init(tmp_path, "--yes")
    assert done.exit_code == 1
    assert "is there already, and is not touched" in done.output
    assert (tmp_path / "agent.toml").read_text() == "mine"


def test_eleven_questions_lead_to_a_meter_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_ports", lambda: ["/dev/serial/by-id/usb-FTDI_1"])
    answers = [
        *("gw-nc-0007", "mqtts://mqtt.example:8883", "", "plant-1", "一车间", "Asia/Shanghai"),
        *("dtsd1352", "", "DB-0101", "unit=3", "400/5 secondary"),
    ]
    assert len(answers) == len(first.QUESTIONS) + 1 == 11
    done = init(tmp_path, answers="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert "rtu:///dev/serial/by-id/usb-FTDI_1" in done.output, "serial ports are offered"
    assert "acrel_dtsd1352: 安科瑞" in done.output
    plant = written(tmp_path)
    assert (plant.gateway.id, plant.site.name) == ("gw-nc-0007", "一车间")
    (link,) = plant.connections
    told = link.settings.model_dump()
    assert (told["url"], told["baud"], told["parity"]) == ("rtu:///dev/serial/by-id/usb-FTDI_1", 9600, "none")
    (register,) = [point for point in plant.registers() if point.signal == "energy_import"]
    assert str(register.address).startswith("3:")


def test_a_wrong_answer_is_told_and_asked_again(tmp_path: Path) -> None:
    answers = [
        *("GW 7", "gw-nc-0007", "http://x", "mqtt://127.0.0.1", "", "plant 1", "plant-1", "Plant", "Beijing"),
        *(
            "Asia/Shanghai",
            "no such word",
            "eastron",
            "power_meter_3p_modbus",
            "udp://x",
            "tcp://127.0.0.1:502",
        ),
        *("DB 1", "DB-1", "unit=300", "unit=1", "400", "400/5", "400/5 secondary"),
    ]
    done = init(tmp_path, answers="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    for told in (
        *("gateway.id = GW 7", "uplink.broker = http://x", "site.id = plant 1", "site.timezone = Beijing"),
        *("no meter on a line has this word", "profiles have this word: ", "connections.meters.url"),
        *("asset_no = DB 1", "unit=300", "no ratio like 400/5", "it has to be said what the meter counts"),
    ):
        assert told in done.output
    assert written(tmp_path).meters[0].asset_no == "DB-1"


def test_what_an_option_says_is_not_asked_and_a_wrong_one_writes_nothing(tmp_path: Path) -> None:
    done = init(tmp_path, "--yes", "--broker", "localhost", "--profile", "acrel_dtsd1352")
    assert done.exit_code == 1
    assert "uplink.broker = localhost: not mqtt://HOST" in done.output
    assert list(tmp_path.iterdir()) == []
    options = ("--profile", "acrel_dtsd1352", "--url", "tcp://127.0.0.1:5020", "--ct", "400/5 secondary")
    done = init(tmp_path, "--yes", *options, "--meter", "DB-7", "--site-name", 'a "quoted" \\ name')
    assert done.exit_code == 0, done.output
    assert written(tmp_path).meters[0].asset_no == "DB-7"
    assert written(tmp_path).site.name == 'a "quoted" \\ name'


def test_options_of_a_meter_without_a_profile_are_told_and_never_dropped(tmp_path: Path) -> None:
    done = init(tmp_path, "--yes", "--url", "tcp://127.0.0.1:502", "--ct", "400/5 secondary")
    assert done.exit_code == 1
    assert (
        "--url, --ct: is of a meter, and no profile is said; --profile; `ganpo profile list`" in done.output
    )
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_asked_for_and_lies_in_a_file_of_its_own_and_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / "secrets"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secrets))
    options = (
        *("--id", "gw-nc-0007", "--broker", "mqtt://127.0.0.1", "--site", "p", "--site-name", "P"),
        *("--timezone", "Asia/Shanghai", "--profile", ""),
    )
    done = init(tmp_path, *options, answers=" blank\nS3cret-word\n")
    assert done.exit_code == 0, done.output
    assert "it begins or ends with a blank" in done.output
    assert "S3cret-word" not in done.output + (tmp_path / "agent.toml").read_text()
    assert (secrets / "mqtt_password").stat().st_mode & 0o777 == 0o600
    loaded = load(tmp_path / "agent.toml", {"CREDENTIALS_DIRECTORY": str(secrets)})
    assert loaded.plant is not None, loaded.errors
    assert loaded.plant.uplink.password is not None
    assert loaded.plant.uplink.password.get_secret_value() == "S3cret-word"
    (tmp_path / "agent.toml").unlink()
    assert init(tmp_path, *options, answers="").exit_code == 0, "with one there nothing is asked"
    (tmp_path / "agent.toml").unlink()
    (secrets / "mqtt_password").unlink()
    monkeypatch.setattr(Path, "open", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "no")))
    assert init(tmp_path, *options, answers="S3cret-word\n").exit_code == 1
    assert list(secrets.iterdir()) == [], "what is not used is not left behind"


def test_whoever_hangs_up_leaves_nothing_behind(tmp_path: Path) -> None:
    done = init(tmp_path, answers="gw-nc-0007\n")
    assert done.exit_code == 1
    assert "Aborted!" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file in the way")
    done = init(tmp_path / "etc", "--yes")
    assert done.exit_code == 1
    assert "cannot be written: " in done.output
    assert "as root, or give another with --config" in done.output


def test_with_what_is_proposed_every_meter_passes_but_for_what_only_the_plant_knows() -> None:
    profiles = Profiles(Path("nowhere"))
    found = first.meters(profiles, "")
    assert len(found) > 60
    usual = {
        "id": "gw-nc-0007",
        "broker": "mqtt://h",
        "site": "p",
        "site_name": "P",
        "timezone": "Asia/Shanghai",
    }
    for profile in found:
        row = {
            "url": first.urls(profile, ["/dev/serial/by-id/x"])[0],
            "meter": "DB-1",
            "parameters": first.parameters(profile),
            "ct": first.ct(profile),
        }
        errors = first.wrong(
            first.text(usual | row | {"state_dir": "/x"}, profile, Path("nowhere")), Path("nowhere"), {}
        )
        open_still = any(not word.partition("=")[2] for word in row["parameters"].split())
        assert bool(errors) is open_still, (profile.id, list(map(str, errors)))
