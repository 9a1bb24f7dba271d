"""DL/T 645: frames that others published, values, what a meter refuses, and what a bad line never becomes."""

import asyncio
import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganpo_demo.register_meters import Dlt645Meter, FramedLine
from ganpo_drivers import FaultKind, Point, PointFault, Scan, Value
from ganpo_drivers.dlt645.address import Dlt645Address
from ganpo_drivers.dlt645.driver import Dlt645Driver
from ganpo_drivers.dlt645.frame import Frame, encoded, frames
from ganpo_drivers.dlt645.settings import Dlt645Settings
from ganpo_drivers.lines import ByteLine
from ganpo_model.errors import UnitSilent
from support.meter_line import noted
from support.scripted_line import Answer, ScriptedLine

PUBLISHED = list(
    csv.DictReader((Path(__file__).parent / "frames" / "dlt645.csv").read_text(encoding="utf-8").splitlines())
)
METER = "000000000161"


class Scripted(Dlt645Settings):
    """Over a line without a port."""

    made: ClassVar[Callable[[], ByteLine]]

    def new_line(self) -> ByteLine:
        return type(self).made()


def driver_over(answer: Answer) -> tuple[Dlt645Driver, ScriptedLine]:
    """A driver and the line it will open."""
    line = ScriptedLine(answer)

    class Here(Scripted):
        made = staticmethod(lambda: line)

    return Dlt645Driver(
        Here(driver="dlt645", url="serial:///dev/scripted", baud=4_000_000, timeout_s=0.01)
    ), line


def at(*texts: str, **columns: Any) -> list[Point[Dlt645Address]]:
    """Points of these addresses."""
    return [Point(text, Dlt645Address.parse(text, **columns)) for text in texts]


async def read(driver: Dlt645Driver, points: list[Point[Dlt645Address]]) -> list[Value | PointFault]:
    """One read of a driver that is opened for it."""
    await driver.open()
    try:
        scan: Scan = await driver.read(driver.prepare(points))
    finally:
        await driver.close()
    return scan.values


def meter_with(**items: str) -> Answer:
    """One meter that shows these digits, by data identifier (`x00010000`)."""
    shown = {di[1:]: digits for di, digits in items.items()}
    answering = noted(FramedLine(10, [Dlt645Meter(METER, shown.get)]).answer)
    return lambda request: [answering(request)]


@pytest.mark.parametrize("row", PUBLISHED, ids=[row["name"] for row in PUBLISHED])
def test_a_published_frame_is_what_its_source_says(row: dict[str, str]) -> None:
    raw = bytes.fromhex(row["frame"])
    ((frame, end),) = frames(raw)
    assert end == len(raw)
    assert frame == Frame(row["meter"], int(row["control"], 16), bytes.fromhex(row["data"]))
    assert encoded(frame) == raw.lstrip(b"\xfe")
    assert encoded(frame, 4) == b"\xfe\xfe\xfe\xfe" + raw.lstrip(b"\xfe")


@pytest.mark.parametrize(
    "row", [row for row in PUBLISHED if row["value"]], ids=[row["name"] for row in PUBLISHED if row["value"]]
)
async def test_a_published_reply_gives_its_value(row: dict[str, str]) -> None:
    reply = bytes.fromhex(row["frame"])
    driver, line = driver_over(lambda request: [reply])
    assert await read(driver, at(f"{row['meter']}:{row['di']}")) == [float(row["value"])]
    asked = [
        entry for entry in PUBLISHED if (entry["meter"], entry["di"], entry["value"]) == (*_key(row), "")
    ]
    for entry in asked:
        assert line.sent == [b"\xfe" * 4 + bytes.fromhex(entry["frame"]).lstrip(b"\xfe")]


def _key(row: dict[str, str]) -> tuple[str, str]:
    return row["meter"], row["di"]


