"""A disk that is full, read-only or slow under the outbox (I1, I4)."""

import asyncio
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.keeper import Keeper
from ganpo_agent.outbox import Outbox, Row
from ganpo_agent.timekeeper import Timekeeper
from ganpo_model.facts import Event, EventKind, Fact, Reading
from support.plants import REGISTER, START, PlantBuilder, PlayedDriver, TestClock


class Played(PlayedDriver):
    """Answers of this module's tests."""


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """A tmpfs of its own."""
    mount = folder / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(mount)], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def noise(n: int) -> list[Fact]:
    return [
        Event(
            "event",
            START,
            EventKind.SUSPECT,
            None,
            {"n": n, "text": random.Random(n).randbytes(10_000).hex()},
        )
    ]


async def test_a_full_disk_is_told_and_what_was_put_is_written_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        outbox = Outbox(disk / "state", 64)
        rows: list[Row] = []
        keeper = Keeper(outbox, Timekeeper(TestClock()), random.Random(1), rows.append)
        keeper.put([Reading("reading", REGISTER, START, 1)])
        await keeper.flush()
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1024))
            except OSError:
                pass
        for n in range(20):
            keeper.put(noise(n))
        await keeper.flush()
        assert keeper.problem is not None
        assert "disk is full" in str(keeper.problem)
        assert "free space" in str(keeper.problem)
        issued = outbox.seq
        filler.unlink()
        await keeper.flush()
        assert keeper.problem is None
        assert outbox.seq == 1 + 1 + 20
        assert issued < outbox.seq
        assert [row.seq for row in outbox.waiting(100)] == list(range(1, 23))
        keeper.close()


async def test_a_read_only_disk_stops_nothing_but_the_outbox(tmp_path: Path) -> None:
    Played.values = {"r": 5}
    with small_disk(tmp_path) as disk:
        builder = PlantBuilder(disk / "state", slot_ms=1000)
        builder.connection("bus", Played)
        builder.meter("bus", "DB-1", "r", interval_s=0.2)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        agent = Agent(builder.build(), rng=random.Random(1))
        stop = asyncio.Event()
        task = asyncio.create_task(agent.run(stop))
        await asyncio.sleep(2)
        assert "outbox.db: cannot be written" in agent.health()["outbox"]["error"]
        assert agent.connections[0].state == "up"
        assert agent.connections[0].polls.skipped == 0
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        async with asyncio.timeout(10):
            while agent.keeper.problem is not None or agent.keeper.outbox.seq < 4:
                await asyncio.sleep(0.05)
        stop.set()
        await task
        kinds = [row.kind for row in Outbox(disk / "state", 8).waiting(100)]
        assert kinds[:2] == ["event", "inventory"]
        assert kinds.count("reading") >= 2


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
