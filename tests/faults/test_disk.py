"""A disk that is full, read-only or slow under the outbox (I1, I4)."""

import asyncio
import random
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.outbox import Outbox, Row
from support.plants import PlantBuilder, PlayedDriver


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
    SlowDisk.pause = 3.0
    stop = asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    await asyncio.sleep(7)
    assert agent.connections[0].polls.made >= 30
    assert agent.connections[0].polls.skipped == 0
    stop.set()
    await task
