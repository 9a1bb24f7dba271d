"""Planned time: a table of days, with night shifts, breaks, holidays, make-up days and clocks that change."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.calendar import planned, within
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem
from ganpo_model.shifts import weekdays
from ganpo_model.states import State

HOUR = 3_600_000
EARLY = ShiftItem("early", "mon-fri", "06:00", "14:00", ("10:00-10:30",))
LATE = ShiftItem("late", "mon-fri", "14:00", "22:00", ("18:00-18:30",))
NIGHT = ShiftItem("night", "mon-thu", "22:00", "06:00", ("02:00-02:30",))
SPRING = ExceptionItem(date(2027, 2, 5), date(2027, 2, 11), "off", "春节")
MAKE_UP = ExceptionItem(date(2027, 2, 14), date(2027, 2, 14), "like mon", "调休")
CALENDAR = CalendarItem((EARLY, LATE, NIGHT), (SPRING, MAKE_UP))


def hours(day: date, zone: str = "Asia/Shanghai", calendar: CalendarItem = CALENDAR) -> float:
    return sum(end - start for start, end in planned(calendar, day, zone)) / HOUR


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2027, 1, 4), 22.5),  # Monday: three shifts, three breaks
        (date(2027, 1, 7), 22.5),  # Thursday: the last night shift
        (date(2027, 1, 8), 15.0),  # Friday: no night shift
        (date(2027, 1, 9), 0.0),
        (date(2027, 1, 10), 0.0),
        (date(2027, 2, 4), 22.5),  # the night shift before the holiday runs to its end
        (date(2027, 2, 5), 0.0),  # spring festival
        (date(2027, 2, 11), 0.0),
        (date(2027, 2, 12), 15.0),
        (date(2027, 2, 13), 0.0),
        (date(2027, 2, 14), 22.5),  # a Sunday worked like a Monday
        (date(2027, 2, 15), 22.5),
    ],
)
def test_a_table_of_days(day: date, expected: float) -> None:
    assert hours(day) == expected


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Shanghai"])
def test_a_sunday_that_works_like_a_monday_whatever_the_zone_of_the_box(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        night = ShiftItem("night", "mon-thu", "22:00", "06:00", ())
        off = ExceptionItem(date(2025, 1, 28), date(2025, 2, 4), "off", "春节")
        sunday = ExceptionItem(date(2025, 1, 26), date(2025, 1, 26), "like mon", "调休")
        saturday = ExceptionItem(date(2025, 2, 8), date(2025, 2, 8), "like tue", "调休")
        calendar = CalendarItem((EARLY, LATE, night), (off, sunday, saturday))
        days = [date(2025, 1, 26) + timedelta(days=n) for n in range(14)]
        minutes = [hours(day, calendar=calendar) * 60 for day in days]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert minutes == [1380, 1380, *[0] * 8, 1380, 1380, 900, 1380]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2027, 3, 13), 7.0),  # clocks go forward at 02:00 of the 14th: the night has an hour less
        (date(2027, 3, 14), 8.0),
        (date(2027, 11, 6), 9.0),  # back at 02:00 of the 7th
        (date(2027, 11, 7), 8.0),
    ],
)
def test_a_night_in_which_clocks_change_has_an_hour_more_or_less(day: date, expected: float) -> None:
    nights = CalendarItem((ShiftItem("night", "mon-sun", "22:00", "06:00", ()),), ())
    assert hours(day, "America/New_York", nights) == expected
    assert hours(day, "Asia/Shanghai", nights) == 8.0


def test_a_night_shift_belongs_to_the_day_on_which_it_starts() -> None:
    start, end = (
        planned(CALENDAR, date(2027, 1, 7), "Asia/Shanghai")[0][0],
        planned(CALENDAR, date(2027, 1, 7), "Asia/Shanghai")[-1][1],
    )
    shanghai = ZoneInfo("Asia/Shanghai")
    assert (
        datetime.fromtimestamp(start / 1000, UTC).astimezone(shanghai).isoformat()
        == "2027-01-07T06:00:00+08:00"
    )
    assert (
        datetime.fromtimestamp(end / 1000, UTC).astimezone(shanghai).isoformat()
        == "2027-01-08T06:00:00+08:00"
    )


def test_shifts_that_overlap_are_planned_once_and_a_break_is_only_that_of_its_own_shift() -> None:
    other = ShiftItem("office", "mon-fri", "09:00", "12:00", ())
    assert hours(date(2027, 1, 8), calendar=CalendarItem((EARLY, other), ())) == 8.0
    assert hours(date(2027, 1, 8), calendar=CalendarItem((EARLY,), ())) == 7.5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sat", {5}),
        ("mon,wed", {0, 2}),
        ("fri-mon", {4, 5, 6, 0}),
        ("sun-sun", {6}),
    ],
)
def test_weekdays_are_read_as_people_write_them(text: str, found: set[int]) -> None:
    assert weekdays(text) == found


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from(State)), max_size=12))
def test_states_within_planned_time_add_up_to_it(parts: list[tuple[int, State]]) -> None:
    spans, at = [], 0
    for length, state in parts:
        spans.append((at, at + length, state))
        at += length
    stretches = [(at // 4, at // 2), (at // 2 + 1, at)] if at >= 4 else []
    assert sum(within(stretches, spans).values()) == sum(end - start for start, end in stretches)
