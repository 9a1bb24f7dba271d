"""Modbus over TCP: function codes 1-4, nothing else exists here (I10)."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ganpo_drivers.api import (
    Address,
    ConnectionSettings,
    Driver,
    FaultKind,
    Point,
    PointFault,
    Query,
    Scan,
    Value,
)
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.blocks import Block, ModbusQuery, pack
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.modbus.wire import Wire
from ganpo_model.errors import ConnectionLost, UnitBusy, UnitSilent

log = logging.getLogger(__name__)

DAY_S = 86_400.0
"""How long an illegal address is left alone before it is tried again."""
SILENT_LIMIT = 3
"""Requests in a row without any answer, of whatever unit, after which the next read opens a new connection."""

_BUSY = {
    0x04: "device failure",
    0x05: "acknowledge: it still works on it",
    0x06: "device busy",
    0x0A: "gateway path unavailable",
    0x0B: "the gateway is there, the device behind it does not answer",
}
_ILLEGAL = {0x02: "illegal data address", 0x03: "illegal data value"}
_HINT = {
    "holding": "is this an input register?",
    "input": "is this a holding register?",
    "coil": "is this a discrete input?",
    "discrete": "is this a coil?",
}
_MISSING = PointFault(FaultKind.MISSING, "not read")


@dataclass(slots=True)
class _Learned:
    """What was learned of a block with illegal addresses: requests that work, faults of the points that do not."""

    until: float
    blocks: list[Block] = field(default_factory=list)
    faults: dict[int, PointFault] = field(default_factory=dict)


class ModbusDriver(Driver[ModbusSettings, ModbusAddress]):
    """One TCP connection to a device, or to a gateway with several units behind it."""

    connection_type: ClassVar[type[ConnectionSettings]] = ModbusSettings
    address_type: ClassVar[type[Address]] = ModbusAddress

    def __init__(self, connection: ModbusSettings) -> None:
        super().__init__(connection)
        self._wire: Wire | None = None
        self._silent = 0
        self._learned: dict[Block, _Learned] = {}

    async def open(self) -> None:
        """Connect. Raises Unreachable."""
        await self.close()
        wire = Wire(*self.connection.endpoint, self.connection.timeout_s)
        try:
            await wire.connect()
        except BaseException:
            wire.close()
            raise
        self._wire = wire
        self._silent = 0

    def prepare(self, points: Sequence[Point[ModbusAddress]]) -> ModbusQuery:
        """Pack the points into blocks."""
        limits = self.connection
        return pack(points, limits.max_gap, limits.max_registers, limits.max_bits)

    async def read(self, query: Query) -> Scan:
        """Read all blocks. A socket closed between two polls is opened again within this one."""
        if not isinstance(query, ModbusQuery):
            raise TypeError("this query was prepared by another driver")
        if self._wire is None or not self._wire.open:
            await self.open()
        values: list[Value | PointFault] = [_MISSING] * len(query.points)
        for number, block in enumerate(query.blocks):
            try:
                await self._read(block, values)
            except ConnectionLost:
                if number or (self._wire is not None and self._wire.open):
                    raise
                # It closed as we spoke for the first time since the last poll: that is no outage.
                await self.open()
                await self._read(block, values)
        return Scan(values)

    async def close(self) -> None:
        """Leave the device."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def _read(self, block: Block, values: list[Value | PointFault]) -> None:
        learned = self._learned.get(block)
        now = asyncio.get_running_loop().time()
        if learned is not None and now < learned.until:
            for index, fault in learned.faults.items():
                values[index] = fault
            for part in learned.blocks:
                if (code := await self._ask(part, values)) is not None:
                    self._refuse(part, code, values)
            return
        code = await self._ask(block, values)
        if code is None:
            self._learned.pop(block, None)
        elif code in _ILLEGAL:
            fresh = _Learned(now + DAY_S)
            await self._bisect(block, code, values, fresh)
            self._learned[block] = fresh
            bad = ", ".join(sorted(block_point(block, index) for index in fresh.faults))
            log.warning(
                "illegal addresses at %s: %s; the others are read", self.connection.url, bad or "in gaps only"
            )
        else:
            self._refuse(block, code, values)

    async def _bisect(
        self, block: Block, code: int, values: list[Value | PointFault], learned: _Learned
    ) -> None:
        """Find the illegal points of a block that was refused, between points, never inside one."""
        halves = block.halves()
        if halves is None:
            self._refuse(block, code, values)
            for index, _ in block.placed:
                learned.faults[index] = PointFault(FaultKind.BAD, f"exception {code:02X}: {_ILLEGAL[code]}")
            return
        for half in halves:
            refused = await self._ask(half, values)
            if refused is None:
                learned.blocks.append(half)
            elif refused in _ILLEGAL:
                await self._bisect(half, refused, values, learned)
            else:
                self._refuse(half, refused, values)
                learned.blocks.append(half)

    async def _ask(self, block: Block, values: list[Value | PointFault]) -> int | None:
        """Read one block into its places; the exception code where the device refuses."""
        if self._wire is None:
            raise ConnectionLost("not open", where=self.connection.url)
        try:
            answer = await self._wire.ask(block.area, block.unit, block.first, block.count)
        except UnitSilent:
            self._silent += 1
            if self._silent >= SILENT_LIMIT:
                await (
                    self.close()
                )  # perhaps it is half-open; with several silent units it costs the others nothing
            raise
        self._silent = 0
        if isinstance(answer, int):
            return answer
        if len(answer) != block.size:
            where = f"{self._wire.where} unit {block.unit}"
            raise ConnectionLost(f"{len(answer)} bytes answer a request for {block.size}", where=where)
        block.take(answer, values)
        return None

    def _refuse(self, block: Block, code: int, values: list[Value | PointFault]) -> None:
        """An exception that is no matter of bisection: of the unit (raises UnitBusy), or of the whole area."""
        where = f"{self.connection.url} unit {block.unit}"
        if code == 0x01:
            text = f"exception 01: the unit does not read {block.area} registers; {_HINT[block.area]}"
        elif code in _ILLEGAL:
            text = f"exception {code:02X}: {_ILLEGAL[code]}"
        else:
            raise UnitBusy(f"exception {code:02X}: {_BUSY.get(code, 'unknown')}", where=where)
        fault = PointFault(FaultKind.BAD, text)
        for index, _ in block.placed:
            values[index] = fault


def block_point(block: Block, index: int) -> str:
    """The name of a block's point."""
    return next(point.name for place, point in block.placed if place == index)
