"""What a register counts is at most the truth, or something that waits for a person shows it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_model.clock import HOUR_MS
from ganpo_model.registers import Reading, Register, StepKind, judge
from support.histories import HOLES, QUARTER

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
