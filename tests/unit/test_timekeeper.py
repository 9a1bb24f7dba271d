"""Trusted time and clock steps (architecture.md, Time)."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from ganpo_agent.timekeeper import Timekeeper
from ganpo_model.clock import to_ms
from ganpo_service.release import RELEASED
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


HOUR = timedelta(hours=1)
LATER = START + timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def running(wall: datetime = LATER) -> tuple[TestClock, Timekeeper]:
    """A gateway without the mark whose own clock is believed, and that has stamped."""
    clock = TestClock(wall=wall, sure=False)
    time = Timekeeper(clock)
    assert time.trusted()
    time.stamp()
    return clock, time


def told(clock: TestClock, time: Timekeeper, truth: datetime, *late_s: float) -> None:
    """Acknowledgements, a second apart, each so late; `truth` holds at the first."""
    for n, late in enumerate(late_s):
        time.tell(truth + timedelta(seconds=n - late))
        clock.advance(timedelta(seconds=1))


@pytest.mark.parametrize("hours", [3, -3])
def test_an_ack_that_differs_by_more_than_5_min_takes_the_trust_away_and_three_that_agree_are_the_time(
    hours: int,
) -> None:
    clock, time = running()
    truth = clock.wall + hours * HOUR
    told(clock, time, truth, 0, 0)
    assert not time.trusted()
    assert time.off_ms() == -hours * 3_600_000
    told(clock, time, truth + timedelta(seconds=2), 0)
    assert time.trusted()
    assert time.stamp() == (to_ms(truth) + 3000, hours * 3_600_000)
    clock.wall += 5 * HOUR
    clock.advance(timedelta(seconds=1))
    assert time.stamp() == (to_ms(truth) + 4000, 0), "whatever the own clock says"


def test_a_difference_of_less_changes_nothing() -> None:
    clock, time = running()
    told(clock, time, clock.wall + timedelta(minutes=4, seconds=59), 0, 0, 0)
    assert time.trusted()
    assert time.stamp() == (to_ms(LATER) + 3000, 0)


def test_three_acks_of_which_one_is_late_are_not_the_time() -> None:
    clock, time = running()
    truth = clock.wall + HOUR
    told(clock, time, truth, 0, 6, 0)
    assert not time.trusted()
    told(clock, time, truth + timedelta(seconds=3), 1, 4)
    assert time.trusted()
    assert abs(time.stamp()[0] - to_ms(truth) - 5000) <= 1000


def test_an_own_clock_that_steps_back_stamps_nothing_until_it_passes_what_it_stamped() -> None:
    clock, time = running()
    clock.advance(timedelta(seconds=10))
    last, _ = time.stamp()
    clock.wall -= timedelta(minutes=6)
    assert not time.trusted()
    assert to_ms(time.now()) == last, "what is no observation goes on with the monotonic clock"
    clock.advance(timedelta(minutes=5))
    assert not time.trusted()
    clock.advance(timedelta(minutes=2))
    assert time.trusted()
    assert time.stamp()[0] > last


def test_a_step_back_of_up_to_5_min_is_a_step() -> None:
    clock, time = running()
    clock.wall -= timedelta(minutes=4)
    assert time.trusted()
    assert time.stamp() == (to_ms(LATER) - 240_000, -240_000)


def test_an_own_clock_that_steps_ahead_is_doubted_where_an_ack_was_heard_lately_and_else_believed() -> None:
    clock, time = running()
    told(clock, time, clock.wall, 0, 0, 0)
    clock.wall += HOUR
    assert not time.trusted()
    clock, time = running()
    told(clock, time, clock.wall, 0, 0, 0)
    clock.advance(timedelta(minutes=6))
    time.stamp()
    clock.wall += HOUR
    assert time.trusted()
    assert time.stamp()[1] == 3_600_000
    time.tell(clock.wall - HOUR)
    assert not time.trusted()


def test_with_the_mark_it_goes_on_and_the_difference_is_told() -> None:
    clock = TestClock(wall=LATER)
    time = Timekeeper(clock)
    time.stamp()
    assert time.off_ms() is None
    told(clock, time, clock.wall - HOUR, 0, 0, 0, 0)
    assert time.trusted()
    assert time.stamp() == (to_ms(LATER) + 4000, 0)
    assert (time.off_ms(), time.is_off()) == (3_600_000, True)
    time.tell(clock.wall - timedelta(minutes=5))
    assert (time.off_ms(), time.is_off()) == (300_000, False)


def test_the_time_of_a_gateway_without_a_clock_is_doubted_by_a_later_ack_and_its_own_clock_is_nobodys_problem() -> (
    None
):
    clock = TestClock(wall=datetime(1970, 1, 1, tzinfo=UTC), sure=False)
    time = Timekeeper(clock)
    time.tell(LATER - 3 * HOUR)
    assert time.trusted()
    time.stamp()
    told(clock, time, LATER, 0, 0)
    assert not time.trusted()
    told(clock, time, LATER + timedelta(seconds=2), 0)
    assert time.stamp()[0] == to_ms(LATER) + 3000
    assert (time.off_ms(), time.is_off()) == (None, False)


def test_a_clock_that_was_wrong_before_the_start_is_told_though_it_was_never_believed() -> None:
    clock = TestClock(wall=LATER - 3 * HOUR, sure=False)
    time = Timekeeper(clock, newest=LATER)
    assert not time.trusted()
    time.tell(LATER)
    assert time.trusted()
    assert (time.off_ms(), time.is_off()) == (-3 * 3_600_000, True)


def test_an_answer_that_was_long_on_its_way_says_nothing_of_the_time() -> None:
    clock, time = running()
    time.tell(clock.wall - timedelta(minutes=7), waited_s=400)
    assert time.trusted()
    assert time.off_ms() is None
    time.tell(clock.wall - timedelta(minutes=7), waited_s=4)
    assert not time.trusted()


def test_a_collector_that_stands_before_the_release_tells_no_time() -> None:
    clock, time = running()
    told(clock, time, RELEASED - HOUR, 0, 0, 0)
    assert time.trusted()
    assert time.off_ms() is None


def test_time_told_by_acks_follows_them_where_the_monotonic_clock_drifts() -> None:
    clock = TestClock(wall=datetime(1970, 1, 1, tzinfo=UTC), sure=False)
    time = Timekeeper(clock)
    time.tell(LATER)
    time.stamp()
    clock.advance(timedelta(days=1))
    truth = LATER + timedelta(days=1, seconds=8)
    told(clock, time, truth, 0, 0)
    assert time.stamp()[1] == 0
    told(clock, time, truth + timedelta(seconds=2), 0)
    assert time.stamp() == (to_ms(truth) + 3000, 8000)


@pytest.mark.parametrize("seed", range(20))
def test_while_acks_come_no_stamp_is_further_than_5_min_from_the_truth_and_trust_is_back_soon(
    seed: int,
) -> None:
    """Steps of any size, at any moment, in any number; answers take up to 2 s."""
    rng = random.Random(seed)
    truth = LATER
    clock = TestClock(wall=LATER + timedelta(seconds=rng.uniform(-200, 200)), sure=False)
    time = Timekeeper(clock)
    time.tell(truth)
    answers = 0
    for _ in range(3000):
        seconds = rng.uniform(0.5, 20)
        truth += timedelta(seconds=seconds)
        clock.advance(timedelta(seconds=seconds))
        if rng.random() < 0.02:
            clock.wall = max(
                clock.wall + timedelta(seconds=rng.choice([-1, 1]) * 10 ** rng.uniform(0, 6)), EPOCH
            )
        if rng.random() < 0.6:
            time.tell(truth - timedelta(seconds=rng.uniform(0, 2)), 2.0)
            answers += 1
        if time.trusted():
            answers = 0
            assert abs(time.stamp()[0] - to_ms(truth)) <= 302_000
        assert answers <= 3
