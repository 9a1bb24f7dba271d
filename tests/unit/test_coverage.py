"""CNC coverage and its relatives: the figures of metrics.md section 6, and what always holds."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.activity import Age
from ganpo_model.coverage import MEASURES, Evidence, Unit, count, in_service, months_later, percent, reaches

UNITS = st.lists(
    st.builds(
        Unit,
        *(st.sampled_from(Evidence) for _ in range(4)),
        *(st.booleans() for _ in range(4)),
        st.sampled_from([None, *Age]),
    )
)


def park() -> list[Unit]:
    """100 units; 60 main, 39 of them NC; 50 digital; 30 networked, all digital; 24 in the cloud, 18 active."""
    units = []
    for n in range(100):
        units.append(
            Unit(
                main=Evidence.DOCUMENT if n < 60 else 0,
                numerical_control=0 if n >= 39 else Evidence.CONTROLLER if n < 20 else Evidence.CLAIMED,
                digital=Evidence.CLAIMED if n < 50 else 0,
                networked=n < 30,
                cloud=n < 24,
                age=None if n >= 24 else Age.ACTIVE if n < 18 else Age.SEEN,
            )
        )
    return units


@pytest.mark.parametrize(
    ("measure", "among", "told"),
    [
        ("nc_declared", "main", "65.0"),
        ("digital_declared", "units", "50.0"),
        ("networked", "units", "30.0"),
        ("digital_networked", "digital_declared", "60.0"),
        ("cloud", "units", "24.0"),
        ("active", "cloud", "75.0"),
    ],
)
def test_the_figures_of_the_definition(measure: str, among: str, told: str) -> None:
    assert percent(count(park(), measure), count(park(), among)) == told


def test_what_a_person_checked_is_more_than_what_the_machine_shows() -> None:
    assert [count(park(), f"nc_{level}") for level in ("declared", "checked", "proven")] == [39, 20, 20]


def test_a_gone_device_leaves_what_is_current_and_stays_in_what_ever_was() -> None:
    gone = Unit(networked=True, cloud=True, age=Age.GONE)
    retired = Unit(in_service=False, retired=True, networked=True, cloud=True, age=Age.ACTIVE)
    assert count([gone, retired], "ever_cloud") == 2
    assert count([gone, retired], "now_cloud") == 0
    assert count([gone, retired], "cloud") == 0
    assert count([gone, retired], "units") == 1, "what is gone stands in the ledger"


def test_counts_are_added_and_never_rates() -> None:
    a = [Unit(1, 1)] * 30 + [Unit(1)] * 10
    b = [Unit(1, 1)] * 5 + [Unit(1)] * 95
    numerator = count(a, "nc_declared") + count(b, "nc_declared")
    assert (numerator, count(a + b, "main")) == (35, 140)
    assert percent(numerator, 140) == "25.0"


@pytest.mark.parametrize(
    ("numerator", "denominator", "told", "reached"),
    [
        (1499, 2500, "59.9", False),
        (3, 5, "60.0", True),
        (0, 7, "0.0", False),
        (7, 7, "100.0", True),
        (2, 3, "66.7", True),
        (7, 12, "58.3", False),
        (175, 300, "58.3", False),
        (583_9, 100_00, "58.3", False),
        (2499, 2500, "99.9", True),
    ],
)
def test_a_target_is_reached_exactly_and_a_percentage_is_rounded_down_below_it_alone(
    numerator: int, denominator: int, told: str, reached: bool
) -> None:
    assert percent(numerator, denominator, Fraction(60)) == told
    assert reaches(Fraction(100 * numerator, denominator), ">=", Fraction(60)) is reached
    assert (5 * numerator >= 3 * denominator) is reached


def test_more_than_ten_thousand_is_not_ten_thousand() -> None:
    assert not reaches(Fraction(10_000), ">", Fraction(10_000))
    assert reaches(Fraction(10_001), ">", Fraction(10_000))


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


def test_twelve_months_after_a_leap_day_end_with_february() -> None:
    assert months_later(date(2024, 2, 29), 12) == date(2025, 3, 1)
    assert months_later(date(2025, 12, 31), 2) == date(2026, 3, 1)


@given(UNITS, UNITS)
def test_counts_of_two_parks_add_up_and_stronger_evidence_is_never_more(a: list[Unit], b: list[Unit]) -> None:
    for measure in MEASURES:
        assert count(a, measure) + count(b, measure) == count(a + b, measure)
    for flag, among in (("nc", "main"), ("digital", "units"), ("intelligent", "units")):
        levels = [count(a, f"{flag}_{level}") for level in ("proven", "checked", "declared")]
        assert levels == sorted(levels)
        assert levels[-1] <= count(a, among)
