"""Judging registers, over histories with holes, resets, wraps, dips, spikes, repeated values and declarations (I7)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_model.clock import DAY_MS, HOUR_MS, MINUTE_MS
from ganpo_model.quantities import total_at
from ganpo_model.registers import (
    Day,
    Declaration,
    Judged,
    Reading,
    Register,
    Step,
    StepKind,
    chain,
    fold,
    judge,
    standing,
)
from support.naive_judge import naive_judge

QUARTER = 15 * MINUTE_MS
HOLES = st.sampled_from(
    [QUARTER] * 5 + [0, 1000, 200_000, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 30 * HOUR_MS, 9 * DAY_MS]
)


@dataclass(frozen=True)
class History:
    """A register's life as it was read, and what a person declared of it."""

    register: Register
    readings: list[Reading]
    declarations: list[Declaration]


REGISTERS = st.builds(
    lambda rate, modulus, resets: Register(rate, None if resets else modulus, resets),
    st.sampled_from([60, 3600, 360_000]),
    st.sampled_from([None, None, 1000, 65_536]),
    st.booleans(),
)
# what happens, after how long, how much of the limit it takes, and a value of garbage
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["read"] * 9 + ["stand", "leap", "fall", "garbage", "repeat", "reset", "declare"]),
        HOLES,
        st.integers(0, 100),
        st.sampled_from([0, 1, 2, 30, 900, 5000, 10**6]),
    ),
    min_size=1,
    max_size=40,
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Everything that may happen, in any mixture, whether or not it makes sense."""
    register = draw(REGISTERS)
    turn = register.modulus or 10**15
    at, raw = draw(st.integers(0, DAY_MS)), draw(st.integers(0, 2000)) % turn
    readings, declarations = [Reading(at, raw)], {}
    for what, dt, share, garbage in draw(EVENTS):
        at += dt
        limit = register.max_rate * dt // HOUR_MS + 1
        raw = (raw + limit * share // 100) % turn
        if what == "stand":
            readings += [Reading(at + n * QUARTER, raw) for n in range(1 + share % 9)]
            at = readings[-1].at
        elif what == "leap":
            raw = (raw + 3 * limit + garbage) % turn
        elif what == "fall":
            raw = max(raw - garbage, 0)
        elif what == "reset":
            raw = share % 8
        elif what == "declare":
            final, first = (raw + garbage % 7) % turn, share % 50
            declarations[at] = Declaration(at, final, first, confirmed=bool(garbage % 2))
            raw = first
        if what in {"garbage", "repeat"}:
            value = abs(raw + garbage * (1 if share % 2 else -1)) % turn if share % 3 else 0
            count = 1 if what == "garbage" else 2 + share % 4
            readings += [Reading(at + n * 5 * MINUTE_MS, value) for n in range(count)]
            at = readings[-1].at
        elif what != "declare" or share % 2:
            readings.append(Reading(at, raw))
    said = sorted(declarations.values())
    if said and draw(st.integers(0, 4)) == 0:
        said[-1] = said[-1]._replace(first=None)
    return History(register, readings, said)


def rows(judged: Judged) -> list[tuple[str, Reading, Reading, int]]:
    return [(step.kind, step.start, step.end, step.amount) for step in judged.steps]


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_any_copies_of_the_readings_give_the_same(history: History, rng: Random) -> None:
    again = history.readings + rng.choices(history.readings, k=len(history.readings))
    said = list(history.declarations)
    rng.shuffle(again)
    rng.shuffle(said)
    assert judge(history.register, again, said) == judge(
        history.register, history.readings, history.declarations
    )


@given(histories())
def test_the_steps_form_one_chain_and_every_reading_is_in_it_rejected_or_set_aside(history: History) -> None:
    judged = judge(history.register, history.readings, history.declarations)
    nodes = [judged.first, *(step.end for step in judged.steps)] if judged.first else []
    assert [step.start for step in judged.steps] == nodes[:-1]
    assert judged.last == (nodes[-1] if nodes else None)
    breaks = [step for step in judged.steps if step.kind is StepKind.BREAK]
    stated = [node for step in breaks for node in (step.start, step.end)]
    if history.declarations and history.declarations[-1].first is None:
        stated.append(nodes[-1])
    where = Counter(nodes) - Counter(stated) + Counter(judged.rejected) + Counter(judged.set_aside)
    assert where == Counter(set(history.readings))


@given(histories())
def test_no_step_uses_more_than_the_limit_and_only_used_counts(history: History) -> None:
    register, judged = history.register, judge(history.register, history.readings, history.declarations)
    stated = {(d.at, raw) for d in history.declarations for raw in (d.final, d.first)}
    rise, total = None, judged.first.raw if judged.first else 0
    for step in judged.steps:
        dt = step.end.at - step.start.at
        assert step.total == total
        difference = step.end.raw - step.start.raw
        if step.kind is not StepKind.USED:
            assert step.amount == difference
            rise = None
            continue
        allowed = {difference} if difference >= 0 else set()
        if register.modulus is not None:
            allowed.add(difference % register.modulus)
        if register.resets and difference < 0:
            allowed, rise = {step.end.raw}, None
        assert step.amount in allowed
        if step.start not in stated and step.end not in stated:
            stood = min(step.end.at - rise, 7 * DAY_MS) if rise is not None else 0
            assert step.amount <= register.max_rate * max(dt, stood) // HOUR_MS + 1
        total += step.amount
        rise = step.end.at if step.amount else rise


@given(histories())
def test_a_second_implementation_that_forgets_nothing_judges_the_same(history: History) -> None:
    judged = judge(history.register, history.readings, history.declarations)
    steps, rejected, aside = naive_judge(history.register, history.readings, history.declarations)
    assert rows(judged) == steps
    assert judged.rejected == rejected
    assert judged.set_aside == aside


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
    assert now.aside_since == (whole.set_aside[0].at if whole.set_aside else None)
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


def test_a_register_that_ends_and_begins_again_keeps_both_lives() -> None:
    hours = [Reading(n * HOUR_MS, 100 * n) for n in range(10)]
    said = [Declaration(3 * HOUR_MS, 300, None), Declaration(6 * HOUR_MS, None, 600)]
    judged = judge(Register(3600), hours, said)
    assert [r.raw for r in judged.rejected] == [300, 400, 500]
    assert [(s.kind, s.amount) for s in judged.steps if s.amount] == (
        [(StepKind.USED, 100)] * 3 + [(StepKind.BREAK, 300)] + [(StepKind.USED, 100)] * 3
    )


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


DISTURBANCES = ["zeros", "spikes", "cached", "back"]


@st.composite
def disturbed(draw: st.DrawFn) -> tuple[Register, list[Reading], int]:
    """A true life with holes and disturbances, three true readings at its end; and what was truly used."""
    rate = draw(st.sampled_from([60, 3600, 360_000]))
    events = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["true"] * 6 + DISTURBANCES),
                HOLES.filter(lambda dt: dt > 0),
                st.integers(0, 100),
                st.integers(1, 8),
            ),
            min_size=1,
            max_size=40,
        )
    )
    longest = max(dt for _, dt, _, _ in events)
    turns = draw(st.booleans())
    modulus = 2 * rate * max(longest, HOUR_MS) // HOUR_MS + draw(st.integers(3, 10_000)) if turns else None
    at, truth = 0, draw(st.integers(0, 10**6)) % (modulus or 10**9)
    begin = truth
    readings = [Reading(at, truth)]
    for what, dt, share, count in [*events, *[("true", QUARTER, 50, 1)] * 3]:
        held = readings[-1].raw
        for _ in range(1 if what == "true" else count):
            at += dt if what == "true" else min(dt, QUARTER)
            truth += rate * (dt if what == "true" else min(dt, QUARTER)) // HOUR_MS * share // 100
            value = {"zeros": 0, "spikes": truth + 1 + share * rate // 50, "cached": held}.get(what, truth)
            value = max(value - 1 - share % 2, 0) if what == "back" else value
            readings.append(Reading(at, value % modulus if modulus else value))
    return Register(rate, modulus), readings, truth - begin


@given(disturbed())
@settings(max_examples=300)
def test_disturbances_count_at_most_the_truth_or_something_open_shows_it(
    life: tuple[Register, list[Reading], int],
) -> None:
    register, readings, truth = life
    judged = judge(register, readings)
    used = sum(step.amount for step in judged.steps if step.kind is StepKind.USED)
    shown = judged.set_aside or any(step.kind is StepKind.OPEN for step in judged.steps)
    assert used <= truth or shown


@given(st.lists(st.tuples(HOLES, st.integers(0, 100), st.booleans()), min_size=1, max_size=40))
def test_a_part_counter_that_truly_resets_counts_at_most_the_truth(
    events: list[tuple[int, int, bool]],
) -> None:
    at, raw, truth, readings = 0, 40, 0, [Reading(0, 40)]
    for dt, share, reset in events:
        at += dt + 1
        made = 3600 * dt // HOUR_MS * share // 100
        truth += made
        raw = made // 2 if reset else raw + made
        readings.append(Reading(at, raw))
    judged = judge(Register(3600, resets=True), readings)
    assert sum(step.amount for step in judged.steps if step.kind is StepKind.USED) <= truth
