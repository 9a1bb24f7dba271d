"""Painting: idempotent, order-free, exactly as long as the day (I8)."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.clock import HOUR_MS
from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State

STATES = list(State)


@st.composite
def slots(draw: st.DrawFn) -> list[Slot]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        start = draw(st.integers(-20, 100))
        length = draw(st.integers(1, 60))
        offsets = sorted({0, *draw(st.lists(st.integers(1, max(length - 1, 1)), max_size=4))})
        runs = tuple((offset, draw(st.sampled_from(STATES))) for offset in offsets if offset < length)
        found.append(Slot((draw(st.integers(0, 3)), number), start, start + length, runs))
    return found


def by_hand(found: list[Slot], start: int, end: int) -> list[State]:
    """The state of every single millisecond."""
    cells = [State.UNKNOWN] * (end - start)
    for slot in sorted(found, key=lambda slot: slot.order):
        ends = [offset for offset, _ in slot.runs[1:]] + [slot.end - slot.start]
        for (offset, state), until in zip(slot.runs, ends, strict=True):
            for at in range(slot.start + offset, slot.start + until):
                if start <= at < end and state is not State.UNKNOWN:
                    cells[at - start] = state
    return cells


@given(slots(), st.randoms(use_true_random=False))
def test_later_paint_covers_earlier_and_unknown_never_covers_known(
    found: list[Slot], rng: random.Random
) -> None:
    spans = paint(found, 0, 90)
    assert [span.state for span in spans for _ in range(span.start, span.end)] == by_hand(found, 0, 90)
    assert all(a.end == b.start and a.state is not b.state for a, b in pairwise(spans))
    again = found + rng.choices(found, k=3) if found else []
    rng.shuffle(again)
    assert paint(again, 0, 90) == spans


@given(slots(), st.sampled_from([23, 23.5, 24, 25, 0]))
def test_a_painted_day_is_exactly_as_long_as_the_day(found: list[Slot], hours: float) -> None:
    length = round(hours * HOUR_MS)
    scaled = [
        Slot(s.order, s.start * 900_000, s.end * 900_000, tuple((o * 900_000, x) for o, x in s.runs))
        for s in found
    ]
    spans = paint(scaled, 0, length)
    assert sum(span.end - span.start for span in spans) == length
    assert (spans[0].start, spans[-1].end) == (0, length) if length else spans == []


def test_what_nobody_painted_is_unknown() -> None:
    assert paint([], 0, 10) == [Span(0, 10, State.UNKNOWN)]
