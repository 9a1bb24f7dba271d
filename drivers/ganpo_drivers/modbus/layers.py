"""Taking answers apart: values of one order that do not overlap are unpacked by one `struct` pass."""

import math
import struct
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from ganpo_drivers.modbus.values import TYPES, Lane, lane


class Field(NamedTuple):
    """A value in a block: where it goes (`place`), the register it begins with, and how it lies there."""

    place: int
    number: int
    type: str
    order: str


class Layer:
    """Fields that do not overlap and have one order: unpacked at once."""

    def __init__(self, first: int, fields: Sequence[Field], how: Lane) -> None:
        """`first`: the register with which the answer begins."""
        self._swap = how.swap
        self._places = [field.place for field in fields]
        self._types = [TYPES[field.type] for field in fields]
        self._marks: set[object] = set().union(*(about.no_value for about in self._types))
        low, high = self._places[0], self._places[-1] + 1
        fits = self._places == list(range(low, high)) and self._types[0].plain
        self._run = slice(low, high) if fits else None
        text, at = how.end, first
        for field, about in zip(fields, self._types, strict=True):
            text += "xx" * (field.number - at) + about.code
            at = field.number + about.words
        self._struct = struct.Struct(text)

    def take(self, payload: bytes, values: list[Any]) -> None:
        """Put the values of an answer into their places."""
        if self._swap:
            words = array("H", payload)
            words.byteswap()
            payload = words.tobytes()
        found = self._struct.unpack_from(payload)
        # Most blocks have nothing odd in them, and one look at the sum tells.
        if self._run is not None and math.isfinite(sum(found)) and self._marks.isdisjoint(found):
            values[self._run] = found
            return
        for place, raw, about in zip(self._places, found, self._types, strict=True):
            values[place] = about.read(raw)


def layers(first: int, fields: Sequence[Field]) -> list[Layer]:
    """The fewest layers of fields that are sorted by register. Types that need more than unpacking have their own, and
    so have those that overlap (one register read as two types)."""
    groups: list[tuple[tuple[Lane, bool], list[Field], int]] = []
    for field in fields:
        about = TYPES[field.type]
        kind, end = (lane(field.type, field.order), about.plain), field.number + about.words
        for at, (other, members, taken) in enumerate(groups):
            if other == kind and taken <= field.number:
                groups[at] = (kind, [*members, field], end)
                break
        else:
            groups.append((kind, [field], end))
    return [Layer(first, members, how) for (how, _), members, _ in groups]
