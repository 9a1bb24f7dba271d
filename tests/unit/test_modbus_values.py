"""Every type and order against bytes that C laid out, digits and texts; what is no measurement (field-cases G05)."""

import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_drivers import FaultKind, Point, PointFault
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.blocks import pack
from support.registers import ORDERS, laid_out, orders

INTEGERS = [f"{sign}int{bits}" for bits in (8, 16, 32, 64) for sign in ("", "u")]
FLOATS = {"float16": 65_504.0, "float32": 3.4e38, "float64": 1.7e308}


def read(kind: str, order: str, words: list[int]) -> Any:
    """What the driver makes of registers, at an odd place of a block."""
    query = pack([Point("p", ModbusAddress.parse("1:holding:7", type=kind, order=order))], 16, 125, 2000)
    (block,) = query.blocks
    assert block.count == len(words)
    values: list[Any] = [None]
    block.take(struct.pack(f">{len(words)}H", *words), values)
    return values[0]


def numbers() -> list[tuple[str, str]]:
    """Types and numbers to lay out: the ends of what can be measured, and some between."""
    source = random.Random(7)
    asked: list[tuple[str, str]] = []
    for kind in INTEGERS:
        bits = int(kind.lstrip("uint"))
        low, high = (0, 2**bits - 1) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if bits > 8:
            low, high = (low, high - 1) if kind.startswith("u") else (low + 1, high - 1)
        between = [source.randint(low, high) for _ in range(60)]
        asked += [(kind, str(value)) for value in (low, high, 0, 1, 2 ** (bits // 2), *between)]
    for kind, largest in FLOATS.items():
        between_reals = [source.uniform(-1, 1) * 10.0 ** source.randint(-4, 4) for _ in range(60)]
        asked += [(kind, repr(value)) for value in (0.0, -0.0, 1.0, -largest, largest, 1e-7, *between_reals)]
    return asked


@pytest.fixture(scope="module")
def by_c(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Any, bytes]]:
    """Type, value and bytes, the highest first, as a C program has them in its memory."""
    program = tmp_path_factory.mktemp("native") / "native"
    source = Path(__file__).with_name("native.c")
    subprocess.run(["gcc", "-Wall", "-Werror", "-O1", "-o", program, source], check=True)
    asked = numbers()
    text = "\n".join(map(" ".join, asked))
    lines = subprocess.run(
        [program], input=text, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = []
    for (kind, _), line in zip(asked, lines, strict=True):
        value, memory = line.split()
        content = bytes.fromhex(memory)
        number: Any = float(value) if kind in FLOATS else int(value)
        found.append((kind, number, content[::-1] if sys.byteorder == "little" else content))
    return found


def test_every_type_and_order_is_what_c_laid_out(by_c: list[tuple[str, Any, bytes]]) -> None:
    seen = set()
    for kind, value, content in by_c:
        for order in orders(kind):
            found = read(kind, order, laid_out(content, order))
            assert (found, type(found)) == (value, type(value)), (kind, order, content.hex())
            seen.add((kind, order))
    assert len(seen) == len(INTEGERS[:4]) + 1 + 4 * (len(INTEGERS[4:]) + 2)


def test_an_order_is_what_its_letters_say() -> None:
    """A block of many values of one order, one after another: a pass over all of it."""
    for words, names in ORDERS.items():
        kind = {2: "uint32", 4: "uint64"}[words]
        values = [int.from_bytes(bytes(range(at, at + 2 * words)), "big") for at in range(20)]
        for order in names:
            points = [
                Point(str(n), ModbusAddress.parse(f"1:holding:{n * words}", type=kind, order=order))
                for n in range(len(values))
            ]
            (block,) = pack(points, 16, 125, 2000).blocks
            registers = [
                word for value in values for word in laid_out(value.to_bytes(2 * words, "big"), order)
            ]
            found: list[Any] = [None] * len(values)
            block.take(struct.pack(f">{len(registers)}H", *registers), found)
            assert found == values, order


@given(st.sampled_from(["bcd16", "bcd32", "bcd64"]), st.integers(0, 10**16 - 1), st.integers(0, 3))
def test_decimal_digits_are_what_they_show(kind: str, value: int, place: int) -> None:
    digits = int(kind[3:]) // 4
    value %= 10**digits
    order = orders(kind)[place % len(orders(kind))]
    assert read(kind, order, laid_out(bytes.fromhex(f"{value:0{digits}d}"), order)) == value


@given(st.sampled_from(["sm16", "sm32"]), st.integers(-(2**31) + 2, 2**31 - 2), st.integers(0, 3))
def test_a_sign_may_have_a_bit_of_its_own(kind: str, value: int, place: int) -> None:
    bits = int(kind[2:])
    value = value if bits == 32 else value % (2**15 - 1) * (1 if value >= 0 else -1)
    content = (abs(value) | (2 ** (bits - 1) if value < 0 else 0)).to_bytes(bits // 8, "big")
    order = orders(kind)[place % len(orders(kind))]
    assert read(kind, order, laid_out(content, order)) == value


def test_the_sign_of_field_case_g05() -> None:
    assert read("sm16", "", [0x81A4]) == -420
    assert read("int16", "", [0x81A4]) == -32348
    assert read("sm16", "", [0x8000]) == 0
    assert read("sm32", "CDAB", [0x01A4, 0x8000]) == -420


@given(
    st.integers(2, 64),
    st.text(st.characters(codec="ascii", categories=("L", "N", "P")), max_size=64),
    st.booleans(),
)
def test_a_text_ends_where_its_zeros_or_spaces_begin(size: int, text: str, zeros: bool) -> None:
    text = text[:size]
    content = text.encode().ljust(size + size % 2, b"\0" if zeros else b" ")
    for order in orders(f"string{size}"):
        assert read(f"string{size}", order, laid_out(content, order)) == text


def test_a_text_may_be_chinese_and_is_not_made_up() -> None:
    assert read("string8", "ABCD", laid_out("冲床1".encode().ljust(8, b"\0"), "ABCD")) == "冲床1"
    assert read("string4", "ABCD", [0x4142, 0x0043]) == "AB"
    for words in ([0xB3E5, 0xB4B2], [0x4101, 0x4242]):
        fault = read("string4", "ABCD", words)
        assert isinstance(fault, PointFault)
        assert fault.text.startswith("the device answers no text: ")


@pytest.mark.parametrize(
    ("kind", "words", "told"),
    [
        ("int16", [0x8000], "0x8000: no value"),
        ("int16", [0x7FFF], "0x7FFF: no value"),
        ("uint16", [0xFFFF], "all bits set: no value"),
        ("int32", [0x8000, 0], "0x80000000: no value"),
        ("int32", [0x7FFF, 0xFFFF], "0x7FFFFFFF: no value"),
        ("uint32", [0xFFFF, 0xFFFF], "all bits set: no value"),
        ("int64", [0x8000, 0, 0, 0], "0x8000000000000000: no value"),
        ("int64", [0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF], "0x7FFFFFFFFFFFFFFF: no value"),
        ("uint64", [0xFFFF] * 4, "all bits set: no value"),
        ("float16", [0x7E00], "NaN"),
        ("float16", [0x7C00], "infinity"),
        ("float32", [0xFFC0, 0], "NaN"),
        ("float32", [0xFFFF, 0xFFFF], "NaN"),
        ("float32", [0xFF80, 0], "infinity"),
        ("float32", [0x7F7F, 0xFFFF], "3.40282e+38, the largest float32: no value"),
        ("float32", [0xFF7F, 0xFFFF], "the largest float32: no value"),
        ("float64", [0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF], "the largest float64: no value"),
        ("float64", [0x7FF8, 0, 0, 0], "NaN"),
        ("sm16", [0xFFFF], "all bits set: no value"),
        ("sm32", [0x7FFF, 0xFFFF], "0x7FFFFFFF: no value"),
        ("bcd16", [0xFFFF], "all bits set: no value"),
        ("bcd16", [0x12A4], "0x12A4 is no BCD: a digit is 0 to 9"),
        ("bcd64", [0x1234, 0x5678, 0x9012, 0x345F], "0x123456789012345F is no BCD"),
        ("string4", [0xFFFF, 0xFFFF], "all bits set: no value"),
    ],
)
def test_what_is_no_measurement_is_a_fault_that_says_what_came(
    kind: str, words: list[int], told: str
) -> None:
    fault = read(kind, "", words)
    assert isinstance(fault, PointFault)
    assert fault.kind is FaultKind.BAD
    assert told in fault.text


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        ("int8", [0xAA80], -128),
        ("uint8", [0xAAFF], 255),
        ("int16", [0xFFFF], -1),
        ("int32", [0xFFFF, 0xFFFF], -1),
        ("uint16", [0x8000], 32768),
        ("uint32", [0x7FFF, 0xFFFF], 2147483647),
        ("float32", [0x8000, 0], 0.0),
    ],
)
def test_what_looks_like_no_value_and_is_one(kind: str, words: list[int], value: float) -> None:
    assert read(kind, "", words) == value


def test_one_value_that_is_none_spoils_no_other() -> None:
    points = [Point(str(n), ModbusAddress.parse(f"1:holding:{2 * n}", type="int32")) for n in range(3)]
    (block,) = pack(points, 16, 125, 2000).blocks
    values: list[Any] = [None] * 3
    block.take(struct.pack(">3i", 5, -(2**31), 7), values)
    assert (values[0], values[2]) == (5, 7)
    assert isinstance(values[1], PointFault)
