"""One read under way: each block is asked for, and what comes of it costs its own places and no others."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ganpo_drivers.api import FaultKind, PointFault, Value
from ganpo_drivers.modbus.answers import WrongAnswer, judged
from ganpo_drivers.modbus.blocks import Block
from ganpo_drivers.modbus.learning import Learned
from ganpo_drivers.modbus.session import Session
from ganpo_drivers.modbus.wire import BrokeOff
from ganpo_model.errors import ConnectionLost, UnitSilent

MUTE_LIMIT = 3
"""Times in a row that a request gets no answer while its unit answers others: after that it is learned."""
BROKEN_LIMIT = 2
"""Sessions that may break within one read: after that nothing more is asked in it."""
SEARCH_LIMIT = 32
"""Requests within one read that look for illegal addresses."""

_ANSWERED, _UNUSABLE = 0, -1
_BUSY = {
    0x04: "device failure",
    0x05: "acknowledge: it still works on it",
    0x06: "device busy",
    0x08: "memory parity error",
    0x0A: "gateway path unavailable",
    0x0B: "the gateway is there, the device behind it does not answer",
}
_OTHER = "a code of the maker's own"
_SLOWER = "the line works: fewer points, a longer interval"
_TO_DO = {
    0x05: _SLOWER,
    0x06: _SLOWER,
    0x0A: "the line works as far as the Modbus gateway: is this unit set up there?",
    0x0B: "the line works as far as the Modbus gateway: power, wiring and unit id of the device behind it",
}
_ITS_FAULT = (
    "the line works, and the device answers with a fault of its own: its display or its manual says which"
)
_ILLEGAL = {0x02: "illegal data address", 0x03: "illegal data value"}
_HINT = {
    "holding": "is this an input register?",
    "input": "is this a holding register?",
    "coil": "is this a discrete input?",
    "discrete": "is this a coil?",
}
_SEARCHING = PointFault(FaultKind.MISSING, "not asked yet: an illegal address is being looked for")


@dataclass(slots=True)
class Met:
    """What all reads of a connection met. `learned`: what the units do not have; `heard`: by unit, answers that count;
    `faults`: by key and kind."""

    learned: Learned = field(default_factory=Learned)
    heard: Counter[int] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)


class Reading:
    """`values`: by place. `heard`: the unit gave values, or said that it has none. `busy`: the last exception with
    which it put us off, `to_do`: what helps. `broken`: the last break of a session."""

    def __init__(self, width: int, session: Session, met: Met) -> None:
        """`width`: how many places the blocks fill."""
        self.values: list[Value | PointFault] = [_SEARCHING] * width
        self.heard = False
        self.busy = self.to_do = ""
        self.broken: ConnectionLost | None = None
        self._session, self._met = session, met
        self._breaks = 0
        self._slow: list[tuple[Block, PointFault]] = []  # requests that cost a timeout
        self._ended = ""  # why nothing more is asked
        self._searches = SEARCH_LIMIT

    async def blocks(self, blocks: Sequence[Block]) -> None:
        """Ask for all. What was silent last is asked last: the others are not to wait for it, nor does their silence
        prove anything.

        Raises UnitSilent where nothing came yet and something does not, and what opening a session raises.
        """
        for block in sorted(blocks, key=lambda block: block.mute):
            await self._block(block)
        if self.heard:
            for block, fault in self._slow:
                block.silences += 1
                if block.silences >= MUTE_LIMIT or self._met.learned.knows(block):
                    self._met.learned.refused(block, fault, time.monotonic())

    async def _block(self, block: Block) -> None:
        learned = self._met.learned
        plan = learned.plan(block, time.monotonic())
        for index, fault in plan.faults.items():
            self.values[index] = fault
        before = len(self._slow)
        try:
            for part in plan.parts:
                if (code := await self._ask(part)) in _ILLEGAL:
                    for dead in await self._search(part, code):
                        fault = self._fault(dead, FaultKind.BAD, f"exception {code:02X}: {_ILLEGAL[code]}")
                        learned.refused(dead, fault, time.monotonic())
        finally:
            if plan.parts:
                block.mute = len(self._slow) > before

    async def _search(self, block: Block, code: int) -> list[Block]:
        """The parts of a refused block of which every point is refused: it is cut between points, never inside one."""
        halves = block.halves()
        if halves is None:
            return [block]
        found: list[Block] = []
        codes: list[int] = []
        for half in halves:
            if not self._searches:
                self._fault(half, _SEARCHING.kind, _SEARCHING.text)
                codes.append(_UNUSABLE)
                continue
            self._searches -= 1
            codes.append(await self._ask(half))
            if codes[-1] in _ILLEGAL:
                found += await self._search(half, codes[-1])
        if found == list(halves):
            return [block]
        if codes == [_ANSWERED, _ANSWERED]:
            self._met.learned.apart(halves[1], time.monotonic())
        return found

    async def _ask(self, block: Block) -> int:
        """Read one block into its places: _ANSWERED, _UNUSABLE (its faults stand there), or the code of an exception
        that refuses it, for which the caller finds out what."""
        if self._ended:
            self._fault(block, FaultKind.MISSING, f"not asked: {self._ended}")
            return _UNUSABLE
        try:
            found = judged(await self._session.exchange(block.request), block)
        except (WrongAnswer, ConnectionLost, UnitSilent) as error:
            self._session.after(error)
            self._failed(block, error)
            return _UNUSABLE
        if isinstance(found, int):
            return self._refused(block, found)
        block.take(found, self.values)
        block.silences = 0
        self._met.learned.answered(block)
        self._hears(block)
        return _ANSWERED

    def _refused(self, block: Block, code: int) -> int:
        """An exception about the address, which the caller looks for; about the function; or the device puts us off."""
        self._met.faults[block.key, f"exception_{code:02x}"] += 1
        if code in _ILLEGAL:
            self._hears(block)
            return code
        if code == 0x01:
            self._hears(block)
            text = f"exception 01: the unit does not read {block.area} registers; {_HINT[block.area]}"
            fault = self._fault(block, FaultKind.BAD, text)
            self._met.learned.refused(block, fault, time.monotonic(), area=True)
        else:
            self.busy = f"exception {code:02X}: {_BUSY.get(code, _OTHER)}"
            self.to_do = _TO_DO.get(code, _ITS_FAULT)
            self._fault(block, FaultKind.MISSING, self.busy)
        return _UNUSABLE

    def _failed(self, block: Block, error: WrongAnswer | ConnectionLost | UnitSilent) -> None:
        """Nothing usable came: it costs the block, and perhaps the rest of the read. Raises UnitSilent."""
        if isinstance(error, WrongAnswer):
            self._count(block, error.kind)
            self._fault(block, FaultKind.MISSING, str(error))
            return
        self._count(block, "silent" if isinstance(error, UnitSilent) else "broken")
        fault = self._fault(block, FaultKind.MISSING, error.what)
        if isinstance(error, UnitSilent | BrokeOff):
            self._slow.append((block, fault))
        if isinstance(error, ConnectionLost):
            self.broken, self._breaks = error, self._breaks + 1
            if self._breaks >= BROKEN_LIMIT:
                self._ended = error.what
        elif self.heard:
            self._ended = error.what
        else:
            raise error

    def _hears(self, block: Block) -> None:
        self.heard = True
        self._met.heard[block.unit] += 1

    def _count(self, block: Block, kind: str) -> None:
        self._met.faults[block.key, kind] += 1

    def _fault(self, block: Block, kind: FaultKind, text: str) -> PointFault:
        """Put one fault into all places of a block."""
        fault = PointFault(kind, text)
        for index, _ in block.placed:
            self.values[index] = fault
        return fault
