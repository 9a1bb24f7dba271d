"""A disk that is full, nearly full or slow under the outbox (I1, I4, I13)."""

import asyncio
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.keeping.outbox import Outbox, Row
from ganpo_agent.keeping.outbox_file import OutboxFull
from ganpo_model.facts import Event, EventKind
from support.bad.places import small_disk
from support.plants import START, PlantBuilder, PlayedDriver


class Played(PlayedDriver):
    """Answers of this module's tests."""


class SlowDisk(Outbox):
    """Every commit takes as long as `pause`."""

    pause = 0.0

    def append(self, facts: Any, now: datetime) -> Row:
        time.sleep(self.pause)
        return super().append(facts, now)


async def test_no_poll_is_skipped_while_the_disk_takes_seconds_per_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganpo_agent.app.Outbox", SlowDisk)
    Played.values = {"r": 5}
    builder = PlantBuilder(tmp_path / "state", slot_ms=1000)
    builder.connection("bus", Played)
    builder.meter("bus", "DB-1", "r", interval_s=0.2)
    agent = Agent(builder.build(), rng=random.Random(1))
    SlowDisk.pause = 1.5
    stop = asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    async with asyncio.timeout(60):
        while agent.connections[0].polls.made < 20:
            await asyncio.sleep(0.1)
    assert agent.connections[0].polls.skipped == 0
    stop.set()
    await task


@contextmanager
def small_files(folder: Path) -> Iterator[Path]:
    """No file of this process may become larger than 300 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("place", [partial(small_disk, size="400k"), small_files], ids=["disk", "file"])
def test_a_nearly_full_disk_takes_what_it_has_room_for_and_more_once_something_is_acknowledged(
    tmp_path: Path, place: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    def fact(n: int) -> Event:
        return Event("event", START, EventKind.SUSPECT, None, {"text": random.Random(n).randbytes(500).hex()})

    with place(tmp_path) as folder:
        box = Outbox(folder, 64)
        box.open()
        box.begin(START, random.Random(1))
        with suppress(OutboxFull):
            for n in count():
                box.append([fact(n)], START)
        taken = sum(len(row.packed) for row in box.waiting(10_000))
        assert taken > 150_000, "it is not the log that takes the room"
        box.acknowledge(box.stream, [(1, box.seq)], START)
        assert box.counts()[0] == 0
        for n in range(100):
            row = box.append([fact(n)], START)
            box.acknowledge(box.stream, [(row.seq, row.seq)], START)
        assert box.dropped == 0
        box.close()
