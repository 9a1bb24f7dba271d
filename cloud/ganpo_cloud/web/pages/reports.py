"""Energy and water, the definitions, one number by its parts, and the published month."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import publishing
from ganpo_cloud.province.balances import COVERED
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.places import Key
from ganpo_cloud.store.counted_tables import ALL, area_carrier
from ganpo_cloud.web.i18n import instant
from ganpo_cloud.web.pages import cards, numbers, trends
from ganpo_cloud.web.pages.frame import Day, Frame, Item, Lang, Place, Site
from ganpo_cloud.web.pages.words import UNITS
from ganpo_model import reference
from ganpo_model.energy import WATER
from ganpo_model.errors import ConfigError

_Month = Annotated[str | None, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


def router(site: Site) -> APIRouter:
    """The routes `/energy`, `/definitions`, `/indicators/{id}` and `/report`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/energy", response_class=HTMLResponse)
    def energy(
        request: Request, lang: Lang = None, area: Place = None, industry: Place = None
    ) -> HTMLResponse:
        return site.answer("energy.html", site.scope(request, lang, area, industry), _energy)

    @pages.get("/definitions", response_class=HTMLResponse)
    def definitions(request: Request, lang: Lang = None) -> HTMLResponse:
        return site.answer("definitions.html", site.scope(request, lang), _definitions)

    @pages.get("/indicators/{number}", response_class=HTMLResponse)
    def indicator(
        request: Request,
        number: str,
        lang: Lang = None,
        area: Place = None,
        industry: Place = None,
        as_of: Day = None,
        by: Literal["area", "industry"] = "area",
    ) -> HTMLResponse:
        scope = site.scope(request, lang, area, industry, as_of, by=by)
        if number not in DEFINITIONS:
            return site.missing(scope, number[:40])
        return site.answer("indicator.html", scope, lambda c, f: _indicator(c, f, number, by))

    @pages.get("/report", response_class=HTMLResponse)
    def report(request: Request, lang: Lang = None, month: _Month = None, area: Place = None) -> HTMLResponse:
        scope = site.scope(request, lang, area, month=month or "")
        return site.answer("report.html", scope, lambda c, f: _report(c, f, month))

    return pages


def _energy(connection: Connection, frame: Frame) -> Item:
    """Carriers by month, what is missing, and what it comes to per value added."""
    scope = frame.scope
    months = periods.months(frame.day, trends.SHOWN_MONTHS)
    mine = (area_carrier.c.area == scope.area) & (area_carrier.c.industry == (scope.industry or ALL))
    rows = connection.execute(
        select(area_carrier).where(mine & area_carrier.c.month.between(months[0], months[-1]))
    ).all()
    carriers = sorted({row.carrier for row in rows})
    by = {(row.carrier, row.month): row for row in rows}
    tce = [_tce(frame, by, carriers, month) for month in months]
    water = [numbers.ones(by.get((WATER, month))) for month in months]
    items = {
        item.definition.id: item
        for item in Indicators(frame.snapshot(connection)).of(scope.area, scope.industry)
    }
    labels = [numbers.month(month, frame.lang) for month in months]
    t = frame.t
    charts = [
        trends.chart(
            frame,
            "bar",
            t("Energy by month, metered and stated part"),
            t("tce a month, equivalent value; hatched: less than 90% of what is declared is covered"),
            labels,
            [("tce", tce, True)],
            pending=[_short(by, carriers, month, frame, water=False) for month in months],
            xlsx=frame.api("energy", format="xlsx"),
        ),
        trends.chart(
            frame,
            "bar",
            t("Fresh water by month, metered and stated part"),
            t("m³ a month; hatched: less than 90% of what is declared is covered"),
            labels,
            [("m³", water, True)],
            pending=[_short(by, carriers, month, frame, water=True) for month in months],
            xlsx=frame.api("energy", format="xlsx"),
        ),
    ]
    shown = months[-13:]
    return {
        "cards": [
            cards.one(frame, items[number], items)
            for number in ("comprehensive_energy", "energy_intensity", "water", "water_intensity")
        ],
        "charts": charts,
        "months": [numbers.month(month, frame.lang) for month in shown],
        "rows": [_carrier(frame, carrier, by, shown) for carrier in carriers],
        "xlsx": frame.api("energy", format="xlsx"),
        "csv": frame.api("energy", format="csv"),
    }


def _tce(frame: Frame, by: Mapping[tuple[str, str], Any], carriers: list[str], month: str) -> float | None:
    day = periods.span(month)[0]
    total: Fraction | None = None
    for carrier in carriers:
        row = by.get((carrier, month))
        if row is not None and row.millionths is not None and carrier in frame.province.coefficients.carriers:
            total = (total or Fraction(0)) + frame.province.coefficients.tce({carrier: row.millionths}, day)
    return None if total is None else float(round(total, 3))


def _short(
    by: Mapping[tuple[str, str], Any], carriers: list[str], month: str, frame: Frame, *, water: bool
) -> bool:
    """Whether less of what is declared is covered than a rate would need (metrics.md section 5)."""
    wanted = [
        c for c in carriers if (c == WATER) is water and (water or c in frame.province.coefficients.carriers)
    ]
    rows = [by[carrier, month] for carrier in wanted if (carrier, month) in by]
    return bool(sum(row.covered for row in rows) < COVERED * sum(row.declared for row in rows))


