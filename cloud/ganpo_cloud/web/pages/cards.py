"""Bullet cards: one number with its target, its pace and who is behind it (ui.md, Bullet card)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.frame import Frame, Item
from ganpo_cloud.web.pages.words import BADGES, UNITS
from ganpo_model import reference

SHOWN = (
    "nc_rate_main",
    "intelligent_count",
    "enterprise_onboarded",
    "availability",
    "comprehensive_energy",
    "water",
)


def cards(frame: Frame, items: Sequence[Indicator]) -> list[Item]:
    """The cards of a place."""
    by_id = {item.definition.id: item for item in items}
    return [one(frame, by_id[number], by_id) for number in SHOWN]


def table(frame: Frame, items: Sequence[Indicator]) -> list[Item]:
    """Every number of a place, as a table."""
    rows = []
    for item in items:
        behind = item.definition.lists
        rows.append(
            {
                "id": item.definition.id,
                "word": frame.t(item.definition.word),
                "unit": frame.t(UNITS[item.definition.unit]),
                "period": item.period,
                "levels": [
                    told(item, number, frame.lang) for number in (item.declared, item.checked, item.proven)
                ],
                "behind": of(item, frame),
                "definition": frame.t(item.definition.text),
                "numerator": frame.href("/equipment", measure=behind[0]) if behind[0] else "",
                "denominator": frame.href("/equipment", measure=behind[1]) if behind[1] else "",
                "target": target(item, frame),
                "badge": badge(item, frame),
            }
        )
    return rows


def told(item: Indicator, number: int | None, lang: str) -> str:
    """A number of an indicator as it is read; a rate with what it is made of."""
    if item.definition.kind == "rate":
        if number is None or not item.denominator:
            return numbers.NONE
        rate = numbers.rate(number, item.denominator, item.goal)
        if item.definition.among in ("busy_ms", "planned_ms"):
            return rate
        return f"{rate} ({number:,} / {item.denominator:,})"
    return value(item, number, lang)


def value(item: Indicator, number: int | None, lang: str) -> str:
    """A number in the unit of its definition, without the unit."""
    if number is None:
        return numbers.NONE
    if item.definition.kind == "rate":
        return numbers.rate(number, item.denominator, item.goal)
    if item.definition.kind == "quantity":
        return numbers.quantity(Fraction(number, 10**6), lang)
    if item.definition.kind == "intensity":
        return numbers.decimals(item.value, 5)
    return numbers.count(number)


def of(item: Indicator, frame: Frame) -> str:
    """m of N enterprises; of a quantity how much of what is declared is covered."""
    if item.behind is None:
        m, n = item.completeness or (0, 0)
        return frame.t("{m} of {n} carrier-months covered").format(m=f"{m:,}", n=f"{n:,}")
    if item.of is None:
        return frame.t("{m} enterprises").format(m=f"{item.behind:,}")
    return frame.t("{m} of {n} enterprises").format(m=f"{item.behind:,}", n=f"{item.of:,}")


def target(item: Indicator, frame: Frame) -> str:
    """What is asked for, and until when."""
    if item.target is None:
        return ""
    if item.target.value is None:
        return frame.t("no number in the plan")
    return f"{target_text(item)} · {item.target.deadline.isoformat()}"


def badge(item: Indicator, frame: Frame) -> Item:
    """Status, and of what is below its target whether the pace is enough."""
    warn = item.verdict in ("late", "still", "falling")
    mark = "✓" if item.verdict in ("reached", "in_time") else "!" if warn else "–"
    return {"word": frame.t(BADGES[item.verdict]), "warn": warn, "mark": mark}


def one(frame: Frame, item: Indicator, by_id: Mapping[str, Indicator]) -> Item:
    """One card."""
    behind = item.definition.lists
    return {
        "id": item.definition.id,
        "word": frame.t(item.definition.word),
        "sub": _sub(frame, item),
        "value": value(item, item.checked, frame.lang),
        "unit": frame.t(UNITS[item.definition.unit]) if item.definition.kind != "rate" else "",
        "href": frame.href("/equipment", measure=behind[0]) if behind[0] else "",
        "badge": badge(item, frame),
        "bullet": _bullet(item),
        "lines": _lines(frame, item, by_id),
        "known": _known(frame, item),
        "table": frame.href(f"/indicators/{item.definition.id}"),
        "xlsx": frame.api(f"indicators/{item.definition.id}", by="area", format="xlsx"),
    }


def _sub(frame: Frame, item: Indicator) -> str:
    if item.definition.id == "nc_rate_main":
        text = frame.t("checked {n} of {all} in service")
        return text.format(n=numbers.count(item.checked), all=numbers.count(item.denominator))
    if item.period:
        return numbers.period(item.period, frame.lang)
    return (
        frame.t("as of now")
        if frame.scope.day is None
        else frame.t("as of {day}").format(day=frame.scope.day)
    )


def _bullet(item: Indicator) -> Item:
    """Positions in percent of the track; empty: not there."""
    now, goal = item.value, item.goal
    if item.definition.kind == "rate":
        scale = Fraction(100)
    elif goal is None and item.definition.unit == "enterprises" and item.of:
        scale = Fraction(item.of)
    else:
        scale = max(now or Fraction(0), goal or Fraction(0)) * Fraction(6, 5) or Fraction(1)

    def at(number: Fraction | None) -> str:
        return "" if number is None else numbers.decimals(min(100 * number / scale, Fraction(100)), 1)

    light = None
    if item.definition.kind == "rate" and item.denominator and item.declared is not None:
        light = Fraction(100 * item.declared, item.denominator)
    elif item.definition.kind == "count" and item.declared is not None:
        light = Fraction(item.declared)
    return {
        # A quantity without a target has no scale: a bar would say nothing.
        "shown": goal is not None or item.definition.kind == "rate" or item.definition.unit == "enterprises",
        "now": at(now),
        "light": at(light),
        "goal": at(goal),
        "goal_text": "" if goal is None or item.target is None else target_text(item),
        "ahead": at(item.pace.ahead) if item.pace is not None else "",
        "end": "100%" if item.definition.kind == "rate" else "",
    }


def target_text(item: Indicator) -> str:
    """≥ 60%."""
    if item.target is None or item.target.value is None:
        return ""
    sign = {">=": "≥", "<=": "≤"}.get(item.target.comparator, item.target.comparator)
    number = f"{int(item.target.value):,}" if item.target.value.isdigit() else item.target.value
    return f"{sign} {number}{'%' if item.definition.kind == 'rate' else ''}"


def _lines(frame: Frame, item: Indicator, by_id: Mapping[str, Indicator]) -> list[tuple[str, str]]:
    t, rate, moved = frame.t, item.definition.kind == "rate", item.pace
    goal = item.goal
    lines: list[tuple[str, str]] = []
    if goal is not None and item.value is not None:
        gap = goal - item.value
        if gap > 0:
            apart, word = numbers.count(-(-gap // 1)), t("points")
            if rate and item.checked is not None and item.denominator and item.target and item.target.value:
                # As far as the shown rate is from the target, so that both add up.
                shown = numbers.gap(numbers.percent(item.checked, item.denominator, goal), item.target.value)
                apart = f"{shown}{' ' if frame.lang == 'en' else ''}{word}"
            lines.append((t("gap"), apart))
    if moved is not None:
        per_month = numbers.points(moved.per_month) if not rate else _hundredths(moved.per_month)
        lines.append(
            (t("pace"), t("{n} a month over {months} months").format(n=per_month, months=moved.over))
        )
        if moved.needed is not None:
            needed = _hundredths(moved.needed) if rate else numbers.points(moved.needed)
            lines.append((t("needed"), t("{n} a month").format(n=needed)))
    if item.definition.id == "nc_rate_main":
        levels = " · ".join(
            f"{word} {numbers.rate(number, item.denominator, item.goal)}"
            for word, number in ((t("declared"), item.declared), (t("proven"), item.proven))
        )
        lines.append((t("other levels"), levels))
    if item.definition.id == "enterprise_onboarded":
        ever = by_id["enterprise_onboarded_ever"]
        lines.append((t("ever"), numbers.count(ever.checked)))
        if item.target is not None and item.target.baseline is not None and item.checked is not None:
            change = item.checked - int(Fraction(item.target.baseline))
            day = item.target.baseline_date
            lines.append((t("since the baseline"), f"{numbers.signed(change)} ({day})"))
        if item.change is not None:
            lines.append((t("over 6 months"), numbers.signed(int(item.change))))
    if item.definition.id == "availability":
        whole = by_id["completeness"]
        lines.append((t("formula"), "APT / PBT"))
        lines.append((t("completeness"), numbers.rate(whole.checked, whole.denominator)))
    if item.definition.kind == "quantity":
        intensity = by_id["energy_intensity" if item.definition.unit == "tce" else "water_intensity"]
        told_value = value(intensity, intensity.checked, frame.lang)
        unit = t(UNITS[intensity.definition.unit])
        lines.append(
            (t("per value added"), f"{told_value} {unit}" if intensity.checked is not None else numbers.NONE)
        )
        lines.append((t("of it"), f"{of(intensity, frame)} · {intensity.period}"))
        if item.missing:
            names = reference.carriers()
            words = [names[c].name_zh if frame.lang == "zh" else names[c].name_en for c in item.missing]
            lines.append((t("missing"), ("、" if frame.lang == "zh" else ", ").join(words)))
    return lines


def _hundredths(change: Fraction) -> str:
    sign = "+" if change >= 0 else "−"
    return f"{sign}{numbers.decimals(abs(change), 2)}"


def _known(frame: Frame, item: Indicator) -> Item:
    """The bar that says how much is known."""
    if item.behind is None:
        return {"x": numbers.share(*(item.completeness or (0, 0))), "left": of(item, frame), "right": ""}
    if item.of is None:
        return {"x": "", "left": of(item, frame), "right": frame.t("how many there are nobody said")}
    unknown = max(item.of - item.behind, 0)
    right = frame.t("{n} unknown").format(n=f"{unknown:,}") if unknown else ""
    return {"x": numbers.share(item.behind, item.of), "left": of(item, frame), "right": right}