async def test_the_only_meter_of_a_line_is_read_by_the_wildcard_and_named() -> None:
    reply = bytes.fromhex("68 43 97 35 14 00 00 68 81 06 43 C3 7B 96 57 33 1B 16")
    driver, line = driver_over(lambda request: [reply])
    assert await read(driver, at("AAAAAAAAAAAA:9010")) == [2463.48]
    assert line.sent == [bytes.fromhex("FE FE FE FE 68 AA AA AA AA AA AA 68 01 02 43 C3 D5 16")]
    assert driver.report().notes == (
        "000014359743 answered to AAAAAAAAAAAA: write that address into the list",
    )


async def test_items_have_their_sign_decimals_and_parts_and_one_request_each() -> None:
    driver, line = driver_over(
        meter_with(
            x00000000="80000026",
            x02030000="812345",
            x02060000="1000",
            x0201FF00="238022982301",
            x01010000="2611291405123456",
            x04000401="000000000161",
            x04000601="05",
            x02800002="4999",
        )
    )
    points = at(
        *(f"{METER}:{item}" for item in ("combined_active", "power", "power_factor", "voltages.1")),
        *(f"{METER}:{item}" for item in ("voltages.3", "forward_active_demand.1", "forward_active_demand.2")),
        *(f"{METER}:{item}" for item in ("address", "combination", "frequency", "voltages.2")),
    )
    assert await read(driver, points) == [
        *(-0.26, -1.2345, 1.0, 230.1, 238.0, 12.3456, "2611291405"),
        *("000000000161", 5, 49.99, 229.8),
    ]
    assert len(line.sent) == 8


async def test_what_is_no_value_is_a_fault_of_its_point_alone() -> None:
    driver, _ = driver_over(
        meter_with(x00010000="00000026", x02010100="FFFF", x02010200="22A1", x02010300="002381")
    )
    points = at(*(f"{METER}:{di}" for di in ("02010100", "02010200", "02010300", "00020000", "00010000")))
    absent, wrong, length, refused, energy = await read(driver, points)
    assert absent == PointFault(FaultKind.BAD, "the meter says that it has no value (all bytes FF)")
    assert wrong == PointFault(FaultKind.BAD, "its bytes are no BCD: A1 22")
    assert length == PointFault(FaultKind.MISSING, "02010300 as XXX.X has 2 bytes, 3 came")
    assert refused == PointFault(FaultKind.BAD, "the meter refuses: it has no such data (error byte 02)")
    assert energy == 0.26
    assert driver.report().faults == {(METER, "length"): 1, (METER, "refused"): 1}


async def test_an_error_byte_is_told_bit_by_bit() -> None:
    reply = bytes.fromhex("68 12 90 78 56 34 12 68 D1 01 39 91 16")
    driver, _ = driver_over(lambda request: [reply])
    (fault,) = await read(driver, at("123456789012:00010000"))
    assert isinstance(fault, PointFault)
    assert fault.text == (
        "the meter refuses: it has no such data, password wrong or no permission (error byte 06)"
    )


async def test_an_empty_start_browses_the_only_meter_for_all_that_it_gives() -> None:
    driver, line = driver_over(meter_with(x00010000="00000026", x0201FF00="238022982301", x9010="00000026"))
    await driver.open()
    found = [text async for text in driver.browse("")]
    await driver.close()
    voltages = [f"{METER}:0201FF00.{part}" for part in (1, 2, 3)]
    assert found == [f"{METER}:00010000", *voltages, f"{METER}:9010"]
    assert line.sent[0] == bytes.fromhex("FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16")


async def test_what_a_meter_refuses_is_not_asked_for_at_every_poll() -> None:
    driver, line = driver_over(meter_with(x00010000="00000026"))
    query = driver.prepare(at(f"{METER}:00020000", f"{METER}:00010000"))
    await driver.open()
    for _ in range(5):
        refused, energy = (await driver.read(query)).values
        assert isinstance(refused, PointFault)
        assert energy == 0.26
    await driver.close()
    assert len(line.sent) == 6


