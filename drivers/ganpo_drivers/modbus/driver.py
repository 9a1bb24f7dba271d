"""Modbus over TCP, TLS, a serial line or a converter: function codes 1-4 and 43/14, nothing else exists here (I10)."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ganpo_drivers.api import (
    Address,
    ConnectionSettings,
    Cost,
    Driver,
    FaultKind,
    Identity,
    Point,
    PointFault,
    Query,
    Report,
    Scan,
    Value,
)
from ganpo_drivers.lines import Flooded
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.answers import Answer, WrongAnswer, judged
from ganpo_drivers.modbus.blocks import Block, ModbusQuery, pack
from ganpo_drivers.modbus.costs import cost
from ganpo_drivers.modbus.learning import Learned
from ganpo_drivers.modbus.mbap import NAMELESS
from ganpo_drivers.modbus.requests import IDENTIFY, Request, identification, objects
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.modbus.transports import wire_to
from ganpo_drivers.modbus.wire import BrokeOff, Habits, Wire
from ganpo_model.errors import ConnectionLost, UnitBusy, UnitSilent

log = logging.getLogger(__name__)

SILENT_LIMIT = 3
"""Requests in a row without any answer, of whatever unit, after which the next read opens a new connection."""
MUTE_LIMIT = 3
"""Times in a row that a request gets no answer while its unit answers others: after that it is learned."""
BROKEN_LIMIT = 2
"""Sessions that may break within one read: after that nothing more is asked in it."""
BRIEF = "it ends the session after an answer: each request gets a session of its own"
SESSIONS = 3
"""That one request may take: one ends with it, and one is asked for something of another length first."""
SEARCH_LIMIT = 32
"""Requests within one read that look for illegal addresses."""
SHY_LIMIT = 3
"""Times that a device may fail over the question who it is: after that it is not asked any more."""

_ANSWERED, _UNUSABLE = 0, -1
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
_SEARCHING = PointFault(FaultKind.MISSING, "not asked yet: an illegal address is being looked for")


@dataclass(slots=True)
class _Reading:
    """One read under way. `heard`: the unit gave values, or said that it has none. `busy`: the last exception with
    which it put us off. `broken`: the last break of a session, of `breaks`. `slow`: requests that cost a timeout.
    `ended`: why nothing more is asked. `searches`: requests that are left to look for illegal addresses.
    """

    values: list[Value | PointFault]
    heard: bool = False
    busy: str = ""
    broken: ConnectionLost | None = None
    breaks: int = 0
    slow: list[tuple[Block, PointFault]] = field(default_factory=list)
    ended: str = ""
    searches: int = SEARCH_LIMIT

    def fault(self, block: Block, kind: FaultKind, text: str) -> PointFault:
        """Put one fault into all places of a block."""
        fault = PointFault(kind, text)
        for index, _ in block.placed:
            self.values[index] = fault
        return fault


class ModbusDriver(Driver[ModbusSettings, ModbusAddress]):
    """One line to a device, or to several units: a port, or a TCP session."""

    connection_type: ClassVar[type[ConnectionSettings]] = ModbusSettings
    address_type: ClassVar[type[Address]] = ModbusAddress

    def __init__(self, connection: ModbusSettings) -> None:
        super().__init__(connection)
        self._wire: Wire | None = None
        self._silent = 0
        self._habits = Habits()
        self._reopened = 0
        self._heard: Counter[int] = Counter()
        self._faults: Counter[tuple[str, str]] = Counter()
        self._learned = Learned()
        self._units: set[int] = set()
        self._shy = 0

    async def open(self) -> None:
        """Connect. Raises what `ByteLine.open` does."""
        await self._opened()

    def prepare(self, points: Sequence[Point[ModbusAddress]]) -> ModbusQuery:
        """Pack the points into blocks."""
        limits = self.connection
        self._units.update(point.address.unit for point in points)
        return pack(points, limits.max_gap, limits.max_registers, limits.max_bits)

    def estimate(self, query: Query) -> Cost:
        """What reading it once costs."""
        return cost(_own(query), self.connection)

    async def read(self, query: Query) -> Scan:
        """Read all blocks. A session that ended, or broke on one of them, is opened again within the read."""
        query = _own(query)
        reading = _Reading([_SEARCHING] * query.width)
        if self._wire is None or not self._wire.open:
            await self._reopen()
        # What was silent last is asked last: the others are not to wait for it, nor does their silence prove anything.
        for block in sorted(query.blocks, key=lambda block: block.mute):
            await self._block(block, reading)
        unit = query.blocks[0].unit if query.blocks else 0
        where = f"{self.connection.url} unit {unit}"
        if reading.heard:
            self._learn(reading.slow)
        elif reading.broken is not None:
            raise UnitSilent(reading.broken.what, where=where) from reading.broken
        elif reading.busy and query.heard == self._heard[unit]:
            raise UnitBusy(reading.busy, where=where)
        query.heard = self._heard[unit]
        return Scan(query.settled(reading.values))

    async def identify(self) -> Identity:
        """What the only unit of the line says of itself; nothing where there are several or it does not say.

        Some devices say nothing at all to a function they do not know, or end the session: such are soon left alone.
        """
        if len(self._units) > 1 or self._shy >= SHY_LIMIT:
            return Identity()
        unit = next(iter(self._units), 1)
        try:
            answer = await self._exchange(identification(unit))
        except (WrongAnswer, ConnectionLost, UnitSilent) as error:
            self._shy += 1
            log.debug("does not say who it is: %s", error)
            await self._reopen()
            return Identity()
        if (answer.unit, answer.function) != (unit, IDENTIFY):
            return Identity()
        said = objects(answer.data)
        model = said.get(1, "")
        return Identity(vendor=said.get(0, ""), model=model, controller=f"{model} {said.get(2, '')}".strip())

    async def close(self) -> None:
        """Leave the device."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def report(self) -> Report:
        """What it met on the line so far."""
        shown = ((NAMELESS, self._habits.nameless), (BRIEF, self._habits.brief))
        return Report(self._reopened, self._faults, [note for note, holds in shown if holds])

    async def _opened(self) -> Wire:
        await self.close()
        wire = wire_to(self.connection, self._habits)
        try:
            await wire.connect()
        except BaseException:
            wire.close()
            raise
        self._wire = wire
        self._silent = 0
        return wire

    async def _block(self, block: Block, reading: _Reading) -> None:
        plan = self._learned.plan(block, time.monotonic())
        for index, fault in plan.faults.items():
            reading.values[index] = fault
        before = len(reading.slow)
        try:
            for part in plan.parts:
                if (code := await self._ask(part, reading)) in _ILLEGAL:
                    for dead in await self._search(part, code, reading):
                        fault = reading.fault(dead, FaultKind.BAD, f"exception {code:02X}: {_ILLEGAL[code]}")
                        self._learned.refused(dead, fault, time.monotonic())
        finally:
            if plan.parts:
                block.mute = len(reading.slow) > before

    def _learn(self, slow: Sequence[tuple[Block, PointFault]]) -> None:
        """Requests that cost a timeout while their unit answered others."""
        for block, fault in slow:
            block.silences += 1
            if block.silences >= MUTE_LIMIT or self._learned.knows(block):
                self._learned.refused(block, fault, time.monotonic())

    async def _search(self, block: Block, code: int, reading: _Reading) -> list[Block]:
        """The parts of a refused block of which every point is refused: it is cut between points, never inside one."""
        halves = block.halves()
        if halves is None:
            return [block]
        found: list[Block] = []
        codes: list[int] = []
        for half in halves:
            if not reading.searches:
                reading.fault(half, _SEARCHING.kind, _SEARCHING.text)
                codes.append(_UNUSABLE)
                continue
            reading.searches -= 1
            codes.append(await self._ask(half, reading))
            if codes[-1] in _ILLEGAL:
                found += await self._search(half, codes[-1], reading)
        if found == list(halves):
            return [block]
        if codes == [_ANSWERED, _ANSWERED]:
            self._learned.apart(halves[1], time.monotonic())
        return found

    async def _ask(self, block: Block, reading: _Reading) -> int:
        """Read one block into its places: _ANSWERED, _UNUSABLE (its faults stand there), or the code of an exception
        that refuses it, for which the caller finds out what."""
        if reading.ended:
            reading.fault(block, FaultKind.MISSING, f"not asked: {reading.ended}")
            return _UNUSABLE
        try:
            found = judged(await self._exchange(block.request), block)
        except WrongAnswer as wrong:
            await self._failed(block, wrong.kind)
            reading.fault(block, FaultKind.MISSING, str(wrong))
            return _UNUSABLE
        except ConnectionLost as lost:
            await self.close()
            await self._failed(block, "broken")
            reading.broken, reading.breaks = lost, reading.breaks + 1
            fault = reading.fault(block, FaultKind.MISSING, lost.what)
            if isinstance(lost, BrokeOff):
                reading.slow.append((block, fault))
            if reading.breaks >= BROKEN_LIMIT:
                reading.ended = lost.what
            return _UNUSABLE
        except UnitSilent as silent:
            self._silent += 1
            reading.slow.append((block, reading.fault(block, FaultKind.MISSING, silent.what)))
            await self._failed(block, "silent")
            if self._silent >= SILENT_LIMIT:
                # Perhaps it is half-open; with several silent units it costs the others nothing.
                await self.close()
            if not reading.heard:
                raise
            reading.ended = silent.what
            return _UNUSABLE
        if isinstance(found, bytes):
            block.take(found, reading.values)
            block.silences = 0
            self._learned.answered(block)
            found = _ANSWERED
        else:
            self._faults[block.key, f"exception_{found:02x}"] += 1
            if found != 0x01 and found not in _ILLEGAL:
                reading.busy = f"exception {found:02X}: {_BUSY.get(found, 'unknown')}"
                reading.fault(block, FaultKind.MISSING, reading.busy)
                return _UNUSABLE
        reading.heard = True
        self._heard[block.unit] += 1
        if found == 0x01:
            text = f"exception 01: the unit does not read {block.area} registers; {_HINT[block.area]}"
            self._learned.refused(
                block, reading.fault(block, FaultKind.BAD, text), time.monotonic(), area=True
            )
            return _UNUSABLE
        return found

    async def _exchange(self, asked: Request) -> Answer:
        """One request and its answer. A session that the device had closed is no outage: open another, ask again. Where
        it was closed with the request in it, which another then answered, each request gets a session of its own."""
        habits = self._habits
        known = habits.brief
        for left in reversed(range(SESSIONS)):
            wire, fresh = self._wire, False
            if wire is None or not wire.open:
                wire, fresh = await self._reopen(), True
            try:
                answer = await wire.ask(asked)
                break
            except ConnectionLost as lost:
                if not left or wire.open or isinstance(lost, Flooded) or (fresh and not wire.heard):
                    habits.brief = known
                    raise
                habits.brief |= wire.blind and wire.hasty
        if habits.brief:
            if not known:
                log.warning("%s: %s", self.connection.url, BRIEF)
            await self.close()
        self._silent = 0
        return answer

    async def _reopen(self) -> Wire:
        wire = await self._opened()
        self._reopened += 1
        return wire

    async def _failed(self, block: Block, kind: str) -> None:
        """Count it. A late answer without an id would be taken for the next one's: close, the next opens."""
        self._faults[block.key, kind] += 1
        if self._wire is not None and self._wire.blind:
            await self.close()


def _own(query: Query) -> ModbusQuery:
    if not isinstance(query, ModbusQuery):
        raise TypeError("this query was prepared by another driver")
    return query
