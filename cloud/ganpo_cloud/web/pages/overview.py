"""The overview of a place: where it stands, at what pace, what to ask about, which parts lag, and whether it moves."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.snapshots import trend
from ganpo_cloud.store.counted_tables import ALL, area_day
from ganpo_cloud.web.pages import cards, ladders, numbers, places, questions, trends
from ganpo_cloud.web.pages.frame import Day, Frame, Item, Lang, Place, Site, Text
from ganpo_cloud.web.pages.sentences import caveat, lead


def router(site: Site) -> APIRouter:
    """The routes `/overview`, `/areas` and `/industries`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/overview", response_class=HTMLResponse)
    def show(
        request: Request,
        lang: Lang = None,
        area: Place = None,
        industry: Place = None,
        as_of: Day = None,
        selected: Text = "",
    ) -> HTMLResponse:
        scope = site.scope(request, lang, area, industry, as_of, selected=selected)
        return site.answer("overview.html", scope, overview)

    @pages.get("/areas", response_class=HTMLResponse)
    def areas(
        request: Request, lang: Lang = None, area: Place = None, industry: Place = None, as_of: Day = None
    ) -> HTMLResponse:
        return site.answer("areas.html", site.scope(request, lang, area, industry, as_of), _areas)

    @pages.get("/industries", response_class=HTMLResponse)
    def industries(
        request: Request, lang: Lang = None, area: Place = None, as_of: Day = None
    ) -> HTMLResponse:
        return site.answer("industries.html", site.scope(request, lang, area, None, as_of), _industries)

    return pages


def overview(connection: Connection, frame: Frame) -> Item:
    """Everything of a place."""
    scope = frame.scope
    found = Indicators(frame.snapshot(connection))
    items = found.of(scope.area, scope.industry)
    nc = items[0]
    months = periods.months(frame.day, trends.SHOWN_MONTHS)
    here = (scope.area, scope.industry or ALL)
    mine = {row["month"]: row for row in trend(connection, [here[0]], [here[1]], months).values()}
    parts = places.areas(frame, found, scope.area)
    row = found.snapshot.rows([scope.area], [here[1]])[here]
    # The month of the day as it stood on the day.
    mine[months[-1]] = row
    before = _before(connection, here, frame)
    population = next(item.of for item in items if item.definition.id == "enterprise_onboarded")
    selected = dict(scope.more).get("selected")
    return {
        "lead": lead(nc, frame.day, frame.t, frame.lang),
        "second": _second(frame, items, row, before),
        "caveats": caveat(nc, frame.day, frame.t, frame.lang),
        "needs": questions.needs(connection, frame, parts["rows"]),
        "cards": cards.cards(frame, items),
        "all": cards.table(frame, items),
        "ladders": ladders.ladders(frame, row, before, population),
        "parts": parts,
        "selected": next((part for part in parts["rows"] if part["id"] == selected), None),
        "industry_rows": places.industries(frame, found) if scope.industry is None else None,
        "trust": questions.trust(connection, frame, items),
        "charts": [trends.coverage(frame, nc, months, mine), trends.onboarding(frame, months, mine)],
    }


def _areas(connection: Connection, frame: Frame) -> Item:
    """Every city with its counties."""
    found = Indicators(frame.snapshot(connection))
    return {"parts": places.areas(frame, found, frame.scope.area)}


def _industries(connection: Connection, frame: Frame) -> Item:
    """Every industry of a place."""
    found = Indicators(frame.snapshot(connection))
    return {"industry_rows": places.industries(frame, found)}


def _before(connection: Connection, here: tuple[str, str], frame: Frame) -> Mapping[str, Any] | None:
    """The sums of 30 days earlier."""
    day = frame.day - timedelta(days=30)
    mine = (area_day.c.area == here[0]) & (area_day.c.industry == here[1]) & (area_day.c.day == day)
    row = connection.execute(select(area_day).where(mine)).mappings().first()
    return None if row is None else dict(row)


def _second(
    frame: Frame, items: list[Indicator], row: Mapping[str, int], before: Mapping[str, Any] | None
) -> str:
    """How many enterprises and intelligent devices there are."""
    t = frame.t
    told = t("{n} enterprises are in the cloud").format(n=f"{row['enterprises_cloud']:,}")
    if before is not None:
        change = numbers.signed(row["enterprises_cloud"] - before["enterprises_cloud"])
        told += t(" ({change} in 30 days)").format(change=change)
    sets = t("; intelligent equipment: {n} sets checked.").format(n=f"{row['intelligent_checked']:,}")
    return told + sets
