"""Judging registers, over histories with holes, resets, wraps, dips, spikes, repeated values and declarations (I7)."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_model.clock import DAY_MS, HOUR_MS, MINUTE_MS
from ganpo_model.quantities import consumption
from ganpo_model.registers import Declaration, Judged, Reading, Register, StepKind, judge
from support import campaign
from support.histories import QUARTER, History, histories
from support.naive_judge import Verdict, naive_judge


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
    if history.declarations and history.declarations[0].final is None:
        stated.append(nodes[0])
    where = Counter(nodes) - Counter(stated) + Counter(judged.rejected) + Counter(judged.set_aside)
    assert where == Counter(set(history.readings))


@given(histories())
def test_no_step_uses_more_than_the_limit_and_only_used_counts(history: History) -> None:
    register, judged = history.register, judge(history.register, history.readings, history.declarations)
    stated = {(d.at, raw) for d in history.declarations for raw in (d.final, d.first)}
    rise = judged.first.at if judged.first else None
    total = judged.first.raw if judged.first else 0
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
        reset = register.resets and difference < 0
        if reset:
            allowed, rise = {step.end.raw}, None
        assert step.amount in allowed
        assert step.amount >= 0
        if step.start not in stated and step.end not in stated:
            stood = min(step.end.at - rise, 7 * DAY_MS) if rise is not None else 0
            longest = max(dt, stood, register.update_ms or 0)
            assert step.amount <= register.max_rate * longest // HOUR_MS + 1
        total += step.amount
        rise = step.end.at if step.amount and not reset else rise


@pytest.mark.campaign
@pytest.mark.timeout(campaign.rounds(120, 3 * 3600))
@given(histories())
@settings(max_examples=campaign.rounds(600, 78_000))
def test_a_second_implementation_that_forgets_nothing_judges_the_same(history: History) -> None:
    judged = judge(history.register, history.readings, history.declarations)
    assert naive_judge(history.register, history.readings, history.declarations) == Verdict(
        rows(judged), judged.rejected, judged.set_aside, judged.doubted_since
    )


@given(histories(), st.none() | st.integers(0, 3600))
@settings(max_examples=300)
def test_everything_used_is_in_the_period_from_the_first_reading_to_the_last(
    history: History, before: int | None
) -> None:
    """Also where a person said that it began lower at the instant of its first reading."""
    said = list(history.declarations)
    if before is not None:
        at, raw = min(history.readings)
        said = [Declaration(at, None, max(raw - before, 0)), *(d for d in said if d.at > at)]
    judged = judge(history.register, history.readings, said)
    if judged.first is None or judged.last is None:
        return
    used = sum(step.amount for step in judged.steps if step.kind is StepKind.USED)
    last = max(judged.last.at, judged.first.at + 1)
    found = consumption(judged.steps, judged.first, judged.first.raw, judged.first.at, last, 1, 1)
    assert found.millionths == used * 1_000_000


def test_a_register_that_ends_and_begins_again_keeps_both_lives() -> None:
    hours = [Reading(n * HOUR_MS, 100 * n) for n in range(10)]
    said = [Declaration(3 * HOUR_MS, 300, None), Declaration(6 * HOUR_MS, None, 600)]
    judged = judge(Register(3600), hours, said)
    assert [r.raw for r in judged.rejected] == [300, 400, 500]
    assert [(s.kind, s.amount) for s in judged.steps if s.amount] == (
        [(StepKind.USED, 100)] * 3 + [(StepKind.BREAK, 300)] + [(StepKind.USED, 100)] * 3
    )


def test_a_return_looks_at_every_reading_after_the_step_and_not_only_at_the_last() -> None:
    read = [(0, 5000), (QUARTER, 0), (2 * QUARTER, 0), (3 * QUARTER, 0), (5 * HOUR_MS, 5050)]
    read += [(5 * HOUR_MS + 10_000 + n * QUARTER, 12_000 + n) for n in range(3)]
    judged = judge(Register(3600), read)
    assert (judged.steps[0].start.raw, judged.steps[0].end.raw) == (5000, 12_000)
    assert [reading.raw for reading in judged.rejected] == [0, 0, 0, 5050]


def test_a_return_to_a_declared_value_has_the_hour_that_a_persons_watch_may_be_wrong() -> None:
    read = [(0, 80_000), (QUARTER + 10_000, 2000), (2 * QUARTER, 1000), (3 * QUARTER, 1100)]
    judged = judge(Register(3600), read, [Declaration(QUARTER, 80_100, 0)])
    assert [step.amount for step in judged.steps] == [100, -80_100, 1000, 100]
    assert judged.rejected == [Reading(QUARTER + 10_000, 2000)]


@pytest.mark.parametrize(
    ("minute", "kinds"), [(4, ["used"] * 3), (3, ["used", "used", "open", "used", "used"])]
)
def test_a_group_returns_behind_an_ordinary_step_that_ended_at_most_ten_minutes_before_it(
    minute: int, kinds: list[str]
) -> None:
    read = [(0, 1000), (minute * MINUTE_MS, 10_000), (6 * MINUTE_MS, 12_000)]
    read += [(14 * MINUTE_MS + n * 5 * MINUTE_MS, 5000 + n) for n in range(3)]
    assert [step.kind for step in judge(Register(360_000), read).steps] == kinds
