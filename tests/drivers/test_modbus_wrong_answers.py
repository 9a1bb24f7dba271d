"""Wrong answers on one line: which are believed (none), and what each costs (drivers.md, field cases F01, G07)."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from ganpo_drivers import FaultKind, Point, PointFault
from ganpo_drivers.modbus import reading
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import TransientError, UnitBusy, UnitSilent
from support.modbus_line import BROKEN, WHOLE, ModbusLine, exception, frame, nameless, registers, right

TIMEOUT_S = 0.3


@pytest.fixture
async def line() -> AsyncIterator[ModbusLine]:
    async with ModbusLine() as line:
        yield line


@pytest.fixture
async def driver(line: ModbusLine) -> AsyncIterator[ModbusDriver]:
    driver = driver_of(line)
    await driver.open()
    yield driver
    await driver.close()


def driver_of(line: ModbusLine, **more: Any) -> ModbusDriver:
    settings = {
        "driver": "modbus",
        "url": line.url,
        "addressing": "0-based",
        "timeout_s": TIMEOUT_S,
        "max_gap": 0,
    }
    return ModbusDriver(ModbusSettings(**{**settings, **more}))


def query(driver: ModbusDriver, unit: int, *firsts: int, kind: str = "uint16", area: str = "holding") -> Any:
    texts = [f"{unit}:{area}:{first}" for first in firsts]
    return driver.prepare([Point(text, ModbusAddress.parse(text, type=kind)) for text in texts])


async def read(driver: ModbusDriver, unit: int, *firsts: int, kind: str = "uint16") -> list[Any]:
    return (await driver.read(query(driver, unit, *firsts, kind=kind))).values


class Hours:
    """What the driver takes for now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.mark.parametrize("name", WHOLE)
async def test_a_whole_wrong_answer_costs_its_block_and_nothing_else(
    line: ModbusLine, driver: ModbusDriver, name: str
) -> None:
    assert await read(driver, 1, 100, 101, 200) == [100, 101, 200]
    for wrong in ((1, 100), (1, 200)):
        line.replies = {wrong: WHOLE[name]}
        for _ in range(4):
            values = await read(driver, 1, 100, 101, 200)
            lost = [isinstance(value, PointFault) and value.kind is FaultKind.MISSING for value in values]
            assert lost == ([True, True, False] if wrong == (1, 100) else [False, False, True])
            assert await read(driver, 2, 100) == [100]
        line.replies = {}
        assert await read(driver, 1, 100, 101, 200) == [100, 101, 200]
    assert line.sessions == 1
    assert sum(driver.report().faults.values()) == 8
    assert {key for key, _ in driver.report().faults} == {"1"}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_frame_costs_the_session_which_is_open_again_in_the_same_read(
    line: ModbusLine, driver: ModbusDriver, name: str
) -> None:
    assert await read(driver, 1, 100, 200, 300) == [100, 200, 300]
    line.replies = {(1, 200): BROKEN[name]}
    for _ in range(3):
        first, broken, last = await read(driver, 1, 100, 200, 300)
        assert (first, broken.kind, last) == (100, FaultKind.MISSING, 300)
        assert await read(driver, 2, 100) == [100]
    opened = 2 if name == "the end of the session" else 1  # it may have ended before it was asked
    assert line.sessions == 1 + 3 * opened
    line.replies = {}
    assert await read(driver, 1, 100, 200, 300) == [100, 200, 300]
    assert driver.report().faults["1", "broken"] == 3
    assert driver.report().reopened == 3 * opened


async def test_a_device_that_takes_one_request_a_session_is_read_whole(line: ModbusLine) -> None:
    line.requests_per_session = 1
    driver = driver_of(line)
    await driver.open()
    for _ in range(3):
        assert await read(driver, 1, 100, 200, 300) == [100, 200, 300]
    await driver.close()


