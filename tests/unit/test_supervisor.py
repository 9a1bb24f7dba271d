"""A task that fails is told, shown and started again; nobody else stops."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from ganpo_model.errors import ConnectionLost
from ganpo_service.supervisor import STUCK_S, Beat, Supervisor
from support.plants import TestClock


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno == level]


async def test_a_task_that_raises_is_told_once_shown_and_started_again_and_nobody_else_stops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "ganpo_service.supervisor")
    clock, began, other = TestClock(), 0, 0
    supervisor = Supervisor(clock, longest_s=0.01, settled_s=10.0)

    async def trips(beat: Beat) -> None:
        nonlocal began
        began += 1
        beat()
        if began <= 3:
            raise OverflowError("too large")
        while True:
            await asyncio.sleep(0.005)
            beat()

    async def goes_on(beat: Beat) -> None:
        nonlocal other
        while True:
            other += 1
            beat()
            await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(supervisor.keep(n, w)) for n, w in (("a", trips), ("b", goes_on))]
        await until(lambda: began == 4)
        assert supervisor.problems() == {"a": "OverflowError: too large"}, "it did not live long enough yet"
        assert supervisor.tasks["a"].restarts == 3
        assert (supervisor.tasks["b"].restarts, supervisor.tasks["b"].problem) == (0, "")
        seen = other
        await until(lambda: other > seen)
        clock.mono += 11
        await until(lambda: not supervisor.problems())
        for task in tasks:
            task.cancel()
    (error,) = lines(caplog, logging.ERROR)
    assert error.getMessage() == "task failed name=a why=OverflowError: too large: it is started again"
    assert error.exc_info is not None
    assert (
        len([line for line in lines(caplog, logging.DEBUG) if line.name == "ganpo_service.supervisor"]) == 2
    )
    assert [line.getMessage() for line in lines(caplog, logging.INFO)] == [
        "task works again name=a after_s=11"
    ]


async def test_a_cancellation_from_within_is_a_failure_and_one_from_without_ends_it() -> None:
    supervisor, began = Supervisor(TestClock(), longest_s=0.01), 0

    async def cancelled(_beat: Beat) -> None:
        nonlocal began
        began += 1
        raise asyncio.CancelledError

    task = asyncio.create_task(supervisor.keep("a", cancelled))
    await until(lambda: began == 3)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert supervisor.problems() == {"a": "cancelled by something in it"}


async def test_one_that_ends_by_itself_is_over_and_one_without_progress_is_stuck() -> None:
    clock = TestClock()
    supervisor = Supervisor(clock)
    hang = asyncio.Event()

    async def once(beat: Beat) -> None:
        beat()

    async def hangs(beat: Beat) -> None:
        beat()
        await hang.wait()

    task = asyncio.create_task(supervisor.keep("hangs", hangs))
    await until(lambda: "hangs" in supervisor.tasks)
    await supervisor.keep("once", once)
    clock.mono += STUCK_S
    assert supervisor.stuck() == ["hangs"]
    assert supervisor.problems() == {}
    hang.set()
    await task
    assert supervisor.stuck() == []


async def test_what_a_person_can_mend_is_told_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor(TestClock(), longest_s=0.01)

    async def refused(_beat: Beat) -> None:
        raise ConnectionLost("the pages' process ended: by signal 9")

    task = asyncio.create_task(supervisor.keep("pages", refused))
    await until(lambda: supervisor.problems())
    task.cancel()
    await asyncio.wait([task])
    assert supervisor.problems() == {"pages": "the pages' process ended: by signal 9"}
    (error,) = lines(caplog, logging.ERROR)
    assert not error.exc_info
