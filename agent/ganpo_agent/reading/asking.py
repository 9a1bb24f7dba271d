"""What people ask on a line that the agent holds: done by its owner, between two polls, one after another (I2)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ganpo_agent.reading.calls import Calls
from ganpo_agent.timekeeper import Timekeeper
from ganpo_drivers import Address, ConnectionSettings, Driver
from ganpo_model.errors import ConnectionLost, GanpoError, TransientError, UnitBusy, Unreachable

SHARE = 0.05
"""Of the line's time, at most, where people ask again and again (a scan) ..."""
BURST_S = 3.0
"""... beyond so many seconds at once, which nobody has to wait for."""
MOST = 32
"""Questions that wait, at most."""
WAIT_S = 120.0
"""A question waits no longer for its turn."""
_T = TypeVar("_T")
AnyDriver = Driver[ConnectionSettings, Address]
Work = Callable[[AnyDriver], Awaitable[_T]]


class Asking:
    """The questions of one connection. Its polls `serve` them and `rest` where there are none."""

    def __init__(self, connection: str, calls: Calls, time: Timekeeper) -> None:
        self._where = f"connections.{connection}"
        self._calls = calls
        self._time = time
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._free_at = 0.0
        """When the line has paid back what questions took: they may run up to `BURST_S` ahead of their share."""
        self._resting: asyncio.Future[None] | None = None

    async def ask(self, work: Work[_T]) -> _T:
        """What `work` gives, done with the connection's own driver while nothing else uses it.

        Raises what it raises; UnitBusy where too many wait or the turn does not come, Unreachable where there is no
        session. Cancelled, it is not begun, or runs to its end for nobody.
        """
        if len(self._waiting) >= MOST:
            raise UnitBusy(
                f"{MOST} questions wait for this line", where=self._where, hint="try again in a minute"
            )
        answer: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        if self._resting is not None and not self._resting.done():
            self._resting.set_result(None)
        try:
            async with asyncio.timeout(WAIT_S) as limit:
                return await answer
        except TimeoutError as error:
            if not limit.expired():
                raise
            what = f"its turn did not come within {WAIT_S:g} s: others ask on this line too"
            raise UnitBusy(what, where=self._where, hint="try again later") from error

    def refuse(self, why: str) -> None:
        """There is no session, and no telling when: who waits is told."""
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_exception(
                    Unreachable(f"the gateway has no session there: {why}", where=self._where)
                )
        self._waiting.clear()

    async def serve(self, driver: AnyDriver) -> None:
        """Do what waits, one at most, if its share of the line allows. Raises ConnectionLost where that cost the
        session, as the asker hears too."""
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        if not self._waiting or self._pause() > 0:
            return
        work, answer = self._waiting.popleft()
        began = self._time.monotonic()
        try:
            found = await self._calls.make(work(driver), "asked by hand")
        except asyncio.CancelledError:
            _tell(answer, ConnectionLost("the connection was stopped meanwhile", where=self._where))
            raise
        except TransientError as error:
            _tell(answer, error)
            raise
        except GanpoError as error:
            _tell(answer, error)
        except Exception as error:
            _tell(answer, error)
            lost = ConnectionLost(f"asked by hand: {type(error).__name__}: {error}", where=self._where)
            raise lost from error
        else:
            if not answer.done():
                answer.set_result(found)
        finally:
            now = self._time.monotonic()
            self._free_at = max(self._free_at, began) + (now - began) / SHARE

    async def rest(self, seconds: float) -> None:
        """Until then, or until something may be done."""
        if any(not answer.done() for _, answer in self._waiting):
            seconds = min(seconds, self._pause())
        if seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        self._resting = resting = loop.create_future()
        timer = loop.call_later(seconds, _wake, resting)
        try:
            await resting
        finally:
            timer.cancel()
            self._resting = None

    def _pause(self) -> float:
        """Seconds until questions are within their share again."""
        return self._free_at - self._time.monotonic() - BURST_S / SHARE


def _tell(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _wake(resting: "asyncio.Future[None]") -> None:
    if not resting.done():
        resting.set_result(None)
