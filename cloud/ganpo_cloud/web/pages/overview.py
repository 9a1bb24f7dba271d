"""The official's pages: a place against the plan, with its parts and industries; and one number by its parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Path
from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.snapshots import trend
from ganpo_cloud.store.counted_tables import ALL, area_day
from ganpo_cloud.web.asking import Placed, asks
from ganpo_cloud.web.pages import cards, places, questions, trends
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.ladders import ladder
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_cloud.web.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class OfNumber(Placed):
    """One number of a place, by its parts."""

    number: Annotated[str, Path()]
    by: Annotated[Literal["area", "industry"], asks("areas, or industries", "area")] = "area"


def overview(connection: Connection, rendering: Rendering, _asked: Placed) -> Item:
    """Everything of a place: where it stands, what to ask about, which parts lag, and whether it moves."""
    scope = rendering.scope
    found = Indicators(rendering.snapshot(connection))
    n = Figures(found.snapshot.day)
    items = {item.definition.id: item for item in found.of(scope.area, scope.industry)}
    here = (scope.area, scope.industry or ALL)
    row = found.snapshot.rows([here[0]], [here[1]])[here]
    before = _before(connection, here, rendering)
    months = periods.months(rendering.day, trends.SHOWN_MONTHS)[:-1]
    past = trend(connection, [here[0]], [here[1]], months)
    history: trends.History = {month: past.get((*here, month)) for month in months} | {n.day: row}
    parts = places.areas(rendering, found, n, scope.area)
    waits = questions.waiting(connection, rendering, n)
    population = items["enterprise_onboarded"].of
    return {
        "n": n,
        "items": items,
        "row": row,
        "before": before,
        "questions": questions.questions(
            rendering, n, parts["rows"], waits, questions.late(connection, rendering)
        ),
        "cards": [cards.one(rendering, items[number], items) for number in cards.SHOWN],
        "ladders": [
            ladder(rendering, n, "enterprises", row, before, population),
            ladder(rendering, n, "equipment", row, before),
        ],
        "parts": parts,
        "selected": next((part for part in parts["rows"] if part.id == scope.more.get("selected")), None),
        "industry_rows": places.industries(rendering, found) if scope.industry is None else None,
        "waits": waits,
        "charts": [
            trends.coverage(rendering, items["nc_rate_main"], history),
            trends.onboarding(rendering, history),
        ],
    }


def _before(connection: Connection, here: tuple[str, str], rendering: Rendering) -> Mapping[str, Any] | None:
    """The sums of 30 days earlier."""
    day = rendering.day - timedelta(days=30)
    mine = (area_day.c.area == here[0]) & (area_day.c.industry == here[1]) & (area_day.c.day == day)
    row = connection.execute(select(area_day).where(mine)).mappings().first()
    return None if row is None else dict(row)


def indicator(connection: Connection, rendering: Rendering, asked: OfNumber) -> Item:
    """One number of a place and of its parts, judged as everywhere."""
    number, by = asked.number, asked.by
    if number not in DEFINITIONS:
        raise Refused(404, "http", "no such indicator", number[:40])
    found, scope = Indicators(rendering.snapshot(connection)), rendering.scope
    if by == "area":
        every = found.all([scope.area, *rendering.parts(scope.area)], [scope.industry])
        named = {key: (rendering.area(key[0]), rendering.href("/overview", area=key[0])) for key in every}
    else:
        every = found.all([scope.area], [None, *rendering.province.industries])
        named = {
            key: (
                rendering.industry(key[1]) if key[1] else rendering.t("all industries"),
                rendering.href("/overview", industry=key[1] or None),
            )
            for key in every
        }
    at = list(DEFINITIONS).index(number)
    return {
        "n": Figures(found.snapshot.day),
        "definition": DEFINITIONS[number],
        "by": by,
        "rows": [(*named[key], items[at]) for key, items in every.items()],
        "other": rendering.href(by="industry" if by == "area" else "area"),
        "xlsx": rendering.api(f"indicators/{number}", by=by, format="xlsx"),
        "csv": rendering.api(f"indicators/{number}", by=by, format="csv"),
    }