def _carrier(frame: Frame, carrier: str, by: Mapping[tuple[str, str], Any], months: list[str]) -> Item:
    about = reference.carriers()[carrier]
    newest = by.get((carrier, months[-2])) or by.get((carrier, months[-1]))
    return {
        "word": about.name_zh if frame.lang == "zh" else about.name_en,
        "unit": about.unit.replace("m3", "m³"),
        "values": [_shown(by.get((carrier, month)), frame.lang) for month in months],
        "covered": f"{newest.covered:,} / {newest.declared:,}" if newest is not None else numbers.NONE,
    }


def _shown(row: Any, lang: str) -> Item:
    if row is None or row.millionths is None:
        return {"text": numbers.NONE, "partial": row is not None}
    text = numbers.quantity(Fraction(row.millionths, 10**6), lang)
    return {"text": text, "partial": row.covered < row.declared}


def _definitions(_connection: Connection, frame: Frame) -> Item:
    return {
        "rows": [
            {
                "id": item.id,
                "word": frame.t(item.word),
                "text": frame.t(item.text),
                "unit": frame.t(UNITS[item.unit]),
                "source": frame.t(item.source),
                "target": item.target or "",
            }
            for item in DEFINITIONS.values()
        ],
        "coefficients": [
            {
                "carrier": names.name_zh if frame.lang == "zh" else names.name_en,
                "unit": names.unit.replace("m3", "m³"),
                "kgce": str(float(found.kgce)),
                "since": found.since.isoformat(),
                "source": found.source,
            }
            for carrier, names in reference.carriers().items()
            if (found := frame.province.coefficients.at(carrier, frame.day)) is not None
        ],
    }


def _indicator(connection: Connection, frame: Frame, number: str, by: str) -> Item:
    """One number of a place and of its parts."""
    found = Indicators(frame.snapshot(connection))
    scope = frame.scope
    if by == "area":
        every = found.all([scope.area, *frame.parts(scope.area)], [scope.industry])
        words = {key: frame.area(key[0]) for key in every}
    else:
        every = found.all([scope.area], [None, *frame.province.industries])
        words = {key: frame.industry(key[1]) if key[1] else frame.t("all industries") for key in every}
    definition = DEFINITIONS[number]
    rows = [_row(frame, key, words[key], _one(items, number), by) for key, items in every.items()]
    return {
        "definition": {
            "word": frame.t(definition.word),
            "text": frame.t(definition.text),
            "source": frame.t(definition.source),
            "unit": frame.t(UNITS[definition.unit]),
        },
        "by": by,
        "rows": rows,
        "other": frame.href(by="industry" if by == "area" else "area"),
        "xlsx": frame.api(f"indicators/{number}", by=by, format="xlsx"),
        "csv": frame.api(f"indicators/{number}", by=by, format="csv"),
    }


def _row(frame: Frame, key: Key, word: str, item: Indicator, by: str) -> Item:
    changes: dict[str, str | None] = {"area": key[0]} if by == "area" else {"industry": key[1] or None}
    levels = (item.declared, item.checked, item.proven)
    return {
        "word": word,
        "href": frame.href("/overview", **changes),
        "levels": [cards.told(item, number, frame.lang) for number in levels],
        "behind": cards.of(item, frame),
        "badge": cards.badge(item, frame) if item.target is not None else None,
    }


def _one(items: list[Indicator], number: str) -> Indicator:
    return next(item for item in items if item.definition.id == number)


def _report(connection: Connection, frame: Frame, month: str | None) -> Item:
    """A published month beside what it comes to today."""
    published = publishing.reports(connection)
    chosen = month or (published[0].month if published else publishing.month_before(frame.today))
    base: Item = {
        "month": chosen,
        "month_word": numbers.month(chosen, frame.lang),
        "months": [
            {
                "month": item.month,
                "word": numbers.month(item.month, frame.lang),
                "href": frame.href(month=item.month),
            }
            for item in published
        ],
        "published": None,
        "rows": [],
        "damaged": "",
        "xlsx": f"/api/v1/reports/{chosen}?format=xlsx",
        "csv": f"/api/v1/reports/{chosen}?format=csv",
    }
    try:
        found = publishing.read(connection, chosen)
    except ConfigError as error:
        return base | {"damaged": str(error)}
    if found is None:
        return base
    before = publishing.keyed(found.lines)
    areas = [frame.scope.area, *frame.parts(frame.scope.area)]
    today = publishing.indicators(connection, frame.province, chosen, frame.now).all(areas, [None])
    now = publishing.keyed(publishing.line(item) for items in today.values() for item in items)
    rows = []
    for area in areas:
        keys = [(number, area, ALL) for number in cards.SHOWN]
        cells = [_pair(frame, key[0], before.get(key), now.get(key)) for key in keys]
        rows.append({"word": frame.area(area), "href": frame.href(area=area), "cells": cells})
    return base | {
        "published": {
            "when": instant(found.published_at, frame.lang),
            "checksum": found.checksum,
            "lines": f"{len(found.lines):,}",
        },
        "heads": [
            f"{frame.t(DEFINITIONS[number].word)} ({frame.t(UNITS[DEFINITIONS[number].unit])})"
            for number in cards.SHOWN
        ],
        "rows": rows,
    }


def _pair(frame: Frame, number: str, before: publishing.Line | None, now: publishing.Line | None) -> Item:
    old, new = (_text(frame, number, line) for line in (before, now))
    return {"published": old, "revised": new if new != old else ""}


def _text(frame: Frame, number: str, line: publishing.Line | None) -> str:
    if line is None or line["checked"] is None:
        return numbers.NONE
    kind = DEFINITIONS[number].kind
    if kind == "rate":
        return numbers.rate(line["checked"], line["denominator"])
    if kind == "quantity":
        return numbers.quantity(Fraction(line["checked"], 10**6), frame.lang)
    return numbers.count(line["checked"])
