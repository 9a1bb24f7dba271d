"""What the bytes of registers are worth: the types and orders of formats.md, and what is no measurement."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from ganpo_drivers.api import FaultKind, PointFault, Value

NOT_A_NUMBER = PointFault(FaultKind.BAD, "the device answers NaN")
INFINITE = PointFault(FaultKind.BAD, "the device answers infinity")
LONGEST_STRING = 64

Decoded = Value | PointFault


def _as_it_is(raw: Any) -> Decoded:
    return raw  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Type:
    """How one type lies in registers.

    `words`: how many. `code`: its `struct` code, the high byte first. `no_value`: what is unpacked where the device
    says that it has none, and the fault. `convert`: what else has to be done with what is unpacked.
    """

    words: int
    code: str
    no_value: Mapping[object, PointFault] = field(default_factory=dict)
    convert: Callable[[Any], Decoded] = _as_it_is

    @property
    def plain(self) -> bool:
        """Whether what is unpacked is the value."""
        return self.convert is _as_it_is

    def read(self, raw: Any) -> Decoded:
        """The value of what was unpacked, or the fault."""
        fault = self.no_value.get(raw)
        if fault is not None:
            return fault
        if isinstance(raw, float) and not math.isfinite(raw):
            return INFINITE if raw == raw else NOT_A_NUMBER
        return self.convert(raw)


def _none(bits: int, pattern: int) -> PointFault:
    """The fault of a pattern that says that there is no value."""
    text = "all bits set" if pattern == 2**bits - 1 else f"0x{pattern:0{bits // 4}X}"
    return PointFault(FaultKind.BAD, f"the device answers with {text}: no value")


def _integers() -> dict[str, Type]:
    """A byte has no room for a mark: whatever it holds is a value."""
    found = {"int8": Type(1, "xb"), "uint8": Type(1, "xB")}
    for bits, code in ((16, "h"), (32, "i"), (64, "q")):
        half, every, words = 2 ** (bits - 1), 2**bits - 1, bits // 16
        ends = {-half: _none(bits, half), half - 1: _none(bits, half - 1)}
        found[f"int{bits}"] = Type(words, code, ends)
        found[f"uint{bits}"] = Type(words, code.upper(), {every: _none(bits, every)})
    return found


def _floats() -> dict[str, Type]:
    """The largest number there is, is none; NaN and infinity neither."""
    found = {"float16": Type(1, "e")}
    for bits, code, largest in ((32, "f", (2 - 2.0**-23) * 2.0**127), (64, "d", (2 - 2.0**-52) * 2.0**1023)):
        fault = PointFault(
            FaultKind.BAD, f"the device answers {largest:g}, the largest float{bits}: no value"
        )
        found[f"float{bits}"] = Type(bits // 16, code, {largest: fault, -largest: fault})
    return found


def _sign_magnitudes() -> dict[str, Type]:
    found = {}
    for bits, code in ((16, "H"), (32, "I")):
        sign = 2 ** (bits - 1)

        def convert(raw: int, sign: int = sign) -> Decoded:
            return sign - raw if raw & sign else raw

        no_value = {pattern: _none(bits, pattern) for pattern in (2 * sign - 1, sign - 1)}
        found[f"sm{bits}"] = Type(bits // 16, code, no_value, convert)
    return found


def _decimals() -> dict[str, Type]:
    found = {}
    for bits, code in ((16, "H"), (32, "I"), (64, "Q")):

        def convert(raw: int, digits: int = bits // 4) -> Decoded:
            text = f"{raw:0{digits}X}"
            if not text.isdecimal():
                return PointFault(FaultKind.BAD, f"0x{text} is no BCD: a digit is 0 to 9")
            return int(text)

        every = 2**bits - 1
        found[f"bcd{bits}"] = Type(bits // 16, code, {every: _none(bits, every)}, convert)
    return found


def _text(raw: bytes) -> Decoded:
    """Up to the first zero byte, without the spaces that fill it up."""
    text = raw.partition(b"\0")[0].decode(errors="replace").rstrip(" ")
    if "\N{REPLACEMENT CHARACTER}" in text or not text.isprintable():
        return PointFault(FaultKind.BAD, f"the device answers no text: {raw.hex(' ')}")
    return text


def _strings() -> dict[str, Type]:
    found = {}
    for size in range(2, LONGEST_STRING + 1):
        no_value: dict[object, PointFault] = {b"\xff" * size: _none(8 * size, 2 ** (8 * size) - 1)}
        found[f"string{size}"] = Type((size + 1) // 2, f"{size}s" + "x" * (size % 2), no_value, _text)
    return found


TYPES: Mapping[str, Type] = MappingProxyType(
    _integers() | _floats() | _sign_magnitudes() | _decimals() | _strings()
)
"""By the word that stands in a list; `bit` is no type of whole registers."""

NAMES = ", ".join([*(name for name in TYPES if not name.startswith("string")), "string2 ... string64"])
"""The words, for people."""


@dataclass(frozen=True, slots=True)
class Lane:
    """How an order is unpacked. `swap`: the two bytes of every register change places first; then the bytes are
    read from the high end (`>`) or from the low end (`<`): with them exchanged, low word first is that."""

    end: str
    swap: bool


_HIGH_WORD, _LOW_WORD = Lane(">", False), Lane("<", True)
_HIGH_WORD_SWAPPED, _LOW_WORD_SWAPPED = Lane(">", True), Lane("<", False)
_ORDERS = {
    2: {"ABCD": _HIGH_WORD, "CDAB": _LOW_WORD, "BADC": _HIGH_WORD_SWAPPED, "DCBA": _LOW_WORD_SWAPPED},
    4: {
        "ABCDEFGH": _HIGH_WORD,
        "GHEFCDAB": _LOW_WORD,
        "BADCFEHG": _HIGH_WORD_SWAPPED,
        "HGFEDCBA": _LOW_WORD_SWAPPED,
    },
}
_OF_STRINGS = {"ABCD": _HIGH_WORD, "BADC": _HIGH_WORD_SWAPPED}


@cache
def orders(name: str) -> Mapping[str, Lane]:
    """The orders that a type may have, its default first; none where it takes one register."""
    about = TYPES.get(name)
    if about is None or about.words == 1:
        return {}
    return _OF_STRINGS if name.startswith("string") else _ORDERS[about.words]


def lane(name: str, order: str) -> Lane:
    """How a type is unpacked in an order; that of one register says nothing."""
    allowed = orders(name)
    return allowed[order] if allowed else _HIGH_WORD
