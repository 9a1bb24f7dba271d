"""What people ask on a line that the agent holds: by its owner, between two polls, within a share of its time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.reading import asking
from ganpo_agent.reading.asking import Asking
from ganpo_agent.reading.calls import Calls
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_config.plant import Meaning
from ganpo_drivers import Scan
from ganpo_model.errors import (
    AccessRefused,
    ConnectionLost,
    UnitBusy,
    UnitSilent,
    Unreachable,
)
from ganpo_service.backoff import Backoff
from support.plants import PlantBuilder, PlayedDriver, TestClock


class Played(PlayedDriver):
    """Counts who uses the line at once."""

    busy, most = 0, 0

    async def read(self, query: Any) -> Scan:
        async with self.alone():
            await asyncio.sleep(0.005)
            return await super().read(query)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        Played.busy += 1
        Played.most = max(Played.most, Played.busy)
        try:
            yield
        finally:
            Played.busy -= 1


@pytest.fixture
async def task(tmp_path: Path) -> AsyncIterator[ConnectionTask]:
    Played.values, Played.opened, Played.on_open, Played.reads = {"a": 1.0}, 0, None, []
    Played.busy = Played.most = 0
    builder = PlantBuilder(tmp_path)
    builder.connection("cell", Played)
    builder.point("cell", "SB-1", "a", "a", Meaning("number"), 0.02)
    bound = builder.build().connections[0]
    found = ConnectionTask(bound, Timekeeper(GatewayClock()), lambda *_: None, lambda *_: None, lambda: None)
    found._backoff = Backoff(0.05)
    running = asyncio.create_task(found.run())
    yield found
    running.cancel()
    await asyncio.wait([running], timeout=5)


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def slowly(driver: Any) -> str:
    async with driver.alone():
        await asyncio.sleep(0.01)
    return "done"


async def test_a_value_comes_back_and_the_line_is_never_used_by_two(task: ConnectionTask) -> None:
    assert await asyncio.gather(*(task.ask(slowly) for _ in range(10))) == ["done"] * 10
    made = task.polls.made
    await until(lambda: task.polls.made > made + 3)
    assert (Played.most, task.lost, task.state) == (1, 0, "up")


async def test_a_silent_unit_is_told_to_the_asker_alone(task: ConnectionTask) -> None:
    async def silent(_driver: Any) -> None:
        raise UnitSilent("no answer within 1 s", where="unit 9")

    with pytest.raises(UnitSilent):
        await task.ask(silent)
    await until(lambda: task.polls.made > 3)
    assert (task.lost, Played.opened, task.state, task.error) == (0, 1, "up", "")


@pytest.mark.parametrize("error", [ConnectionLost("it closed", where="there"), ValueError("a bug of ours")])
async def test_what_costs_the_session_is_told_to_the_asker_and_another_is_opened(
    task: ConnectionTask, error: Exception
) -> None:
    async def breaks(_driver: Any) -> None:
        raise error

    with pytest.raises(type(error)):
        await task.ask(breaks)
    assert await task.ask(slowly) == "done"
    assert (task.lost, Played.opened) == (1, 2)


async def test_who_does_not_wait_any_more_does_no_harm(task: ConnectionTask) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def long(_driver: Any) -> None:
        began.set()
        await asyncio.sleep(0.05)
        ended.set()

    async def never(_driver: Any) -> None:
        raise AssertionError("nobody waits for it")

    under_way = asyncio.create_task(task.ask(long))
    await began.wait()
    waiting = asyncio.create_task(task.ask(never))
    await asyncio.sleep(0)
    under_way.cancel()
    waiting.cancel()
    await asyncio.wait([under_way, waiting])
    assert await task.ask(slowly) == "done"
    assert ended.is_set(), "a request is never cut off in the middle"
    assert (task.lost, Played.opened) == (0, 1)


async def test_without_a_session_the_asker_hears_why(task: ConnectionTask) -> None:
    await until(lambda: task.state == "up")
    Played.on_open = Unreachable("refused; is the device on?", where="there")
    Played.values = {"a": ConnectionLost("it closed", where="there")}
    await until(lambda: task.state == "waiting")
    with pytest.raises(Unreachable, match="is the device on"):
        await task.ask(slowly)
    Played.on_open = AccessRefused("the password is wrong", where="there")
    await until(lambda: task.state == "parked")
    with pytest.raises(Unreachable, match="the password is wrong"):
        await task.ask(slowly)


async def test_who_asks_again_and_again_gets_a_twentieth_of_the_line() -> None:
    clock = TestClock()
    time = Timekeeper(clock)
    line = Asking("cell", Calls("cell", time), time)
    done: list[float] = []

    async def second(_driver: Any) -> None:
        clock.advance(timedelta(seconds=1))
        done.append(clock.mono)

    async def scan() -> None:
        while True:
            await line.ask(second)

    asker, began = asyncio.create_task(scan()), clock.mono
    await asyncio.sleep(0)
    driver: Any = None
    while clock.mono < began + 600:
        before = clock.mono
        await line.serve(driver)
        await asyncio.sleep(0)
        if clock.mono == before:
            clock.advance(timedelta(seconds=0.5))  # the line is free, and it has had enough
    asker.cancel()
    await asyncio.wait([asker])
    assert done[2] - began == 3, "three seconds at once"
    assert 600 * 0.05 <= len(done) <= 600 * 0.05 + asking.BURST_S + 1


async def test_a_queue_that_is_full_refuses() -> None:
    time = Timekeeper(TestClock())
    line = Asking("cell", Calls("cell", time), time)
    waiting = [asyncio.create_task(line.ask(slowly)) for _ in range(asking.MOST)]
    await asyncio.sleep(0)
    with pytest.raises(UnitBusy, match="wait for this line"):
        await line.ask(slowly)
    line.refuse("it was switched off")
    assert all(
        isinstance(error, Unreachable) for error in await asyncio.gather(*waiting, return_exceptions=True)
    )
