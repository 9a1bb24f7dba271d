"""Planned time: the weekly shifts of a site with their breaks, and the days that differ (metrics.md section 3).

A shift belongs to the production day on which it starts. Times are those of the clocks on the wall: where clocks change
in the night, a night shift has an hour more or less.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from ganpo_model.clock import to_ms
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem
from ganpo_model.shifts import WEEKDAYS, weekdays
from ganpo_model.states import State

Stretch = tuple[int, int]


def planned(calendar: CalendarItem, day: date, zone: str) -> list[Stretch]:
    """The planned time of a production day: rising stretches in ms, without overlaps; the union of its shifts without
    their breaks. Empty on a day off."""
    working: list[Stretch] = []
    for shift in _shifts_on(calendar, day):
        start, end = _between(day, shift.start, shift.end, zone)
        breaks = [_break(day, shift, text, zone) for text in shift.breaks]
        # A break is only that of its own shift: where another shift runs meanwhile, that is planned.
        working += without([(start, end)], breaks)
    return _united(working)


def works(calendar: CalendarItem, day: date) -> bool:
    """Whether any shift starts on a day."""
    return bool(_shifts_on(calendar, day))


def within(stretches: Iterable[Stretch], spans: Iterable[tuple[int, int, State]]) -> dict[State, int]:
    """How long each state lasted within stretches, in ms; they add up to the length of both together.

    `spans`: rising, none over another.
    """
    found: dict[State, int] = {}
    rising = list(spans)
    for a, b in stretches:
        first = bisect_right(rising, a, key=itemgetter(1))
        for begin, end, state in rising[first : bisect_left(rising, b, key=itemgetter(0))]:
            found[state] = found.get(state, 0) + min(end, b) - max(begin, a)
    return found


def without(stretches: Iterable[Stretch], holes: Iterable[Stretch]) -> list[Stretch]:
    """Stretches without the parts that lie in holes."""
    found = list(stretches)
    for a, b in holes:
        found = [
            part
            for start, end in found
            for part in ((start, min(end, a)), (max(start, b), end))
            if part[0] < part[1]
        ]
    return found


def first_exception(calendar: CalendarItem, day: date) -> ExceptionItem | None:
    """The exception that holds on a day: of several the first."""
    return next((item for item in calendar.exceptions if item.first <= day <= item.last), None)


def _shifts_on(calendar: CalendarItem, day: date) -> list[ShiftItem]:
    weekday = day.weekday()
    if (exception := first_exception(calendar, day)) is not None:
        if exception.plan == "off":
            return []
        weekday = WEEKDAYS.index(exception.plan.removeprefix("like "))
    return [shift for shift in calendar.shifts if weekday in weekdays(shift.days)]


def _break(day: date, shift: ShiftItem, text: str, zone: str) -> Stretch:
    first, _, last = text.partition("-")
    first, last = first.strip(), last.strip()
    # After midnight it lies on the next day, as the end of the shift does.
    later = timedelta(days=int(first < shift.start))
    return _between(day + later, first, last, zone)


def _between(day: date, first: str, last: str, zone: str) -> Stretch:
    over = timedelta(days=int(last <= first))
    return _instant(day, first, zone), _instant(day + over, last, zone)


def _instant(day: date, text: str, zone: str) -> int:
    hours, minutes = map(int, text.split(":"))
    local = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=ZoneInfo(zone))
    return to_ms(local.astimezone(UTC))


def _united(stretches: Iterable[Stretch]) -> list[Stretch]:
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
