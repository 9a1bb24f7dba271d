"""CNC coverage and its relatives: the figures of metrics.md section 6, and what always holds."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.coverage import (
    NOTHING,
    Count,
    Evidence,
    Unit,
    connected,
    flagged,
    in_service,
    percent,
    reaches,
)

FLAGS = ("main", "numerical_control", "digital")
UNITS = st.lists(
    st.builds(
        Unit,
        st.sampled_from("AB"),
        st.dictionaries(st.sampled_from(FLAGS), st.sampled_from(Evidence)),
        st.booleans(),
        st.booleans(),
    )
)


def park() -> list[Unit]:
    """100 production units; 60 main, 39 of them NC; 50 digital; 30 networked, all digital; 24 in the cloud."""
    units = []
    for n in range(100):
        flags = {}
        if n < 60:
            flags["main"] = Evidence.DOCUMENT
        if n < 39:
            flags["numerical_control"] = Evidence.CONTROLLER if n < 20 else Evidence.CLAIMED
        if n < 50:
            flags["digital"] = Evidence.CLAIMED
        units.append(Unit("E", flags, n < 30, n < 24))
    return units


def test_the_figures_of_the_definition() -> None:
    units = park()
    nc = flagged(units, "numerical_control", "main")
    assert nc == Count(60, 39, 20, 20)
    assert percent(nc.declared, nc.denominator) == "65.0"
    assert percent(flagged(units, "digital").declared, 100) == "50.0"
    assert percent(connected(units).proven, 100) == "30.0"
    digital = connected(units, among="digital")
    assert (digital.proven, digital.denominator) == (30, 50)
    assert percent(digital.proven, digital.denominator) == "60.0"
    assert percent(connected(units, cloud=True).proven, 100) == "24.0"


def test_counts_are_added_and_never_rates() -> None:
    total = Count(40, 30, 0, 0) + Count(100, 5, 0, 0)
    assert (total.declared, total.denominator) == (35, 140)
    assert percent(total.declared, total.denominator) == "25.0"


@pytest.mark.parametrize(
    ("numerator", "denominator", "told", "reached"),
    [(1499, 2500, "59.9", False), (3, 5, "60.0", True), (0, 7, "0.0", False), (7, 7, "100.0", True)],
)
def test_a_target_is_reached_exactly_and_a_percentage_is_rounded_down(
    numerator: int, denominator: int, told: str, reached: bool
) -> None:
    assert percent(numerator, denominator) == told
    assert reaches(numerator, denominator, ">=", Fraction(60)) is reached
    assert (5 * numerator >= 3 * denominator) is reached


def test_more_than_ten_thousand_is_not_ten_thousand() -> None:
    assert not reaches(10_000, None, ">", Fraction(10_000))
    assert reaches(10_001, None, ">", Fraction(10_000))


@pytest.mark.parametrize(
    ("status", "since", "counts"),
    [
        ("in_use", date(1990, 1, 1), True),
        ("under_repair", date(2020, 1, 1), True),
        ("idle", date(2025, 11, 28), True),
        ("idle", date(2025, 11, 27), False),
        ("idle", date(2026, 11, 1), True),
        ("sealed", date(2026, 11, 1), False),
        ("not_commissioned", date(2026, 11, 1), False),
        ("leased_out", date(2026, 11, 1), False),
        ("retired", date(2026, 11, 1), False),
    ],
)
def test_what_is_in_service(status: str, since: date, counts: bool) -> None:
    assert in_service(status, since, date(2026, 11, 28)) is counts


@given(UNITS, UNITS)
def test_counts_of_two_parks_add_up_and_stronger_evidence_is_never_more(a: list[Unit], b: list[Unit]) -> None:
    counts: tuple[Callable[[list[Unit]], Count], ...] = (
        lambda units: flagged(units, "numerical_control", "main"),
        lambda units: connected(units, cloud=True, among="digital"),
    )
    for count in counts:
        whole = count(a + b)
        assert count(a) + count(b) == whole
        assert whole.denominator >= whole.declared >= whole.checked >= whole.proven >= 0
    assert flagged([], "main") == NOTHING
