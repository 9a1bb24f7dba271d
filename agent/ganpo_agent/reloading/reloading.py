"""Another configuration while the gateway runs: read, judged, applied, and taken back where it does not work."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.reloading.difference import Difference, difference
from ganpo_agent.timekeeper import Timekeeper
from ganpo_config.load import Loaded
from ganpo_config.plant import Plant
from ganpo_model.clock import iso
from ganpo_model.errors import ConfigError, GanpoError

log = logging.getLogger(__name__)

BACK_S = 60.0
"""A connection that was up has so long to be up again."""
_LOOK_S = 0.2


class Gateway(Protocol):
    """What runs."""

    plant: Plant
    time: Timekeeper
    connections: list[ConnectionTask]

    def apply(self, plant: Plant, changes: Difference) -> None:
        """Run this plant from now on."""


@dataclass(slots=True)
class Outcome:
    """What came of a reload. `errors`: why what was read does not run; `returned`: it did, and was taken back."""

    changes: Difference = field(default_factory=Difference)
    errors: tuple[GanpoError, ...] = ()
    returned: bool = False

    def as_json(self) -> dict[str, Any]:
        """As the local API answers it."""
        return {
            "changed": self.changes.as_json(),
            "errors": [str(error) for error in self.errors],
            "returned": self.returned,
        }


@dataclass(frozen=True, slots=True)
class _Trial:
    """What was applied and has not shown yet that it works. `back`: connections that have to come up again."""

    loaded: Loaded
    plant: Plant
    back: set[str]
    until: float
    outcome: Outcome
    over: asyncio.Event


class Reloading:
    """`load` reads the file; without one there is nothing to reload. `keep` hears of what works.

    `wrong`: why the file, as it was read last, is not what runs; empty where it is.
    """

    def __init__(
        self,
        gateway: Gateway,
        load: Callable[[], Loaded] | None = None,
        keep: Callable[[Loaded], None] = lambda _loaded: None,
        wrong: Sequence[GanpoError] = (),
    ) -> None:
        self.wrong = tuple(wrong)
        self.since = gateway.time.now()
        self._gateway = gateway
        self._load = load
        self._keep = keep
        self._good = gateway.plant
        self._trial: _Trial | None = None
        self._asked = False
        self._wake = asyncio.Event()
        self._one = asyncio.Lock()

    def told(self) -> dict[str, Any]:
        """For `/health`: whether the file is what runs, since when that does, and why the file is not."""
        return {
            "ok": not self.wrong,
            "since": iso(self.since),
            "errors": [str(error) for error in self.wrong],
        }

    async def read(self) -> Loaded | None:
        """The file as it stands, judged and not applied; None where it runs without one."""
        return None if self._load is None else await asyncio.to_thread(self._load)

    def ask(self) -> None:
        """Reload soon; what comes of it stands in the log. Never waits: for signals."""
        self._asked = True
        self._wake.set()

    async def run(self) -> None:
        """Do what was asked, and watch what was applied, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._asked:
                self._asked = False
                await self.reload()
            while self._trial is not None and not self._asked:
                await asyncio.sleep(_LOOK_S)
                async with self._one:
                    await self._look()

    async def reload(self, *, wait: bool = False) -> Outcome:
        """Read the file, and apply all that it changes or nothing. `wait`: until it has shown that it works, at most
        `BACK_S`."""
        async with self._one:
            outcome = await self._reload()
            trial = self._trial
        if wait and trial is not None and trial.outcome is outcome:
            await trial.over.wait()
        return outcome

    async def _reload(self) -> Outcome:
        if self._load is None:
            return self._refused([ConfigError("it runs without a file", where="configuration")])
        loaded = await asyncio.to_thread(self._load)
        plant = loaded.plant
        if plant is None:
            return self._refused(loaded.errors)
        changes = await asyncio.to_thread(difference, self._gateway.plant, plant)
        if changes.restart:
            what = "holds from the next start on, and until then nothing of the file is applied"
            hint = "restart the gateway, or put it back and reload"
            return self._refused([ConfigError(what, where=key, hint=hint) for key in changes.restart])
        up = {task.bound.name for task in self._gateway.connections if task.state == "up"}
        back = up & {*changes.connections.changed}
        if self._trial is not None:
            back |= self._trial.back
            self._trial.over.set()
        outcome = Outcome(changes)
        if changes:
            self._apply(plant, changes)
        self.wrong = ()
        back &= {link.name for link in plant.connections if link.points}
        until = self._gateway.time.monotonic() + BACK_S
        self._trial = _Trial(loaded, plant, back, until, outcome, asyncio.Event())
        await self._look()
        self._wake.set()
        return outcome

    async def _look(self) -> None:
        """Whether what was applied works by now, or did not in time."""
        if (trial := self._trial) is None:
            return
        tasks = {task.bound.name: task for task in self._gateway.connections}
        trial.back.difference_update([name for name in trial.back if tasks[name].state == "up"])
        if not trial.back:
            self._good, self._trial = trial.plant, None
            await asyncio.to_thread(self._keep, trial.loaded)
        elif self._gateway.time.monotonic() >= trial.until:
            self._trial = None
            trial.outcome.errors = tuple(_gone(tasks[name]) for name in sorted(trial.back))
            trial.outcome.returned = True
            self._apply(self._good, await asyncio.to_thread(difference, trial.plant, self._good))
            self._refused(trial.outcome.errors)
            log.error("the configuration of before runs again: what the file changed was taken back")
        if self._trial is None:
            trial.over.set()

    def _apply(self, plant: Plant, changes: Difference) -> None:
        self._gateway.apply(plant, changes)
        self.since = self._gateway.time.now()
        log.info("reloaded: %s", changes)

    def _refused(self, errors: Sequence[GanpoError]) -> Outcome:
        self.wrong = tuple(errors)
        for error in errors:
            log.error("not reloaded: %s", error)
        return Outcome(errors=self.wrong)


def _gone(task: ConnectionTask) -> ConfigError:
    what = f"was up and did not come back within {BACK_S:g} s ({task.error or task.state})"
    return ConfigError(
        what, where=f"connections.{task.bound.name}", hint="mend it in the file, then `ganpo reload`"
    )
