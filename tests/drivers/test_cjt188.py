"""CJ/T 188: frames that others published, units, what makers do, and what a bad line never becomes."""

import asyncio
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganpo_demo.register_meters import Cjt188Meter, FramedLine, volume
from ganpo_drivers import FaultKind, Point, PointFault, Value
from ganpo_drivers.cjt188.address import Cjt188Address
from ganpo_drivers.cjt188.driver import Cjt188Driver
from ganpo_drivers.cjt188.frame import Frame, encoded, frames
from ganpo_drivers.cjt188.settings import Cjt188Settings
from ganpo_drivers.lines import ByteLine
from ganpo_model.errors import UnitSilent
from support.scripted_line import Answer, ScriptedLine

PUBLISHED = list(
    csv.DictReader((Path(__file__).parent / "frames" / "cjt188.csv").read_text(encoding="utf-8").splitlines())
)
NAMES = [row["name"] for row in PUBLISHED]
METER = "10:78330011223344"
REST = volume(0) + "00" * 9
"""Settlement, time and status of a water meter."""


class Scripted(Cjt188Settings):
    """Over a line without a port."""

    made: ClassVar[Callable[[], ByteLine]]

    def new_line(self) -> ByteLine:
        return type(self).made()


def driver_over(answer: Answer, **options: Any) -> tuple[Cjt188Driver, ScriptedLine]:
    """A driver and the line it will open."""
    line = ScriptedLine(answer)

    class Here(Scripted):
        made = staticmethod(lambda: line)

    url = "serial:///dev/scripted"
    return Cjt188Driver(Here(driver="cjt188", url=url, baud=4_000_000, timeout_s=0.01, **options)), line


def at(*texts: str, **columns: Any) -> list[Point[Cjt188Address]]:
    """Points of these addresses."""
    return [Point(text, Cjt188Address.parse(text, **columns)) for text in texts]


async def read(driver: Cjt188Driver, points: list[Point[Cjt188Address]]) -> list[Value | PointFault]:
    """One read of a driver that is opened for it."""
    await driver.open()
    try:
        return (await driver.read(driver.prepare(points))).values
    finally:
        await driver.close()


def replying(raw: bytes) -> Answer:
    """The meter of a recorded reply, with the number of the request where it had one."""

    def answer(request: bytes) -> list[bytes]:
        ((asked, _),) = frames(request)
        ((told, _),) = frames(raw)
        number = asked.data[2:3] if told.data[2] else b"\0"
        return [encoded(told._replace(data=told.data[:2] + number + told.data[3:]), 3)]

    return answer


@pytest.mark.parametrize("row", PUBLISHED, ids=NAMES)
def test_a_published_frame_is_what_its_source_says_and_the_wrong_one_is_refused(row: dict[str, str]) -> None:
    raw = bytes.fromhex(row["frame"])
    if row["value"] == "refused":
        assert frames(raw) == []
        return
    ((frame, end),) = frames(raw)
    assert end == len(raw)
    assert frame == Frame(row["kind"], row["meter"], int(row["control"], 16), bytes.fromhex(row["data"]))
    assert encoded(frame) == raw.lstrip(b"\xfe")


@pytest.mark.parametrize(
    "row", [row for row in PUBLISHED if "=" in row["value"]], ids=lambda row: row["name"]
)
async def test_a_published_reply_gives_its_values(row: dict[str, str]) -> None:
    wanted = dict(item.split("=") for item in row["value"].split())
    points = at(*(f"{row['kind']}:{row['meter']}:{item}" for item in wanted), **orders(row))
    driver, line = driver_over(replying(bytes.fromhex(row["frame"])))
    found = await read(driver, points)
    for (item, text), value in zip(wanted.items(), found, strict=True):
        assert value == (text if item == "time" else float(text)), item
    (request,) = line.sent
    ((asked, _),) = frames(request)
    assert asked.data[:2].hex() == ("901f" if "high" in str(orders(row)) else "1f90")


def orders(row: dict[str, str]) -> dict[str, str]:
    """What the maker does, as the row's name says."""
    return {"order": "high_first unit_first"} if "unit before" in row["name"] else {}


@pytest.mark.parametrize(
    ("row", "options", "number"),
    [(PUBLISHED[0], {}, 0), (PUBLISHED[5], {"identifier_order": "high_first"}, 1)],
    ids=["identifier low byte first", "identifier high byte first"],
)
async def test_a_published_request_is_ours_but_for_its_number(
    row: dict[str, str], options: dict[str, str], number: int
) -> None:
    driver, line = driver_over(lambda request: [], **options)
    points = at(f"{row['kind']}:{row['meter']}:status", **driver.connection.columns())
    with pytest.raises(UnitSilent):
        await read(driver, points)
    ((ours, _),) = frames(line.sent[0])
    ((theirs, _),) = frames(bytes.fromhex(row["frame"]))
    assert ours._replace(data=ours.data[:2]) == theirs._replace(data=theirs.data[:2])
    assert ours.data[2] == 1
    assert theirs.data[2] == number


async def test_an_answer_in_another_unit_is_a_fault_that_says_both() -> None:
    reply = bytes.fromhex(PUBLISHED[4]["frame"])
    meter = "10:00000000000012"
    driver, _ = driver_over(replying(reply))
    (fault,) = await read(driver, at(f"{meter}:total:L"))
    assert fault == PointFault(FaultKind.BAD, "the meter counts total in m3, this point in L")
    (fault,) = await read(driver, at(f"{meter}:total", order="unit_first"))
    assert isinstance(fault, PointFault)
    assert "write unit_last into the column order" in fault.text