async def test_follow_up_frames_are_asked_for_by_number_and_joined() -> None:
    parts = {0x11: (0xB1, b"\x26", b""), 1: (0xB2, b"\x01\x02", b"\x01"), 2: (0x92, b"\x00", b"\x02")}

    def meter(request: bytes) -> Iterable[bytes]:
        ((asked, _),) = frames(request)
        control, data, tail = parts[asked.data[-1] if asked.control == 0x12 else 0x11]
        return [encoded(Frame(METER, control, bytes.fromhex("00000100") + data + tail))]

    driver, line = driver_over(meter)
    assert await read(driver, at(f"{METER}:00010000")) == [201.26]
    assert [frames(request)[0][0].control for request in line.sent] == [0x11, 0x12, 0x12]


async def test_a_meter_that_says_for_ever_that_more_follows_is_cut_short() -> None:
    def meter(request: bytes) -> Iterable[bytes]:
        ((asked, _),) = frames(request)
        return [encoded(Frame(METER, asked.control | 0xA0, asked.data[:4] + b"\x00" + asked.data[4:]))]

    driver, line = driver_over(meter)
    with pytest.raises(UnitSilent, match="more than 20 frames"):
        await read(driver, at(f"{METER}:00010000"))
    assert len(line.sent) == 20


async def test_a_silent_item_costs_its_point_and_is_asked_last_and_less() -> None:
    answering = meter_with(x00010000="00000026")
    driver, line = driver_over(lambda request: [] if b"\x33\x33\x35\x33" in request else answering(request))
    query = driver.prepare(at(f"{METER}:00020000", f"{METER}:00010000"))
    await driver.open()
    with pytest.raises(UnitSilent, match=f"serial:///dev/scripted meter {METER}: no answer within"):
        await driver.read(query)  # nothing was heard of it yet
    line.sent.clear()
    for _ in range(6):
        silent, energy = (await driver.read(query)).values
        assert isinstance(silent, PointFault)
        assert silent.kind is FaultKind.MISSING
        assert energy == 0.26
    await driver.close()
    assert len(line.sent) == 6 + 3, "asked after the others, three times"
    assert driver.report().faults == {(METER, "silent"): 4}


async def test_a_meter_that_comes_back_is_heard_although_one_of_its_items_stays_mute() -> None:
    answering, away = meter_with(x00010000="00000026", x02010100="2301"), [True]
    driver, _ = driver_over(
        lambda request: [] if away[0] or b"\x33\x33\x35\x33" in request else answering(request)
    )
    query = driver.prepare(at(f"{METER}:00020000", f"{METER}:00010000", f"{METER}:02010100"))
    await driver.open()
    for _ in range(7):
        with pytest.raises(UnitSilent):
            await driver.read(query)
    away[0] = False
    for _ in range(2):
        try:
            values = (await driver.read(query)).values
        except UnitSilent:
            continue
        assert values[1:] == [0.26, 230.1]
    assert values[1:] == [0.26, 230.1]
    await driver.close()


OTHER = "000000000162"
SHOWN = {"00010000": "00012345", "02010100": "2301", "02030000": "012345"}
VALUES = {"00010000": 123.45, "02010100": 230.1, "02030000": 1.2345}
MISHAPS = (
    "none",
    "silent",
    "late",
    "doubled",
    "half",
    "noise",
    "echo",
    "damaged",
    "other meter",
    "other item",
    "wakes",
)


