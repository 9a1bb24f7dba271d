"""Each profile of a Modbus drive, read by the agent's driver from a server laid out by the reference table; what its
state words mean, and the bits of PLCs.

The server is pymodbus'. Meters have a test of their own. `pytest -s` prints device, signals, equal.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.meaning import understanding
from ganpo_agent.observing.observer import Observer
from ganpo_config.plant import BoundPoint, Plant, Register
from ganpo_config.profiles import Profiles
from ganpo_drivers import Point, PointFault, Scan
from ganpo_model.clock import to_ms
from ganpo_model.states import State
from support.configs import HEAD, write
from support.device_table import UNITS, Row, rows
from support.modbus_server import ModbusServer
from support.plants import START

PROFILES = Profiles(Path("nowhere"))
ROWS = rows()
DEVICES = sorted({name for row in ROWS for name in row.profiles})
T0 = to_ms(START)
SAID = {"power_step": "0.01", "frequency_step": "0.01"}
"""What a plant says of what a profile asks for."""


@pytest.fixture(scope="module")
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        yield running


def test_every_device_of_the_table_has_a_profile_and_every_profile_its_rows() -> None:
    ours = {name for name, one in PROFILES.items() if one.driver == "modbus" and one.device and one.states}
    assert [row.device for row in ROWS if not row.profiles] == []
    assert set(DEVICES) == ours


@pytest.mark.parametrize("name", DEVICES)
async def test_a_device_shows_what_its_registers_hold(
    name: str, server: ModbusServer, tmp_path: Path
) -> None:
    expected = _lay(name, server)
    plant = _plant(name, server, tmp_path)
    found = [
        (point, value if isinstance(value, PointFault) else understanding(point.meaning)(value))
        for point, value in zip(plant.connections[0].points, await _read(plant), strict=True)
    ]
    equal = {}
    for (signal, address), (row, value) in expected.items():
        for point, got in found:
            number = getattr(point.address, "number", -1) - (row.bit or 0 if row.type == "bit" else 0)
            if point.signal in _NAMES.get(signal, (signal,)) and number == address:
                assert _same(point, got, row, value), f"{signal} at {address}: {got}, expected {float(value)}"
                equal[signal] = address
    device = next(iter(expected.values()))[0].device
    print(f"\n{device:<40} {name:<30} {len(equal)} of {len(expected)} rows equal: {', '.join(equal)}")
    missed = {signal for signal, _ in expected} - set(equal)
    assert missed == set(), "rows that the profile does not read"


RUNS, RESTS, FAULT, UNKNOWN = State.PRODUCING, State.IDLE, State.FAULT, State.UNKNOWN
WORDS = {
    "danfoss_fc51": ("holding", 50199, {0x0803: RUNS, 0x0003: RESTS, 0x000B: FAULT}),
    "danfoss_vlt2800": ("coil", 32, {0x0803: RUNS, 0x0003: RESTS, 0x000B: FAULT}),
    "vacon_10": ("input", 2100, {0b11: RUNS, 0b1: RESTS, 0b1010: FAULT}),
    "veda_vf51": ("holding", 8194, {0b1: RUNS, 0b0: RESTS, 0b10000: FAULT}),
    "abb_acs550": ("holding", 3, {0b0111: RUNS, 0b0011: RESTS, 0b1000: FAULT}),
    "abb_acs580": ("holding", 3, {0b0111: RUNS, 0b0011: RESTS, 0b1000: FAULT}),
    "siemens_v20": ("holding", 110, {8192: RUNS, 0x10000 - 8192: RUNS, 20: RESTS}),
    "delta_ms300": ("holding", 8451, {5000: RUNS, 0: RESTS}),
    "inovance_md": ("holding", 12288, {1: RUNS, 2: RUNS, 3: RESTS, 0: UNKNOWN}),
    "fuling_dzb": ("holding", 4097, {1: RUNS, 2: RUNS, 3: RESTS, 4: FAULT, 9: UNKNOWN}),
    "weiken": ("holding", 28680, {1: RUNS, 2: RUNS, 0: RESTS, 3: RESTS}),
}
"""Area and address of a drive's state word, and what its values mean, by the notes of the reference table."""


