"""Judging registers: properties for any history (I7), and the trial of metrics.md section 5."""

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_model.clock import HOUR_MS, MINUTE_MS, to_ms
from ganpo_model.fits import GRACE_MS, LONG_STANDSTILL_MS
from ganpo_model.quantities import consumption, total_at
from ganpo_model.registers import (
    Declaration,
    Judged,
    Reading,
    Register,
    Step,
    StepKind,
    fold,
    judge,
    standing,
)

STEP = 15 * MINUTE_MS
DAY = 24 * HOUR_MS


@st.composite
def histories(draw: st.DrawFn) -> tuple[Register, list[tuple[int, int]], list[Declaration]]:
    """Any register and any readings of it: holes, resets, wraps, dips, spikes, equal times, declarations."""
    kind = draw(st.sampled_from(["plain", "modulus", "resets"]))
    modulus = draw(st.sampled_from([1000, 65_536])) if kind == "modulus" else None
    register = Register(draw(st.sampled_from([60, 3600, 360_000])), modulus, kind == "resets")
    top = (modulus or 20_000) - 1
    raw, at = draw(st.integers(0, top)), 0
    readings = []
    for _ in range(draw(st.integers(1, 25))):
        at += draw(
            st.sampled_from([0, 1000, MINUTE_MS, 10 * MINUTE_MS, STEP, STEP, HOUR_MS, 30 * HOUR_MS, 9 * DAY])
        )
        move = draw(st.sampled_from(["rise", "rise", "rise", "stand", "any", "zero", "down"]))
        if move == "rise":
            raw += draw(st.integers(0, max(register.max_rate * STEP // HOUR_MS, 1)))
        elif move == "any":
            raw = draw(st.integers(0, top))
        elif move == "zero":
            raw = 0
        elif move == "down":
            raw = max(raw - draw(st.integers(1, 3)), 0)
        raw = raw % modulus if modulus else raw
        readings.append((at, raw))
    times = draw(st.lists(st.integers(0, at + HOUR_MS), max_size=2, unique=True))
    declarations = [
        Declaration(t, draw(st.integers(0, top)), draw(st.integers(0, top)), draw(st.booleans()))
        for t in times
    ]
    return register, readings, declarations


def check_chain(found: Judged, readings: list[tuple[int, int]], declarations: list[Declaration]) -> None:
    """I7: one chain from the first to the last; every reading in it, rejected or set aside."""
    for before, after in zip(found.steps, found.steps[1:], strict=False):
        assert before.end == after.start
    if found.steps:
        assert found.steps[0].start == found.first
        assert found.steps[-1].end == found.last
    chain = {found.first, *(step.end for step in found.steps)} - {None}
    declared = {Reading(d.at, n) for d in declarations for n in (d.final, d.first) if n is not None}
    everything = {Reading(at, raw) for at, raw in readings}
    assert everything <= chain | set(found.rejected) | set(found.set_aside)
    assert chain - everything <= declared
    assert not set(found.rejected) & set(found.set_aside)


def check_amounts(found: Judged, register: Register, declarations: list[Declaration]) -> None:
    declared = {d.at for d in declarations}
    for step in found.steps:
        rise = step.end.raw - step.start.raw
        if step.kind is not StepKind.USED:
            assert step.amount == rise
            continue
        assert step.amount >= 0
        wrapped = rise + register.modulus if register.modulus is not None and rise < 0 else rise
        assert step.amount == (step.end.raw if register.resets and rise < 0 else wrapped)
        if step.end.at not in declared and step.start.at not in declared:
            span = max(step.end.at - step.start.at, LONG_STANDSTILL_MS) + GRACE_MS
            assert step.amount <= register.max_rate * span // HOUR_MS + 1


@settings(max_examples=300)
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_any_copies_give_the_same_chain_that_holds_every_reading(
    history: tuple[Register, list[tuple[int, int]], list[Declaration]], rng: random.Random
) -> None:
    register, readings, declarations = history
    found = judge(register, readings, declarations)
    check_chain(found, readings, declarations)
    check_amounts(found, register, declarations)
    again = readings + rng.choices(readings, k=5)
    rng.shuffle(again)
    assert judge(register, again, declarations[::-1]) == found


@settings(max_examples=150)
@given(histories())
def test_folding_day_by_day_comes_to_judging_the_whole_set(
    history: tuple[Register, list[tuple[int, int]], list[Declaration]],
) -> None:
    register, readings, declarations = history
    whole = judge(register, readings, declarations)
    last = max([at for at, _ in readings] + [d.at for d in declarations])
    state: str | None = None
    steps: list[Step] = []
    for start in range(0, last + 1, DAY):
        today = [(at, raw) for at, raw in readings if start <= at < start + DAY]
        day = fold(register, state, today, declarations, start, start + DAY)
        if day.returned_to is not None:
            steps = [step for step in steps if step.end.at <= day.returned_to]
        steps += day.steps
        state = day.state
    assert steps == whole.steps
    assert state is not None
    assert standing(state).last == whole.last


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.sampled_from([None, 10_000_000]))
def test_a_disturbed_history_without_exchanges_counts_at_most_the_truth_or_shows_that_it_waits(
    seed: int, modulus: int | None
) -> None:
    rng = random.Random(seed)
    rate = 3600
    truth, at = rng.randrange(0, 5_000_000), 0
    readings, begun = [], None
    for _ in range(rng.randrange(5, 60)):
        dt = rng.choice([STEP] * 5 + [HOUR_MS, 20 * HOUR_MS])
        at += dt
        truth += rng.randrange(0, rate * dt // HOUR_MS + 1)
        raw = truth % modulus if modulus else truth
        begun = begun if begun is not None else truth
        readings.append((at, raw))
        if rng.random() < 0.12:
            for _ in range(rng.randrange(1, 5)):
                at += rng.choice([1000, 5 * MINUTE_MS, STEP])
                readings.append((at, rng.choice([0, raw // 2, min(raw + 90_000, (modulus or 2**40) - 1)])))
    for _ in range(3):  # three true readings over ten minutes follow the last disturbance
        at += 6 * MINUTE_MS
        truth += rng.randrange(0, 300)
        readings.append((at, truth % modulus if modulus else truth))
    found = judge(Register(rate, modulus), readings)
    used = sum(step.amount for step in found.steps if step.kind is StepKind.USED)
    waits = bool(found.set_aside) or any(step.kind is StepKind.OPEN for step in found.steps)
    assert used <= truth - (begun or 0) or waits


def test_a_of_t_is_interpolated_inside_used_steps_and_flat_elsewhere() -> None:
    register = Register(3600)
    found = judge(
        register, [(0, 1000), (HOUR_MS, 2000), (HOUR_MS + 60_000, 12), (2 * HOUR_MS, 500), (3 * HOUR_MS, 900)]
    )
    total = 1000 + 1000 + 488 + 400
    assert [step.kind for step in found.steps] == ["used", "open", "used", "used"]

    def at(instant: int) -> int | None:
        return total_at(found.steps, instant, found.first, total)

    assert at(-1) is None
    assert at(0) == 1000
    assert at(HOUR_MS // 3) == 1333
    assert at(HOUR_MS) == at(HOUR_MS + 30_000) == at(HOUR_MS + 60_000) == 2000
    assert at(3 * HOUR_MS) == at(9 * HOUR_MS) == total
    whole = consumption(found.steps, found.first, total, 0, 3 * HOUR_MS, 1, 100)
    assert whole.millionths == 18_880_000
    assert [step.amount for step in whole.open] == [12 - 2000]
    parts = [
        consumption(found.steps, found.first, total, n * HOUR_MS, (n + 1) * HOUR_MS, 1, 100) for n in range(3)
    ]
    assert sum(part.millionths or 0 for part in parts) == 18_880_000


def test_a_border_inside_a_hole_spreads_and_says_how_much() -> None:
    found = judge(Register(3600), [(0, 0), (10 * HOUR_MS, 1000), (10 * HOUR_MS + STEP, 1010)])
    middle = consumption(found.steps, found.first, 1010, 4 * HOUR_MS, 6 * HOUR_MS, 1, 1)
    assert (middle.millionths, middle.spread_ms) == (200_000_000, 2 * HOUR_MS)
    tail = consumption(found.steps, found.first, 1010, 9 * HOUR_MS, 10 * HOUR_MS + STEP, 1, 1)
    assert (tail.millionths, tail.spread_ms) == (110_000_000, HOUR_MS)
    assert consumption(found.steps, found.first, 1010, 0, 10 * HOUR_MS, 1, 1).spread_ms == 0


def test_before_the_first_reading_there_is_no_value() -> None:
    found = judge(Register(3600), [(HOUR_MS, 100), (2 * HOUR_MS, 200)])
    assert consumption(found.steps, found.first, 200, 0, HOUR_MS // 2, 1, 1).millionths is None
    assert consumption(found.steps, found.first, 200, 0, 2 * HOUR_MS, 1, 1).millionths == 100_000_000
    assert judge(Register(1), []).first is None


@pytest.mark.parametrize("disturbance", ["none", "thrown away", "zeros", "garbage", "repeated"])
def test_the_trial_on_the_steel_works_recording(shared: Path, disturbance: str) -> None:
    import csv

    start = to_ms(datetime.fromisoformat("2018-01-01T00:00:00+08:00"))
    stands, readings = 90_000_000, [(start, 90_000_000)]
    with (shared / "data" / "steel_energy_15min.csv").open(encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            stands += round(float(row["Usage_kWh"]) * 100)
            readings.append((start + number * STEP, stands % 100_000_000))
    rng = random.Random(disturbance)
    disturbed: list[tuple[int, int]] = list(readings)
    if disturbance == "thrown away":
        disturbed = [readings[0], *rng.sample(readings[1:-1], int(len(readings) * 0.4)), readings[-1]]
    elif disturbance == "zeros":
        at = readings[4000][0]
        disturbed = [r for r in readings if not at <= r[0] < at + 40 * MINUTE_MS]
        disturbed += [(at + n * 5 * MINUTE_MS, 0) for n in range(8)]
    elif disturbance == "garbage":
        disturbed += [
            (readings[n][0] + 14 * MINUTE_MS, rng.randrange(0, 100_000_000)) for n in range(500, 15_000, 700)
        ]
    elif disturbance == "repeated":
        at, value = readings[9000]
        disturbed = [r for r in readings if not at < r[0] < at + 5 * HOUR_MS]
        disturbed += [(at + n * STEP, value) for n in range(1, 20)]
    about: dict[str, Any] = {"max_rate": 80_000, "modulus": 100_000_000}
    found = judge(Register(**about), disturbed)
    used = sum(step.amount for step in found.steps if step.kind is StepKind.USED)
    assert used == 52_119_976, "521,199.76 kWh"
    assert not [step for step in found.steps if step.kind is StepKind.OPEN]
