"""Between observing and the disk: facts are taken at once and kept in memory until the outbox has them (I1, I4)."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

from ganpo_agent.keeping.backlog import Backlog
from ganpo_agent.keeping.outbox import Outbox, Row
from ganpo_agent.timekeeper import Timekeeper
from ganpo_model.errors import FrameError, StorageError
from ganpo_model.facts import MAX_PARTS, Fact, Inventory, States
from ganpo_model.frame import MAX_PACKED, pack

log = logging.getLogger(__name__)

MAX_BYTES = 16 * 1024 * 1024
RETRY_S = 5.0
_TIME_S = 0.2
_PER_FRAME = {"states": 100, "reading": 1000, "event": 200, "inventory": 1}
_HEAD = 64
"""Stream and number of a frame take no more than so many bytes."""
_ROW = 64
"""What the file takes for a frame beside its bytes, about."""
_LOOK_S = 2.0
"""Who asks what waits does not wait longer for a disk that hangs."""
_KNOWN_S = 1800.0
"""After so long it is known how much is written in a day."""
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Keeper:
    """Owns the outbox and its one thread. `on_append` hears of every frame that is on disk.

    `dropped` counts facts given up because memory was full too: the oldest `states` go first. `share_s`: for so long
    readings wait for others, to share a frame. `begun`: set once the stream of this run has.
    """

    def __init__(
        self,
        outbox: Outbox,
        time: Timekeeper,
        rng: random.Random,
        on_append: Callable[[Row], None],
        share_s: float = 0.0,
    ) -> None:
        self.outbox = outbox
        self.dropped = 0
        self.problem: StorageError | None = None
        self.progress = time.monotonic()
        self._time = time
        self._rng = rng
        self._on_append = on_append
        self._share_s = share_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._batches: deque[list[Fact]] = deque()
        self._bytes = 0
        self._open: list[States] | None = None
        self._wake = asyncio.Event()
        self._urgent = False
        self.begun = asyncio.Event()
        self._began = 0.0
        self._written = 0
        self._looking: asyncio.Future[Backlog] | None = None
        self._backlog: Backlog | None = None

    def put(self, facts: Sequence[Fact]) -> None:
        """Take facts of one type. Never waits."""
        step = _PER_FRAME[facts[0].type]
        for first in range(0, len(facts), step):
            self._batches.append(list(facts[first : first + step]))
        self._bytes += sum(map(_size, facts))
        while self._bytes > MAX_BYTES:
            self._drop()
        self._urgent = self._urgent or facts[0].type != "reading"
        self._wake.set()

    def keep_open(self, runs: list[States]) -> None:
        """Take the runs of the open slots, in place of those before. Never waits."""
        self._open = runs
        self._wake.set()

    async def call(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do something with the outbox on its thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: work(*args, **kwargs))

    async def backlog(self) -> Backlog | None:
        """What waits in the outbox; as it was seen last where the disk does not say, None where it never did."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self.call(self.outbox.backlog))
        looking = self._looking  # who asks meanwhile may begin the next one
        with suppress(StorageError):
            done, _ = await asyncio.wait([looking], timeout=_LOOK_S)
            if done:
                self._backlog = looking.result()
        return self._backlog

    def lasts_days(self, backlog: Backlog | None) -> float | None:
        """For how long what is observed has room, should nobody take it from now on; None until the pace is known."""
        passed = self._time.monotonic() - self._began
        if backlog is None or not self.begun.is_set() or passed < _KNOWN_S or not self._written:
            return None
        waits = backlog.bytes + backlog.frames * _ROW
        limit = min(self.outbox.limit, backlog.used + backlog.disk)
        return round(max(limit - waits, 0) / (self._written / passed) / 86_400, 1)

    async def run(self) -> None:
        """Write what was put, for ever. A disk that refuses is tried again every 5 s; nothing is skipped."""
        while True:
            await self.flush()
            if self.problem is not None:
                await asyncio.sleep(RETRY_S)
            elif not self.begun.is_set():
                await asyncio.sleep(_TIME_S)
            elif not self._batches and self._open is None:
                self._wake.clear()
                await self._pause(RETRY_S)
                await self._gather()

    async def flush(self) -> None:
        """Write what was put until nothing is left or the disk refuses."""
        self.progress = self._time.monotonic()
        if not self.begun.is_set() and not self._time.trusted():
            return
        try:
            if not self.begun.is_set():
                await self.call(self.outbox.begin, self._time.now(), self._rng)
                self._began = self._time.monotonic()
                self.begun.set()
            while self._batches:
                await self._append(self._batches[0])
                self.progress = self._time.monotonic()
            if self._open is not None:
                runs, self._open = self._open, None
                await self.call(self.outbox.keep_open, runs)
        except StorageError as error:
            if self.problem is None:
                log.error("outbox refuses: %s", error)
            self.problem = error
            return
        if self.problem is not None:
            log.info("outbox writes again")
            self.problem = None

    def close(self) -> None:
        """Close the file once its thread is free; do not wait for a disk that hangs."""
        self._thread.submit(self.outbox.close)
        self._thread.shutdown(wait=False)

    async def _append(self, facts: list[Fact]) -> None:
        smaller: list[list[Fact]] = []
        try:
            row = await self.call(self.outbox.append, facts, self._time.now())
            self._written += len(row.packed) + _ROW
            self._on_append(row)
        except FrameError as error:
            smaller = await self.call(_smaller, facts, self.outbox.largest)
            if not smaller:
                log.error("facts of type %s do not travel: %s", facts[0].type, error)
                self.dropped += len(facts)
        if self._batches and self._batches[0] is facts:
            self._batches.popleft()
            self._batches.extendleft(reversed(smaller))
            self._bytes += sum(_size(fact) for batch in smaller for fact in batch) - sum(map(_size, facts))

    async def _gather(self) -> None:
        """Readings wait a moment for others: to send a frame costs more than to send what is in it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._share_s
        while self._batches and not self._urgent and (left := until - loop.time()) > 0:
            self._wake.clear()
            await self._pause(left)
        self._urgent = False
        joined: deque[list[Fact]] = deque()
        for batch in self._batches:
            room = _PER_FRAME["reading"] - len(batch)
            before = joined[-1] if joined else []
            if before and before[0].type == batch[0].type == "reading" and len(before) <= room:
                joined[-1] = before + batch
            else:
                joined.append(batch)
        self._batches = joined

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _drop(self) -> None:
        oldest = next((batch for batch in self._batches if batch[0].type == "states"), self._batches[0])
        if self.dropped == 0:
            log.error(
                "memory is full while the outbox refuses: the oldest states go first, they show as UNKNOWN"
            )
        self._batches.remove(oldest)
        self._bytes -= sum(map(_size, oldest))
        self.dropped += len(oldest)


def _smaller(facts: list[Fact], largest: int) -> list[list[Fact]]:
    """Facts that are too large for one frame, in several; nothing where they cannot be divided."""
    if len(facts) > 1:
        return [facts[: len(facts) // 2], facts[len(facts) // 2 :]]
    whole = facts[0]
    if not isinstance(whole, Inventory) or whole.part is not None:
        return []
    for most in (largest, MAX_PACKED):
        number = 2
        while number <= MAX_PARTS:
            parts = whole.parts(number)
            if all(_fits(part, most) for part in parts):
                return [[part] for part in parts]
            number *= 2
    return []


def _fits(fact: Fact, largest: int) -> bool:
    try:
        pack("", 0, [fact], largest - _HEAD)
    except FrameError:
        return False
    return True


def _size(fact: Fact) -> int:
    """About what a fact takes in memory, in bytes; what an inventory names belongs to the plant."""
    return 300 + 100 * len(fact.runs) if isinstance(fact, States) else 300
