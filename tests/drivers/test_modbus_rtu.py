"""Modbus RTU at a real pseudo-terminal and behind a converter: nothing late, half, doubled, echoed or noisy becomes a
value (drivers.md, Modbus; field lessons 3 and 30)."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ganpo_drivers import FaultKind, Identity, Point, PointFault
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.rtu import crc, framed, pause_s
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import ConnectionLost, TransientError, UnitSilent, Unreachable
from support.campaign import rounds
from support.rtu_line import WRONG, RtuLine, checked, exception, right

TIMEOUT_S = 0.15
MOODY_S = 0.03


@pytest.fixture(params=["port", "converter"])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[RtuLine]:
    line = RtuLine()
    async with line.at_a_port() if request.param == "port" else line.behind_a_converter():
        yield line


@pytest.fixture
async def driver(line: RtuLine) -> AsyncIterator[ModbusDriver]:
    driver = driver_of(line.url)
    await driver.open()
    yield driver
    await driver.close()


def driver_of(url: str, **more: Any) -> ModbusDriver:
    settings = {
        "driver": "modbus",
        "url": url,
        "addressing": "0-based",
        "timeout_s": TIMEOUT_S,
        "max_gap": 0,
        "baud": 115_200,
    }
    return ModbusDriver(ModbusSettings.model_validate({**settings, **more}))


def query(driver: ModbusDriver, unit: int, *firsts: int, kind: str = "uint16", area: str = "holding") -> Any:
    texts = [f"{unit}:{area}:{first}" for first in firsts]
    return driver.prepare([Point(text, ModbusAddress.parse(text, type=kind)) for text in texts])


async def read(driver: ModbusDriver, unit: int, *firsts: int, **more: Any) -> list[Any]:
    return (await driver.read(query(driver, unit, *firsts, **more))).values


async def test_values_of_several_units_and_areas(line: RtuLine, driver: ModbusDriver) -> None:
    assert await read(driver, 1, 100, 101, 200) == [100, 101, 200]
    assert await read(driver, 247, *range(125)) == list(range(125))
    assert await read(driver, 3, 0, 1, 2, 3, area="coil", kind="bit") == [True, False, False, True]
    assert await read(driver, 3, 6, area="discrete", kind="bit") == [True]
    assert await read(driver, 9, 40, area="input") == [40]
    assert {request[1] for request in line.requests} == {1, 2, 3, 4}
    assert driver.report().reopened == 0


@pytest.mark.parametrize(
    "stray", [b"\x00", b"\xff", b"\xfe\x00\x01", b"\x01\x03", b"\x01\x03\x02", b"\x01\x83"]
)
async def test_stray_bytes_before_an_answer_lose_nothing_whatever_the_unit(
    line: RtuLine, driver: ModbusDriver, stray: bytes
) -> None:
    line.otherwise = lambda request: stray + right(request)
    for unit in (*range(1, 26), 247):
        assert await read(driver, unit, 100) == [100]
    assert driver.report().reopened == 0
    assert not driver.report().faults


async def test_the_echo_of_the_request_is_no_answer(line: RtuLine, driver: ModbusDriver) -> None:
    line.echo = True
    assert await read(driver, 1, 100, 200) == [100, 200]
    # 24 coils from 0x0300 on: the echo alone is a whole answer of three bytes
    coils = range(0x300, 0x318)
    assert await read(driver, 1, *coils, area="coil", kind="bit") == [n % 3 == 0 for n in coils]
    line.otherwise = lambda _request: None
    with pytest.raises(UnitSilent):
        await read(driver, 1, *coils, area="coil", kind="bit")


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_answer_costs_its_block_and_nothing_else(
    line: RtuLine, driver: ModbusDriver, name: str
) -> None:
    assert await read(driver, 1, 100, 101, 200) == [100, 101, 200]
    line.replies = {(1, 200): WRONG[name]}
    for _ in range(2):
        first, second, lost = await read(driver, 1, 100, 101, 200)
        assert [first, second] == [100, 101]
        assert isinstance(lost, PointFault)
        assert lost.kind is FaultKind.MISSING
        assert await read(driver, 2, 200) == [200]
    line.replies = {}
    assert await read(driver, 1, 100, 101, 200) == [100, 101, 200]
    assert sum(driver.report().faults.values()) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("one register too few", "asked 2 registers, got 1 register"),
        ("for another unit", "the device answered for unit 5, unit 1 was asked"),
        ("to another function", "the device answered function 04, 03 was asked"),
        ("bytes that say another number", "the answer cannot be decoded: 01 03 7f"),
        ("half a frame", "the answer broke off after 6 bytes"),
        ("a wrong checksum", "the answer is garbled: its checksum is wrong"),
        (
            "another protocol",
            "no answer (48 54 54 50 2f 31 2e 31 20 34 30 30 ...): do baud rate and parity match",
        ),
    ],
)
async def test_what_came_is_told(line: RtuLine, driver: ModbusDriver, name: str, told: str) -> None:
    line.replies = {(1, 200): WRONG[name]}
    first, lost, _ = await read(driver, 1, 100, 200, 201)
    assert first == 100
    assert told in lost.text


@pytest.mark.parametrize("in_order", [True, False])
async def test_a_late_answer_is_never_taken_for_the_next_one(
    line: RtuLine, driver: ModbusDriver, in_order: bool
) -> None:
    """Of the same unit, function and length: no byte of it tells which request it answers."""
    line.in_order = in_order
    assert await read(driver, 1, 100) == [100]
    for late in (1.1, 1.6):
        line.delay_s = late * TIMEOUT_S
        with pytest.raises(UnitSilent):
            await read(driver, 1, 100)
        line.delay_s = 0
        for first in (200, 300, 400):
            assert await read(driver, 1, first) == [first]


async def test_a_unit_that_is_always_late_never_gives_a_value_of_another_address(
    line: RtuLine, driver: ModbusDriver
) -> None:
    line.delay_s = 1.3 * TIMEOUT_S
    told = []
    for n in range(12):
        try:
            assert await read(driver, 1, 100 + n) == [100 + n]
        except UnitSilent as silent:
            told.append(str(silent))
    assert any("is `timeout_s` too short?" in text for text in told)
    line.delay_s = 0
    await asyncio.sleep(4 * TIMEOUT_S)
    assert await read(driver, 1, 300) == [300]


async def test_a_late_answer_of_another_unit_costs_nothing(line: RtuLine, driver: ModbusDriver) -> None:
    line.in_order = False
    for _ in range(3):
        line.delay_s = 1.2 * TIMEOUT_S
        with pytest.raises(UnitSilent):
            await read(driver, 1, 100)
        line.delay_s = 0.4 * TIMEOUT_S
        assert await read(driver, 2, 200) == [200]


async def test_an_answer_that_comes_twice_is_taken_once(line: RtuLine, driver: ModbusDriver) -> None:
    line.otherwise = lambda request: right(request) * 2
    for first in range(100, 140):
        assert await read(driver, 1, first) == [first]
    assert not driver.report().faults


async def test_a_refusal_is_an_answer_and_an_illegal_register_costs_its_point(
    line: RtuLine, driver: ModbusDriver
) -> None:
    line.otherwise = lambda request: (
        exception(2)(request) if request[3] <= 37 < request[3] + request[5] else right(request)
    )
    found = await read(driver, 1, *range(100))
    assert found[37] == PointFault(FaultKind.BAD, "exception 02: illegal data address")
    assert [value for n, value in enumerate(found) if n != 37] == [n for n in range(100) if n != 37]
    assert driver.report().reopened == 0


async def test_a_silent_unit_costs_one_timeout_and_the_others_go_on(
    line: RtuLine, driver: ModbusDriver
) -> None:
    line.replies = {(5, first): lambda _request: None for first in (0, 200)}
    for _ in range(3):
        with pytest.raises(UnitSilent, match=r"unit 5: no answer within 0\.15 s"):
            await read(driver, 5, 0, 200)
        assert await read(driver, 1, 100) == [100]
    assert line.asked[5, 200] == 0
    assert driver.report().reopened == 3


async def test_noise_between_the_frames_is_dropped(line: RtuLine, driver: ModbusDriver) -> None:
    for first in range(100, 120):
        line.say(b"\x01\x03\x02\x00")
        assert await read(driver, 1, first) == [first]
    assert not driver.report().faults


async def test_a_line_that_is_never_silent_is_told(line: RtuLine) -> None:
    driver = driver_of(line.url, baud=1200)
    await driver.open()

    async def babble() -> None:
        while True:
            line.say(b"\x55")
            await asyncio.sleep(0.003)

    babbling = asyncio.create_task(babble())
    await asyncio.sleep(0.02)
    with pytest.raises(UnitSilent, match="the line is never silent: is there another master on it"):
        await read(driver, 1, 100)
    babbling.cancel()
    await asyncio.sleep(0.05)
    assert await read(driver, 1, 100) == [100]
    await driver.close()


async def test_a_read_that_is_cancelled_leaves_no_answer_for_the_next_one(
    line: RtuLine, driver: ModbusDriver
) -> None:
    line.delay_s = 0.1
    task = asyncio.create_task(read(driver, 1, 100))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await driver.close()
    line.delay_s = 0
    await driver.open()
    assert await read(driver, 1, 200) == [200]


async def test_a_port_that_is_pulled_out_is_transient_and_comes_back_under_another_number(
    tmp_path: Any,
) -> None:
    name = tmp_path / "usb-FTDI_A10-if00-port0"
    driver = driver_of(f"rtu://{name}")
    for _ in range(2):
        line = RtuLine()
        async with line.at_a_port():
            name.symlink_to(line.url.removeprefix("rtu://"))
            await driver.open()
            assert await read(driver, 1, 100) == [100]
            name.unlink()
        with pytest.raises((ConnectionLost, Unreachable)) as told:
            await read(driver, 1, 100)
        assert str(name) in told.value.where
        await driver.close()
        with pytest.raises(Unreachable, match="no such device"):
            await driver.open()
        await driver.close()


async def test_a_device_that_answers_at_another_baud_rate_is_told_by_what_came(
    line: RtuLine, driver: ModbusDriver
) -> None:
    line.otherwise = lambda request: bytes(byte | 0xE0 for byte in right(request))
    with pytest.raises(UnitSilent, match="do baud rate and parity match"):
        await read(driver, 1, 100)


def test_the_checksum_is_that_of_the_specification() -> None:
    """0x4B37 transmitted low byte first for 02 07 is 41 12 (Modbus over Serial Line, Appendix B)."""
    assert framed(0x02, b"\x07") == bytes.fromhex("02 07 41 12")
    for n in range(300):
        body = random.Random(n).randbytes(n % 254 + 1)
        assert framed(body[0], body[1:]) == checked(body)
        assert crc(checked(body)) == 0


def test_the_pause_before_a_frame_is_three_and_a_half_characters_or_two_milliseconds() -> None:
    assert pause_s(11 / 1200) == pytest.approx(0.0321, rel=0.01)
    assert pause_s(10 / 115_200) == 0.002


class Moody:
    """Answers right, late, twice, in half, garbled, behind noise or not at all, by a seed."""

    def __init__(self, line: RtuLine, seed: int) -> None:
        self.line, self.dice = line, random.Random(seed)
        line.otherwise = self.answer

    def answer(self, request: bytes) -> bytes | None:
        line, dice, whole = self.line, self.dice, right(request)
        line.delay_s = 0.0
        mood = dice.random()
        if mood < 0.84:
            return whole
        if mood < 0.87:
            line.delay_s = dice.uniform(1.05, 1.8) * MOODY_S  # for the next request
            return whole
        if mood < 0.89:
            return whole * 2
        if mood < 0.91:
            return whole[: dice.randrange(1, len(whole))]
        if mood < 0.94:
            at = dice.randrange(8 * len(whole))
            wrong = bytearray(whole)
            wrong[at // 8] ^= 1 << at % 8
            return bytes(wrong)
        if mood < 0.98:
            return dice.randbytes(dice.randrange(1, 6)) + whole
        return None if mood < 0.99 else request + whole


@pytest.mark.campaign
@pytest.mark.timeout(1200)
async def test_ten_thousand_reads_on_a_moody_line_give_not_one_wrong_value(line: RtuLine) -> None:
    seed = 10
    line.in_order = False
    Moody(line, seed)
    driver = driver_of(line.url, timeout_s=MOODY_S)
    await driver.open()
    dice = random.Random(seed)
    good = lost = 0
    for _ in range(rounds(200, 10_000)):
        unit = dice.randrange(1, 4)
        firsts = sorted(dice.sample(range(0, 1000, 10), 2))
        try:
            values = await read(driver, unit, *firsts)
        except (UnitSilent, TransientError):
            lost += 2
            continue
        for first, value in zip(firsts, values, strict=True):
            if isinstance(value, PointFault):
                lost += 1
            else:
                assert value == first, f"{value} for {first}"
                good += 1
    assert good > 0.6 * (good + lost)
    await driver.close()


async def test_a_device_on_a_line_says_who_it_is_and_one_that_does_not_disturbs_nothing(
    line: RtuLine, driver: ModbusDriver
) -> None:
    said = bytes.fromhex("07 2b 0e 01 01 00 00 03") + b"\x00\x03Acm\x01\x02M1\x02\x033.1"
    asked = query(driver, 7, 100)
    line.other = lambda request: b"\x07" + checked(said) if request[1] == 0x2B else None
    assert await driver.identify() == Identity("Acm", "M1", "", "M1 3.1")
    line.other = lambda _request: None
    assert await driver.identify() == Identity()
    assert (await driver.read(asked)).values == [100]
    line.other = lambda request: checked(bytes((request[0], 0xAB, 1)))
    assert await driver.identify() == Identity()
    assert (await driver.read(asked)).values == [100]


@pytest.mark.parametrize("after_s", [0.0, 0.02])
async def test_a_converter_that_ends_the_session_after_each_answer_costs_no_unit_anything(
    after_s: float,
) -> None:
    """Some pass one answer on and close; where they do so a moment later, the next request is already in it."""
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            serving.add(task)
        request = await reader.read(8)
        if len(request) == 8:
            writer.write(right(request))
            await asyncio.sleep(after_s)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        driver = driver_of(f"rtu+tcp://127.0.0.1:{port}")
        await driver.open()
        found = [await read(driver, unit, 100, 200, 300) for _ in range(5) for unit in (1, 2)]
        await driver.close()
        await asyncio.gather(*serving)
    assert found == [[100, 200, 300]] * 10
    assert not driver.report().faults
