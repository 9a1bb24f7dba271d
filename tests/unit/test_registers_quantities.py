"""What a register adds up to at an instant and over a period: exact, interpolated in holes, flat where open."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.clock import DAY_MS, HOUR_MS, MINUTE_MS
from ganpo_model.quantities import Quantity, consumption, total_at
from ganpo_model.registers import Declaration, Judged, Register, StepKind, judge

QUARTER = 15 * MINUTE_MS
RATE = Register(3600)


def total(judged: Judged, instant: int) -> int | None:
    return total_at(judged.steps, instant, judged.first, judged.first.raw if judged.first else 0)


def over(judged: Judged, start: int, end: int, num: int = 1, den: int = 1) -> Quantity:
    assert judged.first is not None
    return consumption(judged.steps, judged.first, judged.first.raw, start, end, num, den)


def test_a_register_begins_at_its_first_reading_rises_between_and_stays_after_the_last() -> None:
    judged = judge(RATE, [(1000, 500), (4000, 502)])
    assert [total(judged, at) for at in (0, 999, 1000, 2499, 2500, 3999, 4000, 9000)] == [
        None, None, 500, 500, 501, 501, 502, 502,
    ]  # fmt: skip


def test_one_reading_alone_is_a_value_and_no_reading_is_none() -> None:
    judged = judge(RATE, [(1000, 500)])
    assert total(judged, 999) is None
    assert total(judged, 1000) == total(judged, DAY_MS) == 500
    assert over(judged, 0, DAY_MS).millionths == 0
    assert consumption([], None, 0, 0, DAY_MS, 1, 1) == Quantity(None, 0, (), ())


def test_a_period_before_the_first_reading_has_no_quantity_and_one_around_it_counts_from_there() -> None:
    judged = judge(RATE, [(DAY_MS, 500), (DAY_MS + QUARTER, 700)])
    assert over(judged, 0, DAY_MS - 1).millionths is None
    assert over(judged, 0, 2 * DAY_MS).millionths == 200_000_000


def test_an_open_step_is_flat_and_listed_where_it_ends() -> None:
    judged = judge(
        RATE, [(0, 80_000), (QUARTER, 80_500)] + [((n + 2) * QUARTER, 12 + 300 * n) for n in range(4)]
    )
    assert total(judged, QUARTER) == total(judged, 2 * QUARTER) == 80_500
    found = over(judged, 0, HOUR_MS)
    assert found.millionths == (500 + 600) * 1_000_000
    assert [step.amount for step in found.open] == [12 - 80_500]
    assert over(judged, 2 * QUARTER, HOUR_MS).open == (), "it ended as the period began"


def test_a_break_counts_nothing_and_readings_at_its_instant_follow_it() -> None:
    said = [Declaration(QUARTER, 80_500, 0)]
    judged = judge(RATE, [(0, 80_000), (QUARTER, 7), (2 * QUARTER, 107)], said)
    assert total(judged, QUARTER) == 80_507
    found = over(judged, 0, HOUR_MS)
    assert found.millionths == 607 * 1_000_000
    assert [step.kind for step in found.breaks] == [StepKind.BREAK]


def test_what_lies_between_a_declared_beginning_and_a_reading_at_its_instant_is_in_the_period_that_begins_there() -> (
    None
):
    readings = [(DAY_MS, 1000), (DAY_MS + QUARTER, 1290)]
    judged = judge(RATE, readings, [Declaration(DAY_MS, None, 100)])
    assert [step.amount for step in judged.steps] == [900, 290]
    assert over(judged, 0, 2 * DAY_MS).millionths == 1190 * 1_000_000
    assert over(judged, 0, DAY_MS).millionths == 0
    assert over(judged, DAY_MS, 2 * DAY_MS).millionths == 1190 * 1_000_000


def test_a_period_is_measured_where_its_borders_lie_between_near_readings() -> None:
    judged = judge(RATE, [(0, 0), (20 * MINUTE_MS, 10), (50 * MINUTE_MS, 20), (81 * MINUTE_MS, 30)])
    assert over(judged, 10 * MINUTE_MS, 40 * MINUTE_MS).spread_ms == 0
    assert over(judged, 10 * MINUTE_MS, 60 * MINUTE_MS).spread_ms == 10 * MINUTE_MS
    assert over(judged, 50 * MINUTE_MS, 81 * MINUTE_MS).spread_ms == 0, "the borders are readings"
    assert over(judged, 55 * MINUTE_MS, 60 * MINUTE_MS).spread_ms == 5 * MINUTE_MS, "one hole counts once"
    assert over(judged, 0, 2 * DAY_MS).spread_ms == 0, "nothing is interpolated after the last reading"


def test_two_holes_at_two_borders_are_both_spread() -> None:
    judged = judge(RATE, [(0, 0), (HOUR_MS, 10), (HOUR_MS + QUARTER, 20), (3 * HOUR_MS, 30)])
    assert over(judged, HOUR_MS // 2, 2 * HOUR_MS).spread_ms == HOUR_MS // 2 + 45 * MINUTE_MS


@given(
    st.lists(st.tuples(st.integers(0, 40 * HOUR_MS), st.integers(0, 900)), min_size=1, max_size=30),
    st.lists(st.integers(0, 60 * DAY_MS), min_size=2, max_size=12),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)
def test_periods_side_by_side_add_up_to_the_whole_in_whole_millionths(
    rises: list[tuple[int, int]], borders: list[int], num: int, den: int
) -> None:
    at = raw = 0
    readings = [(0, 0)]
    for dt, rise in rises:
        at, raw = at + dt, raw + min(rise, dt // 1000)
        readings.append((at, raw))
    judged = judge(RATE, readings)
    borders.sort()
    parts = [over(judged, a, b, num, den).millionths for a, b in pairwise(borders)]
    assert all(part is not None and part >= 0 for part in parts)
    assert sum(part or 0 for part in parts) == over(judged, borders[0], borders[-1], num, den).millionths
    assert over(judged, 0, at, num, den).millionths == raw * num * 10**6 // den
