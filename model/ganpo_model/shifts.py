"""What people may write of shifts and of days that differ: checked in one way, wherever it was written."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_MIN = 16 * 60
_DAY_MIN = 24 * 60
_LONGEST_EXCEPTION = timedelta(days=366)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)


def weekdays(text: str) -> set[int]:
    """`mon-fri`, `sat`, `mon,wed`, `fri-mon`: 0 is Monday. Raises ValueError that says what is wrong."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise ValueError(f"no days ({', '.join(WEEKDAYS)}; mon-fri; mon,wed)")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        for n in range(begin, end + 1 if begin <= end else end + 8):
            if n % 7 in found:
                raise ValueError(f"{WEEKDAYS[n % 7]} twice")
            found.add(n % 7)
    return found


def wrong(start: str, end: str, breaks: Sequence[str]) -> Iterator[tuple[str, int | None, str]]:
    """What is wrong with the times of a shift: (from, to, breaks or empty for the shift itself; which break; what)."""
    begin, stop = minutes(start), minutes(end)
    for key, found in (("from", begin), ("to", stop)):
        if found is None:
            yield key, None, "not HH:MM"
    if begin is None or stop is None:
        return
    length = (stop - begin) % _DAY_MIN or _DAY_MIN
    if length > _LONGEST_MIN:
        yield "", None, f"{length / 60:g} h from {start} to {end}; a shift has at most 16 h"
    over = 0
    for number, text in enumerate(breaks):
        first, _, last = text.partition("-")
        a, b = minutes(first.strip()), minutes(last.strip())
        if a is None or b is None:
            yield "breaks", number, "not HH:MM-HH:MM"
            continue
        a, b = (a - begin) % _DAY_MIN, (b - begin) % _DAY_MIN
        if not a < b <= length:
            yield "breaks", number, "not within the shift"
        elif a < over:
            yield "breaks", number, "begins before the break above it ends"
        over = max(over, b)


def overlaps(shifts: Sequence[tuple[str, str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """Which two of `(name, days, from, to)` run at once, each pair once: (name, name, `mon 13:00`: when that begins).

    Shifts that cannot be understood are left out: `weekdays` and `wrong` tell of them.
    """
    runs: list[tuple[int, int, str]] = []
    for name, days, start, end in shifts:
        begin, stop = minutes(start), minutes(end)
        if begin is None or stop is None:
            continue
        with suppress(ValueError):
            length = (stop - begin) % _DAY_MIN or _DAY_MIN
            # A week and its first day again: Sunday's night runs into Monday.
            firsts = [day * _DAY_MIN + begin for day in sorted(weekdays(days))]
            runs += [
                (first, first + length, name) for first in [*firsts, *(f + 7 * _DAY_MIN for f in firsts)]
            ]
    told: set[frozenset[str]] = set()
    latest: list[tuple[int, int, str]] = []
    for first, last, name in sorted(runs):
        latest = [run for run in latest if run[1] > first]
        for *_, other in latest:
            if other != name and frozenset((name, other)) not in told:
                told.add(frozenset((name, other)))
                day, minute = divmod(first, _DAY_MIN)
                yield other, name, f"{WEEKDAYS[day % 7]} {minute // 60:02}:{minute % 60:02}"
        latest.append((first, last, name))


def minutes(text: str) -> int | None:
    """Minutes after midnight; None for what is not HH:MM."""
    match = _TIME.fullmatch(text)
    return int(match[1]) * 60 + int(match[2]) if match else None


def dates(text: str) -> tuple[date, date] | None:
    """First and last day of `2027-02-05` or `2027-02-05..2027-02-11`; None for anything else."""
    first, dots, last = text.partition("..")
    found = _date(first), _date(last if dots else first)
    if found[0] is None or found[1] is None:
        return None
    return (found[0], found[1]) if found[0] <= found[1] <= found[0] + _LONGEST_EXCEPTION else None


def each(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _date(text: str) -> date | None:
    match = _DATE.fullmatch(text.strip())
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
