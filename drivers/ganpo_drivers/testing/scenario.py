"""A test of the kit: a coroutine that runs in a loop of its own, under watch. No asyncio plug-in is needed."""

import asyncio
import functools
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

from ganpo_drivers.testing.auditing import blocking_calls

S = TypeVar("S")

STEP_S = 0.05
STEPS = 6
"""A loop that does not turn for so many steps is blocked. Not seconds: on a busy machine the watch is late as well."""


def scenario(test: Callable[[S], Awaitable[None]]) -> Callable[[S], None]:
    """Run the test; it fails too when the loop was blocked or a task is left behind."""

    @functools.wraps(test)
    def run(self: S) -> None:
        asyncio.run(_watched(test(self)))

    return run


async def _watched(test: Awaitable[None]) -> None:
    with LoopWatch() as watch, blocking_calls() as waits:
        await test
        for _ in range(5):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks left behind: {sorted(map(repr, left))}"
    assert not waits, f"the event loop waits in {waits[0]}"
    assert not watch.blocked, f"the event loop was blocked here:\n{watch.blocked[0]}"


class LoopWatch:
    """Asks the running loop from another thread whether it still turns. `blocked`: where it stood when it did not."""

    def __init__(self) -> None:
        self.blocked: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    def _watch(self) -> None:
        while not self._ended.wait(STEP_S / 2):
            turned = threading.Event()
            self._loop.call_soon_threadsafe(turned.set)
            # Once it has ended, its loop stands still because it waits for this thread.
            if not any(turned.wait(STEP_S) or self._ended.is_set() for _ in range(STEPS)):
                frame = sys._current_frames().get(self._watched)  # noqa: SLF001  # the only way to see it
                self.blocked.append("".join(traceback.format_stack(frame, 8)))
                turned.wait(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(1)
