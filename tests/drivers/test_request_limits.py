"""Meters that answer fewer registers at once than the protocol allows: their profile says so, and they are never asked
for more, whoever else is on the line."""

import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganpo_agent.cli.main import main
from ganpo_config.plant import BoundConnection
from ganpo_drivers import Point, PointFault
from support.configs import BUS, HEAD, bound, errors, plant
from support.modbus_line import ModbusLine, exception, right

LIMITS = {"phoenix_eem350": 11, "carlo_gavazzi_em340": 50, "eastron_sdm72": 10, "eastron_sdm72_v2": 10}
FACTS = """
format = 1
id = "facts"
title = { zh = "x", en = "x" }
origin = "test"
driver = "modbus"
addressing = "0-based"
max_registers = 4
[parameters]
unit = { zh = "x", en = "x" }
[signals.energy_import]
address = "{unit}:holding:0"
type = "uint32"
"""


def meter(profile: str, asset_no: str = "DB-1", unit: int = 1) -> str:
    return f"""
[[meters]]
asset_no = "{asset_no}"
name = "Meter"
carrier = "electricity"
role = "sub"
profile = "{profile}"
connection = "bus"
parameters = "unit={unit}"
max_rate = "100"
"""


def row(signal: str, address: str, asset_no: str = "DB-1") -> str:
    return (
        f'[[points]]\nasset_no = "{asset_no}"\nsignal = "{signal}"\nconnection = "bus"\naddress = "{address}"\n'
        'type = "float32"\n'
    )


async def read(connection: BoundConnection) -> dict[str, object]:
    """What one read of all points of a connection gives."""
    driver = connection.driver(connection.settings)
    await driver.open()
    points = [Point(point.name, point.address) for point in connection.points]
    values = (await driver.read(driver.prepare(points))).values
    await driver.close()
    return {point.name: value for point, value in zip(points, values, strict=True)}


@pytest.mark.parametrize("profile", LIMITS)
async def test_a_meter_is_never_asked_for_more_than_it_answers(tmp_path: Path, profile: str) -> None:
    most = LIMITS[profile]

    def reply(request: bytes) -> bytes | None:
        (count,) = struct.unpack(">H", request[10:12])
        return exception(3)(request) if count > most else right(request)

    async with ModbusLine() as line:
        line.otherwise = reply
        found = plant(tmp_path, BUS.replace("127.0.0.1:502", f"127.0.0.1:{line.port}") + meter(profile))
        values = await read(found.connections[0])
        assert len(values) >= 4
        assert not [value for value in values.values() if isinstance(value, PointFault)]
        assert max(count for *_, count in line.requests) <= most
        assert len(line.requests) == len(set(line.requests))


def test_the_plan_shows_what_is_asked_for(tmp_path: Path) -> None:
    """Of two meters on one line the other is read as ever."""
    text = BUS + meter("phoenix_eem350") + meter("carlo_gavazzi_em24", "DB-2", 2)
    (tmp_path / "agent.toml").write_text(HEAD + text)
    shown = CliRunner().invoke(main, ["plan", "--config", str(tmp_path / "agent.toml"), "bus"]).output
    assert "unit 1 input 0-1: 2 for 1 point" in shown
    assert "unit 1 input 12-13: 2 for 1 point" in shown, "0 to 13 are more than 11"
    own = [line.split(": ")[1] for line in shown.splitlines() if line.strip().startswith("unit 2")]
    assert max(int(about.split()[0]) for about in own) > 11


def test_a_row_of_such_a_meter_is_bound_by_it_too_and_the_tighter_limit_holds(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "facts.toml").write_text(FACTS)
    text = meter("facts") + row("power", "1:holding:10")
    for line, most in (("", 4), ("max_registers = 50\n", 4), ("max_registers = 3\n", 3)):
        found = plant(tmp_path, BUS + line + text)
        for name in ("DB-1/energy_import", "DB-1/power"):
            assert bound(found, name).address.max_registers == most  # type: ignore[attr-defined]  # of Modbus
    (told,) = errors(tmp_path, BUS + "max_registers = 3\n" + text.replace("float32", "float64"))
    assert "it lies over 4 registers, and one request asks for at most 3" in told


def test_a_limit_that_no_request_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    for wrong, told in (("1", "greater than or equal to 2"), ("126", "less than or equal to 125")):
        (tmp_path / "profiles" / "facts.toml").write_text(FACTS.replace("= 4", f"= {wrong}"))
        (found, *_) = errors(tmp_path, BUS)
        assert found.startswith(f"profiles/facts.toml: max_registers = {wrong}: should be {told}")
    for other in ('"opcua"', '""'):
        (tmp_path / "profiles" / "facts.toml").write_text(FACTS.replace('"modbus"', other))
        told = "profiles/facts.toml: max_registers = 4: means something with driver = modbus only"
        assert told in errors(tmp_path, BUS)
