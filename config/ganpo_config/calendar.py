"""Shifts and exceptions: parsed and checked; `ganpo_model.calendar` computes with them."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from ganpo_config.document import ShiftTable, SiteTable, day_of
from ganpo_config.findings import Findings, nearest
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_MIN = 16 * 60
_DAY_MIN = 24 * 60
_LONGEST_EXCEPTION = timedelta(days=366)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def calendar(site: SiteTable, findings: Findings) -> CalendarItem:
    """The calendar of a site; what is wrong with it is found."""
    shifts = []
    for name, shift in site.shifts.items():
        path = f"site.shifts.{name}"
        if not name.isprintable() or not name:
            findings.error("site.shifts", "a name with control characters in it")
        _check_days(shift.days, f"{path}.days", findings)
        _check_times(shift, path, findings)
        shifts.append(ShiftItem(name, shift.days, shift.from_, shift.to, shift.breaks))
    exceptions = []
    taken: dict[date, str] = {}
    for number, exception in enumerate(site.exceptions):
        path = f"site.exceptions[{number}]"
        if (exception.plan is None) == (exception.like is None):
            findings.error(path, 'either plan = "off" or like = "mon"')
        elif exception.like is not None and exception.like not in WEEKDAYS:
            hint = nearest(exception.like, WEEKDAYS)
            findings.error(f"{path}.like", f"no weekday ({', '.join(WEEKDAYS)})", hint, value=exception.like)
        found = _dates(exception.dates)
        if found is None:
            what = "no date, nor first..last in order (2027-02-05..2027-02-11)"
            findings.error(f"{path}.dates", what, value=exception.dates)
            continue
        first, last = found
        twice = [day for day in _each(first, last) if day in taken]
        if twice:
            findings.error(
                f"{path}.dates", f"{twice[0]} stands in {taken[twice[0]]} too", value=exception.dates
            )
        taken |= dict.fromkeys(_each(first, last), f"site.exceptions[{number}].dates")
        plan = "off" if exception.like is None else f"like {exception.like}"
        exceptions.append(ExceptionItem(first, last, plan, exception.why))
    return CalendarItem(tuple(shifts), tuple(exceptions))


def _check_days(days: str, path: str, findings: Findings) -> None:
    seen: set[str] = set()
    for part in days.split(","):
        first, dash, last = part.strip().partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            findings.error(path, f"no days ({', '.join(WEEKDAYS)}; mon-fri; mon,wed)", value=days)
            return
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        for day in (WEEKDAYS * 2)[begin : end + 1 if begin <= end else end + 8]:
            if day in seen:
                findings.error(path, f"{day} twice", value=days)
                return
            seen.add(day)


def _check_times(shift: ShiftTable, path: str, findings: Findings) -> None:
    start, stop = _minutes(shift.from_), _minutes(shift.to)
    for key, text, minutes in (("from", shift.from_, start), ("to", shift.to, stop)):
        if minutes is None:
            findings.error(f"{path}.{key}", "not HH:MM", value=text)
    if start is None or stop is None:
        return
    length = (stop - start) % _DAY_MIN or _DAY_MIN
    if length > _LONGEST_MIN:
        findings.error(path, f"{length / 60:g} h from {shift.from_} to {shift.to}; a shift has at most 16 h")
    over = 0
    for number, text in enumerate(shift.breaks):
        first, _, last = text.partition("-")
        a, b = _minutes(first.strip()), _minutes(last.strip())
        if a is None or b is None:
            findings.error(f"{path}.breaks[{number}]", "not HH:MM-HH:MM", value=text)
            continue
        begin, end = (a - start) % _DAY_MIN, (b - start) % _DAY_MIN
        if not begin < end <= length:
            findings.error(f"{path}.breaks[{number}]", "not within the shift", value=text)
        elif begin < over:
            findings.error(f"{path}.breaks[{number}]", "begins before the break above it ends", value=text)
        over = max(over, end)


def _minutes(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    return int(match[1]) * 60 + int(match[2]) if match else None


def _dates(text: str) -> tuple[date, date] | None:
    first, dots, last = text.partition("..")
    try:
        found = day_of(first), day_of(last if dots else first)
    except ValueError:
        return None
    return found if found[0] <= found[1] <= found[0] + _LONGEST_EXCEPTION else None


def _each(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
