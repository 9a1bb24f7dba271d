"""Packing points into requests, and taking the answers apart: one `struct` pass per block."""

import math
import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ganpo_drivers.api import FaultKind, Point, PointFault, Value
from ganpo_drivers.modbus.address import ModbusAddress

NOT_A_NUMBER = PointFault(FaultKind.BAD, "the device answers NaN")
INFINITE = PointFault(FaultKind.BAD, "the device answers infinity")
NO_VALUE = PointFault(FaultKind.BAD, "the device answers with all bits set: no value")

_FORMAT = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "float32": "f"}
_ALL_BITS = {"uint16": 0xFFFF, "uint32": 0xFFFF_FFFF}
Placed = tuple[int, Point[ModbusAddress]]


class Layer:
    """Fields of a block that do not overlap and have one word order: unpacked at once."""

    def __init__(self, first: int, placed: Sequence[Placed], swap: int | None) -> None:
        """`swap`: parity of the registers whose words are exchanged two by two, None for ABCD."""
        self._swap = swap
        self._indices = [index for index, _ in placed]
        self._sentinels = [_ALL_BITS.get(point.address.type) for _, point in placed]
        self._marks = set(self._sentinels) - {None}
        low, high = self._indices[0], self._indices[-1] + 1
        self._run = slice(low, high) if self._indices == list(range(low, high)) else None
        text, at = ">", first
        for _, point in placed:
            address = point.address
            text += "xx" * (address.number - at) + _FORMAT[address.type]
            at = address.number + address.words
        self._struct = struct.Struct(text)

    def take(self, payload: bytes, values: list[Value | PointFault]) -> None:
        """Put the values of an answer into their places."""
        if self._swap is not None:
            payload = _swapped(payload, self._swap)
        fields = self._struct.unpack_from(payload)
        # Most blocks have nothing odd in them, and one look at the sum tells.
        if self._run is not None and math.isfinite(sum(fields)) and self._marks.isdisjoint(fields):
            values[self._run] = fields
            return
        for index, value, sentinel in zip(self._indices, fields, self._sentinels, strict=True):
            if value == sentinel:
                values[index] = NO_VALUE
            elif math.isfinite(value):
                values[index] = value
            else:
                values[index] = NOT_A_NUMBER if value != value else INFINITE


def _swapped(payload: bytes, parity: int) -> bytes:
    words = array("H", payload)
    end = parity + (len(words) - parity) // 2 * 2
    words[parity:end:2], words[parity + 1 : end : 2] = words[parity + 1 : end : 2], words[parity:end:2]
    return words.tobytes()


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read a block: requests, and faults by place of the points that are not asked for; good until `until`, and
    while nothing else was learned (`version`)."""

    parts: Sequence["Block"]
    faults: Mapping[int, PointFault] = field(default_factory=dict)
    until: float = float("inf")
    version: int = 0


class Block:
    """One request: `count` registers or bits from `first` of one area of one unit, and the points it answers."""

    def __init__(self, placed: Sequence[Placed]) -> None:
        self.plan: Plan | None = None
        self.answered = False  # at least once
        self.silences = 0  # in a row, while others of its unit answered
        self.mute = False  # the last time
        self.placed = sorted(placed, key=lambda item: (item[1].address.number, item[1].address.words))
        addresses = [point.address for _, point in self.placed]
        self.unit, self.area, self.key = addresses[0].unit, addresses[0].area, addresses[0].key
        self.first = addresses[0].number
        self.count = max(address.number + address.words for address in addresses) - self.first
        self.of_bits = self.area in ("coil", "discrete")
        self.size = (self.count + 7) // 8 if self.of_bits else 2 * self.count
        self._bits = [
            (index, point.address.number - self.first, point.address.bit or 0)
            for index, point in self.placed
            if point.address.type == "bit"
        ]
        self._layers = _layers(self.first, [item for item in self.placed if item[1].address.type != "bit"])

    def take(self, payload: bytes, values: list[Value | PointFault]) -> None:
        """Put the values of an answer of `size` bytes into their places."""
        for layer in self._layers:
            layer.take(payload, values)
        if self.of_bits:
            for index, offset, _ in self._bits:
                values[index] = bool(payload[offset >> 3] >> (offset & 7) & 1)
        else:
            for index, offset, bit in self._bits:
                word = payload[2 * offset] << 8 | payload[2 * offset + 1]
                values[index] = bool(word >> bit & 1)

    def halves(self) -> tuple["Block", "Block"] | None:
        """The block cut between two of its points; None where it has but one."""
        if len(self.placed) < 2:
            return None
        middle = len(self.placed) // 2
        return Block(self.placed[:middle]), Block(self.placed[middle:])

    def __str__(self) -> str:
        last = self.first + self.count - 1
        return f"unit {self.unit} {self.area} {self.first}-{last}: {self.count} for {len(self.placed)} points"


def _layers(first: int, placed: Sequence[Placed]) -> list[Layer]:
    """Points that overlap (one register read as two types) go to different layers."""
    groups: list[tuple[int | None, list[Placed], int]] = []
    for item in placed:
        address = item[1].address
        swap = (address.number - first) % 2 if address.order == "CDAB" else None
        for place, (other, members, end) in enumerate(groups):
            if other == swap and end <= address.number:
                groups[place] = (swap, [*members, item], address.number + address.words)
                break
        else:
            groups.append((swap, [item], address.number + address.words))
    return [Layer(first, members, swap) for swap, members, _ in groups]


@dataclass(slots=True, eq=False)
class ModbusQuery:
    """Points packed into blocks. `heard`: how often their unit had given an answer that counts when they were read."""

    points: Sequence[Point[ModbusAddress]]
    blocks: tuple[Block, ...]
    heard: int = 0

    def __str__(self) -> str:
        return "\n".join(map(str, self.blocks))


def pack(
    points: Sequence[Point[ModbusAddress]], max_gap: int, max_registers: int, max_bits: int
) -> ModbusQuery:
    """Neighbours of one unit and area share a request while gap and block stay within their limits."""
    order = sorted(enumerate(points), key=lambda item: _sort_key(item[1].address))
    blocks: list[Block] = []
    run: list[Placed] = []
    begin = end = 0
    for item in order:
        address = item[1].address
        last = address.number + address.words
        limit = max_bits if address.area in ("coil", "discrete") else max_registers
        same = bool(run) and (run[-1][1].address.unit, run[-1][1].address.area) == (
            address.unit,
            address.area,
        )
        if not (same and address.number - end <= max_gap and max(last, end) - begin <= limit):
            if run:
                blocks.append(Block(run))
            run, begin, end = [], address.number, last
        run.append(item)
        end = max(end, last)
    if run:
        blocks.append(Block(run))
    return ModbusQuery(points, tuple(blocks))


def _sort_key(address: ModbusAddress) -> tuple[int, str, int, int]:
    return address.unit, address.area, address.number, address.words
