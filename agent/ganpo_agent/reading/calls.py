"""Calls to the driver of one connection: under a deadline, and cancelled by nobody but us."""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import TypeVar

from ganpo_agent.timekeeper import Timekeeper
from ganpo_model.errors import ConnectionLost

CALL_LIMIT_S = 60.0
"""Longer than any timeout of a driver: only a call that would never return is cut short."""
END_LIMIT_S = 2.0
"""For what is ended: a close, a task that was cancelled."""
_T = TypeVar("_T")


class Calls:
    """`progress`: when the last one began, by the monotonic clock."""

    def __init__(self, connection: str, time: Timekeeper) -> None:
        self.progress = time.monotonic()
        self._connection = connection
        self._time = time

    async def make(self, work: Awaitable[_T], what: str, mute: asyncio.Timeout | None = None) -> _T:
        """What `work` gives. It ends by a deadline, or by that of `mute`, which its deliveries put off.

        Raises ConnectionLost where it was late, or a library cancelled itself; else what the driver raises.
        """
        self.progress = self._time.monotonic()
        limit = mute or asyncio.timeout(CALL_LIMIT_S)
        try:
            async with limit:
                done = await work
        except TimeoutError as error:
            if not limit.expired():
                raise  # the driver's own, which it should have translated
            late = (
                f"did not return within {CALL_LIMIT_S:g} s"
                if mute is None
                else "has delivered nothing for long"
            )
            raise ConnectionLost(f"{what} {late}", where=self._connection) from error
        except asyncio.CancelledError as error:
            end_if_cancelled()
            raise ConnectionLost(f"{what} was cancelled by its library", where=self._connection) from error
        end_if_cancelled()
        return done


def end_if_cancelled() -> None:
    """A library may swallow the cancellation of the task it runs in (asyncio.wait_for of 3.11 does): it still ends."""
    task = asyncio.current_task()
    if task is None or task.cancelling():
        raise asyncio.CancelledError


async def beside(works: Sequence[Coroutine[None, None, None]]) -> None:
    """All at once, until the first fails or this is cancelled; the others are ended then.

    No TaskGroup: that waits for ever for a task in which a library swallowed the cancellation.
    """
    if len(works) == 1:
        await works[0]
        return
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        ended, _ = await asyncio.wait(tasks, timeout=END_LIMIT_S)
        for task in ended:
            if not task.cancelled():
                task.exception()  # the first one counts
