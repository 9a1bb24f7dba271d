"""How fast a number moves, and when it would reach its target at that pace (metrics.md section 7). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from ganpo_cloud.days import periods
from ganpo_model.coverage import months_later

OVER_MONTHS = 6
LEAST_POINTS = 3
"""Fewer are too early to tell a pace."""
AHEAD_MONTHS = 12
"""So far is looked ahead where the deadline has passed."""
LONGEST_MONTHS = 600
"""What takes longer is told as never."""
LEAST_CHANGE = Fraction(1, 20)
"""What moved less is printed as 0.0: it stands still."""
LEAST_OF_INTENSITY = Fraction(1, 200_000)
"""The same of what is printed with five decimals."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`change`: over the months looked at; `months`: until the target at that pace, None: never; `left`: until the
    deadline, negative where it has passed; `needed`: per month until then, None where it has passed; `ahead`: where the
    number stands at the deadline, or in twelve months where that has passed. `down`: the number should fall; `least`:
    what moved less stands still."""

    change: Fraction
    over: int
    months: int | None
    month: str
    left: int
    needed: Fraction | None
    ahead: Fraction
    down: bool = False
    least: Fraction = LEAST_CHANGE

    @property
    def per_month(self) -> Fraction:
        """What it moved in a month."""
        return self.change / self.over

    @property
    def verdict(self) -> str:
        """in_time, late, still; or the wrong way: falling, or rising where it should fall."""
        towards = -self.change if self.down else self.change
        if towards < 0:
            return "rising" if self.down else "falling"
        if self.months is None or self.months > LONGEST_MONTHS or towards < self.least:
            return "still"
        return "in_time" if self.months <= self.left else "late"


def pace(
    values: Sequence[Fraction | None],
    target: Fraction,
    today: date,
    deadline: date,
    *,
    down: bool = False,
    least: Fraction = LEAST_CHANGE,
) -> Pace | None:
    """The pace of a number that should rise, or come `down`; `values`: at the ends of months and now, oldest first.
    None: too early to tell."""
    known = [(n, value) for n, value in enumerate(values[-OVER_MONTHS - 1 :]) if value is not None]
    if len(known) < LEAST_POINTS:
        return None
    (first, before), (last, now) = known[0], known[-1]
    change, over = now - before, last - first
    gap = min(target - now, Fraction(0)) if down else max(target - now, Fraction(0))
    months = 0 if not gap else int(-(-gap * over // change)) if gap * change > 0 else None
    left = (deadline.year - today.year) * 12 + deadline.month - today.month
    return Pace(
        change,
        over,
        months,
        periods.month_of(months_later(today.replace(day=1), min(months or 0, LONGEST_MONTHS))),
        left,
        gap / left if left > 0 and gap else None,
        max(now + change / over * (left if left >= 0 else AHEAD_MONTHS), Fraction(0)),
        down,
        least,
    )
