"""The tasks of the process by name. What takes the place of others begins once they have ended (I2)."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping

Work = Callable[[], Coroutine[None, None, None]]
"""What a task does, from its beginning."""


class Tasks:
    """Of one group, which ends with the first that fails."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def start(self, works: Mapping[str, Work], instead_of: Iterable[str] = ()) -> None:
        """End those of these names, and begin the `works` then: no line has two owners, not for a moment."""
        ending = {self._running.pop(name) for name in instead_of}
        for task in ending:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        for name, work in works.items():
            self._running[name] = self._group.create_task(_after(ending, work), name=name)

    def cancel(self) -> list[asyncio.Task[None]]:
        """End all of them: those who end, to wait for."""
        for task in self._running.values():
            task.cancel()
        return [*self._running.values(), *self._ending]


async def _after(others: set[asyncio.Task[None]], work: Work) -> None:
    if others:
        await asyncio.wait(others)
    await work()
