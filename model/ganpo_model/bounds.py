"""Bounds of what an inventory may say, the same for `ganpo check` and for the collector: within them no product of
these numbers leaves the 64 bits of a database, and no date the calendar."""

from datetime import date

from ganpo_model import reference
from ganpo_model.facts import MAX_RAW, CalendarItem
from ganpo_model.shifts import WEEKDAYS, weekdays, wrong

MAX_COUNT = 10**6
"""Units in one count: a million kWh."""
MAX_RATE = 10**7
"""Units in an hour: 10 GW, 10,000 t, ten million m3. A century of it is 8.8 x 10^18 millionths, below 2^63."""
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def register_wrong(num: int, den: int, max_rate: int, modulus: int | None) -> tuple[str, str] | None:
    """What is wrong with a register whose count is num/den of its unit: (scale | max_rate | modulus, what)."""
    if not (0 < num < MAX_RAW and 0 < den < MAX_RAW):
        return "scale", f"a count is {num}/{den} of the unit: both have to lie between 1 and 2^63 - 1"
    if num > MAX_COUNT * den:
        return "scale", f"a count is more than {MAX_COUNT:,} of the unit"
    if not 0 < max_rate < MAX_RAW:
        return "max_rate", f"{max_rate} counts an hour: it has to lie between 1 and 2^63 - 1"
    if (max_rate - 1) * num > MAX_RATE * den:  # it is rounded up by less than one count
        return "max_rate", f"more than {MAX_RATE:,} of the unit in an hour"
    if modulus is not None and not 1 < modulus < MAX_RAW:
        return "modulus", "lies between 2 and 2^63 counts"
    return None


def day_wrong(day: date | None) -> str | None:
    """Why a date is none of ours."""
    if day is None or FIRST_DAY <= day <= LAST_DAY:
        return None
    return f"{day.isoformat()} does not lie between {FIRST_DAY.year} and {LAST_DAY.year}"


def carrier_wrong(carrier: str | None) -> str | None:
    """Why a carrier is none that anybody could add up."""
    if carrier is None or carrier in reference.carriers():
        return None
    return f"{carrier[:40]!r} is no carrier that this version knows"


def calendar_wrong(calendar: CalendarItem) -> str | None:
    """What is wrong with a calendar, where anything is: nothing of it could be computed."""
    for shift in calendar.shifts:
        try:
            weekdays(shift.days)
        except ValueError as error:
            return f"shift {shift.name[:40]!r}: {shift.days[:40]!r}: {error}"
        for key, _, what in wrong(shift.start, shift.end, shift.breaks):
            return f"shift {shift.name[:40]!r}: {key or 'from, to'}: {what}"
    for item in calendar.exceptions:
        if day_wrong(item.first) or day_wrong(item.last) or item.last < item.first:
            return f"exception {item.first.isoformat()} to {item.last.isoformat()}: no dates in order"
        if item.plan != "off" and item.plan.removeprefix("like ") not in WEEKDAYS:
            return f"exception {item.first.isoformat()}: {item.plan[:40]!r} is neither off nor like a weekday"
    return None
