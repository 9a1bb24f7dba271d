"""The loop that works out what is dirty: days, then ledgers, then sums; each pass short, so that frames never wait."""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from ganpo_cloud.days import days, ended
from ganpo_cloud.inlet import lives
from ganpo_cloud.province import ledger_days, plan_sums, publishing, totals
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.database import Database
from ganpo_model.clock import Clock
from ganpo_service.outage import Outage

log = logging.getLogger(__name__)

PAUSE_S = 0.5
LOOK = timedelta(minutes=10)
"""How often it is looked whether a local day has ended."""
SLOT_S = 900.0
"""Days are behind by a slot of a gateway at most, also where everything is marked again all the time."""
SUMS_REST = 4
"""Sums rest for so many times as long as they took: today's are always dirty."""


@dataclass(slots=True)
class Rests:
    """Work in rounds that rests after each for `times` as long as it took, but begins again within `within_s`.

    So a round finds together what was marked meanwhile, and works it out once. With little to do rounds are short, and
    nothing is behind; with much it takes no more than its share of the time.
    """

    clock: Clock
    times: float
    within_s: float = math.inf
    _began: float | None = None
    _due: float = 0.0

    def due(self) -> bool:
        """Whether a round runs, or begins now."""
        now = self.clock.monotonic()
        if self._began is None and now >= self._due:
            self._began = now
        return self._began is not None

    def over(self) -> None:
        """The round is over."""
        now = self.clock.monotonic()
        took = now - (now if self._began is None else self._began)
        self._began = None
        self._due = now + max(min(self.times * took, self.within_s - took), 0)


async def run(
    database: Database, province: Province, clock: Clock, beat: Callable[[], None] = lambda: None
) -> None:
    """Work out what is dirty, for ever; after each local midnight every named subject's ended day is dirty too.

    `beat` is called whenever it makes progress.
    """
    looked: datetime | None = None
    turn, of_days, of_sums = days.Round(), Rests(clock, 1, SLOT_S), Rests(clock, SUMS_REST)
    waiting = Outage(log, "days wait", clock)
    while True:
        now, done = clock.utc(), 0
        beat()
        try:
            done += await asyncio.to_thread(days.of_banned, database, now, province.holidays)
            if of_days.due():
                done += await asyncio.to_thread(days.recompute, database, now, province.holidays, turn)
                if not turn.after:
                    of_days.over()
            done += await asyncio.to_thread(ledger_days.recompute, database, now)
            if looked is None or abs(now - looked) >= LOOK:
                await asyncio.to_thread(ended.mark_ended, database, now)
                await asyncio.to_thread(totals.follow_files, database, province, now)
                await asyncio.to_thread(totals.turn_day, database, now)
                await asyncio.to_thread(plan_sums.turn_day, database, province, now)
                await asyncio.to_thread(publishing.when_due, database, province, now)
                looked = now
            await asyncio.to_thread(lives.mark_silent, database, now)
            if of_sums.due():
                done += await asyncio.to_thread(totals.recompute, database, province, now)
                done += await asyncio.to_thread(plan_sums.recompute, database, province, now)
                of_sums.over()
        except OperationalError as error:
            waiting.failed(f"the database does not answer: {error.orig}")
        else:
            waiting.over()
        await asyncio.sleep(0 if done else PAUSE_S)


def settle(database: Database, province: Province, now: datetime) -> None:
    """Work out everything that is dirty now, to its end."""
    while (
        days.recompute(database, now, province.holidays)
        or ledger_days.recompute(database, now)
        or totals.recompute(database, province, now)
        or plan_sums.recompute(database, province, now)
    ):
        pass
