"""The official's pages: a place against the plan, with its parts and industries; and one number by its parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import Path
from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import arrivals, lists, ranking, totals, trends
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.gains import MOVED
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.within import Only
from ganpo_cloud.store.counted_tables import ALL, NOWHERE, area_day
from ganpo_cloud.web.asking import Seen, Tagged, asks
from ganpo_cloud.web.pages import questions
from ganpo_cloud.web.pages.dual_control import against_limit
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_cloud.web.problems import Refused
from ganpo_model.coverage import ENTERPRISES, MEASURES, ladder, months_later, stops

CARDS = (
    "nc_rate_main",
    "intelligent_count",
    "enterprise_onboarded",
    "availability",
    "comprehensive_energy",
    "water",
)
SHOWN_MONTHS = 24
AHEAD, LONGEST_AHEAD = 12, 48
"""So many months ahead the pace is drawn: where no deadline lies ahead, and at most."""
LADDERS = {"enterprises": ladder(ENTERPRISES), "equipment": ladder(MEASURES)}
"""By the list behind it."""
STOPS: Mapping[str, Any] = {
    name: {rung: stops(measures, rung) for rung, *_ in LADDERS[name]}
    for name, measures in (("enterprises", ENTERPRISES), ("equipment", MEASURES))
}
"""By list and rung what is counted of those that stop there, by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfNumber(Tagged):
    """One number of a place, by its parts."""

    number: Annotated[str, Path()]
    by: Annotated[Literal["area", "industry"], asks("areas, or industries", "area")] = "area"


def overview(connection: Connection, rendering: Rendering, asked: Seen) -> Item:
    """Everything of a place: where it stands, what to ask about, which parts lag, and whether it moves."""
    scope, here = rendering.scope, (rendering.scope.area, rendering.scope.industry or ALL)
    found = Indicators(rendering.snapshot(connection))
    n = Figures(found.snapshot.day, *here, tag=scope.tag or "")
    parts = rendering.parts(scope.area)
    every = by_id(found, [scope.area, *parts, NOWHERE], [scope.industry])
    row = found.snapshot.rows([here[0]], [here[1]])[here]
    months = periods.months(rendering.day, SHOWN_MONTHS)[:-1]
    past = found.snapshot.trend([here[0]], [here[1]], months)
    areas = ranking.best_first(every[part, here[1]] for part in parts)
    waits = questions.waiting(connection, rendering, n)
    every_month = {month: past.get((*here, month)) or {} for month in months}
    since = next((month for month, of in every_month.items() if trends.heard(of or None)), months[0])
    month = periods.month_of(n.day)
    wanted = lists.Filter(scope.area, scope.industry, n.day, only=found.snapshot.only)
    new = lists.number(connection, arrivals.enterprises(rendering.province, wanted, month))
    industries = (
        [] if scope.industry else by_id(found, [scope.area], [*rendering.province.industries]).values()
    )
    return {
        "n": n,
        "items": every[here],
        "row": row,
        "before": _before(connection, here, rendering, found.snapshot.only),
        "history": {month: of for month, of in every_month.items() if month >= since} | {f"{n.day}": row},
        "left_out": sum(month < since for month in months),
        "ahead": _ahead(every[here][ranking.BY], n.day),
        "new": n.count("enterprises_new", new, time=f"{month}..{n.day}"),
        "ladders": LADDERS,
        "stops": STOPS,
        "questions": questions.running(connection, rendering, n)
        + questions.questions(
            rendering,
            n,
            [part[ranking.BY] for part in areas],
            waits,
            questions.late(connection, rendering),
            row["enterprises_silent"],
        ),
        **against_limit(connection, rendering),
        "cards": CARDS,
        "areas": areas,
        "lost": every[NOWHERE, here[1]],
        "selected": next((every[part, here[1]] for part in parts if part == asked.selected), None),
        "industry_rows": ranking.best_first(industries),
        "waits": waits,
    }


def by_id(
    found: Indicators, areas: list[str], industries: list[str | None]
) -> dict[Any, Mapping[str, Indicator]]:
    """By place and industry its indicators by id."""
    every = found.all(areas, industries)
    return {key: {item.definition.id: item for item in items} for key, items in every.items()}


def _ahead(item: Indicator, day: date) -> Item | None:
    """The months from now to the deadline, or a year ahead where that has passed; and where the number stands at the
    end of each at its pace, and has to stand to reach its target in time (None: nothing is needed). None: nothing to
    tell."""
    if item.pace is None or item.value is None or not item.missed:
        return None
    months = min(item.pace.left, LONGEST_AHEAD) if item.pace.left > 0 else AHEAD
    steps = range(1, months + 1)
    needed = item.pace.needed
    return {
        "months": periods.months(months_later(day.replace(day=1), months), months),
        "pace": [
            float(min(max(item.value + item.pace.per_month * n, Fraction(0)), Fraction(100))) for n in steps
        ],
        "needed": None if needed is None else [float(item.value + needed * n) for n in steps],
    }


def _before(
    connection: Connection, here: tuple[str, str], rendering: Rendering, only: Only | None
) -> Mapping[Any, Any] | None:
    """The sums of 30 days earlier."""
    day = rendering.day - timedelta(days=30)
    if only is not None:
        return totals.stocks(connection, rendering.province, day, only).get(here)
    mine = (area_day.c.area == here[0]) & (area_day.c.industry == here[1]) & (area_day.c.day == day)
    return connection.execute(select(area_day).where(mine)).mappings().first()


def indicator(connection: Connection, rendering: Rendering, asked: OfNumber) -> Item:
    """One number of a place and of its parts, judged as everywhere."""
    number, by, scope = asked.number, asked.by, rendering.scope
    if number not in DEFINITIONS:
        raise Refused(404, "http", "no such indicator", number[:40])
    areas, industries = [scope.area, *rendering.parts(scope.area)], [scope.industry]
    if by == "industry":
        areas, industries = [scope.area], [None, *rendering.province.industries]
    every = by_id(found := Indicators(rendering.snapshot(connection)), areas, industries)
    return {
        "n": Figures(found.snapshot.day, tag=scope.tag or ""),
        "definition": DEFINITIONS[number],
        "by": by,
        "moved": number in MOVED,
        "rows": [items[number] for items in every.values()],
        "other": rendering.href(by="industry" if by == "area" else "area"),
        "xlsx": rendering.api(f"indicators/{number}", by=by, format="xlsx"),
        "csv": rendering.api(f"indicators/{number}", by=by, format="csv"),
    }
