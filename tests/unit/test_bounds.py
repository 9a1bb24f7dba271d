"""The bounds of an inventory: what lies within them fits the database, whatever is read."""

from datetime import date
from fractions import Fraction

import pytest

from ganpo_model import bounds
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem
from ganpo_model.registers import Reading, Register, judge
from ganpo_model.units import millionths

YEAR_MS = 365 * 24 * 3_600_000


def fastest(num: int, den: int) -> int:
    """The largest rate that is believed, in counts an hour."""
    rate = int(Fraction(bounds.MAX_RATE * den, num)) + 1
    assert bounds.register_wrong(num, den, rate, None) is None
    assert bounds.register_wrong(num, den, rate + 2, None) is not None
    return rate


@pytest.mark.parametrize(
    ("num", "den"), [(1, 1), (1, 100), (10**6, 1), (1, 10**11 - 1), (10**6 - 1, 7), (3, 7)]
)
def test_ten_years_at_the_largest_rate_are_millionths_of_64_bits(num: int, den: int) -> None:
    rate = fastest(num, den)
    step = rate * 24 * 3650
    judged = judge(Register(rate), [Reading(0, 0), Reading(10 * YEAR_MS, step)])
    assert [found.amount for found in judged.steps] == [step]
    assert millionths(step, num, den) < 2**63


@pytest.mark.parametrize(
    ("num", "den", "max_rate", "modulus", "key"),
    [
        (10**9, 1, 10**9, None, "scale"),
        (10**6 + 1, 1, 1, None, "scale"),
        (1, 2**63, 1, None, "scale"),
        (0, 1, 1, None, "scale"),
        (1, 0, 1, None, "scale"),
        (1, 1, 10**7 + 2, None, "max_rate"),
        (1, 10**18, 2**63, None, "max_rate"),
        (1, 1, 0, None, "max_rate"),
        (1, 1, 1, 1, "modulus"),
        (1, 1, 1, 2**63, "modulus"),
    ],
)
def test_a_register_beyond_its_bounds_is_told_by_the_key_that_a_person_wrote(
    num: int, den: int, max_rate: int, modulus: int | None, key: str
) -> None:
    found = bounds.register_wrong(num, den, max_rate, modulus)
    assert found is not None
    assert found[0] == key


def test_a_calendar_that_cannot_be_computed_is_told() -> None:
    day = date(2026, 11, 25)
    for shifts, exceptions in (
        ((ShiftItem("a", "mon", "08:00", "16:00", ("12:00",)),), ()),
        ((ShiftItem("a", "mon", "08:00", "25:00", ()),), ()),
        ((ShiftItem("a", "never", "08:00", "16:00", ()),), ()),
        ((), (ExceptionItem(day, date(2026, 11, 24), "off", ""),)),
        ((), (ExceptionItem(day, date(9999, 12, 31), "off", ""),)),
        ((), (ExceptionItem(day, day, "like noday", ""),)),
    ):
        assert bounds.calendar_wrong(CalendarItem(shifts, exceptions))
    good = CalendarItem(
        (ShiftItem("a", "mon-fri", "22:00", "06:00", ("01:00-01:30",)),),
        (ExceptionItem(day, day, "like mon", ""), ExceptionItem(day, day, "off", "")),
    )
    assert bounds.calendar_wrong(good) is None


def test_dates_lie_within_what_the_calendar_can_count() -> None:
    assert bounds.day_wrong(None) is None
    assert bounds.day_wrong(bounds.FIRST_DAY) is None
    assert bounds.day_wrong(date.max)
    assert bounds.day_wrong(date.min)
