"""The sentence that a page begins with: where we are, against which target, at what pace. Pure; lines break between
its phrases alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.web.pages import numbers
from ganpo_model.coverage import percent


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a sentence; `late`: a person should ask about it."""

    text: str
    late: bool = False


def lead(item: Indicator, today: date, t: Callable[[str], str], lang: str) -> list[Phrase]:
    """What the checked CNC coverage of a place comes to. `t` translates."""
    if not item.denominator or item.checked is None:
        return [Phrase(t("No main production equipment is registered here yet."))]
    rate = percent(item.checked, item.denominator, item.goal)
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
    return [*told, *_pace(item, today, t, lang)]


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


def _pace(item: Indicator, today: date, t: Callable[[str], str], lang: str) -> list[Phrase]:
    found, target = item.pace, item.target
    if target is None or found is None:
        return [Phrase(t("It is too early to tell a pace."))]
    if found.verdict == "falling":
        text = t("Over the last {n} months it fell by {points} points.")
        moved = numbers.points(abs(found.change)).removeprefix("+")
        return [Phrase(text.format(n=found.over, points=moved), late=True)]
    if found.verdict == "still":
        return [Phrase(t("Over the last {n} months it hardly moved.").format(n=found.over), late=True)]
    text = t("At the pace of the last {n} months it is reached in {month},")
    told = Phrase(text.format(n=found.over, month=numbers.month(found.month, lang)))
    if target.deadline < today:
        return [told, Phrase(t("after a deadline that has passed."), late=True)]
    if found.verdict == "late" and found.months is not None:
        late = t("{n} months after the deadline.").format(n=found.months - found.left)
        return [told, Phrase(late, late=True)]
    return [told, Phrase(t("within the deadline."))]
