"""What a year will come to: from last year's course, else from planned days (metrics.md section 5, dual control)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Method = Literal["last_year", "linear", "none"]
METHODS: tuple[Method, ...] = ("last_year", "linear", "none")
COVERED = Fraction(9, 10)
"""So much of both years has to be known before last year's course is followed."""
FEWEST_DAYS = 30
"""Planned days that have to be gone before anything is projected."""


@dataclass(frozen=True, slots=True)
class Course:
    """A year until a day, beside last year. `so_far`: this year's; None where nobody knows. `before`: last year's of
    the same days, None likewise; `rest`: of its other days. `gone` of `planned`: days that were planned until then, of
    those of the whole year. `covered`: the least of what is known of the days of this year and of last year, 0 to 1."""

    so_far: Fraction | int | None
    before: Fraction | int | None
    rest: Fraction | int
    gone: int
    planned: int
    covered: Fraction

    @property
    def method(self) -> Method:
        """How its rest is told: by last year's course, evenly over planned days, or not at all."""
        if self.so_far is None or self.gone < FEWEST_DAYS:
            return "none"
        follows = self.before is not None and self.before > 0 and self.covered >= COVERED
        return "last_year" if follows else "linear"

    @property
    def ahead(self) -> Fraction | None:
        """What the rest of the year is expected to add, exactly; None: nobody can tell.

        P = YTD + R' x YTD / YTD', else P = YTD x planned days of the year / planned days gone; `ahead` is P - YTD.
        """
        if self.so_far is None or self.method == "none":
            return None
        if self.before is not None and self.method == "last_year":
            return Fraction(self.rest) * Fraction(self.so_far) / Fraction(self.before)
        return Fraction(self.so_far) * Fraction(self.planned - self.gone, self.gone)

    @property
    def whole(self) -> Fraction | None:
        """P: what the year will come to."""
        return None if self.so_far is None or self.ahead is None else self.so_far + self.ahead


Light = Literal["green", "yellow", "red", "hatched", "none"]
"""How a year stands to its limit: within it, near it, above it; not to be judged, for too little is known of it; or not
told, for there is no limit or no projection."""


def light(
    whole: Fraction | int | None,
    limit: Fraction | None,
    *,
    so_far: Fraction | int | None = None,
    covered: bool = True,
    near: Fraction = Fraction(95, 100),
    above: Fraction = Fraction(1),
) -> Light:
    """r = P / limit: green up to `near`, yellow up to `above`, red beyond, or once `so_far` alone is above the limit.

    `so_far`: of what only grows; None: of what may fall again, then nothing is red before the year is. Where less than
    90 % is `covered` there is no colour, but of what only grows red stays red: what is missing adds to it.
    """
    if limit is None:
        return "none"
    over = so_far is not None and so_far > limit
    red = over or (whole is not None and whole > above * limit)
    if red and (covered or so_far is not None):
        return "red"
    if whole is None:
        return "none"
    if not covered:
        return "hatched"
    return "green" if whole <= near * limit else "yellow"
