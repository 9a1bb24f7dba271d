"""Every meter of the library, read value by value from someone else's server laid out by the table of registers.

What is laid out comes from the table (`support/device_table.py`), not from what is read. A cell in braces is laid out
both ways, as the plant says.
"""

import asyncio
import csv
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.meaning import understanding
from ganpo_config.plant import BoundPoint, Register
from ganpo_drivers import Driver, Point, PointFault
from support.configs import BUS, plant
from support.laid_meters import CT, METERS, PROFILES, PT, ROWS, SAID, meter_laid
from support.modbus_server import ModbusServer

CASES = [
    (name, said)
    for name in METERS
    for said in SAID
    if said is SAID[0] or said.keys() & PROFILES[name].parameters.keys()
]


def _text(server: ModbusServer, name: str, unit: int, said: Mapping[str, str]) -> str:
    profile = PROFILES[name]
    words = {key: said[key] for key in profile.parameters if key in said} | {"unit": str(unit)}
    carrier = "heat" if "heat_total" in profile.signals else "electricity"
    if carrier == "electricity" and "volume_total" in profile.signals:
        carrier = "water_fresh"
    columns = "max_rate = 100000"
    if "volume_total" in profile.signals:
        words["pipe"] = "DN50"
    if profile.reads == "secondary" or {"ct_ratio", "ct_primary"} & profile.signals.keys():
        columns += f'\nct = "{CT[0]}/{CT[1]}"\nreads = "{profile.reads or "primary"}"'
    if profile.reads == "secondary":
        columns += f'\npt = "{PT[0]}/{PT[1]}"'
    parameters = " ".join(f"{key}={value}" for key, value in words.items())
    return (
        BUS.replace("tcp://127.0.0.1:502", server.url)
        + f"""
[[meters]]
asset_no = "M-1"
name = "Meter"
carrier = "{carrier}"
role = "boundary_in"
profile = "{name}"
connection = "bus"
parameters = "{parameters}"
{columns}
"""
    )


@pytest.fixture(scope="module")
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        yield running


async def _read(driver: Driver[Any, Any], points: Sequence[BoundPoint]) -> dict[str, Any]:
    """What each point comes to, in its signal's unit, read as the agent reads: those of an interval at once."""
    found: dict[str, Any] = {}
    for _, group in groupby(
        sorted(points, key=lambda point: point.interval_s), lambda point: point.interval_s
    ):
        asked = list(group)
        scan = await driver.read(driver.prepare([Point(p.name, p.address) for p in asked]))
        for point, value in zip(asked, scan.values, strict=True):
            meaning = point.meaning
            understood = value if isinstance(value, PointFault) else understanding(meaning)(value)
            if isinstance(meaning, Register) and isinstance(understood, int):
                found[point.signal] = Fraction(understood * meaning.item.num, meaning.item.den)
            else:
                found[point.signal] = understood
    return found


def _step(point: BoundPoint) -> Fraction:
    """How far a value may lie from what was laid out: a float that counts by half a count, whole numbers not at all."""
    meaning = point.meaning
    if not isinstance(meaning, Register):
        return Fraction(1, 10**9)
    floats = meaning.counts_per_value > 1
    return Fraction(meaning.item.num, 2 * meaning.item.den) if floats else Fraction(0)


@pytest.mark.parametrize(
    ("unit", "name", "said"),
    [pytest.param(unit, *case, id=case[0]) for unit, case in enumerate(CASES, start=1)],
)
async def test_a_meter_is_read_value_by_value(
    unit: int, name: str, said: dict[str, str], server: ModbusServer, tmp_path: Path
) -> None:
    laid = list(meter_laid(name, said))
    server.set_many([(unit, *block) for one in laid for block in one.blocks])
    (link,) = (await asyncio.to_thread(plant, tmp_path, _text(server, name, unit, said))).connections
    driver = link.driver(link.settings)
    await driver.open()
    try:
        found = await _read(driver, link.points)
    finally:
        await driver.close()
    assert found.keys() == {one.signal for one in laid}, "every signal of the profile stands in the table"
    steps = {point.signal: _step(point) for point in link.points}
    for one in laid:
        value, step = found[one.signal], steps[one.signal]
        if isinstance(one.value, bool) or step == 0:
            assert value == one.value, one.signal
        else:
            assert value == pytest.approx(float(one.value), rel=1e-6, abs=float(step)), one.signal
    print(
        f"{PROFILES[name].vendor} {PROFILES[name].device}: {len(laid)} signals equal: {', '.join(sorted(found))}"
    )


@pytest.mark.parametrize(
    ("unit", "named", "is_really"),
    [
        (241, "eastron_sdm630", "eastron_sdm72"),
        (242, "carlo_gavazzi_em340", "carlo_gavazzi_em540"),
        (243, "chint_dtsu666", "chint_dtsu666_old"),
        (244, "abb_b23", "abb_b23_steel"),
    ],
)
async def test_the_name_of_a_larger_sibling_costs_what_this_one_has_not_and_nothing_else(
    unit: int, named: str, is_really: str, server: ModbusServer, tmp_path: Path
) -> None:
    laid = {one.signal: one for one in meter_laid(is_really, SAID[0])}
    server.set_many([(unit, *block) for one in laid.values() for block in one.blocks])
    (link,) = (await asyncio.to_thread(plant, tmp_path, _text(server, named, unit, SAID[0]))).connections
    driver = link.driver(link.settings)
    await driver.open()
    try:
        found = await _read(driver, link.points)
    finally:
        await driver.close()
    places = {one.signal: one.blocks[0][:2] for one in meter_laid(named, SAID[0])}
    same = {
        signal for signal, place in places.items() if signal in laid and laid[signal].blocks[0][:2] == place
    }
    assert same
    assert {signal for signal, value in found.items() if not isinstance(value, PointFault)} == same


def test_every_row_of_the_table_is_read_by_a_profile_or_left_for_a_reason() -> None:
    for row in ROWS:
        assert bool(row["profile"]) != bool(row["left"]), row
    assert len({row["device"] for row in ROWS}) >= 60
    assert not {name for row in ROWS for name in row["profile"].split()} - set(PROFILES)


def test_the_table_is_the_one_that_was_compiled(shared: Path) -> None:
    text = (shared / "reference" / "device_registers.csv").read_text(encoding="utf-8")
    compiled = [row for row in csv.DictReader(text.splitlines()) if "meter" in row["kind"]]
    ours = [row for row in ROWS if row["confidence"] != "beyond"]
    columns = {"signal": "signal", "type": "type", "word_order": "order", "scale": "scale", "unit": "unit"}
    for theirs, own in zip(compiled, ours, strict=True):
        assert (f"{theirs['vendor']} {theirs['device']}", theirs["confidence"]) == (
            own["device"],
            own["confidence"],
        )
        for key, mine in columns.items():
            assert own[mine] == theirs[key] or own[mine].startswith("{") or "or" in theirs[key]
