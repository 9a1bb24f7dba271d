"""A painted day: exactly as long as the date, whatever comes twice, late or overlapping (I8)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.clock import HOUR_MS, to_ms
from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State

END = 120
"""A small axis, so that slots often overlap; the reference below paints it one ms after the other."""


def slots_of(drawn: list[tuple[int, int, list[tuple[int, State]]]]) -> list[Slot]:
    """Slots in the order of their painting, each with a first run at its start."""
    found = []
    for number, (start, length, runs) in enumerate(drawn):
        told = {0: State.IDLE} | dict(runs)
        found.append(Slot(("s", number, 0, 0), start, start + length, tuple(sorted(told.items()))))
    return found


RUNS = st.lists(st.tuples(st.integers(0, 70), st.sampled_from(State)), max_size=4)
APART = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60), RUNS), max_size=8)
"""Slots one after the other, each so long after the one before."""


def one_after_the_other(drawn: list[tuple[int, int, list[tuple[int, State]]]]) -> list[Slot]:
    reached, found = -40, []
    for gap, length, runs in drawn:
        found.append((reached + gap, length, [run for run in runs if run[0] < length]))
        reached += gap + length
    return slots_of(found)


SLOTS = st.one_of(
    st.lists(st.tuples(st.integers(-40, END + 20), st.integers(0, 60), RUNS), max_size=8).map(slots_of),
    APART.map(one_after_the_other),
)


def painted_ms_by_ms(slots: Iterable[Slot], start: int, end: int) -> list[State]:
    cells = [State.UNKNOWN] * (end - start)
    for slot in sorted(slots, key=lambda slot: slot.order):
        for at in range(max(slot.start, start), min(slot.end, end)):
            state = [state for offset, state in slot.runs if slot.start + offset <= at][-1]
            if state is not State.UNKNOWN:
                cells[at - start] = state
    return cells


@given(SLOTS, st.integers(0, END), st.integers(0, END))
def test_a_painted_day_is_what_painting_one_millisecond_after_the_other_gives_in_spans_that_differ(
    found: list[Slot], start: int, length: int
) -> None:
    spans = paint(found, start, start + length)
    cells = [span.state for span in spans for _ in range(span.start, span.end)]
    assert cells == painted_ms_by_ms(found, start, start + length)
    assert all(span.start < span.end for span in spans)
    assert [span.start for span in spans[:1]] == [start] * (length > 0)
    for left, right in pairwise(spans):
        assert left.end == right.start
        assert left.state is not right.state


@given(SLOTS, st.randoms(use_true_random=False))
def test_any_order_and_any_copies_of_the_slots_paint_the_same(found: list[Slot], rng: Random) -> None:
    again = found + [rng.choice(found) for _ in found]
    rng.shuffle(again)
    assert paint(again, 0, END) == paint(found, 0, END)


@given(SLOTS)
def test_painting_what_was_painted_changes_nothing(found: list[Slot]) -> None:
    once = paint(found, 0, END)
    as_slot = Slot(("z",), 0, END, tuple((span.start, span.state) for span in once))
    assert paint([as_slot], 0, END) == paint([*found, as_slot], 0, END) == once


@given(SLOTS)
def test_more_paint_makes_nothing_unknown_that_was_known(found: list[Slot]) -> None:
    before = painted_ms_by_ms(found[:-1], 0, END)
    after = painted_ms_by_ms(paint_as_slots(found), 0, END)
    known = [place for place, state in enumerate(before) if state is not State.UNKNOWN]
    assert all(after[place] is not State.UNKNOWN for place in known)


def paint_as_slots(found: list[Slot]) -> list[Slot]:
    return [Slot((0,), span.start, span.end, ((0, span.state),)) for span in paint(found, 0, END)]


def test_later_paint_covers_earlier_and_unknown_covers_nothing() -> None:
    early = Slot(("s", 1), 0, 100, ((0, State.PRODUCING), (60, State.UNKNOWN)))
    late = Slot(("s", 2), 40, 120, ((0, State.UNKNOWN), (10, State.IDLE), (50, State.UNKNOWN)))
    assert paint([late, early], 0, 120) == [
        Span(0, 50, State.PRODUCING),
        Span(50, 90, State.IDLE),
        Span(90, 120, State.UNKNOWN),
    ]


def local_day(year: int, month: int, day: int, zone: str) -> tuple[int, int]:
    midnight = datetime(year, month, day, tzinfo=ZoneInfo(zone))
    return to_ms(midnight), to_ms(midnight + timedelta(days=1))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (local_day(2026, 3, 29, "Europe/Berlin"), 23),
        (local_day(2026, 10, 4, "Australia/Lord_Howe"), 23.5),
        (local_day(2026, 7, 1, "Asia/Shanghai"), 24),
        (local_day(2026, 10, 25, "Europe/Berlin"), 25),
        (local_day(2011, 12, 30, "Pacific/Apia"), 0),
    ],
)
def test_the_states_of_a_day_add_up_to_its_length_also_where_clocks_change(
    day: tuple[int, int], hours: float
) -> None:
    start, end = day
    assert end - start == hours * HOUR_MS
    rng = Random(8)
    found = []
    for number in range(200):
        at = rng.randrange(start - 2 * HOUR_MS, end + 2 * HOUR_MS)
        runs = tuple((offset, rng.choice(list(State))) for offset in (0, 1, 60_000, 600_000))
        found.append(Slot(("s", number), at, at + rng.randrange(1, 2 * HOUR_MS), runs))
    for part in (found, found[:3], []):
        assert sum(span.end - span.start for span in paint(part, start, end)) == end - start


def test_a_day_without_length_has_no_spans() -> None:
    assert paint([Slot(("s",), -5, 5, ((0, State.IDLE),))], 0, 0) == []
