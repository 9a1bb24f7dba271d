"""Shifts and exceptions: parsed and checked; `ganpo_model.calendar` computes with them."""

from datetime import date

from ganpo_config.document import ShiftTable, SiteTable
from ganpo_config.findings import Findings, nearest
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem
from ganpo_model.shifts import WEEKDAYS, dates, each, overlaps, weekdays, wrong


def calendar(site: SiteTable, findings: Findings) -> CalendarItem:
    """The calendar of a site; what is wrong with it is found."""
    shifts = []
    for name, shift in site.shifts.items():
        path = f"site.shifts.{name}"
        if not name.isprintable() or not name:
            what = "a name with control characters in it"
            findings.error("site.shifts", what, "type it anew: letters, digits, Chinese")
        _check(shift, path, findings)
        shifts.append(ShiftItem(name, shift.days, shift.from_, shift.to, shift.breaks))
    for one, other, when in overlaps([(s.name, s.days, s.start, s.end) for s in shifts]):
        what = f"runs at the same time as {one} from {when} on: that time is planned once; are from and to right?"
        findings.warn(f"site.shifts.{other}", what)
    exceptions = []
    taken: dict[date, str] = {}
    for number, exception in enumerate(site.exceptions):
        path = f"site.exceptions[{number}]"
        if (exception.plan is None) == (exception.like is None):
            hint = "off: nobody works; mon: the shifts of a Monday hold"
            findings.error(path, 'either plan = "off" or like = "mon"', hint)
        elif exception.like is not None and exception.like not in WEEKDAYS:
            hint = nearest(exception.like, WEEKDAYS)
            findings.error(f"{path}.like", f"no weekday ({', '.join(WEEKDAYS)})", hint, value=exception.like)
        found = dates(exception.dates)
        if found is None:
            what, hint = (
                "no date, nor first..last in order (2027-02-05..2027-02-11)",
                "the earlier day stands first",
            )
            findings.error(f"{path}.dates", what, hint, value=exception.dates)
            continue
        first, last = found
        twice = [day for day in each(first, last) if day in taken]
        if twice:
            what, hint = (
                f"{twice[0]} stands in {taken[twice[0]]} too",
                "a day has one exception: take it out of one",
            )
            findings.error(f"{path}.dates", what, hint, value=exception.dates)
        taken |= dict.fromkeys(each(first, last), f"site.exceptions[{number}].dates")
        plan = "off" if exception.like is None else f"like {exception.like}"
        exceptions.append(ExceptionItem(first, last, plan, exception.why))
    return CalendarItem(tuple(shifts), tuple(exceptions))


def _check(shift: ShiftTable, path: str, findings: Findings) -> None:
    try:
        weekdays(shift.days)
    except ValueError as error:
        findings.error(f"{path}.days", str(error), value=shift.days)
    for key, number, what in wrong(shift.from_, shift.to, shift.breaks):
        if number is not None:
            hint = f"12:00-12:30, between {shift.from_} and {shift.to}"
            findings.error(f"{path}.{key}[{number}]", what, hint, value=shift.breaks[number])
        elif key:
            value = shift.from_ if key == "from" else shift.to
            findings.error(f"{path}.{key}", what, "four digits of a 24-hour clock: 07:30", value=value)
        else:
            findings.error(path, what, "is it two shifts?")
