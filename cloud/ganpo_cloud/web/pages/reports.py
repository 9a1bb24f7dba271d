"""One number by its parts."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.places import Key
from ganpo_cloud.web.pages import cards
from ganpo_cloud.web.pages.frame import Day, Frame, Item, Lang, Place, Site
from ganpo_cloud.web.pages.words import UNITS


def router(site: Site) -> APIRouter:
    """The route `/indicators/{id}`."""
    pages = APIRouter(include_in_schema=False)

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

    return pages


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