def mishap(
    what: str, request: bytes, right: bytes, others: bytes, late: list[bytes], noise: bytes
) -> list[bytes]:
    """What comes over the line instead of the right answer alone; what is late comes before the next one."""
    before, late[:] = list(late), []
    match what:
        case "silent":
            return before
        case "late":
            late.append(right)
            return before
        case "doubled":
            return [*before, right, right]
        case "half":
            return [*before, right[: len(right) // 2]]
        case "noise":
            return [*before, noise, right]
        case "echo":
            return [*before, request, right]
        case "damaged":
            return [*before, right[:-3] + bytes((right[-3] ^ 0x04,)) + right[-2:]]
        case "other meter" | "other item":
            return [*before, others]
        case "wakes":
            return [*before, b"\xfe" * 9, right[:11], right[11:]]
    return [*before, right]


async def test_noise_in_which_nothing_begins_asks_for_baud_and_parity() -> None:
    driver, _ = driver_over(lambda request: [bytes.fromhex("00 80 F8 00 E0 FE")])
    with pytest.raises(UnitSilent) as told:
        await read(driver, at(f"{METER}:00010000"))
    assert told.value.what == "no answer to this in the 6 bytes that came: 00 80 F8 00 E0 FE"
    assert told.value.hint.endswith("are baud, parity and stop bits those of the meters?")
    assert driver.report().faults == {(METER, "unusable"): 1}


@pytest.mark.parametrize("what", ["doubled", "noise", "echo", "wakes"])
async def test_what_lies_around_the_answer_costs_nothing(what: str) -> None:
    right = meter_with(**{f"x{di}": shown for di, shown in SHOWN.items()})
    stray = bytes.fromhex("68 00 68 fe 16 68 61 01")  # also the beginning of a frame that never ends

    def line(request: bytes) -> list[bytes]:
        (answer,) = right(request)
        return mishap(what, request, answer, b"", [], stray)

    driver, _ = driver_over(line)
    for _ in range(3):
        assert await read(driver, at(*(f"{METER}:{di}" for di in VALUES))) == list(VALUES.values())
    assert driver.report().faults == {}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.sampled_from(MISHAPS), st.binary(max_size=20), st.permutations(sorted(SHOWN))),
        min_size=1,
        max_size=6,
    )
)
def test_late_doubled_half_echoed_and_noisy_answers_never_become_a_value(
    polls: list[tuple[str, bytes, list[str]]],
) -> None:
    meter = noted(FramedLine(10, [Dlt645Meter(METER, SHOWN.get)]).answer)
    other = Dlt645Meter(OTHER, dict.fromkeys(SHOWN, "99999999").get)
    late: list[bytes] = []
    current: tuple[str, bytes] = ("none", b"")

    def line(request: bytes) -> list[bytes]:
        what, noise = current
        ((asked, _),) = frames(request)
        strange = (
            other(encoded(asked._replace(meter=OTHER)))
            if what == "other meter"
            else Dlt645Meter(METER, {"04000401": "000000000161"}.get)(
                encoded(asked._replace(data=bytes.fromhex("01040004")))
            )
        )
        return mishap(what, request, meter(request), strange, late, noise)

    async def run() -> None:
        nonlocal current
        driver, _ = driver_over(line)
        for what, noise, order in polls:
            current = what, noise
            try:
                values = await read(driver, at(*(f"{METER}:{di}" for di in order)))
            except UnitSilent:
                continue
            for di, value in zip(order, values, strict=True):
                assert isinstance(value, PointFault) or value == VALUES[di]

    asyncio.run(run())


def test_a_plan_counts_the_characters_of_both_ways_and_the_time_until_a_meter_begins() -> None:
    settings = Dlt645Settings(driver="dlt645", url="serial:///dev/ttyS0", baud=2400)
    driver = Dlt645Driver(settings)
    cost = driver.estimate(
        driver.prepare(at(f"{METER}:00010000", f"{METER}:0201FF00.1", f"{METER}:0201FF00.3"))
    )
    # Both ways with 4 wake-up bytes: 4 + 16 out, 4 + 20 back for the energy, 4 + 22 for the voltages; 11 bits each.
    characters = 20 + 24 + 20 + 26
    assert (cost.requests, cost.items, cost.waste) == (2, 3, 0)
    assert cost.seconds == pytest.approx(characters * 11 / 2400 + 2 * 0.1)
    assert cost.silent_s == pytest.approx(46 * 11 / 2400 + 1.0)
    assert cost.assumed == "meters begin to answer after 0.1 s, 2400 baud"
