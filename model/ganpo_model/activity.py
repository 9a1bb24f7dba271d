"""Active, silent, gone: words for the age of the last Good value, from day rows (onboarding.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

WINDOW_DAYS = 30
LEAST_PLANNED = 5
SILENT_DAYS, SILENT_PLANNED = 14, 7
GONE_DAYS = 90
LOOK_BACK_DAYS = 180
"""How far back days can matter: what was not planned on five days of them is not active."""


class Age(StrEnum):
    """How a subject that once was seen is seen now. SEEN: neither active nor silent."""

    ACTIVE = "active"
    SEEN = "seen"
    SILENT = "silent"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Watched:
    """One day of a subject. `planned`: it had planned time; `known`: at least half of that was seen; `good`: there was
    a Good value, planned or not."""

    day: date
    planned: bool
    known: bool
    good: bool


def ages(days: Sequence[Watched]) -> list[Age]:
    """The word at the end of each of these days, which rise. What lies before them counts as never seen."""
    found: list[Age] = []
    planned: list[int] = []
    last_good = planned_since = -1
    for n, today in enumerate(days):
        if today.planned:
            planned.append(n)
        if today.good:
            last_good, planned_since = n, 0
        elif today.planned and last_good >= 0:
            planned_since += 1
        found.append(_age(days, n, planned, last_good, planned_since))
    return found


def _age(days: Sequence[Watched], n: int, planned: Sequence[int], last_good: int, planned_since: int) -> Age:
    if last_good < 0:
        return Age.GONE
    today = days[n].day
    silence = (today - days[last_good].day).days
    if silence >= GONE_DAYS:
        return Age.GONE
    if silence >= SILENT_DAYS and planned_since >= SILENT_PLANNED:
        return Age.SILENT
    window = [m for m in planned[-WINDOW_DAYS:] if (today - days[m].day).days < WINDOW_DAYS]
    if len(window) < LEAST_PLANNED:
        window = list(planned[-LEAST_PLANNED:])
    known = sum(days[m].known for m in window)
    return Age.ACTIVE if len(window) >= LEAST_PLANNED and 10 * known >= 9 * len(window) else Age.SEEN
