"""What devices in plants were seen to answer, byte for byte, over TCP and on a serial line (field cases F01,
F05, G03, G07)."""

from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from ganpo_drivers import FaultKind, Point, PointFault
from ganpo_drivers.modbus import reading
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import UnitBusy
from support.modbus_line import ModbusLine, frame
from support.rtu_line import RtuLine, checked

Device = Callable[[int, int, int, int], str]
"""What a device answers to unit, function, first and count, in hexadecimal: from the unit on, without a checksum."""
TIMEOUT_S = 0.2


class Field:
    """A device that answers as a test says, whatever it is reached by."""

    def __init__(self, line: ModbusLine | RtuLine, driver: ModbusDriver) -> None:
        self.line, self.driver = line, driver

    def answers(self, device: Device) -> None:
        """From now on."""

        def body(request: bytes) -> bytes:
            unit, function = request[:2]
            first, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
            return bytes.fromhex(device(unit, function, first, count))

        if isinstance(self.line, ModbusLine):
            self.line.otherwise = lambda request: frame(request, (said := body(request[6:]))[0], said[1:])
        else:
            self.line.otherwise = lambda request: checked(body(request[:6]))

    def query(self, unit: int, numbers: Sequence[int], kind: str, area: str = "holding") -> Any:
        return self.driver.prepare(
            [Point(str(n), ModbusAddress.parse(f"{unit}:{area}:{n}", type=kind, alone=True)) for n in numbers]
        )

    async def read(self, unit: int, *numbers: int, kind: str = "uint16", area: str = "holding") -> list[Any]:
        return (await self.driver.read(self.query(unit, numbers, kind, area))).values


@pytest.fixture(params=["tcp", "rtu"])
async def field(request: pytest.FixtureRequest) -> AsyncIterator[Field]:
    settings = {"driver": "modbus", "addressing": "0-based", "timeout_s": TIMEOUT_S}
    line: ModbusLine | RtuLine = ModbusLine() if request.param == "tcp" else RtuLine()
    async with line if isinstance(line, ModbusLine) else line.at_a_port():
        if request.param == "rtu":
            settings["baud"] = 115_200
        driver = ModbusDriver(ModbusSettings.model_validate({**settings, "url": line.url}))
        await driver.open()
        yield Field(line, driver)
        await driver.close()


