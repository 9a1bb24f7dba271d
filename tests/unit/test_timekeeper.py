"""Trusted time and clock steps (architecture.md, Time)."""

from datetime import UTC, datetime, timedelta

from ganpo_agent.timekeeper import RELEASED, Timekeeper
from ganpo_model.clock import to_ms
from support.plants import START, TestClock


def test_a_clock_of_1970_is_not_trusted_until_the_collector_tells_the_time() -> None:
    clock = TestClock(wall=datetime(1970, 1, 1, tzinfo=UTC), sure=False)
    time = Timekeeper(clock)
    assert not time.trusted()
    time.tell(START)
    assert time.trusted()
    clock.advance(timedelta(seconds=5))
    assert time.stamp() == (to_ms(START) + 5000, 0)


def test_when_the_machine_gets_its_time_after_all_that_is_a_step() -> None:
    clock = TestClock(wall=datetime(1970, 1, 1, tzinfo=UTC), sure=False)
    time = Timekeeper(clock)
    time.tell(START)
    time.stamp()
    clock.sure = True
    clock.wall = START + timedelta(hours=1)
    assert time.stamp() == (to_ms(START) + 3_600_000, 3_600_000)


def test_a_clock_is_trusted_that_is_later_than_the_release_and_the_newest_frame() -> None:
    after = RELEASED + timedelta(days=1)
    assert Timekeeper(TestClock(wall=after, sure=False)).trusted()
    assert not Timekeeper(TestClock(wall=RELEASED - timedelta(days=1), sure=False)).trusted()
    assert not Timekeeper(TestClock(wall=after, sure=False), newest=after + timedelta(hours=1)).trusted()
    assert Timekeeper(TestClock(wall=after, sure=False), newest=after - timedelta(hours=1)).trusted()


def test_stamps_never_fall_and_follow_small_corrections() -> None:
    clock = TestClock()
    time = Timekeeper(clock)
    first, _ = time.stamp()
    clock.mono += 1
    clock.wall += timedelta(seconds=1) - timedelta(milliseconds=400)
    assert time.stamp() == (first + 600, 0)
    clock.mono += 0.1
    clock.wall -= timedelta(milliseconds=300)
    assert time.stamp() == (first + 600, 0)


def test_a_step_of_more_than_a_second_is_told() -> None:
    for hours in (3, -3):
        clock = TestClock()
        time = Timekeeper(clock)
        first, _ = time.stamp()
        clock.advance(timedelta(seconds=10))
        clock.wall += timedelta(hours=hours)
        assert time.stamp() == (first + 10_000 + hours * 3_600_000, hours * 3_600_000)
        clock.advance(timedelta(seconds=10))
        assert time.stamp() == (first + 20_000 + hours * 3_600_000, 0)
