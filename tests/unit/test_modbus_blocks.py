"""Packing and decoding: whatever the points and limits, the values are those of reading each register by itself."""

import struct
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ganpo_drivers import Point, PointFault, Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.blocks import pack
from support.registers import SIZES, orders, worth

MEMORY = 64
KINDS = [*SIZES, "string2", "string5", "string8"]


@st.composite
def addresses(draw: st.DrawFn) -> ModbusAddress:
    kind = draw(st.sampled_from([*KINDS, "bit"]))
    number = draw(st.integers(0, MEMORY - 4))
    if kind == "bit":
        return ModbusAddress.parse(f"1:holding:{number}.{draw(st.integers(0, 15))}")
    return ModbusAddress.parse(f"1:holding:{number}", type=kind, order=draw(st.sampled_from(orders(kind))))


WORDS = st.sampled_from([0, 1, 0x3FC0, 0x4142, 0x7F7F, 0x7F80, 0x7FC0, 0x7FFF, 0x8000, 0xFFFF])
TIMES = st.fractions(-(10**6), 10**6, max_denominator=1000)
REGISTERS = st.lists(WORDS | st.integers(0, 0xFFFF), min_size=MEMORY, max_size=MEMORY)


def by_itself(address: ModbusAddress, registers: list[int]) -> Value | None:
    """The value, None for what counts as no value."""
    words = registers[address.number : address.number + address.words]
    if address.bit is not None:
        return bool(words[0] >> address.bit & 1)
    found: Value | None = worth(address.type, address.order, words)
    return found


@given(st.lists(addresses(), min_size=1, max_size=30), REGISTERS, st.integers(0, 20), st.integers(4, 125))
def test_values_are_those_of_each_register_by_itself(
    asked: list[ModbusAddress], registers: list[int], max_gap: int, max_registers: int
) -> None:
    points = [Point(str(number), address) for number, address in enumerate(asked)]
    query = pack(points, max_gap, max_registers, 2000)
    values: list[Value | PointFault] = [-1] * len(points)
    for block in query.blocks:
        assert block.count <= max_registers
        words = registers[block.first : block.first + block.count]
        block.take(struct.pack(f">{block.count}H", *words), values)
    found = [None if isinstance(value, PointFault) else value for value in values]
    assert found == [by_itself(address, registers) for address in asked]
    assert list(query.points) == points


@given(
    st.lists(st.integers(0, 3000), min_size=1, max_size=40), st.integers(0, 2**3001 - 1), st.integers(8, 2000)
)
def test_bits_of_a_bit_area_are_those_of_the_device(numbers: list[int], bits: int, max_bits: int) -> None:
    points = [Point(str(n), ModbusAddress.parse(f"1:coil:{number}")) for n, number in enumerate(numbers)]
    values: list[Value | PointFault] = [-1] * len(points)
    for block in pack(points, 16, 125, max_bits).blocks:
        assert block.count <= max_bits
        answer = (bits >> block.first) & (2**block.count - 1)
        block.take(answer.to_bytes(block.size, "little"), values)
    assert values == [bool(bits >> number & 1) for number in numbers]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.sampled_from(["uint16", "int16", "uint32", "bcd16"]),
            st.fractions(-(10**6), 10**6, max_denominator=1000),
        ),
        min_size=2,
        max_size=5,
    ),
    st.none() | st.tuples(st.integers(0, 200), st.integers(-4, 4)),
    st.lists(st.integers(0, 9), min_size=204, max_size=204),
)
def test_a_sum_is_exact(
    parts: list[tuple[int, str, Fraction]], power: tuple[int, int] | None, registers: list[int]
) -> None:
    parts = [(number, kind, times or Fraction(1)) for number, kind, times in parts]
    cell = " + ".join(f"1:holding:{number}:{kind}*{times}" for number, kind, times in parts)
    if power is not None:
        cell += f" e 1:holding:{power[0]}"
        registers[power[0]] = power[1] % 0x10000
    query = pack([Point("sum", ModbusAddress.parse(cell))], 16, 125, 2000)
    values: list[Value | PointFault] = [-1] * query.width
    for block in query.blocks:
        words = registers[block.first : block.first + block.count]
        block.take(struct.pack(f">{block.count}H", *words), values)
    wanted = Fraction(0)
    for number, kind, times in parts:
        value = worth(kind, "ABCD" if kind == "uint32" else "", registers[number : number + SIZES[kind] // 2])
        if value is None:
            assert isinstance(query.settled(values)[0], PointFault)
            return
        wanted += value * times
    if power is not None:
        wanted *= Fraction(10) ** power[1]
    (found,) = query.settled(values)
    assert found == (wanted.numerator if wanted.denominator == 1 else float(wanted))
    assert type(found) is (int if wanted.denominator == 1 else float)


def test_a_plan_shows_each_request() -> None:
    texts = ("1:holding:0", "1:holding:5", "1:holding:100", "1:input:0")
    points = [Point(text, ModbusAddress.parse(text, type="int16")) for text in texts]
    assert str(pack(points, 16, 125, 2000)).splitlines() == [
        "unit 1 holding 0-5: 6 for 2 points",
        "unit 1 holding 100-100: 1 for 1 points",
        "unit 1 input 0-0: 1 for 1 points",
    ]
