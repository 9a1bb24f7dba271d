"""Points of an assessment, exactly: by a number against what is asked for (metrics.md, Assessment)."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

Rule = Literal["all_or_nothing", "linear"]
RULES: tuple[Rule, ...] = ("all_or_nothing", "linear")
Grade = Literal["exceeded", "fulfilled", "basically", "not_fulfilled"]
GRADES: tuple[tuple[int, Grade], ...] = (
    (95, "exceeded"),
    (80, "fulfilled"),
    (60, "basically"),
    (0, "not_fulfilled"),
)
"""From so many points on (of 100): from memory, unverified."""
WHOLE = 100
"""All points of a scheme together."""


def reached(value: Fraction, full: Fraction, *, falling: bool) -> bool:
    """Whether a number has come to `full`; `falling`: less is better."""
    return value <= full if falling else value >= full


def points(
    value: Fraction | None,
    most: Fraction,
    rule: Rule,
    full: Fraction,
    zero: Fraction | None,
    *,
    falling: bool,
) -> int:
    """Tenths of a point of `most` points, rounded down; nothing where nobody knows the number.

    `all_or_nothing`: all once `full` is reached. `linear`: none at `zero`, all at `full`, evenly between, and neither
    less nor more beyond. Raises ValueError: linear without a `zero`, or one that is `full`.
    """
    if rule == "linear" and zero in (None, full):
        raise ValueError("linear needs a zero that is another number than full")
    if value is None:
        return 0
    if rule == "all_or_nothing" or zero is None:
        return int(10 * most) if reached(value, full, falling=falling) else 0
    share = min(max((value - zero) / (full - zero), Fraction(0)), Fraction(1))
    return int(10 * most * share)


def grade(tenths: Iterable[int], *, vetoed: bool) -> Grade:
    """Of all points together; where an item with a veto is below full it is the lowest."""
    total = sum(tenths)
    return GRADES[-1][1] if vetoed else next(name for least, name in GRADES if total >= 10 * least)
