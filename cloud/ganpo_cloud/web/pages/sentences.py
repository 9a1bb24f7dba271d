"""The sentence that a page begins with: where we are, against which target, at what pace. Pure; lines break between
its phrases alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.pace import months_between, pace

LONGEST_MONTHS = 600
"""What takes longer is told as never."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a sentence; `late`: a person should ask about it."""

    text: str
    late: bool = False


def lead(
    item: Indicator, values: Sequence[Fraction | None], today: date, t: Callable[[str], str], lang: str
) -> list[Phrase]:
    """What the checked CNC coverage of a place comes to. `values`: at the ends of months up to now, in percent; `t`
    translates."""
    if not item.denominator or item.checked is None:
        return [Phrase(t("No main production equipment is registered here yet."))]
    goal = item.target.value if item.target is not None else None
    rate = numbers.percent(item.checked, item.denominator, goal)
    told = [Phrase(t("CNC coverage of main equipment is {rate}% (checked).").format(rate=rate))]
    target = item.target
    if target is None:
        return [*told, Phrase(t("There is no target for it."))]
    if target.value is None:
        return [*told, Phrase(t("The plan has no number for it."))]
    if item.status == "reached":
        told.append(Phrase(t("The target of {target}% is reached.").format(target=target.value)))
        return told
    gap = numbers.gap(rate, target.value)
    told.append(
        Phrase(t("That is {gap} points below the target of {target}%.").format(gap=gap, target=target.value))
    )
    return [*told, *_pace(item, values, today, t, lang)]


def caveat(item: Indicator, today: date, t: Callable[[str], str], lang: str) -> list[str]:
    """What stands below: who is behind it, and that the plan's own deadline has passed."""
    told = []
    target = item.target
    if target is not None and target.plan < today:
        day = numbers.day(target.plan, lang)
        if target.deadline > target.plan:
            text = t("The deadline of the plan, {day}, has passed; the pace is measured against {other}.")
            told.append(text.format(day=day, other=numbers.day(target.deadline, lang)))
        else:
            text = t("The deadline of the plan, {day}, has passed, and no other was entered beside it.")
            told.append(text.format(day=day))
    if item.of is None:
        text = t("{m} enterprises have main equipment in the ledger; how many there are nobody said.")
        told.append(text.format(m=f"{item.behind:,}"))
    else:
        text = t("{m} of {n} enterprises have main equipment in the ledger.")
        told.append(text.format(m=f"{item.behind:,}", n=f"{item.of:,}"))
    return told


def _pace(
    item: Indicator, values: Sequence[Fraction | None], today: date, t: Callable[[str], str], lang: str
) -> list[Phrase]:
    target = item.target
    if target is None or target.value is None:
        return []
    found = pace(values, Fraction(target.value), today, target.deadline)
    if found is None:
        return [Phrase(t("It is too early to tell a pace."))]
    moved = numbers.points(abs(found.change)).removeprefix("+")
    if found.change < 0:
        text = t("Over the last {n} months it fell by {points} points.")
        return [Phrase(text.format(n=found.over, points=moved), late=True)]
    if found.months is None or found.months > LONGEST_MONTHS or moved == "0.0":
        return [Phrase(t("Over the last {n} months it hardly moved.").format(n=found.over), late=True)]
    reached = numbers.later(today, found.months)
    text = t("At the pace of the last {n} months it is reached in {month},")
    told = Phrase(text.format(n=found.over, month=numbers.month(reached, lang)))
    late = found.months - months_between(today, target.deadline)
    if target.deadline < today:
        return [told, Phrase(t("after a deadline that has passed."), late=True)]
    if late > 0:
        return [told, Phrase(t("{n} months after the deadline.").format(n=late), late=True)]
    return [told, Phrase(t("within the deadline."))]
