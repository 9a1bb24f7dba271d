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
            findings.error("site.shifts", "a name with control characters in it")
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
            findings.error(path, 'either plan = "off" or like = "mon"')
        elif exception.like is not None and exception.like not in WEEKDAYS:
            hint = nearest(exception.like, WEEKDAYS)
            findings.error(f"{path}.like", f"no weekday ({', '.join(WEEKDAYS)})", hint, value=exception.like)
        found = dates(exception.dates)
        if found is None:
            what = "no date, nor first..last in order (2027-02-05..2027-02-11)"
            findings.error(f"{path}.dates", what, value=exception.dates)
            continue
        first, last = found
        twice = [day for day in each(first, last) if day in taken]
        if twice:
            findings.error(
                f"{path}.dates", f"{twice[0]} stands in {taken[twice[0]]} too", value=exception.dates
            )
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
            findings.error(f"{path}.{key}[{number}]", what, value=shift.breaks[number])
        elif key:
            findings.error(f"{path}.{key}", what, value=shift.from_ if key == "from" else shift.to)
        else:
            findings.error(path, what)