async def test_the_unit_before_the_number_is_found_out_by_its_fault() -> None:
    row = PUBLISHED[6]
    driver, _ = driver_over(replying(bytes.fromhex(row["frame"])))
    (fault,) = await read(driver, at(f"20:{row['meter']}:heat:MWh"))
    assert isinstance(fault, PointFault)
    assert "write unit_first into the column order" in fault.text


async def test_the_status_word_is_told_as_a_note_and_goes_with_it() -> None:
    status = ["0500"]
    meter = Cjt188Meter(0x10, "78330011223344", lambda: volume(1) + volume(0) + "00" * 7 + status[0])
    driver, _ = driver_over(lambda request: [FramedLine(11, [meter]).answer(request)])
    assert await read(driver, at(f"{METER}:status")) == [5]
    assert driver.report().notes == (f"{METER}: valve closed, battery low (status 05 00)",)
    status[0] = "00ff"
    assert await read(driver, at(f"{METER}:total")) == [1.0]
    assert driver.report().notes == ()


async def test_the_only_meter_of_a_line_is_read_by_the_wildcard_and_named() -> None:
    meter = Cjt188Meter(0x10, "78330011223344", lambda: volume(12.5) + REST)
    driver, _ = driver_over(lambda request: [FramedLine(11, [meter]).answer(request)])
    assert await read(driver, at("10:AAAAAAAAAAAAAA:total")) == [12.5]
    (note,) = driver.report().notes
    assert note.startswith(f"{METER}: it answered to AAAAAAAAAAAAAA: write that address")


async def test_an_empty_start_browses_the_only_meter_with_the_units_in_which_it_counts() -> None:
    meter = Cjt188Meter(0x10, "78330011223344", lambda: volume(12.5) + REST)
    driver, line = driver_over(lambda request: [FramedLine(11, [meter]).answer(request)])
    found = [text async for text in driver.browse("")]
    await driver.close()
    assert found == [f"{METER}:{item}" for item in ("total:m3", "settlement:m3", "time", "status")]
    assert frames(line.sent[0])[0][0] == Frame("AA", "AA" * 7, 0x03, bytes.fromhex("810A01"))


async def test_an_answer_of_another_length_and_one_that_refuses_are_faults() -> None:
    meter = Cjt188Meter(0x10, "78330011223344", lambda: volume(1))
    driver, _ = driver_over(lambda request: [FramedLine(11, [meter]).answer(request)])
    with pytest.raises(UnitSilent, match="type 10 answers with 22 bytes, 8 came: its maker lays them out"):
        await read(driver, at(f"{METER}:total"))

    def refuses(request: bytes) -> list[bytes]:
        ((asked, _),) = frames(request)
        return [encoded(asked._replace(control=0xC1, data=asked.data[2:] + b"\0\0"))]

    driver, _ = driver_over(refuses)
    assert await read(driver, at(f"{METER}:total")) == [
        PointFault(FaultKind.BAD, "the meter refuses (error answer with 01 00 00)")
    ]


async def test_two_meters_share_a_line_and_a_silent_one_costs_the_other_nothing() -> None:
    meters = FramedLine(11, [Cjt188Meter(0x10, "78330011223344", lambda: volume(7) + REST)])
    driver, _ = driver_over(lambda request: [meters.answer(request)])
    here, away = at(f"{METER}:total"), at("10:78330011223399:total")
    await driver.open()
    for _ in range(3):
        assert (await driver.read(driver.prepare(here))).values == [7.0]
        with pytest.raises(UnitSilent, match="meter 10:78330011223399"):
            await driver.read(driver.prepare(away))
    await driver.close()
    assert here[0].address.key != away[0].address.key


MISHAPS = ("none", "silent", "late", "doubled", "half", "noise", "echo", "damaged", "other meter")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(MISHAPS), st.binary(max_size=20)), min_size=1, max_size=8))
def test_late_doubled_half_echoed_and_noisy_answers_never_become_a_value(
    polls: list[tuple[str, bytes]],
) -> None:
    """The meter counts up with every request: an answer to an earlier one would be a wrong value."""
    asked = [0]
    late: list[bytes] = []
    meter = Cjt188Meter(0x10, "78330011223344", lambda: volume(asked[0]) + REST)
    other = Cjt188Meter(0x10, "78330011223345", lambda: volume(9999) + REST)
    current: list[Any] = ["none", b""]

    def line(request: bytes) -> list[bytes]:
        asked[0] += 1
        what, noise = current
        right = meter(request.lstrip(b"\xfe"))
        before, late[:] = list(late), []
        match what:
            case "silent":
                return before
            case "late":
                late.append(right)
                return before
            case "doubled":
                late.append(right)
                return [*before, right]
            case "half":
                return [*before, right[:20]]
            case "noise":
                return [*before, noise, right]
            case "echo":
                return [*before, request, right]
            case "damaged":
                return [*before, right[:-12] + bytes((right[-12] ^ 0x04,)) + right[-11:]]
            case "other meter":
                ((question, _),) = frames(request)
                return [*before, other(encoded(question._replace(meter="78330011223345")))]
        return [*before, right]

    async def run() -> None:
        driver, _ = driver_over(line)
        query = driver.prepare(at(f"{METER}:total"))
        await driver.open()
        for what, noise in polls:
            current[:] = what, noise
            try:
                (value,) = (await driver.read(query)).values
            except UnitSilent:
                assert what not in ("none", "doubled", "echo")
                continue
            assert value == asked[0]
        await driver.close()

    asyncio.run(run())
