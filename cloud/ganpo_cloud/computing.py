"""The loop that works out what is dirty: days, then ledgers, then sums; each pass short, so that frames never wait."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from ganpo_cloud.days import days, ended
from ganpo_cloud.inlet import lives
from ganpo_cloud.province import ledger_days, publishing, totals
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.database import Database
from ganpo_model.clock import Clock
from ganpo_service.outage import Outage

log = logging.getLogger(__name__)

PAUSE_S = 0.5
LOOK = timedelta(minutes=10)
"""How often it is looked whether a local day has ended."""
_REST = 4
"""Sums rest for so many times as long as they took: today's are always dirty."""


async def run(
    database: Database, province: Province, clock: Clock, beat: Callable[[], None] = lambda: None
) -> None:
    """Work out what is dirty, for ever; after each local midnight every named subject's ended day is dirty too.

    `beat` is called whenever it makes progress.
    """
    looked: datetime | None = None
    rested = 0.0
    waiting = Outage(log, "days wait", clock)
    while True:
        now, done = clock.utc(), 0
        beat()
        try:
            done = await asyncio.to_thread(days.recompute, database, now, province.holidays)
            done += await asyncio.to_thread(ledger_days.recompute, database, now)
            if looked is None or abs(now - looked) >= LOOK:
                await asyncio.to_thread(ended.mark_ended, database, now)
                await asyncio.to_thread(totals.turn_day, database, now)
                await asyncio.to_thread(publishing.when_due, database, province, now)
                looked = now
            await asyncio.to_thread(lives.mark_silent, database, now)
            if (began := clock.monotonic()) >= rested:
                done += await asyncio.to_thread(totals.recompute, database, province, now)
                rested = clock.monotonic() + _REST * (clock.monotonic() - began)
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
    ):
        pass
