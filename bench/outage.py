"""After the broker was away: how long until the first value is committed; and how late polls are when the disk is slow.

A gateway polls a played device every 0.2 s with `back_off_max_s = 2`. The broker is killed for 6 and for 60 s. Then the
same run with an outbox whose disk takes 5 s per sync and a database that is locked: lateness of polls beside it.
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganpo_agent import app
from ganpo_agent.app import Agent
from ganpo_agent.outbox import Outbox
from measure import Figure, ratio
from support.broker import Mosquitto
from support.plants import PlantBuilder, PlayedDriver
from support.replaying import Cloud, ReplayClock

GATEWAY = "gw-bench-0001"


class _RealClock(ReplayClock):
    """The machine's own time."""

    def utc(self) -> datetime:
        return datetime.now(UTC)


class _SlowDisk(Outbox):
    """Every append takes five seconds longer."""

    def append(self, facts: Any, now: datetime) -> Any:
        time.sleep(5)
        return super().append(facts, now)


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    for away_s, runs in ((1, 1),) if short else ((6, 5), (60, 2)):
        found = [asyncio.run(_first_value(away_s)) for _ in range(runs)]
        yield str(Figure(f"first value after {away_s} s without broker (goal 3)", found, "s"))
    seconds = 3 if short else 35
    calm, disturbed = [], []
    for _ in range(1 if short else 2):
        calm.append(asyncio.run(_lateness(seconds, slow=False)))
        disturbed.append(asyncio.run(_lateness(seconds, slow=True)))
    yield str(Figure("p99 lateness of polls, undisturbed", calm, "ms"))
    yield str(Figure("p99 lateness, 5 s per sync, database locked", disturbed, "ms"))
    yield ratio("disturbed / undisturbed", disturbed, calm, "no poll skipped")


def _agent(folder: Path, broker: str) -> Agent:
    PlayedDriver.values = {"r": 1000}
    builder = PlantBuilder(folder / "state", broker, GATEWAY, slot_ms=2000)
    builder.connection("bus")
    builder.meter("bus", "DB-1", "r", interval_s=0.2)
    return Agent(builder.build(), rng=random.Random())


async def _first_value(away_s: float) -> float:
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker:
        folder = Path(name)
        cloud = Cloud(folder, broker.url, _RealClock(datetime.now(UTC)), GATEWAY)
        cloud.start()
        stop = asyncio.Event()
        running = asyncio.create_task(_agent(folder, broker.url).run(stop))
        while not _newest(folder):
            await asyncio.sleep(0.05)
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(away_s)
        before = _newest(folder)
        await asyncio.to_thread(broker.start)
        back = time.monotonic()
        while _newest(folder) == before:
            await asyncio.sleep(0.02)
        seconds = time.monotonic() - back
        stop.set()
        await running
        await cloud.stop()
        cloud.database.close()
    return seconds


async def _lateness(seconds: float, *, slow: bool) -> float:
    setattr(app, "Outbox", _SlowDisk if slow else Outbox)  # noqa: B010 - the name the agent makes its own by
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker:
        folder = Path(name)
        cloud = Cloud(folder, broker.url, _RealClock(datetime.now(UTC)), GATEWAY)
        cloud.start()
        agent = _agent(folder, broker.url)
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        await asyncio.sleep(2)
        lock = sqlite3.connect(folder / "cloud.db", isolation_level=None)
        if slow:
            lock.execute("BEGIN IMMEDIATE")
        polls = agent.connections[0].polls
        polls.lateness.clear()
        skipped = polls.skipped
        await asyncio.sleep(seconds)
        assert polls.skipped == skipped, "a poll was skipped"
        late = sorted(polls.lateness)[int(len(polls.lateness) * 0.99)] * 1000
        lock.close()
        stop.set()
        await running
        await cloud.stop()
        cloud.database.close()
    setattr(app, "Outbox", Outbox)  # noqa: B010
    return late


def _newest(folder: Path) -> int:
    db = sqlite3.connect(f"file:{folder / 'cloud.db'}?mode=ro", uri=True)
    found = db.execute("SELECT max(committed_at) FROM frame").fetchone()[0]
    db.close()
    return int(found or 0)
