"""The connection task: schedule, breaker, back-off, bugs (architecture.md, drivers.md)."""

import asyncio
import dataclasses
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.reading import breaker, connection, notes, polling
from ganpo_agent.reading.breaker import Breaker
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_config.plant import BoundPoint, Meaning
from ganpo_drivers import Identity, Report, Scan
from ganpo_model.errors import AccessRefused, ConnectionLost, UnitSilent, Unreachable
from ganpo_service.backoff import Backoff, Reconnect
from support.plants import PlantBuilder, PlayedDriver


class Played(PlayedDriver):
    """A fresh set of answers per test."""


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Played.values, Played.opened, Played.on_open, Played.reads = {}, 0, None, []


class Watched:
    def __init__(self, folder: Path, addresses: Sequence[str], interval_s: float = 0.05) -> None:
        builder = PlantBuilder(folder)
        builder.connection("cell", Played)
        for address in addresses:
            builder.point("cell", "SB-1", address, address, Meaning("number"), interval_s)
        self.scans: list[tuple[list[str], Scan]] = []
        self.failures: list[str] = []
        self.task = ConnectionTask(
            builder.build().connections[0],
            Timekeeper(GatewayClock()),
            self._receive,
            lambda _subjects, why: self.failures.append(why),
            lambda: None,
        )
        self.task._backoff = Backoff(0.05)

    def _receive(self, points: Sequence[BoundPoint], scan: Scan, _identity: Identity | None) -> None:
        self.scans.append(([point.signal for point in points], scan))


@asynccontextmanager
async def running(watched: Watched) -> AsyncIterator[Watched]:
    task = asyncio.create_task(watched.task.run())
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=5)


async def until(condition: Any, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_polls_follow_the_grid_of_their_interval(tmp_path: Path) -> None:
    Played.values = {"a": 1.0}
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: len(watched.scans) >= 20)
        assert watched.task.state == "up"
    polls = watched.task.polls
    assert polls.made - 20 <= 2
    assert Played.opened == 1


async def test_between_polls_a_session_is_kept_alive_and_the_task_is_not_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LONGEST_SLEEP_S", 0.02)
    asked: list[float] = []

    async def keep_alive(_driver: Played) -> float:
        asked.append(asyncio.get_running_loop().time())
        if len(asked) == 5:
            raise ConnectionLost("it closed the connection", where="there")
        return 0.05

    monkeypatch.setattr(Played, "keep_alive", keep_alive)
    Played.values = {"a": 1.0}
    async with running(Watched(tmp_path, ["a"], interval_s=3600)) as watched:
        await until(lambda: len(asked) >= 4)
        before = watched.task.progress
        await until(lambda: len(asked) >= 8)
        assert watched.task.progress > before
        assert watched.failures == ["there: it closed the connection"]
        assert Played.opened == 2
    async with running(Watched(tmp_path, [])) as watched:
        begun = watched.task.progress
        await until(lambda: watched.task.progress > begun + 0.05)


async def test_a_lost_connection_is_closed_and_opened_again(tmp_path: Path) -> None:
    Played.values = {"a": ConnectionLost("reset by peer", where="cell")}
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: Played.opened >= 3)
        assert watched.task.state == "waiting"
        assert watched.failures[0] == "cell: reset by peer"
        Played.values = {"a": 2.0}
        await until(lambda: watched.task.state == "up")


async def test_a_permanent_error_parks_the_connection_and_says_why(tmp_path: Path) -> None:
    Played.on_open = AccessRefused("user unknown", where="cell")
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: watched.task.state == "parked")
        await asyncio.sleep(0.2)
        assert Played.opened == 1
        assert watched.task.error == "cell: user unknown"


async def test_a_bug_of_a_driver_is_logged_once_with_its_traceback_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Played.values = {"a": ZeroDivisionError("oops")}
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: watched.task.bugs >= 3)
    bugs = [record for record in caplog.records if record.exc_info and record.levelno == logging.ERROR]
    assert len(bugs) == 1
    assert watched.failures[0] == "ZeroDivisionError: oops"


async def test_a_cancellation_the_library_made_up_is_a_lost_connection_and_no_end(tmp_path: Path) -> None:
    Played.values = {"a": asyncio.CancelledError()}
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: Played.opened >= 2)
        assert "cancelled by its library" in watched.failures[0]


async def test_a_silent_unit_is_read_three_times_and_then_only_probed_while_the_others_go_on(
    tmp_path: Path,
) -> None:
    Played.values = {"1:a": UnitSilent("no answer", where="unit 1"), "2:b": 5.0}
    async with running(Watched(tmp_path, ["1:a", "2:b"])) as watched:
        await until(lambda: len(watched.scans) >= 20)
        assert Played.reads.count("1") == 3
        assert watched.task.state == "up"
        assert "unit 1: no answer" in watched.task.error
    assert all(signals == ["2:b"] for signals, _ in watched.scans)
    assert watched.task.polls.skipped == 0


