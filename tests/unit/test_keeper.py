"""Between observing and the disk: a disk that refuses costs nothing until memory is full (I1, I4, I13)."""

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ganpo_agent.keeping import keeper as keeper_module
from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.keeping.outbox import Outbox, Row
from ganpo_agent.timekeeper import Timekeeper
from ganpo_model.errors import StorageError
from ganpo_model.facts import Event, EventKind, Reading, States
from ganpo_model.frame import unpack
from ganpo_model.states import State
from support.plants import REGISTER, START, TestClock


class Refusing(Outbox):
    """An outbox whose disk refuses while `refuse` is set."""

    refuse = False

    def append(self, facts, now):  # type: ignore[no-untyped-def]
        if self.refuse:
            raise StorageError("cannot be written: disk full", where=str(self.path))
        return super().append(facts, now)


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Keeper, Refusing, list[Row]]:
    outbox = Refusing(tmp_path, 64)
    rows: list[Row] = []
    return Keeper(outbox, Timekeeper(TestClock()), random.Random(1), rows.append), outbox, rows


def reading(n: int) -> Reading:
    return Reading("reading", REGISTER, START + timedelta(seconds=n), n)


async def test_what_was_put_while_the_disk_refused_is_written_in_order_when_it_is_back(
    kept: tuple[Keeper, Refusing, list[Row]],
) -> None:
    keeper, outbox, rows = kept
    keeper.put([reading(1)])
    await keeper.flush()
    outbox.refuse = True
    keeper.put([reading(2)])
    keeper.put([reading(3)])
    await keeper.flush()
    assert str(keeper.problem).endswith("disk full")
    assert [row.seq for row in rows] == [2], "1 is `begun`"
    outbox.refuse = False
    await keeper.flush()
    assert keeper.problem is None
    assert [row.seq for row in rows] == [2, 3, 4]
    assert keeper.dropped == 0
    keeper.close()


async def test_when_memory_is_full_too_the_oldest_states_go_first_and_are_counted(
    kept: tuple[Keeper, Refusing, list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, outbox, rows = kept
    monkeypatch.setattr(keeper_module, "MAX_BYTES", 10_000)
    outbox.refuse = True
    await keeper.flush()
    keeper.put([reading(0)])
    for n in range(30):
        at = START + timedelta(seconds=n)
        keeper.put([States("states", f"SB-{n}", at, at + timedelta(seconds=1), ((0, State.IDLE),))])
    assert keeper.dropped == 6
    outbox.refuse = False
    await keeper.flush()
    kinds = [row.kind for row in rows]
    assert kinds == ["reading"] + ["states"] * 24
    keeper.close()


async def test_nothing_is_written_before_time_is_trusted_and_put_never_waits(tmp_path: Path) -> None:
    clock = TestClock(sure=False, wall=START - timedelta(days=20000))
    time = Timekeeper(clock)
    outbox = Outbox(tmp_path, 8)
    keeper = Keeper(outbox, time, random.Random(1), lambda _row: None)
    task = asyncio.create_task(keeper.run())
    await asyncio.sleep(0.3)
    assert outbox.seq == 0
    time.tell(START)
    async with asyncio.timeout(3):
        while outbox.seq == 0:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    keeper.close()


async def test_facts_are_divided_where_a_broker_is_known_to_take_small_frames_only(
    kept: tuple[Keeper, Refusing, list[Row]],
) -> None:
    keeper, outbox, rows = kept
    outbox.largest = 600
    keeper.put([reading(n) for n in range(400)])
    keeper.put([States("states", "SB-1", START, START + timedelta(hours=1), tuple(many()))])
    await keeper.flush()
    readings, (alone,) = rows[:-1], rows[-1:]
    assert max(len(row.packed) for row in readings) <= 600
    told = [fact["raw"] for row in readings for fact in json.loads(unpack(row.packed))["facts"]]
    assert told == list(range(400))
    assert len(alone.packed) > 600, "what cannot be divided goes as it is"
    assert keeper.dropped == 0
    keeper.close()


def many() -> Iterator[tuple[int, State]]:
    rng = random.Random(1)
    for n in range(500):
        yield n * 7000 + (rng.randrange(6000) if n else 0), State.IDLE if n % 2 else State.HELD


async def test_readings_share_a_frame_with_those_that_come_soon_and_wait_behind_nothing_else(
    tmp_path: Path,
) -> None:
    rows: list[Row] = []
    outbox = Outbox(tmp_path, 64)
    keeper = Keeper(outbox, Timekeeper(TestClock()), random.Random(1), rows.append, share_s=60.0)
    await keeper.flush()
    task = asyncio.create_task(keeper.run())
    await asyncio.sleep(0.05)
    for n in range(12):
        keeper.put([reading(n)])
        await asyncio.sleep(0.01)
    assert rows == [], "they wait for others"
    keeper.put([Event("event", START, EventKind.LINK_UP, "SB-1", {})])
    async with asyncio.timeout(20):
        while len(rows) < 2:
            await asyncio.sleep(0.01)
    assert [row.kind for row in rows] == ["reading", "event"]
    assert [fact["raw"] for fact in json.loads(unpack(rows[0].packed))["facts"]] == list(range(12))
    keeper._share_s = 0.1
    keeper.put([reading(12)])
    async with asyncio.timeout(20):
        while len(rows) < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    keeper.close()


async def test_many_may_ask_at_once_what_waits(kept: tuple[Keeper, Refusing, list[Row]]) -> None:
    """Each is told, also where the next one to ask began another look before it came to its turn."""
    keeper, _, _ = kept
    keeper.put([reading(1)])
    await keeper.flush()

    async def ask() -> list[int]:
        told = [await keeper.backlog() for _ in range(50)]
        return [one.frames for one in told if one is not None]

    found = await asyncio.gather(*(ask() for _ in range(8)))
    assert found == [[2] * 50] * 8
    keeper.close()
