"""Packing points into requests, and taking the answers apart: one `struct` pass per block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ganpo_drivers.api import Point, PointFault, Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.layers import Field, layers
from ganpo_drivers.modbus.requests import read_request
from ganpo_drivers.modbus.sums import Sum, raised

Placed = tuple[int, Point[ModbusAddress]]


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
        self.request = read_request(self.unit, self.area, self.first, self.count)
        self._bits = [
            (index, point.address.number - self.first, point.address.bit or 0)
            for index, point in self.placed
            if point.address.type == "bit"
        ]
        fields = [
            Field(index, point.address.number, point.address.type, point.address.order)
            for index, point in self.placed
            if point.address.type != "bit" and not point.address.parts
        ]
        self._layers = layers(self.first, fields)
        self._sums = [
            Sum(index, point.address, self.first) for index, point in self.placed if point.address.parts
        ]

    def take(self, payload: bytes, values: list[Any]) -> None:
        """Put the values of an answer of `size` bytes into their places."""
        for layer in self._layers:
            layer.take(payload, values)
        for total in self._sums:
            total.take(payload, values)
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


@dataclass(slots=True, eq=False)
class ModbusQuery:
    """Points packed into blocks. `heard`: how often their unit had given an answer that counts when they were read.

    `apart`: of the points whose exponent has a request of its own; those come behind the points.
    """

    points: Sequence[Point[ModbusAddress]]
    blocks: tuple[Block, ...]
    apart: tuple[int, ...] = ()
    heard: int = 0

    @property
    def width(self) -> int:
        """How many places the blocks fill."""
        return len(self.points) + len(self.apart)

    def settled(self, values: list[Any]) -> list[Value | PointFault]:
        """What all blocks put into their places, a value or a fault per point."""
        for place, index in enumerate(self.apart, start=len(self.points)):
            values[index] = raised(values[index], values[place], whole=self.points[index].address.whole)
        return values[: len(self.points)]

    def __str__(self) -> str:
        return "\n".join(map(str, self.blocks))


def pack(
    points: Sequence[Point[ModbusAddress]], max_gap: int, max_registers: int, max_bits: int
) -> ModbusQuery:
    """Neighbours of one unit and area share a request while gap and block stay within their limits; that of a unit
    which answers fewer registers at once is its own."""
    powers = [(index, point.name, point.address.apart) for index, point in enumerate(points)]
    apart = [(index, Point(name, address)) for index, name, address in powers if address is not None]
    asked = [*points, *(point for _, point in apart)]
    order = sorted(enumerate(asked), key=lambda item: _sort_key(item[1].address))
    of_unit: dict[int, int] = {}
    for address in (point.address for point in asked):
        of_unit[address.unit] = min(address.max_registers, of_unit.get(address.unit, max_registers))
    blocks: list[Block] = []
    run: list[Placed] = []
    begin = end = 0
    for item in order:
        address = item[1].address
        last = address.number + address.words
        limit = max_bits if address.area in ("coil", "discrete") else of_unit[address.unit]
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
    return ModbusQuery(points, tuple(blocks), tuple(index for index, _ in apart))


def _sort_key(address: ModbusAddress) -> tuple[int, str, int, int]:
    return address.unit, address.area, address.number, address.words