async def test_who_was_silent_is_asked_after_all_that_are_due_with_it(tmp_path: Path) -> None:
    """Else its timeout would make each of them late once more with every probe."""
    Played.values = {"1:a": UnitSilent("no answer", where="unit 1"), "2:b": 5.0, "3:c": 6.0}
    async with running(Watched(tmp_path, ["1:a", "2:b", "3:c"])):
        await until(lambda: Played.reads.count("1") >= 3)
    first, second, third = [n for n, key in enumerate(Played.reads) if key == "1"]
    assert first == 0
    assert Played.reads[first + 1 : third + 1] == ["2", "3", "2", "3", "1", "2", "3", "1"]
    assert second == first + 5


async def test_a_unit_that_comes_and_goes_fills_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_PROBE_S", 0.1)
    caplog.set_level(logging.INFO)
    async with running(Watched(tmp_path, ["1:a", "2:b"])) as watched:
        for _ in range(3):
            Played.values = {"1:a": UnitSilent("no answer", where="unit 1"), "2:b": 5.0}
            await until(lambda: "unit 1" in watched.task.error)
            Played.values = {"1:a": 1.0, "2:b": 5.0}
            await until(lambda: not watched.task.error)
    told = [record.message for record in caplog.records if "cell/1" in record.message]
    assert [text.split()[:2] for text in told] == [["gives", "nothing"], ["answers", "again"]]


async def test_a_line_of_which_no_unit_answers_is_a_lost_session_and_opened_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Played.values = {
        "1:a": UnitSilent("no answer", where="unit 1"),
        "2:b": UnitSilent("none", where="unit 2"),
    }
    async with running(Watched(tmp_path, ["1:a", "2:b"])) as watched:
        await until(lambda: Played.opened >= 3)
        assert watched.task.state == "waiting"
        assert "no unit answers any more" in watched.task.error
        assert Played.reads.count("1") >= 6, "every session asks them anew"
        Played.values = {"1:a": UnitSilent("no answer", where="unit 1"), "2:b": 5.0}
        await until(lambda: len(watched.scans) >= 5)
        assert watched.task.state == "up"
    told = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert sum("no unit answers any more" in message for message in told) == 1


def test_a_breaker_probes_after_ten_seconds_doubling_to_five_minutes_within_five_percent() -> None:
    breaker = Breaker()
    for now in (0.0, 1.0, 2.0):
        assert breaker.allows(now)
        breaker.failed(now, 0.1, 1, "silent")
    pauses: list[float] = []
    now = 2.0
    while len(pauses) < 7:
        step = now
        while not breaker.allows(step):
            step += 1
        pauses.append(step - now)
        now = step
        breaker.failed(now, 0.1, 1, "silent")
    assert pauses == [10, 20, 40, 80, 160, 300, 300]
    slow = Breaker()
    for now in (0.0, 1.0, 2.0):
        slow.failed(now, 2.0, 3, "silent")
    assert not slow.allows(2 + 2 * 3 / 0.05 - 1)
    assert slow.allows(2 + 2 * 3 / 0.05)


def test_a_device_is_tried_after_1_and_2_and_then_every_4_s_without_jitter(tmp_path: Path) -> None:
    builder = PlantBuilder(tmp_path)
    builder.connection("cell", Played)
    settings = builder.build().connections[0].settings
    backoff = Backoff(settings.back_off_max_s)
    assert [backoff.pause() for _ in range(5)] == [1, 2, 4, 4, 4]
    backoff.reset()
    assert backoff.pause() == 1


def test_a_broker_that_is_away_is_tried_at_least_every_2_s_for_5_minutes_and_then_more_rarely() -> None:
    reconnect = Reconnect(60.0, random.Random(1))
    now = 1000.0
    tries: list[float] = []
    assert reconnect.pause(0.0, now, up=5.0, refused=False) <= 1
    while now < 1000 + 3600:
        began, took = now, 0.5 if len(tries) % 2 else 4.0
        now += took
        pause = reconnect.pause(began, now, up=None, refused=False)
        assert now >= 1300 or pause <= max(2 - took, 0.1)
        now += pause
        tries.append(pause)
    assert 30 < max(tries) <= 60
    reconnect.pause(now, now + 20, up=now, refused=False)
    assert reconnect.pause(now + 20, now + 20, up=None, refused=False) == 2


def test_a_broker_that_refuses_or_cuts_is_tried_by_full_jitter_doubling_to_the_longest() -> None:
    for up, refused in ((None, True), (0.0, False)):
        reconnect = Reconnect(60.0, random.Random(1))
        pauses = [reconnect.pause(0.0, 1.0, up=up, refused=refused) for _ in range(2000)]
        for n, bound in enumerate((1, 2, 4, 8, 16, 32, 60, 60)):
            assert 0 <= pauses[n] <= bound
        assert max(pauses) > 55
        assert min(pauses[10:]) < 5
        assert reconnect.pause(0.0, 11.0, up=0.5, refused=False) <= 1, "it lived"
        assert reconnect.pause(0.0, 1.0, up=up, refused=refused) <= 1, "the delay begins anew"


