"""Bytes to and from a device, in order and without frames. One owner, who sends and then waits for what is due."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable

from ganpo_model.errors import ConnectionLost

MOST_PENDING = 8192
"""Bytes that may lie here untaken: what is due, what is late, an echo and noise are together far fewer."""
Until = Callable[[bytes], int | None]
"""Where the frame that is due ends in what came; None while it is not whole. What it raises ends the waiting."""


Trace = deque[tuple[str, bytes]]
"""What went over a line, `>` or `<` and the bytes as they were handed over; it may outlive the line."""
_LONGEST_TRACE = 256


def new_trace() -> Trace:
    """An empty one, which forgets the oldest where there is too much."""
    return deque(maxlen=_LONGEST_TRACE)


def joined(trace: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """What came in pieces in one piece, as `Traces` wants it."""
    found: list[tuple[str, bytes]] = []
    for way, data in trace:
        if way == "<" and found and found[-1][0] == "<":
            found[-1] = (way, found[-1][1] + data)
        else:
            found.append((way, data))
    return found


class Flooded(ConnectionLost):
    """More came than anybody can have asked for: opening it again at once will not help."""


class ByteLine(ABC):
    """One session: opened once, closed for good. Every error names `where`.

    `pending`: what came and nobody took. `heard_at`: when a byte last came, in the loop's time.
    `trace`: what was sent and what came; who opens several lines in a row may give each the same one.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.pending = b""
        self.heard_at = -math.inf
        self.trace = new_trace()
        self._lost: ConnectionLost | None = None
        self._until: Until | None = None
        self._due: asyncio.Future[int] | None = None

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether it was opened and stands."""

    @abstractmethod
    async def open(self) -> None:
        """Raises Unreachable, or PermanentError where trying again soon will not help."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Hand it over to be sent. Raises ConnectionLost."""

    @abstractmethod
    def close(self) -> None:
        """Leave, and free everything. Safe at any time, and twice."""

    async def receive(self, until: Until, timeout_s: float) -> bytes:
        """What is pending up to the end that `until` finds in it; it is asked with all of it whenever something came.

        Raises TimeoutError (what came stays pending), ConnectionLost, and what `until` raises.
        """
        end = until(self.pending) if self.pending else None
        if end is None:
            end = await self._wait(until, timeout_s)
        found, self.pending = self.pending[:end], self.pending[end:]
        return found

    def drop(self) -> bytes:
        """Take everything that is pending: it belongs to no question that will be asked."""
        found, self.pending = self.pending, b""
        return found

    async def _wait(self, until: Until, timeout_s: float) -> int:
        if not self.is_open:
            raise self._lost or ConnectionLost("it is not open", where=self.where)
        loop = asyncio.get_running_loop()
        due: asyncio.Future[int] = loop.create_future()
        self._due = due
        self._until = until
        # A timer and a future: `asyncio.timeout` costs as much as all the rest of a request.
        timer = loop.call_later(timeout_s, _expire, due)
        try:
            return await due
        finally:
            timer.cancel()
            self._until = self._due = None

    def _came(self, data: bytes) -> None:
        """Bytes from the device. A flood of them ends the session: neither memory nor the search for the end of a
        frame may grow with it."""
        self.heard_at = asyncio.get_running_loop().time()
        self.trace.append(("<", data))
        if len(self.pending) + len(data) > MOST_PENDING:
            what = (
                f"more than {MOST_PENDING} bytes came, and nobody asked for so many: what sends on this line?"
            )
            self._ended(Flooded(what, where=self.where))
            self.pending = b""
            self.close()
            return
        self.pending += data
        due, until = self._due, self._until
        if due is None or until is None or due.done():
            return
        try:
            end = until(self.pending)
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits
            due.set_exception(error)
            return
        if end is not None:
            due.set_result(end)

    def _ended(self, lost: ConnectionLost) -> ConnectionLost:
        """The session ended otherwise than by us: whoever waits is told, and who comes later."""
        self._lost = self._lost or lost
        if self._due is not None and not self._due.done():
            self._due.set_exception(self._lost)
        return self._lost


def _expire(due: "asyncio.Future[int]") -> None:
    if not due.done():
        due.set_exception(TimeoutError())
