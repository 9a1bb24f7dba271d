"""Bullet cards: one number with its target, its pace and who is behind it (ui.md, Bullet card). What it says is the
template's; here is where its marks stand."""

from collections.abc import Mapping
from fractions import Fraction

from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.rendering import Item, Rendering

SHOWN = (
    "nc_rate_main",
    "intelligent_count",
    "enterprise_onboarded",
    "availability",
    "comprehensive_energy",
    "water",
)


def one(rendering: Rendering, item: Indicator, by_id: Mapping[str, Indicator]) -> Item:
    """One card; `by_id`: the other numbers of the place."""
    number = item.definition.id
    return {
        "item": item,
        "others": by_id,
        "bullet": bullet(item),
        "table": rendering.href(f"/indicators/{number}"),
        "xlsx": rendering.api(f"indicators/{number}", by="area", format="xlsx"),
    }


def bullet(item: Indicator) -> Item:
    """Positions in percent of the track; empty: not there. `shown`: a quantity without a target has no scale, and a bar
    would say nothing."""
    now, goal, rate = item.value, item.goal, item.definition.kind == "rate"
    scale = Fraction(100)
    if not rate and goal is None and item.definition.unit == "enterprises" and item.of:
        scale = Fraction(item.of)
    elif not rate:
        scale = max(now or Fraction(0), goal or Fraction(0)) * Fraction(6, 5) or Fraction(1)

    def at(number: Fraction | None) -> str:
        return "" if number is None else numbers.decimals(min(100 * number / scale, Fraction(100)), 1)

    light = None if item.declared is None else Fraction(item.declared)
    if rate and light is not None:
        light = 100 * light / item.denominator if item.denominator else None
    return {
        "shown": goal is not None or rate or item.definition.unit == "enterprises",
        "now": at(now),
        "light": at(light),
        "goal": at(goal),
        "ahead": at(item.pace.ahead if item.pace is not None else None),
    }
