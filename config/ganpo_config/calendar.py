"""Shifts and exceptions: parsed and checked; nothing computes with them in this version."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from ganpo_config.document import SiteTable
from ganpo_model.errors import ConfigError
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_MIN = 16 * 60
_DAY_MIN = 24 * 60
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def calendar(site: SiteTable, file: str) -> tuple[CalendarItem, list[ConfigError]]:
    """The calendar of a site, and everything that is wrong with it."""
    errors: list[ConfigError] = []
    shifts = []
    for name, shift in site.shifts.items():
        where = f"{file}: site.shifts.{name}"
        errors += _check_days(shift.days, where)
        errors += _check_times(shift.from_, shift.to, shift.breaks, where)
        shifts.append(ShiftItem(name, shift.days, shift.from_, shift.to, shift.breaks))
    exceptions = []
    taken: dict[date, str] = {}
    for number, exception in enumerate(site.exceptions):
        where = f"{file}: site.exceptions[{number}]"
        if (exception.plan is None) == (exception.like is None):
            errors.append(ConfigError('either plan = "off" or like = "mon"', where=where))
        elif exception.like is not None and exception.like not in WEEKDAYS:
            errors.append(
                ConfigError(f"no weekday ({', '.join(WEEKDAYS)})", where=f"{where}.like = {exception.like}")
            )
        found = _dates(exception.dates)
        if found is None:
            what = "no date, nor first..last in order (2027-02-05..2027-02-11)"
            errors.append(ConfigError(what, where=f"{where}.dates = {exception.dates}"))
            continue
        first, last = found
        for day in _each(first, last):
            if day in taken:
                errors.append(ConfigError(f"{day} stands in {taken[day]} too", where=f"{where}.dates"))
                break
            taken[day] = f"site.exceptions[{number}]"
        plan = "off" if exception.like is None else f"like {exception.like}"
        exceptions.append(ExceptionItem(first, last, plan, exception.why))
    return CalendarItem(tuple(shifts), tuple(exceptions)), errors


def _check_days(days: str, where: str) -> list[ConfigError]:
    for part in days.split(","):
        first, _, last = part.strip().partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            return [
                ConfigError(
                    f"no days ({', '.join(WEEKDAYS)}; mon-fri; mon,wed)", where=f"{where}.days = {days}"
                )
            ]
    return []


def _check_times(begin: str, end: str, breaks: Iterable[str], where: str) -> list[ConfigError]:
    start, stop = _minutes(begin), _minutes(end)
    errors = []
    for key, text, minutes in (("from", begin, start), ("to", end, stop)):
        if minutes is None:
            errors.append(ConfigError("not HH:MM", where=f"{where}.{key} = {text}"))
    if start is None or stop is None:
        return errors
    length = (stop - start) % _DAY_MIN or _DAY_MIN
    if length > _LONGEST_MIN:
        errors.append(ConfigError(f"{length // 60} h long; a shift has at most 16 h", where=where))
    for text in breaks:
        first, _, last = text.partition("-")
        a, b = _minutes(first), _minutes(last)
        if a is None or b is None:
            errors.append(ConfigError("not HH:MM-HH:MM", where=f"{where}.breaks = {text}"))
        elif not (a - start) % _DAY_MIN < (b - start) % _DAY_MIN <= length:
            errors.append(ConfigError("not within the shift", where=f"{where}.breaks = {text}"))
    return errors


def _minutes(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    return int(match[1]) * 60 + int(match[2]) if match else None


def _dates(text: str) -> tuple[date, date] | None:
    first, _, last = text.partition("..")
    try:
        found = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        return None
    return found if found[0] <= found[1] <= found[0] + timedelta(days=366) else None


def _each(first: date, last: date) -> Iterable[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)
