"""Packing and decoding: whatever the points and limits, the values are those of reading each register by itself."""

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from ganpo_drivers import Point, PointFault, Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.blocks import pack

FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
MEMORY = 64

ADDRESSES = st.builds(
    lambda number, kind, bit, order: ModbusAddress.parse(
        f"1:holding:{number}.{bit}" if kind == "bit" else f"1:holding:{number}",
        type=kind,
        order=order if kind.endswith("32") else "",
    ),
    st.integers(0, MEMORY - 2),
    st.sampled_from([*FORMATS, "bit"]),
    st.integers(0, 15),
    st.sampled_from(["ABCD", "CDAB"]),
)
REGISTERS = st.lists(
    st.sampled_from([0, 1, 0x3FC0, 0x7F80, 0x7FC0, 0xFFFF]), min_size=MEMORY, max_size=MEMORY
)


def by_itself(address: ModbusAddress, registers: list[int]) -> Value | None:
    """The value, None for what counts as no value."""
    words = registers[address.number : address.number + address.words]
    if address.bit is not None:
        return bool(words[0] >> address.bit & 1)
    if address.order == "CDAB":
        words.reverse()
    (value,) = struct.unpack(FORMATS[address.type], struct.pack(f">{len(words)}H", *words))
    if not math.isfinite(value) or (address.type.startswith("u") and set(words) == {0xFFFF}):
        return None
    return float(value) if address.type == "float32" else int(value)


@given(st.lists(ADDRESSES, min_size=1, max_size=30), REGISTERS, st.integers(0, 20), st.integers(2, 125))
def test_values_are_those_of_each_register_by_itself(
    addresses: list[ModbusAddress], registers: list[int], max_gap: int, max_registers: int
) -> None:
    points = [Point(str(number), address) for number, address in enumerate(addresses)]
    query = pack(points, max_gap, max_registers, 2000)
    values: list[Value | PointFault] = [-1] * len(points)
    for block in query.blocks:
        assert block.count <= max_registers
        words = registers[block.first : block.first + block.count]
        block.take(struct.pack(f">{block.count}H", *words), values)
    found = [None if isinstance(value, PointFault) else value for value in values]
    assert found == [by_itself(address, registers) for address in addresses]
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


def test_a_plan_shows_each_request() -> None:
    texts = ("1:holding:0", "1:holding:5", "1:holding:100", "1:input:0")
    points = [Point(text, ModbusAddress.parse(text, type="int16")) for text in texts]
    assert str(pack(points, 16, 125, 2000)).splitlines() == [
        "unit 1 holding 0-5: 6 for 2 points",
        "unit 1 holding 100-100: 1 for 1 points",
        "unit 1 input 0-0: 1 for 1 points",
    ]
