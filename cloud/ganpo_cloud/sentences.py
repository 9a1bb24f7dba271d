"""The sentence that a page begins with: where we are, against which target. Pure; lines break between its phrases."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from ganpo_cloud.overview import Indicator
from ganpo_model.coverage import percent


def lead(item: Indicator, today: date, t: Callable[[str], str]) -> list[str]:
    """What the checked CNC coverage of an area comes to. `t` translates."""
    count, target = item.count, item.target
    if not count.denominator:
        return [t("No main production equipment is registered here yet.")]
    rate = percent(count.checked, count.denominator)
    told = [t("CNC coverage of main equipment is {rate}% (checked).").format(rate=rate)]
    if target is None:
        return [*told, t("There is no target for it.")]
    if target.value is None:
        return [*told, t("The plan has no number for it.")]
    if item.status == "reached":
        told.append(t("The target of {target}% is reached.").format(target=target.value))
    else:
        gap = points(rate, target.value)
        told.append(
            t("That is {gap} points below the target of {target}%.").format(gap=gap, target=target.value)
        )
    if target.deadline < today:
        told.append(t("The deadline of the plan, {day}, has passed.").format(day=target.deadline.isoformat()))
    return told


def points(rate: str, target: str) -> str:
    """How far a shown rate is from a target, in points, so that both add up as they are shown."""
    gap = abs(Fraction(target) - Fraction(rate))
    tenths = -(-gap.numerator * 10 // gap.denominator)
    return f"{tenths // 10}.{tenths % 10}"