async def test_what_breaks_off_every_time_does_not_slow_down_the_line_for_ever(
    line: ModbusLine, driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours(monkeypatch)
    line.replies = {(1, 100): BROKEN["half a frame"]}
    asked = query(driver, 1, 100, 200)
    for _ in range(9):
        fault = PointFault(FaultKind.MISSING, "the answer broke off after 8 bytes")
        assert (await driver.read(asked)).values == [fault, 200]
    assert line.asked[1, 100] == 3
    line.replies = {}
    hours.now += 10
    assert (await driver.read(asked)).values == [100, 200]


@pytest.mark.parametrize("name", BROKEN)
async def test_a_unit_all_of_whose_answers_are_broken_is_silent_and_the_other_goes_on(
    line: ModbusLine, driver: ModbusDriver, name: str
) -> None:
    await read(driver, 1, 100)
    line.replies = {(1, first): BROKEN[name] for first in (100, 200, 300, 400)}
    for _ in range(2):
        with pytest.raises(UnitSilent, match="unit 1"):
            await read(driver, 1, 100, 200, 300, 400)
        assert await read(driver, 2, 100) == [100]


async def test_a_frame_with_fewer_or_more_registers_gives_no_value_at_all_and_says_how_many(
    line: ModbusLine, driver: ModbusDriver
) -> None:
    """F01, byte for byte."""
    answers = iter(
        [
            "0000 0007 0b 03 04 0000 0007",
            "0000 0005 0b 03 02 0009",
            "0000 0009 0b 03 06 0000 0008 0063",
            "0000 0007 0b 03 04 0000 0009",
        ]
    )
    line.otherwise = lambda request: request[:2] + bytes.fromhex(next(answers))
    asked = query(driver, 11, 10, kind="uint32")
    found = [(await driver.read(asked)).values[0] for _ in range(4)]
    assert found[0] == 7
    assert found[1] == PointFault(FaultKind.MISSING, "asked 2 registers, got 1 register")
    assert found[2] == PointFault(FaultKind.MISSING, "asked 2 registers, got 3 registers")
    assert found[3] == 9
    assert driver.report().faults == {("11", "length"): 2}
    line.otherwise = lambda request: frame(request, 11, registers(request, -1))
    block = await read(driver, 11, *range(20))
    assert all(
        value == PointFault(FaultKind.MISSING, "asked 20 registers, got 19 registers") for value in block
    )


async def test_an_answer_for_another_unit_says_both_at_once(line: ModbusLine) -> None:
    """G07."""
    driver = driver_of(line, timeout_s=5)
    await driver.open()
    line.replies = {(6, 100): lambda request: frame(request, 0, registers(request))}
    async with asyncio.timeout(2):
        (fault,) = await read(driver, 6, 100)
    assert fault.kind is FaultKind.MISSING
    assert "the device answered for unit 0, unit 6 was asked" in fault.text
    await driver.close()


async def test_an_answer_that_cannot_be_decoded_is_told_as_that_and_the_loop_says_nothing(
    line: ModbusLine, driver: ModbusDriver, caplog: pytest.LogCaptureFixture
) -> None:
    line.replies = {
        (1, 100): lambda request: frame(request, 1, b"\x03\x09\x00"),
        (1, 300): lambda request: frame(request, 1, b"\x83"),
    }
    for fault in await read(driver, 1, 100, 300):
        assert fault.text.startswith("the answer cannot be decoded: 01 ")
    assert not [record for record in caplog.records if record.name == "asyncio"]


@pytest.mark.parametrize("code", [0x04, 0x05, 0x06, 0x0A, 0x0B])
async def test_an_exception_that_is_not_about_the_address_costs_its_block(
    line: ModbusLine, driver: ModbusDriver, code: int
) -> None:
    line.replies = {(1, 100): exception(code)}
    for _ in range(3):
        fault, value = await read(driver, 1, 100, 200)
        assert (fault.kind, value) == (FaultKind.MISSING, 200)
        assert f"exception {code:02X}" in fault.text


async def test_the_unit_is_busy_only_if_none_of_its_queries_gets_an_answer(
    line: ModbusLine, driver: ModbusDriver
) -> None:
    line.replies = {(1, 100): exception(4)}
    often, seldom = query(driver, 1, 100), query(driver, 1, 200)
    with pytest.raises(UnitBusy, match="unit 1: exception 04"):
        await driver.read(often)
    assert (await driver.read(seldom)).values == [200]
    assert (await driver.read(often)).values == [
        PointFault(FaultKind.MISSING, "exception 04: device failure")
    ]


async def test_one_answer_with_another_protocol_id_parks_nobody(
    line: ModbusLine, driver: ModbusDriver
) -> None:
    assert await read(driver, 1, 100) == [100]
    line.otherwise = lambda request: b"SSH-2.0-OpenSSH_9.2\r\n"
    with pytest.raises((TransientError, UnitSilent)):
        await read(driver, 1, 100)
    line.otherwise = lambda request: frame(request, 1, registers(request))
    assert await read(driver, 1, 100) == [100]


async def test_two_answers_in_one_piece_are_taken_apart(line: ModbusLine, driver: ModbusDriver) -> None:
    """A late answer of full length and the one due: more than the library's buffer takes."""
    line.otherwise = lambda request: b""
    with pytest.raises(UnitSilent):
        await read(driver, 1, *range(125))
    line.otherwise = lambda request: (
        frame(request, 1, registers(request), 1) + frame(request, 1, registers(request))
    )
    assert await read(driver, 1, *range(125)) == list(range(125))


async def test_a_late_answer_without_transaction_id_is_never_taken_for_the_next_one(
    line: ModbusLine, driver: ModbusDriver
) -> None:
    line.otherwise = nameless
    assert await read(driver, 1, 100) == [100]
    line.delay_s = 1.2 * TIMEOUT_S
    with pytest.raises(UnitSilent):
        await read(driver, 1, 100)
    line.delay_s = 0
    for _ in range(10):
        assert await read(driver, 1, 200) == [200]
        await asyncio.sleep(TIMEOUT_S / 10)
    assert line.sessions == 2


async def test_nor_is_it_when_the_first_answer_ever_is_late(line: ModbusLine, driver: ModbusDriver) -> None:
    line.otherwise = nameless
    line.delay_s = 1.2 * TIMEOUT_S
    with pytest.raises(UnitSilent):
        await read(driver, 1, 100)
    line.delay_s = 0
    found: list[Any] = []
    for _ in range(10):
        try:
            found += await read(driver, 1, 200)
        except UnitSilent as silent:
            found.append(silent)
        await asyncio.sleep(TIMEOUT_S / 10)
    assert found.count(200) >= 9
    assert 100 not in found


async def test_a_device_that_never_says_an_id_is_read_with_a_new_session_after_each_error_and_told_so(
    line: ModbusLine, driver: ModbusDriver
) -> None:
    line.otherwise = nameless
    for _ in range(5):
        assert await read(driver, 1, 100, 200) == [100, 200]
    assert line.sessions == 1
    line.replies = {(1, 100): lambda request: frame(request, 1, registers(request, 1), 0)}
    for _ in range(3):
        fault, value = await read(driver, 1, 100, 200)
        assert (fault.kind, value) == (FaultKind.MISSING, 200)
    assert line.sessions == 4
    line.replies = {(1, 100): lambda request: frame(request, 1, b"\x83\x04", 0)}
    for _ in range(3):
        await read(driver, 1, 100, 200)
    assert line.sessions == 4, "an exception is an answer"
    (note,) = driver.report().notes
    assert note == "it answers with transaction id 0: after every error the session is opened anew"


async def test_a_device_that_says_ids_is_not_believed_without(line: ModbusLine, driver: ModbusDriver) -> None:
    assert await read(driver, 1, 100) == [100]
    line.otherwise = nameless
    (fault,) = await read(driver, 1, 100)
    assert "transaction id 0" in fault.text


async def test_a_late_answer_says_that_the_timeout_is_short(line: ModbusLine, driver: ModbusDriver) -> None:
    line.delay_s = 1.5 * TIMEOUT_S
    with pytest.raises(UnitSilent, match=r"no answer within 0\.3 s$"):
        await read(driver, 1, 100)
    with pytest.raises(UnitSilent, match="one to an earlier request came: is `timeout_s` too short"):
        await read(driver, 1, 100)


class Map:
    """Answers what is there, refuses the rest with 02, as a device does."""

    def __init__(self, *there: int) -> None:
        self.there = set(there)

    def __call__(self, request: bytes) -> bytes | None:
        first, count = int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big")
        return (right if self.there.issuperset(range(first, first + count)) else exception(2))(request)


async def test_a_block_with_one_hole_at_its_end_costs_one_request_a_poll_also_in_the_next_session(
    line: ModbusLine, driver: ModbusDriver
) -> None:
    line.otherwise = Map(*range(99))
    for _ in range(3):
        found = (await driver.read(query(driver, 1, *range(100)))).values
        assert found[:99] == list(range(99))
        assert found[99] == PointFault(FaultKind.BAD, "exception 02: illegal data address")
    assert line.requests[-2:] == [(1, 3, 0, 99)] * 2
    await driver.close()
    await driver.open()
    line.requests.clear()
    await driver.read(query(driver, 1, *range(100)))
    assert line.requests == [(1, 3, 0, 99)]


async def test_a_unit_that_refuses_everything_is_looked_through_over_several_reads(
    line: ModbusLine, driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours(monkeypatch)
    line.otherwise = device = Map()
    asked = query(driver, 3, *range(100))
    for _ in range(20):
        line.requests.clear()
        values = (await driver.read(asked)).values
        assert len(line.requests) <= reading.SEARCH_LIMIT + 8
        assert all(isinstance(value, PointFault) for value in values)
    assert line.requests == []
    device.there = set(range(100))
    hours.now += 60
    await driver.read(asked)
    assert (await driver.read(asked)).values == list(range(100))


async def test_an_address_that_just_answered_and_a_unit_that_starts_are_read_again_within_minutes(
    line: ModbusLine, driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G03: units 4 and 7 refuse from second 60 to 62, unit 3 until second 40."""
    hours = Hours(monkeypatch)
    began = hours.now
    queries = {unit: query(driver, unit, 0, kind="uint32") for unit in (3, 4, 7)}
    good: dict[int, list[float]] = {3: [], 4: [], 7: []}
    for second in range(200):
        hours.now = began + second
        line.replies = {(3, 0): exception(2)} if second < 40 else {}
        if 60 <= second < 62:
            line.replies = {(4, 0): exception(2), (7, 0): exception(3)}
        for unit, asked in queries.items():
            (value,) = (await driver.read(asked)).values
            if not isinstance(value, PointFault):
                good[unit].append(second)
    assert good[3] == list(range(60, 200))
    assert good[4] == good[7] == [*range(60), *range(120, 200)]


async def test_a_function_the_unit_does_not_know_is_asked_once_a_day_and_the_others_go_on(
    line: ModbusLine, driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F05: 100 float32 as input registers, four holding registers that work."""
    hours = Hours(monkeypatch)
    line.otherwise = lambda request: exception(1)(request) if request[7] == 4 else right(request)
    points = [Point(str(n), ModbusAddress.parse(f"11:input:{2 * n}", type="float32")) for n in range(100)] + [
        Point(f"h{n}", ModbusAddress.parse(f"11:holding:{n}", type="uint16")) for n in range(4)
    ]
    asked = driver.prepare(points)
    for _ in range(60):
        values = (await driver.read(asked)).values
        assert values[100:] == [0, 1, 2, 3]
        assert {value.text for value in values[:100] if isinstance(value, PointFault)} == {
            "exception 01: the unit does not read input registers; is this a holding register?"
        }
        hours.now += 1
    assert [function for _, function, _, _ in line.requests].count(4) == 1
    assert driver.report().faults == {("11", "exception_01"): 1}
    line.otherwise = right
    hours.now += 86_400
    await driver.read(asked)
    assert not [value for value in (await driver.read(asked)).values if isinstance(value, PointFault)]


async def test_a_block_that_is_never_answered_costs_the_unit_one_read_and_the_line_three_timeouts(
    line: ModbusLine, driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours(monkeypatch)
    line.replies = {(1, 100): lambda _request: b""}
    asked = query(driver, 1, 100, 200, 300)
    with pytest.raises(UnitSilent):
        await driver.read(asked)
    for _ in range(9):
        silent, *others = (await driver.read(asked)).values
        assert others == [200, 300]
        assert silent == PointFault(FaultKind.MISSING, f"no answer within {TIMEOUT_S:g} s")
        hours.now += 1
    assert line.asked[1, 100] == 4
    for _ in range(60):
        await driver.read(asked)
        hours.now += 1
    assert line.asked[1, 100] == 6, "after 10 s, after 20 s"
    line.replies = {}
    hours.now += 40
    await driver.read(asked)
    assert (await driver.read(asked)).values == [100, 200, 300]