@pytest.mark.parametrize("name", DEVICES)
async def test_a_drive_runs_rests_or_is_at_fault_as_its_state_word_says(
    name: str, server: ModbusServer, tmp_path: Path
) -> None:
    _lay(name, server)
    plant = _plant(name, server, tmp_path)
    area, address, meant = WORDS[name]
    for word, state in meant.items():
        bits = [word >> bit & 1 for bit in range(16)]
        server.set(_unit(name), area, address, bits if area == "coil" else [word])
        assert await _state(plant) is state, f"{word:#x}"


@pytest.mark.parametrize(
    ("addressing", "run", "area", "address"),
    [
        ("delta-dvp", "M10", "coil", 0x800 + 10),
        ("delta-dvp", "X10", "discrete", 0x400 + 8),
        ("inovance-h", "Y17", "coil", 0xFC00 + 15),
        ("inovance-am", "MX101.0", "holding", 50),
        ("xinje-xc", "X10", "coil", 0x4000 + 8),
        ("xinje-xd", "HM5", "coil", 0xC100 + 5),
        ("siemens-mb-server", "DBX2.0", "holding", 1),
    ],
)
async def test_a_machine_is_known_by_a_bit_of_its_plc(
    addressing: str, run: str, area: str, address: int, server: ModbusServer, tmp_path: Path
) -> None:
    said = f"addressing={addressing} run=240:{run}"
    plant = _plant("machine_by_plc_bits", server, tmp_path, said)
    for value, state in ((0x0100 if area == "holding" else 1, RUNS), (0, RESTS)):
        server.set(240, area, address, [value])
        assert await _state(plant) is state


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


def _unit(name: str) -> int:
    return DEVICES.index(name) + 1


def _lay(name: str, server: ModbusServer) -> dict[tuple[str, int], tuple[Row, Fraction]]:
    """Lay the rows of a device out; by signal and address what each comes to."""
    expected = {}
    for number, row in enumerate(row for row in ROWS if name in row.profiles):
        registers, value = row.laid(number, _said(name))
        for area in row.areas:
            server.set(_unit(name), area, row.address, registers)
        expected[row.signal, row.address] = row, value
    return expected


def _plant(name: str, server: ModbusServer, folder: Path, said: str = "") -> Plant:
    """A plant that names the profile, as equipment, and as a meter too where it counts."""
    profile = PROFILES[name]
    said = said or " ".join(f"{key}={value}" for key, value in {"unit": _unit(name), **_said(name)}.items())
    text = HEAD + f'[connections.bus]\ndriver = "modbus"\nurl = "{server.url}"\naddressing = "0-based"\n'
    for kind in ["equipment", *(["meters"] if "energy_import" in profile.signals else [])]:
        text += f'[[{kind}]]\nasset_no = "{kind}"\nname = "x"\nprofile = "{name}"\nconnection = "bus"\n'
        text += f'parameters = "{said}"\n'
        if kind == "meters":
            text += 'carrier = "electricity"\nrole = "sub"\nmax_rate = 1000000\n'
    loaded = write(folder, text)
    assert loaded.errors == ()
    assert loaded.plant is not None
    return loaded.plant


async def _read(plant: Plant) -> list[Any]:
    """What the driver says of all points, at one time."""
    (connection,) = plant.connections
    driver = connection.driver(connection.settings)
    await driver.open()
    try:
        scan = await driver.read(driver.prepare([Point(p.name, p.address) for p in connection.points]))
    finally:
        await driver.close()
    return scan.values


async def _state(plant: Plant) -> State:
    """What the agent takes the machine to be doing."""
    observer = Observer(plant, lambda _facts: None, T0)
    observer.feed(plant.connections[0].points, Scan(await _read(plant)), None, T0)
    return observer.machines["equipment"].state


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
