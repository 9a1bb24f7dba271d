"""The KPIs of ISO 22400-2: the worked example of metrics.md, and what is None."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.kpi import Parts, ratios
from ganpo_model.states import State

MINUTE = 60_000
ALL = frozenset(State)
SPENT = {
    State.PRODUCING: 300 * MINUTE,
    State.SETUP: 30 * MINUTE,
    State.HELD: 20 * MINUTE,
    State.FAULT: 30 * MINUTE,
    State.IDLE: 60 * MINUTE,
    State.OFF: 30 * MINUTE,
    State.MAINTENANCE: 10 * MINUTE,
}
PARTS = Parts(540, 513, MINUTE // 2)


@pytest.mark.parametrize(
    ("name", "percent"),
    [
        ("utilization_efficiency", "78.9474"),
        ("availability", "62.5"),
        ("allocation_efficiency", "79.1667"),
        ("technical_efficiency", "85.7143"),
        ("effectiveness", "90"),
        ("quality_ratio", "95"),
        ("oee", "53.4375"),
        ("nee", "58.78125"),
        ("setup_rate", "9.0909"),
        ("completeness", "100"),
    ],
)
def test_the_worked_example(name: str, percent: str) -> None:
    found = ratios(SPENT, 480 * MINUTE, ALL, PARTS)[name]
    assert found is not None
    places = len(percent.partition(".")[2])
    assert round(100 * Fraction(*found), places) == Fraction(percent)


def test_unknown_time_leaves_every_denominator_and_shows_as_completeness() -> None:
    with_hole = ratios(SPENT | {State.UNKNOWN: 120 * MINUTE}, 600 * MINUTE, ALL, PARTS)
    without = ratios(SPENT, 480 * MINUTE, ALL, PARTS)
    assert with_hole.pop("completeness") == (480 * MINUTE, 600 * MINUTE)
    without.pop("completeness")
    assert with_hole == without


def test_a_press_known_by_its_power_has_no_utilization() -> None:
    found = ratios(SPENT, 480 * MINUTE, {State.PRODUCING, State.IDLE, State.OFF})
    assert found["utilization_efficiency"] is None
    assert found["technical_efficiency"] is None
    assert found["availability"] == (300 * MINUTE, 480 * MINUTE)


def test_a_missing_input_makes_the_kpi_none_and_nothing_planned_makes_all_none() -> None:
    found = ratios(SPENT, 480 * MINUTE, ALL, Parts(made=540))
    assert (found["effectiveness"], found["quality_ratio"], found["oee"], found["nee"]) == (
        None,
        None,
        None,
        None,
    )
    assert set(ratios({}, 0, ALL, PARTS).values()) <= {None, (513, 540)}


def test_more_than_planned_is_shown_and_not_clipped() -> None:
    assert ratios(SPENT, 480 * MINUTE, ALL, Parts(900, 900, MINUTE // 2))["effectiveness"] == (
        450 * MINUTE,
        300 * MINUTE,
    )


@given(st.dictionaries(st.sampled_from(State), st.integers(0, 10**8)))
def test_no_time_is_counted_twice_or_lost(spent: dict[State, int]) -> None:
    planned = sum(spent.values())
    found = ratios(spent, planned, ALL)
    for name in (
        "utilization_efficiency",
        "availability",
        "allocation_efficiency",
        "technical_efficiency",
        "setup_rate",
    ):
        if (ratio := found[name]) is not None:
            assert 0 <= ratio[0] <= ratio[1]
    if (allocated := found["allocation_efficiency"]) is not None:
        assert allocated[1] == planned - spent.get(State.UNKNOWN, 0)
