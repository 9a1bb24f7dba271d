"""The polls of one connection: each group when it is due, on the grid of its interval, one call after another."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganpo_agent.reading.asking import Asking
from ganpo_agent.reading.calls import Calls
from ganpo_agent.reading.groups import Group
from ganpo_agent.reading.pace import Pace
from ganpo_agent.timekeeper import Timekeeper
from ganpo_drivers import Address, ConnectionSettings, Driver, Query, Scan
from ganpo_model.errors import UnitError

LONGEST_SLEEP_S = 30.0
"""Between polls too the task shows that it is not stuck."""


@dataclass(slots=True)
class _Due:
    group: Group
    query: Query
    at: float

    @property
    def turn(self) -> tuple[float, bool]:
        """Who is due first; of those that are due at once, who was silent last comes last: its timeout is then over
        before the others are due again."""
        return self.at, self.group.breaker.failures > 0


class Polls:
    """`made`: polls; `pace`: what they take; `skipped`: due times missed; `lateness`: of the last thousand
    polls, in seconds."""

    def __init__(
        self,
        groups: Sequence[Group],
        calls: Calls,
        time: Timekeeper,
        answered: Callable[[Group, Scan], None],
        silent: Callable[[Group, UnitError, float], None],
        asking: Asking,
    ) -> None:
        """`silent` hears since when an answer was waited for, and raises where the session is to end. `asking`: what
        people ask on this line."""
        self.made = 0
        self.skipped = 0
        self.pace = Pace()
        self.lateness: deque[float] = deque(maxlen=1000)
        self._groups = list(groups)
        self._calls = calls
        self._time = time
        self._answered = answered
        self._silent = silent
        self._asking = asking

    async def run(self, driver: Driver[ConnectionSettings, Address]) -> None:
        """Poll for ever, through an open driver. Raises what it raises of the session."""
        queries = [driver.prepare(group.asked) for group in self._groups]
        self.pace.begin(driver, self._groups, queries)
        start = self._time.monotonic()
        schedule = [_Due(group, query, start) for group, query in zip(self._groups, queries, strict=True)]
        while schedule:
            due = min(schedule, key=lambda due: due.turn)
            await self._wait(driver, due.at)
            await self._poll(driver, due)
        await self._wait(driver, math.inf)

    async def _wait(self, driver: Driver[ConnectionSettings, Address], until: float) -> None:
        """However long: a session that would be forgotten meanwhile is kept alive. Nothing else uses the line now, so
        that people may: also where a poll is due, of a line that is never free."""
        await asyncio.sleep(0)
        await self._asking.serve(driver)
        while (pause := until - self._time.monotonic()) > 0:
            pause = min(pause, await self._calls.make(driver.keep_alive(), "keep alive"), LONGEST_SLEEP_S)
            await self._asking.rest(pause)
            await self._asking.serve(driver)

    async def _poll(self, driver: Driver[ConnectionSettings, Address], due: _Due) -> None:
        """Read one group, and set its next time on the grid of its interval: no drift."""
        began, group = self._time.monotonic(), due.group
        if group.breaker.allows(began):
            self.made += 1
            self.lateness.append(began - due.at)
            try:
                scan = await self._calls.make(driver.read(due.query), "read")
            except UnitError as error:
                self._silent(group, error, began)
            else:
                self.pace.polled(group, began, self._time.monotonic())
                self._answered(group, scan)
        missed = int((self._time.monotonic() - due.at) // group.interval_s)
        if group.breaker.opened is None:
            self.skipped += missed
        due.at += (missed + 1) * group.interval_s
