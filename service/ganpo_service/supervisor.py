"""Every task of the process is supervised: one that fails is told, shown and started again; nobody else stops (I11)."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from ganpo_model.clock import Clock
from ganpo_model.errors import GanpoError

log = logging.getLogger(__name__)

STUCK_S = 120.0
"""A task that made no progress for so long is stuck: systemd is told nothing more, and starts us anew."""
LONGEST_S = 60.0
"""Before a task is started again: 1 s, doubling up to this."""
SETTLED_S = 10.0
"""A task that lived so long works again."""

Beat = Callable[[], None]
Work = Callable[[Beat], Coroutine[None, None, None]]
"""Makes the coroutine of a task, which calls what it is given whenever it makes progress."""


@dataclass(slots=True)
class Task:
    """How a task is. `problem`: why it ended the last time, empty while it works; `restarts`: since we began."""

    problem: str = ""
    restarts: int = 0
    failing_since: float = 0.0
    started: float = 0.0
    progress: float | None = None
    """When it last made some; None before its first, and once it is over."""


class Supervisor:
    """`tasks`: how each is, by name. Seconds are those of the monotonic clock."""

    def __init__(self, clock: Clock, longest_s: float = LONGEST_S, settled_s: float = SETTLED_S) -> None:
        self.tasks: dict[str, Task] = {}
        self._clock = clock
        self._longest_s = longest_s
        self._settled_s = settled_s

    async def keep(self, name: str, work: Work) -> None:
        """Run a task until it ends by itself; start it again whenever it raises. Ends when cancelled."""
        task = self.tasks[name] = Task()

        def beat() -> None:
            task.progress = self._clock.monotonic()
            if task.problem and task.progress - task.started >= self._settled_s:
                log.info("task works again name=%s after_s=%.0f", name, task.progress - task.failing_since)
                task.problem = ""

        pause = 1.0
        while True:
            task.started = self._clock.monotonic()
            try:
                await work(beat)
            except asyncio.CancelledError:
                this = asyncio.current_task()
                if this is None or this.cancelling():
                    raise
                self._failed(name, task, "cancelled by something in it")
            except GanpoError as error:
                self._failed(name, task, str(error), bug=False)
            except Exception as error:  # noqa: BLE001 - told with its traceback, which is what the supervisor is for
                self._failed(name, task, f"{type(error).__name__}: {error}")
            else:
                task.problem, task.progress = "", None
                return
            lived = self._clock.monotonic() - task.started
            pause = 1.0 if lived >= self._settled_s else pause
            await asyncio.sleep(min(pause, self._longest_s))
            pause = min(pause * 2, self._longest_s)

    def problems(self) -> dict[str, str]:
        """Why tasks do not work, by name."""
        return {name: task.problem for name, task in self.tasks.items() if task.problem}

    def stuck(self) -> list[str]:
        """The tasks that made no progress for `STUCK_S`."""
        now = self._clock.monotonic()
        return [
            name
            for name, task in self.tasks.items()
            if task.progress is not None and now - task.progress >= STUCK_S
        ]

    def _failed(self, name: str, task: Task, why: str, *, bug: bool = True) -> None:
        """Called where the error is handled: the first failure with its traceback, repeats quietly."""
        level = logging.DEBUG if task.problem == why else logging.ERROR
        log.log(level, "task failed name=%s why=%s: it is started again", name, why, exc_info=bug)
        if not task.problem:
            task.failing_since = self._clock.monotonic()
        task.problem = why
        task.restarts += 1
        task.progress = self._clock.monotonic() if task.progress is not None else None
