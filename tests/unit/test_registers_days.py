"""Judging by stored days: late and out of order, it comes to judging the whole set (I5, I7)."""

import sys
from collections.abc import Callable, Iterable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.clock import DAY_MS, HOUR_MS
from ganpo_model.quantities import total_at
from ganpo_model.registers import Day, Declaration, Reading, Register, Step, chain, fold, judge, standing
from support.histories import QUARTER, History, histories


class DayStates:
    """What a collector does: stored days, judged again where readings arrive and as far as states change."""

    def __init__(self, register: Register, declarations: Sequence[Declaration]) -> None:
        self.register, self.declarations = register, declarations
        self.readings: set[Reading] = set()
        self.days: dict[int, Day] = {}
        self.dirty = {declaration.at // DAY_MS for declaration in declarations}
        self.folded = 0

    def add(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            self.readings.add(reading)
            self.dirty.add(reading.at // DAY_MS)

    def settle(self) -> None:
        while self.dirty:
            day = min(self.dirty)
            self.dirty.remove(day)
            before = max((known for known in self.days if known < day), default=None)
            found = fold(
                self.register,
                None if before is None else self.days[before].state,
                [reading for reading in self.readings if reading.at // DAY_MS == day],
                self.declarations,
                day * DAY_MS,
                (day + 1) * DAY_MS,
            )
            self.folded += 1
            later = [known for known in self.days if known > day]
            if later and (day not in self.days or self.days[day].state != found.state):
                self.dirty.add(min(later))
            self.days[day] = found

    def steps(self, start: int, end: int) -> list[Step]:
        """The steps around a period, from as few stored days as may be."""
        chosen = []
        for _, stored in sorted(item for item in self.days.items() if item[0] >= start // DAY_MS):
            chosen.append((stored.dropped, stored.steps))
            if stored.settled is not None and stored.settled > end:
                break
        return chain(chosen)


@given(histories(), st.randoms(use_true_random=False))
def test_readings_fed_late_and_out_of_order_through_the_stored_days_equal_judging_the_whole_set(
    history: History, rng: Random
) -> None:
    whole = judge(history.register, history.readings, history.declarations)
    store = DayStates(history.register, history.declarations)
    waiting = list(history.readings)
    rng.shuffle(waiting)
    while waiting:
        store.add(waiting.pop() for _ in range(min(rng.randrange(1, 9), len(waiting))))
        if rng.random() < 0.6:
            store.settle()
    store.settle()
    days = [store.days[day] for day in sorted(store.days)]
    assert chain((day.dropped, day.steps) for day in days) == whole.steps
    now = standing(days[-1].state)
    assert (now.first, now.last) == (whole.first, whole.last)
    assert now.doubted_since == whole.doubted_since
    first_day, last_day = min(store.days), max(store.days)
    for border in range(first_day * DAY_MS, (last_day + 2) * DAY_MS, 8 * HOUR_MS):
        expected = total_at(whole.steps, border, whole.first, now.total)
        assert total_at(store.steps(border, border), border, now.first, now.total) == expected


def test_an_ordinary_reading_that_comes_late_costs_one_day() -> None:
    readings = [Reading(n * QUARTER, 100 * n) for n in range(30 * 96)]
    store = DayStates(Register(3600), ())
    store.add(reading for n, reading in enumerate(readings) if n != 500)
    store.settle()
    store.folded = 0
    store.add([readings[500]])
    store.settle()
    assert store.folded == 1
    assert len(store.days[20].state) < 500, "a state is small, however much was read"


def test_a_return_over_midnight_is_taken_back_when_a_late_reading_shows_it_was_none() -> None:
    evening, night = DAY_MS - QUARTER, DAY_MS + 1000
    read = [(evening - QUARTER, 5000), (evening, 5800), (night, 5100), (night + 2 * QUARTER, 5200)]
    store = DayStates(Register(3600), ())
    store.add(Reading(at, raw) for at, raw in read)
    store.settle()
    assert [step.end.raw for step in store.steps(0, 2 * DAY_MS)] == [5100, 5200]
    store.add([Reading(night + QUARTER, 5805)])
    store.settle()
    assert [step.end.raw for step in store.steps(0, 2 * DAY_MS)] == [5800, 5805]


def test_what_lies_before_a_declared_beginning_is_rejected_also_by_the_days_before() -> None:
    hours = [Reading(n * HOUR_MS, 100 * n) for n in range(40)]
    said = [Declaration(30 * HOUR_MS, None, 3000)]
    whole = judge(Register(3600), hours, said)
    assert whole.first == Reading(30 * HOUR_MS, 3000)
    assert len(whole.rejected) == 30
    store = DayStates(Register(3600), said)
    store.add(hours)
    store.settle()
    assert store.steps(0, 2 * DAY_MS) == whole.steps


def test_a_chain_that_is_set_aside_over_midnight_remembers_its_last_rise() -> None:
    midnight = DAY_MS
    read = [(0, 50_000), (midnight - 60_000, 10), (midnight - 30_000, 30), (midnight - 1000, 30)]
    read += [(midnight + 10_000, 65), (midnight + QUARTER, 70)]
    whole = judge(Register(3600), read)
    assert whole.steps[-1].end.raw == 70
    assert whole.rejected == [], "65 fits 30 because it stood still since it rose to it"
    store = DayStates(Register(3600), ())
    store.add(Reading(at, raw) for at, raw in read)
    store.settle()
    assert store.steps(0, 2 * DAY_MS) == whole.steps


BURSTS: dict[str, tuple[Register, Callable[[int], tuple[int, int]]]] = {
    "a reading a millisecond": (Register(3600), lambda n: (n, n)),
    "a counter set back every 6 s": (Register(36_000, resets=True), lambda n: (2000 * n, n % 3)),
    "a register that stands and leaps": (Register(60), lambda n: (60_000 * n, n // 30 * 30)),
    "readings that nobody believes": (Register(3600), lambda n: (n, 10**9 * (n > 0) + n // 4000)),
}


@pytest.mark.parametrize("burst", BURSTS)
def test_a_days_state_has_a_bound_and_judging_takes_steps_in_proportion(burst: str) -> None:
    """Calls are counted, for a clock tells of the machine too; seconds are told by `bench judge`."""
    register, read = BURSTS[burst]
    took = []
    for size in (1000, 10_000):
        readings = [read(n) for n in range(size)]
        calls = 0

        def count(_frame: object, _event: str, _of: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            found = fold(register, None, readings, (), 0, 10**10)
        finally:
            sys.setprofile(None)
        took.append(calls)
    assert len(found.state) <= 50_000
    assert took[1] <= 15 * took[0], "quadratic is 100 times"


@pytest.mark.parametrize("burst", BURSTS)
def test_a_burst_over_midnight_comes_to_judging_the_whole(burst: str) -> None:
    register, read = BURSTS[burst]
    readings = [Reading(9 * DAY_MS + read(n)[0] - read(1500)[0], read(n)[1]) for n in range(3000)]
    whole = judge(register, readings)
    store = DayStates(register, ())
    store.add(readings)
    store.settle()
    assert store.steps(0, 99 * DAY_MS) == whole.steps
    returned = [*readings, *(Reading(readings[-1].at + n * QUARTER, readings[2990].raw) for n in (1, 2, 3))]
    store.add(returned)
    store.settle()
    assert store.steps(0, 99 * DAY_MS) == judge(register, returned).steps
