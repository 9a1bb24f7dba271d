"""How an address is written: the protocol's number in three ways, or the name that a controller's manual gives it.

`D100` of a PLC or parameter `16-10` of a drive becomes an area and a 0-based number here. Source: the makers' manuals
as public projects quote them (docs/devices.md). Where they contradict each other a name is refused, with what they say.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

Numbering = Literal["0-based", "1-based", "4xxxxx"]
Addressing = Literal[
    Numbering,
    "delta-dvp",
    "inovance-h",
    "inovance-am",
    "xinje-xc",
    "xinje-xd",
    "siemens-mb-server",
    "danfoss-fc",
    "abb-acs550",
    "abb-acs580",
    "delta-vfd",
    "weg-cfw",
]
LOW_WORD_FIRST = "CDAB"

_BY_NUMBER = re.compile(r"\d+:[a-z]+:.*")
_NAMED = re.compile(r"(?:(\d+):)?([A-Z]*)([0-9][0-9.-]*)")


class Place(NamedTuple):
    """Area, 0-based number, and the bit of a register."""

    area: str
    number: int
    bit: int | None = None

    def __str__(self) -> str:
        return f"{self.area}:{self.number}" + ("" if self.bit is None else f".{self.bit}")


Reader = Callable[[str, str], Place]
"""From what stands behind the letters, and the type of the value, to the place. Raises ValueError with the reason."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one controller: by their letters. `order`: of two registers, where nothing else is said; `unclear`:
    names that are refused, with the reason."""

    readers: Mapping[str, Reader]
    order: str = LOW_WORD_FIRST
    unclear: Mapping[str, str] = field(default_factory=dict)


class Run(NamedTuple):
    """Numbers `first` to `last`: address = `start` + `each` x (number - first)."""

    start: int
    first: int
    last: int
    each: int = 1


def by_protocol(text: str, addressing: str, kind: str) -> tuple[str, str, str]:
    """`(unit:area:number[.bit], its numbering, the usual order of two registers or "")` of an address as it is written.

    A controller's name may stand without unit id (then 1); beside names, `unit:area:number` is 0-based. `kind`: the
    type of the value. Raises ValueError with the reason.
    """
    if addressing in get_args(Numbering):
        return text, addressing, ""
    names = _NAMES.get(addressing)
    if names is None:
        raise ValueError(f"addressing {addressing!r} is none of {', '.join(get_args(Addressing))}")
    if _BY_NUMBER.fullmatch(text):
        return text, "0-based", names.order
    match = _NAMED.fullmatch(text.upper())
    letters = "" if match is None else match[2]
    if letters in names.unclear:
        raise ValueError(f"{text}: {names.unclear[letters]}: write unit:area:number")
    if match is None or letters not in names.readers:
        known = ", ".join(f"{name}..." if name else "a parameter's number" for name in names.readers)
        raise ValueError(f"{text!r} is no name of {addressing} ({known}) and no unit:area:number")
    try:
        place = names.readers[letters](match[3], kind)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None
    return f"{match[1] or 1}:{place}", "0-based", names.order


def _element(area: str, *runs: Run, octal: bool = False) -> Reader:
    """Numbered bits or registers; of a register also a bit: D100.3."""

    def read(text: str, kind: str) -> Place:
        number, point, bit = text.partition(".")
        if octal and number.isdecimal() and not re.fullmatch("[0-7]+", number):
            raise ValueError("these numbers are octal: 7 is followed by 10")
        if not number.isdecimal() or (point and not bit.isdecimal()):
            raise ValueError("a number is expected, of a register perhaps with its bit: 100.3")
        value = int(number, 8 if octal else 10)
        for run in runs:
            if run.first <= value <= run.last:
                return Place(area, run.start + run.each * (value - run.first), int(bit) if point else None)
        ends = (f"{run.first:o} to {run.last:o}" if octal else f"{run.first} to {run.last}" for run in runs)
        raise ValueError(f"this map has {' and '.join(ends)}")

    return read


def _byte_and_bit(text: str) -> tuple[int, int]:
    byte, point, bit = text.partition(".")
    if not byte.isdecimal() or not point or bit not in "01234567" or len(bit) != 1:
        raise ValueError("a byte and a bit from 0 to 7: 10.3")
    return int(byte), int(bit)


def _bits(area: str) -> Reader:
    """Bit i of byte b in an area of bits."""

    def read(text: str, kind: str) -> Place:
        byte, bit = _byte_and_bit(text)
        return Place(area, 8 * byte + bit)

    return read


def _bits_of_words(high_byte: int) -> Reader:
    """Bit i of byte b in registers of two bytes, of which the one with b % 2 = `high_byte` is the upper."""

    def read(text: str, kind: str) -> Place:
        byte, bit = _byte_and_bit(text)
        return Place("holding", byte // 2, bit + (8 if byte % 2 == high_byte else 0))

    return read


def _by_byte(text: str, kind: str) -> Place:
    """Registers numbered by their first byte."""
    if not text.isdecimal():
        raise ValueError("the number of a byte is expected: DBW10")
    if int(text) % 2:
        raise ValueError("begins in the middle of a register: an even number of bytes is expected")
    return Place("holding", int(text) // 2)


def _group_and_index(text: str, pattern: str, example: str) -> tuple[int, int, int | None]:
    match = re.fullmatch(pattern + r"(?:\.([0-9]{1,2}))?", text)
    if match is None:
        raise ValueError(f"no parameter like {example}")
    return int(match[1]), int(match[2]), None if match[3] is None else int(match[3])


def _danfoss(text: str, kind: str) -> Place:
    group, index, bit = _group_and_index(text, r"([0-9]{1,2})-([0-9]{2})", "16-10")
    return Place("holding", (100 * group + index) * 10 - 1, bit)


def _abb(text: str, kind: str) -> Place:
    group, index, bit = _group_and_index(text, r"([0-9]{2})\.?([0-9]{2})", "01.15")
    return Place("holding", 100 * group + index - 1, bit)


def _abb_580(text: str, kind: str) -> Place:
    group, index, bit = _group_and_index(text, r"([0-9]{2})\.([0-9]{2})", "01.14")
    if kind.endswith("32"):
        return Place("holding", 20_000 + 200 * group + 2 * index - 1)
    return Place("holding", 100 * group + index - 1, bit)


def _delta_drive(text: str, kind: str) -> Place:
    group, index, bit = _group_and_index(text, r"([0-9]{2})-([0-9]{2})", "09-10")
    return Place("holding", 256 * group + index, bit)


_NAMES: dict[str, Names] = {
    "delta-dvp": Names(
        {
            "S": _element("coil", Run(0, 0, 1023)),
            "X": _element("discrete", Run(0x400, 0, 0o377), octal=True),
            "Y": _element("coil", Run(0x500, 0, 0o377), octal=True),
            "T": _element("coil", Run(0x600, 0, 255)),
            "M": _element("coil", Run(0x800, 0, 1535), Run(0xB000, 1536, 4095)),
            "D": _element("holding", Run(0x1000, 0, 4095), Run(0x9000, 4096, 11_999)),
        },
        unclear={"C": "sources disagree whether counters begin at coil 3584 or 1792"},
    ),
    "inovance-h": Names(
        {
            "M": _element("coil", Run(0, 0, 7999)),
            "B": _element("coil", Run(0x3000, 0, 32_767)),
            "S": _element("coil", Run(0xE000, 0, 4095)),
            "X": _element("coil", Run(0xF800, 0, 0o1777), octal=True),
            "Y": _element("coil", Run(0xFC00, 0, 0o1777), octal=True),
            "D": _element("holding", Run(0, 0, 0x2FFF)),
            "R": _element("holding", Run(0x3000, 0, 32_767)),
            "C": _element("holding", Run(0xF400, 0, 199), Run(0xF700, 200, 255, each=2)),
        }
    ),
    "inovance-am": Names(
        {
            "QX": _bits("coil"),
            "IX": _bits("discrete"),
            "MX": _bits_of_words(high_byte=1),
            "MW": _element("holding", Run(0, 0, 65_535)),
            "MD": _element("holding", Run(0, 0, 32_767, each=2)),
        },
        unclear={
            "MB": "two bytes are one register, MB100 the lower half of MW50",
            "SM": "sources disagree about its function code",
            "SD": "sources disagree about its function code",
        },
    ),
    "xinje-xc": Names(
        {
            "M": _element("coil", Run(0, 0, 7999), Run(0x6000, 8000, 8511)),
            "X": _element("coil", Run(0x4000, 0, 0o3777), octal=True),
            "Y": _element("coil", Run(0x4800, 0, 0o3777), octal=True),
            "S": _element("coil", Run(0x5000, 0, 1023)),
            "D": _element("holding", Run(0, 0, 7999), Run(0x4000, 8000, 8511)),
            "CD": _element("holding", Run(0x3800, 0, 2047)),
        }
    ),
    "xinje-xd": Names(
        {
            "M": _element("coil", Run(0, 0, 20_479)),
            "X": _element("coil", Run(0x5000, 0, 0o377), octal=True),
            "Y": _element("coil", Run(0x6000, 0, 0o377), octal=True),
            "SM": _element("coil", Run(0x9000, 0, 4095)),
            "HM": _element("coil", Run(0xC100, 0, 6143)),
            "D": _element("holding", Run(0, 0, 20_479)),
            "HD": _element("holding", Run(0xA080, 0, 6143)),
        }
    ),
    "siemens-mb-server": Names(
        {"DBW": _by_byte, "DBD": _by_byte, "DBX": _bits_of_words(high_byte=0)},
        order="ABCD",
        unclear={"DBB": "two bytes are one register, the even one its upper half"},
    ),
    "danfoss-fc": Names({"": _danfoss}, order="ABCD"),
    "abb-acs550": Names({"": _abb}, order="ABCD"),
    "abb-acs580": Names({"": _abb_580}),
    "delta-vfd": Names({"": _delta_drive}, order="ABCD"),
    "weg-cfw": Names({"P": _element("holding", Run(0, 0, 9999))}, order="ABCD"),
}
"""Numbers beyond a run's last belong to another area of the map, or were in none of the sources."""
