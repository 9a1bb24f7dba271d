"""`ganpo identify --guess` and `ganpo decode --expect` on devices of the library, each played by a server of others
that is laid out by the table of registers: the right profile, and the right type and order, come first."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ganpo_agent.cli.main import main
from ganpo_agent.device import guessing
from ganpo_agent.device.decoding import expected_of, meanings
from ganpo_agent.device.registers import place_of
from ganpo_agent.device.session import Own
from ganpo_config.target import of_url
from ganpo_demo.register_meters import Cjt188Meter, FramedLine, volume
from ganpo_model.errors import ConfigError
from support.laid_meters import PROFILES, SAID, meter_laid
from support.meter_line import MeterPort, noted
from support.modbus_server import ModbusServer, words

TEN = [
    "acrel_dtsd1352",
    "chint_dtsu666",
    "eastron_sdm630",
    "abb_b23",
    "schneider_iem3000",
    "schneider_pm5100",
    "siemens_pac2200",
    "carlo_gavazzi_em340",
    "peacefair_pzem016",
    "inepro_pro380",
]


@pytest.fixture(scope="module")
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        for unit, name in enumerate(TEN, start=1):
            running.set_many([(unit, *block) for one in meter_laid(name, SAID[0]) for block in one.blocks])
            for area in ("holding", "input"):  # many devices answer 0 for what they do not have
                running.set(100 + unit, area, 0, [0] * 65536)
            running.set_many(
                [(100 + unit, *block) for one in meter_laid(name, SAID[0]) for block in one.blocks]
            )
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "RISE_S", 0.01)


def typed(*command: str) -> Result:
    return CliRunner().invoke(main, command)


@pytest.mark.parametrize(
    "base", [0, 100], ids=["it refuses what it has not", "it answers 0 to what it has not"]
)
async def test_the_right_profile_comes_first_in_nine_of_ten(server: ModbusServer, base: int) -> None:
    device, firsts = Own(of_url(server.url, "modbus")), {}
    for unit, name in enumerate(TEN, start=base + 1):
        found = await guessing.guess(device, str(unit), PROFILES)
        firsts[name] = found[0].profile
        assert found[0].row.split()[0] == f"unit={unit}"
    await device.close()
    right = [name for name, first in firsts.items() if name == first]
    print(f"{len(right)} of {len(TEN)}: {firsts}")
    assert len(right) >= 9


def test_a_first_configuration_takes_the_profile_that_was_guessed(
    server: ModbusServer, tmp_path: Path
) -> None:
    file = ("--config", str(tmp_path / "agent.toml"))
    options = ("--id", "gw-nc-0007", "--broker", "mqtt://127.0.0.1", "--site", "p", "--site-name", "P")
    more = ("--timezone", "Asia/Shanghai", "--meter", "DB-1", "--ct", "1/1", "--guess", "--url", server.url)
    done = CliRunner().invoke(main, ["init", *file, *options, *more], input="\n\n\n")
    assert done.exit_code == 0, done.output
    assert "1  acrel_dtsd1352  unit=1" in done.output
    written = (tmp_path / "agent.toml").read_text()
    assert 'profile = "acrel_dtsd1352"' in written
    assert 'parameters = "unit=1"' in written
    for words_, told in (
        (("--guess",), "--guess: reads a meter: where is it?; --url tcp://HOST:502"),
        (("--guess", "--url", server.url, "--yes"), "--guess: proposes a profile, and a person compares it"),
    ):
        done = CliRunner().invoke(main, ["init", "--config", str(tmp_path / "other.toml"), *words_])
        assert (done.exit_code, told in done.output) == (1, True), done.output


def test_a_guess_tells_why_and_what_a_row_would_say(server: ModbusServer) -> None:
    told = typed("identify", server.url, "--guess", "--unit", "3", "--driver", "modbus")
    assert told.exit_code == 0, told.output
    assert told.output.startswith("1  eastron_sdm630  unit=3\n")
    assert "+ voltage_l1 231.4 V, near 230" in " ".join(told.output.split())
    assert "+ frequency 49.98 Hz, near 50" in " ".join(told.output.split())
    server.set(90, "coil", 0, [1])
    told = typed("identify", server.url, "--guess", "--unit", "90", "--driver", "modbus")
    assert told.exit_code == 1
    assert "no profile of the library reads plausible values" in told.output


def test_a_unit_that_is_silent_is_told_soon(server: ModbusServer) -> None:
    server.silent(93)
    server.requests()
    told = typed(
        "identify", server.url, "--guess", "--unit", "93", "--driver", "modbus", "--set", "timeout_s=0.2"
    )
    server.silent()
    assert (told.exit_code, "it answers nothing" in told.output) == (1, True)
    assert len(server.requests()) == guessing.SILENT


async def test_a_water_meter_is_found_beside_types_that_are_silent() -> None:
    line = FramedLine(
        11, [Cjt188Meter(0x10, "78330011223344", lambda: volume(1000.1) + volume(900) + "00" * 9)]
    )
    with MeterPort(noted(line.answer), noted(bytes)) as port:
        device = Own(of_url(f"tcp://127.0.0.1:{port.port}", "cjt188", ["timeout_s=0.2"]))
        found = await guessing.guess(device, "78330011223344", PROFILES)
        await device.close()
    assert [one.profile for one in found] == ["water_meter_cjt188"]


def test_energy_that_rises_speaks_for_a_profile_and_one_that_falls_against_it(server: ModbusServer) -> None:
    scores = {}
    for moved in (0.0, 1.0, -1.0):
        readings = iter([1000.0, 1000.0 + moved])
        scores[moved] = _score_of_energies(server, readings)
    assert scores[1.0] > scores[0.0] > scores[-1.0]


def _score_of_energies(server: ModbusServer, readings: Iterator[float]) -> float:
    server.set_many([(91, *block) for one in meter_laid("eastron_sdm630", SAID[0]) for block in one.blocks])
    server.set_value(91, "input", 72, "float32", next(readings))
    real = asyncio.sleep

    async def later(seconds: float) -> None:
        server.set_value(91, "input", 72, "float32", next(readings))
        await real(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", later)
        told = typed("identify", server.url, "--guess", "--unit", "91", "--driver", "modbus", "--json")
    return float(json.loads(told.stdout)[0]["score"])


def test_the_right_type_and_order_come_first_in_nine_of_ten(server: ModbusServer) -> None:
    firsts = {}
    for unit, name in enumerate(TEN, start=1):
        laid = {one.signal: one for one in meter_laid(name, SAID[0])}
        signal = PROFILES[name].signals["energy_import"]
        area, number, registers = laid["energy_import"].blocks[0]
        shown = _display(name, laid["energy_import"].value)
        command = ["decode", server.url, "--unit", str(unit), "--at", f"{area}:{number}", "--json"]
        told = typed(*command, "--count", str(len(registers)), "--expect", shown)
        first = json.loads(told.stdout)["meanings"][0]
        firsts[name] = (
            signal.type in (first["type"], *first["same"]) and first["order"] == signal.order,
            shown,
            first,
        )
        assert first["verdict"] == "exact"
    right = [name for name, (is_right, *_) in firsts.items() if is_right]
    print(f"{len(right)} of {len(TEN)}: {firsts}")
    assert len(right) >= 9


def _display(name: str, value: Fraction | bool) -> str:
    """What the meter itself shows: two decimals, before the transformers that it does not know."""
    if PROFILES[name].reads == "secondary":
        value = Fraction(value) / (Fraction(200, 5) * 10)
    return f"{float(value):.2f}"


def meaning(kind: str, value: float, order: str, expect: str, **more: Any) -> tuple[str, str, int]:
    first = meanings(words(kind, value, order) + more.get("behind", []), expected_of(expect))[0]
    return first.type, first.order, first.scale


def test_a_display_is_found_with_its_power_of_ten() -> None:
    assert meaning("float32", 231.4, "CDAB", "231.4") == ("float32", "CDAB", 0)
    assert meaning("float32", 231.4, "BADC", "231,4", behind=[1, 2]) == ("float32", "BADC", 0)
    assert meaning("uint16", 2314, "", "231.4", behind=[0, 0, 0]) == ("uint16", "", -1)
    assert meaning("uint32", 12_345_675, "CDAB", "123456.75") == ("uint32", "CDAB", -2)
    assert meaning("int32", -70_000, "ABCD", "-70") == ("int32", "ABCD", -3)
    assert meaning("float64", 123_456.789, "GHEFCDAB", "123456.789") == ("float64", "GHEFCDAB", 0)
    assert meaning("uint64", 5_000_000_001, "HGFEDCBA", "5000000.001") == ("uint64", "HGFEDCBA", -3)
    assert meanings([1, 2], expected_of("777.7")) == []


def test_without_a_display_what_looks_like_a_number_comes_before_what_does_not() -> None:
    found = meanings(words("float32", 229.4, "ABCD"))
    assert (found[0].type, found[0].order) == ("float32", "ABCD")
    assert not any(isinstance(one.value, float) and one.value != one.value for one in found)
    text = meanings([0x5344, 0x4D36, 0x3330])
    assert "SDM630" in {one.value for one in text}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("40001", ("holding", 0)),
        ("30010", ("input", 9)),
        ("465536", ("holding", 65535)),
        ("input:7", ("input", 7)),
    ],
)
def test_places_are_said_as_manuals_say_them_or_as_the_protocol_does(
    text: str, place: tuple[str, int]
) -> None:
    assert tuple(place_of(text)) == place


@pytest.mark.parametrize("text", ["0", "100", "50001", "coil:1", "holding:65536", "465537", "40000", "", "x"])
def test_any_other_place_is_refused_with_the_two_ways(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--at"):
        place_of(text)


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "inf", "--"])
def test_what_is_no_number_is_no_display(text: str) -> None:
    with pytest.raises(ConfigError, match="is no number"):
        expected_of(text)


def test_a_decimal_comma_and_full_width_digits_are_numbers() -> None:
    assert expected_of("231,4") == Decimal("231.4")
    assert expected_of("２３１.４") == Decimal("231.4")


def test_registers_that_are_refused_are_told_beside_those_that_are_not(server: ModbusServer) -> None:
    server.set(92, "holding", 0, [0xFFFF, 0x8000])
    told = typed("decode", server.url, "--unit", "92", "--at", "40001", "--count", "3")
    assert told.exit_code == 0, told.output
    assert "FFFF 8000 ----" in told.output
    assert "exception 02" in told.output
    told = typed("decode", server.url, "--unit", "92", "--at", "40001", "--count", "2", "--expect", "5")
    assert (told.exit_code, "nothing here comes to 5" in told.output) == (1, True)
    told = typed("decode", "opc.tcp://127.0.0.1:4840", "--at", "40001", "--driver", "opcua")
    assert "registers are Modbus alone" in told.output
