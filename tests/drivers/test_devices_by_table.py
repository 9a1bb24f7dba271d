"""Each profile of a Modbus drive, read by the agent's driver from a server laid out by the reference table.

The server is pymodbus'. Meters have a test of their own. `pytest -s` prints device, signals, equal.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.meaning import understanding
from ganpo_config.plant import BoundPoint, Register
from ganpo_config.profiles import Profiles
from ganpo_drivers import Point, PointFault
from ganpo_model import reference
from support.configs import HEAD, write
from support.device_table import UNITS, Row, rows
from support.modbus_server import ModbusServer

PROFILES = Profiles(Path("nowhere"))
ROWS = rows()
DEVICES = sorted({name for row in ROWS for name in row.profiles})
SAID = {"power_step": "0.01", "frequency_step": "0.01"}
"""What a plant says of what a profile asks for."""


@pytest.fixture(scope="module")
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        yield running


def test_every_device_of_the_table_has_a_profile_and_every_profile_its_rows() -> None:
    ours = {name for name, one in PROFILES.items() if one.driver == "modbus" and one.device and one.states}
    print("\nno profile:", *sorted({row.device for row in ROWS if not row.profiles}), sep="\n  ")
    assert set(DEVICES) == ours


@pytest.mark.parametrize("name", DEVICES)
async def test_a_device_shows_what_its_registers_hold(
    name: str, server: ModbusServer, tmp_path: Path
) -> None:
    unit = DEVICES.index(name) + 1
    laid = [row for row in ROWS if name in row.profiles]
    expected: dict[tuple[str, int], tuple[Row, Fraction]] = {}
    for number, row in enumerate(laid):
        registers, value = row.laid(number, _said(name))
        for area in row.areas:
            server.set(unit, area, row.address, registers)
        expected[row.signal, row.address] = (row, value)
    found = await _read(name, unit, server, tmp_path)
    equal = []
    for (signal, address), (row, value) in expected.items():
        for point, got in found:
            number = getattr(point.address, "number", -1) - (row.bit or 0 if row.type == "bit" else 0)
            if point.signal in _NAMES.get(signal, (signal,)) and number == address:
                assert _same(point, got, row, value), f"{signal} at {address}: {got}, expected {float(value)}"
                equal.append(signal)
    print(f"\n{laid[0].device:<40} {name:<30} {len(equal)} of {len(expected)} rows equal: {', '.join(equal)}")
    missed = {signal for signal, _ in expected} - set(equal)
    assert missed == set(), "rows that the profile does not read"


_NAMES = {
    "run_state": ("run", "run_state", "status_word"),
    "alarm": ("alarm_code",),
    "speed_actual": ("speed_percent",),
}
"""Signals of the table, and what reads them under our names."""


def _said(name: str) -> dict[str, str]:
    """What a plant says of what the profile asks for."""
    asked = [key for key, about in PROFILES[name].parameters.items() if about.default is None]
    return {key: SAID[key] for key in asked if key != "unit"}


async def _read(name: str, unit: int, server: ModbusServer, folder: Path) -> list[tuple[BoundPoint, Any]]:
    """What the agent makes of what its driver reads in a plant that names the profile, as equipment, as a meter or as
    both. Registers that the table does not have are faults."""
    profile = PROFILES[name]
    words = " ".join(f"{key}={value}" for key, value in {"unit": unit, **_said(name)}.items())
    kinds = ["meters"] if any("meter" in reference.signals()[s].subjects for s in profile.signals) else []
    text = HEAD + f'[connections.bus]\ndriver = "modbus"\nurl = "{server.url}"\naddressing = "0-based"\n'
    for kind in [*kinds, *(["equipment"] if profile.states else [])]:
        text += f'[[{kind}]]\nasset_no = "{kind}"\nname = "x"\nprofile = "{name}"\nconnection = "bus"\n'
        text += f'parameters = "{words}"\n'
        if kind == "meters":
            text += 'carrier = "electricity"\nrole = "sub"\nmax_rate = 1000000\n'
    loaded = write(folder, text)
    assert loaded.errors == ()
    assert loaded.plant is not None
    (connection,) = loaded.plant.connections
    driver = connection.driver(connection.settings)
    await driver.open()
    try:
        scan = await driver.read(driver.prepare([Point(p.name, p.address) for p in connection.points]))
    finally:
        await driver.close()
    told = []
    for point, value in zip(connection.points, scan.values, strict=True):
        told.append((point, value if isinstance(value, PointFault) else understanding(point.meaning)(value)))
    return told


def _same(point: BoundPoint, got: Any, row: Row, value: Fraction) -> bool:
    """Whether what was read is what the table says: exactly, but for the 24 bits of a float, and hundredths of a
    register that is one."""
    if isinstance(got, PointFault):
        return False
    if isinstance(got, bool | str):
        return got in (True, "Forward")
    wanted = value * UNITS.get(row.unit, (row.unit, Fraction(1)))[1]
    if isinstance(point.meaning, Register):
        count = Fraction(point.meaning.item.num, point.meaning.item.den)
        return bool(round(wanted / count) == got)
    return math.isclose(got, wanted, rel_tol=1e-9)