def test_a_broker_that_cuts_for_the_size_of_a_packet_is_tried_at_once_and_not_for_ever() -> None:
    reconnect = Reconnect(60.0, random.Random(1))

    def cut(learns: bool) -> float:
        return reconnect.pause(0.0, 1.0, up=0.5, refused=False, learns=learns)

    assert [cut(True) for _ in range(12)] == [1.0] * 12
    assert max(cut(True) for _ in range(100)) > 30, "it is cut for something else"
    assert reconnect.pause(0.0, 20.0, up=0.5, refused=False) == 1, "it lived"
    assert [cut(True) for _ in range(12)] == [1.0] * 12


def test_a_broker_that_dies_just_after_it_came_is_still_tried_every_2_s() -> None:
    reconnect = Reconnect(60.0, random.Random(1))
    for _ in range(10):
        assert reconnect.pause(0.0, 5.0, up=0.0, refused=False) <= 1
        assert max(reconnect.pause(now, now, up=None, refused=False) for now in range(5, 300)) <= 2
    for _ in range(3):
        reconnect.pause(0.0, 1.0, up=None, refused=True)
    away = [reconnect.pause(now, now, up=None, refused=False) for now in range(5, 300)]
    assert 2 < max(away) <= 4, "but a refusal stands"
    reconnect.pause(0.0, 11.0, up=0.0, refused=False)
    assert reconnect.pause(12.0, 12.0, up=None, refused=False) == 2


async def test_an_unreachable_device_backs_off_and_counts_no_poll(tmp_path: Path) -> None:
    Played.on_open = Unreachable("connection refused", where="tcp://127.0.0.1:1")
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: Played.opened >= 3)
        assert watched.task.error == "tcp://127.0.0.1:1: connection refused"
        assert watched.task.polls.made == 0


async def test_a_cancellation_that_a_library_swallows_ends_the_task_all_the_same(tmp_path: Path) -> None:
    class Swallowing(Played):
        async def read(self, query: Any) -> Scan:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                if self.values["a"] == "lost":
                    raise ConnectionLost("closed", where="cell") from None
            return Scan([1.0])

    for answer in ("value", "lost"):
        Played.values = {"a": answer}
        watched = Watched(tmp_path, ["a"])
        driver: Any = Swallowing
        watched.task.bound = dataclasses.replace(watched.task.bound, driver=driver)
        task = asyncio.create_task(watched.task.run())
        await until(lambda: Swallowing.opened >= 1)
        await asyncio.sleep(0.1)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=3)
        assert done, "it went on"
        assert task.cancelled()
        Swallowing.opened = 0


@pytest.mark.parametrize("where", ["__init__", "open", "read", "keep_alive", "close"])
async def test_a_bug_anywhere_in_a_driver_ends_no_other_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def breaks(*_: Any) -> Any:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Played, where, breaks)
    Played.values = {"a": ConnectionLost("reset by peer", where="cell") if where == "close" else 1.0}
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: watched.task.bugs >= 2)
        assert watched.task.error == "ZeroDivisionError: oops"
        monkeypatch.undo()
        Played.values = {"a": 1.0}
        await until(lambda: watched.task.state == "up")


async def test_a_close_that_its_library_cancels_or_that_hangs_ends_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "END_LIMIT_S", 0.05)
    closed: list[str] = []

    async def close(_driver: Played) -> None:
        closed.append("")
        if len(closed) == 1:
            raise asyncio.CancelledError
        await asyncio.sleep(3600)

    monkeypatch.setattr(Played, "close", close)
    Played.values = {"a": ConnectionLost("reset by peer", where="cell")}
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: len(closed) >= 3)
        assert (watched.task.error, watched.task.bugs) == ("cell: reset by peer", 0)


async def test_a_timeout_that_a_driver_lets_out_is_its_bug_and_not_said_to_be_our_deadline(
    tmp_path: Path,
) -> None:
    Played.values = {"a": TimeoutError("timed out")}
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: watched.task.bugs)
        assert watched.task.error == "TimeoutError: timed out"


async def test_a_connection_that_was_stopped_can_be_started_again(tmp_path: Path) -> None:
    Played.values = {"a": 1.0}
    watched = Watched(tmp_path, ["a"])
    for opened in (1, 2):
        watched.scans.clear()
        async with running(watched):
            await until(lambda: watched.scans)
            assert (watched.task.state, Played.opened) == ("up", opened)


def test_what_a_driver_notes_is_told_once_and_again_a_day_later_while_it_holds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Noting:
        notes: Sequence[str] = ("it answers with transaction id 0",)

        def report(self) -> Report:
            return Report(0, {}, self.notes)

    driver, noted = Noting(), notes.Notes("hall")
    for now in (0, 1, 60, 3600):
        noted.look(driver, now)
    driver.notes = (*driver.notes, "10:78330011223344: battery low (status 04 00)")
    for now in (3601, 3660, 86_400, 86_459, 86_460):
        noted.look(driver, now)
    assert [record.getMessage() for record in caplog.records] == [
        "connection=hall: it answers with transaction id 0",
        "connection=hall: 10:78330011223344: battery low (status 04 00)",
        "connection=hall: it answers with transaction id 0",
    ]
    noted.look(object(), 1e6)