class Hours:
    """What the driver takes for now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=lambda: self.now))


def zeros(unit: int, function: int, count: int) -> str:
    return f"{unit:02x}{function:02x}{2 * count:02x}" + "0000" * count


def test_the_frames_of_a_serial_line_are_those_that_were_seen() -> None:
    for body, seen in (
        ("0b 03 02 00 09", "0b 03 02 00 09 e0 43"),
        ("0b 84 01", "0b 84 01 a2 c2"),
        ("01 82 01", "01 82 01 81 60"),
    ):
        assert checked(bytes.fromhex(body)) == bytes.fromhex(seen)


@pytest.mark.parametrize(
    ("kind", "right", "value", "wrong"),
    [
        (
            "uint32",
            "0b 03 04 0000 0007",
            7,
            {"0b 03 02 0009": "got 1 register", "0b 03 06 0000 0008 0063": "got 3 registers"},
        ),
        (
            "float64",
            "0b 03 08 3ff8 0000 0000 0000",
            1.5,
            {"0b 03 04 4000 0000": "got 2 registers", "0b 03 07 3ff8 0000 0000 00": "got 7 bytes"},
        ),
        (
            "string4",
            "0b 03 04 4130 3132",
            "A012",
            {"0b 03 02 4130": "got 1 register", "0b 03 00": "got 0 registers"},
        ),
    ],
)
async def test_fewer_or_more_registers_than_asked_give_no_value_and_none_of_the_poll_before(
    field: Field, kind: str, right: str, value: object, wrong: dict[str, str]
) -> None:
    """F01."""
    for said, told in wrong.items():
        field.answers(lambda *_: right)
        assert await field.read(11, 10, kind=kind) == [value]
        field.answers(lambda *_, said=said: said)
        (fault,) = await field.read(11, 10, kind=kind)
        assert (fault.kind, fault.text.partition(", ")[2]) == (FaultKind.MISSING, told)
        assert fault.text.startswith(f"asked {modbus_words(kind)} registers")
    assert field.driver.report().faults == {("11", "length"): len(wrong)}


def modbus_words(kind: str) -> int:
    return ModbusAddress.parse("1:holding:0", type=kind).words


@pytest.mark.parametrize(
    ("area", "count", "said", "told"),
    [
        ("holding", 20, zeros(11, 3, 19), "asked 20 registers, got 19 registers"),
        ("input", 20, zeros(11, 4, 1), "asked 20 registers, got 1 register"),
        ("holding", 20, zeros(11, 3, 21), "asked 20 registers, got 21 registers"),
        ("coil", 20, "0b 01 02 ffff", "asked 20 bits (3 bytes), got 2 bytes"),
        ("discrete", 20, "0b 02 04 ffffffff", "asked 20 bits (3 bytes), got 4 bytes"),
    ],
)
async def test_a_block_that_is_answered_short_fills_no_front_half_and_the_unit_behind_it_is_read(
    field: Field, area: str, count: int, said: str, told: str
) -> None:
    """F01."""
    field.answers(lambda unit, function, first, count: said if unit == 11 else zeros(unit, function, count))
    kind = "uint16" if area in ("holding", "input") else "bit"
    for _ in range(3):
        block = await field.read(11, *range(count), kind=kind, area=area)
        assert block == [PointFault(FaultKind.MISSING, told)] * count
        assert await field.read(12, 0, 1) == [0, 0]


@pytest.mark.parametrize(
    ("area", "other", "hint"),
    [
        ("input", "holding", "is this a holding register?"),
        ("holding", "input", "is this an input register?"),
        ("coil", "discrete", "is this a discrete input?"),
        ("discrete", "holding", "is this a coil?"),
    ],
)
async def test_a_function_the_device_does_not_know_is_named_once_and_the_other_areas_go_on(
    field: Field, monkeypatch: pytest.MonkeyPatch, area: str, other: str, hint: str
) -> None:
    """F05: not a hundred mysteries, no bisection, no reconnect loop, no data made of the exception."""
    hours = Hours(monkeypatch)
    refused = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}[area]
    asked: list[int] = []

    def device(unit: int, function: int, first: int, count: int) -> str:
        asked.append(function)
        if function == refused:
            return f"{unit:02x}{function | 0x80:02x}01"
        return f"{unit:02x}{function:02x}0100" if function < 3 else zeros(unit, function, count)

    field.answers(device)
    kinds = ["bit" if name in ("coil", "discrete") else "float32" for name in (area, other)]
    hundred = field.query(11, range(0, 200, 2), kinds[0], area)
    four = field.query(11, range(0, 8, 2), kinds[1], other)
    for _ in range(60):
        values = (await field.driver.read(hundred)).values
        told = f"exception 01: the unit does not read {area} registers; {hint}"
        assert values == [PointFault(FaultKind.BAD, told)] * 100
        assert not any(isinstance(value, PointFault) for value in (await field.driver.read(four)).values)
        hours.now += 1
    assert asked.count(refused) <= 2, "once while nothing of the unit had answered, once after a minute"
    assert field.driver.report().reopened == 0


async def test_another_unit_s_number_is_never_taken_and_the_device_may_be_asked_by_the_one_it_says(
    field: Field,
) -> None:
    """G07: at once, not after the timeout."""
    field.answers(lambda unit, *_: "00 03 04 0006 1a81" if unit in (0, 6) else f"{unit:02x} 03 04 0000 0005")
    for _ in range(3):
        (fault,) = await field.read(6, 0, kind="uint32")
        assert fault.kind is FaultKind.MISSING
        assert fault.text.startswith("the device answered for unit 0, unit 6 was asked: ask that one, or set")
        assert await field.read(7, 0, kind="uint32") == [5]
    if isinstance(field.line, ModbusLine):
        assert await field.read(0, 0, kind="uint32") == [400_001]


@pytest.mark.parametrize("codes", [(2,), (3,), (2, 0x0A), (0x0B, 2, 3)])
async def test_what_a_device_answers_while_it_starts_costs_a_minute_or_a_few(
    field: Field, monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...]
) -> None:
    """G03: for its first 40 s, then 100,000 rising by 1 a second."""
    hours = Hours(monkeypatch)
    began = hours.now
    said = 0

    def device(unit: int, function: int, first: int, count: int) -> str:
        nonlocal said
        second = int(hours.now - began)
        if second < 40:
            said += 1
            return f"{unit:02x}{function | 0x80:02x}{codes[said % len(codes)]:02x}"
        return f"{unit:02x}{function:02x}04{100_000 + second:08x}"

    field.answers(device)
    asked = field.query(3, [0], "uint32")
    good = []
    for second in range(200):
        hours.now = began + second
        try:
            (value,) = (await field.driver.read(asked)).values
        except UnitBusy:
            continue
        if not isinstance(value, PointFault):
            assert value == 100_000 + second
            good.append(second)
    assert good
    assert good[0] <= 101
    assert good == list(range(good[0], 200))
