"""How fast a rate moves, and when it would reach its target at that pace (metrics.md section 7). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

OVER_MONTHS = 6
LEAST_POINTS = 3
"""Fewer are too early to tell a pace."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`change`: over the months looked at; `months`: until the target at that pace, None: never; `needed`: per month
    until the deadline, None where it has passed."""

    change: Fraction
    over: int
    months: int | None
    needed: Fraction | None

    @property
    def per_month(self) -> Fraction:
        """What it moved in a month."""
        return self.change / self.over


def pace(values: Sequence[Fraction | None], target: Fraction, today: date, deadline: date) -> Pace | None:
    """The pace of a number; `values`: at the ends of months up to now, oldest first. None: too early to tell."""
    known = [(n, value) for n, value in enumerate(values[-OVER_MONTHS - 1 :]) if value is not None]
    if len(known) < LEAST_POINTS:
        return None
    (first, before), (last, now) = known[0], known[-1]
    change, over = now - before, last - first
    gap = target - now
    per_month = change / over
    months = None
    if gap <= 0:
        months = 0
    elif per_month > 0:
        months = int(-(-gap // per_month))
    left = months_between(today, deadline)
    return Pace(change, over, months, gap / left if left > 0 and gap > 0 else None)


def months_between(first: date, last: date) -> int:
    """Whole months from one to the other."""
    return (last.year - first.year) * 12 + last.month - first.month
