"""Lists of enterprises and devices: filtered, a hundred a page, down to the evidence."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from ganpo_cloud.province import lists
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.frame import Day, Frame, Item, Lang, Place, Site, Text
from ganpo_cloud.web.pages.words import AGES, FLAGS, LEVELS, STATUS
from ganpo_model.coverage import MEASURES, Evidence

PER_PAGE = 100
_PageNumber = Annotated[int, Query(ge=1, le=10_000)]


def router(site: Site) -> APIRouter:
    """The routes `/enterprises` and `/equipment`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/enterprises", response_class=HTMLResponse)
    def enterprises(
        request: Request,
        lang: Lang = None,
        area: Place = None,
        industry: Place = None,
        as_of: Day = None,
        q: Text = "",
        page: _PageNumber = 1,
    ) -> HTMLResponse:
        scope = site.scope(request, lang, area, industry, as_of, q=_clean(q))
        return site.answer("enterprises.html", scope, lambda c, f: _enterprises(c, f, page))

    @pages.get("/equipment", response_class=HTMLResponse)
    def equipment(
        request: Request,
        lang: Lang = None,
        area: Place = None,
        industry: Place = None,
        as_of: Day = None,
        measure: Text = "",
        q: Text = "",
        page: _PageNumber = 1,
    ) -> HTMLResponse:
        chosen = measure if measure in MEASURES else ""
        scope = site.scope(request, lang, area, industry, as_of, measure=chosen, q=_clean(q))
        return site.answer("equipment.html", scope, lambda c, f: _equipment(c, f, page))

    return pages


def device(frame: Frame, row: Any) -> Item:
    """One device as a line."""
    levels = {flag: getattr(row, flag) for flag in FLAGS}
    return {
        "asset_no": row.asset_no,
        "name": row.name,
        "enterprise": row.enterprise,
        "href": frame.href(f"/enterprises/{row.enterprise}/{row.asset_no}"),
        "firm": frame.href(f"/enterprises/{row.enterprise}"),
        "status": frame.t(STATUS.get(row.status, row.status)),
        "counts": row.in_service,
        "flags": [
            f"{frame.t(FLAGS[flag])}: {frame.t(LEVELS[Evidence(level)])}"
            for flag, level in levels.items()
            if level
        ],
        "networked": row.networked,
        "cloud": row.cloud,
        "age": frame.t(AGES[row.age]) if row.age else "",
        "area": frame.area(row.area),
    }


def _enterprises(connection: Connection, frame: Frame, page: int) -> Item:
    scope = frame.scope
    text = dict(scope.more).get("q", "")
    query = lists.enterprises(frame.province, lists.Filter(scope.area, scope.industry, frame.day, text))
    total = lists.number(connection, query)
    rows = connection.execute(query.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    return {
        "text": text,
        "total": numbers.count(total),
        "rows": [_firm(frame, row) for row in rows],
        "pages": _pages(frame, page, total),
        "xlsx": frame.api("enterprises", format="xlsx", limit="100000", q=text),
        "csv": frame.api("enterprises", format="csv", limit="100000", q=text),
    }


def _firm(frame: Frame, row: Any) -> Item:
    t = frame.t
    main, nc, devices = row.main_devices or 0, row.nc_devices or 0, row.devices or 0
    rung = t("registered")
    if row.networked_devices:
        rung = t("on the network")
    if row.cloud_devices:
        rung = t("in the cloud")
    if row.active_devices:
        rung = t("active")
    return {
        "code": row.enterprise,
        "name": row.name,
        "href": frame.href(f"/enterprises/{row.enterprise}"),
        "area": frame.area(row.area),
        "industry": frame.industry(row.industry),
        "above_scale": row.above_scale,
        "devices": numbers.count(devices),
        "nc": f"{numbers.rate(nc, main)} ({nc:,} / {main:,})" if main else numbers.NONE,
        "cloud": f"{row.cloud_devices or 0:,} / {devices:,}",
        "rung": rung,
    }


def _equipment(connection: Connection, frame: Frame, page: int) -> Item:
    scope = frame.scope
    more = dict(scope.more)
    text, measure = more.get("q", ""), more.get("measure")
    query = lists.devices(frame.province, lists.Filter(scope.area, scope.industry, frame.day, text), measure)
    total = lists.number(connection, query)
    rows = connection.execute(query.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    kept = {"q": text} | ({"measure": measure} if measure else {})
    return {
        "text": text,
        "measure": measure or "",
        "measure_word": frame.t(MEASURES[measure].word) if measure else "",
        "measures": [(name, frame.t(of.word)) for name, of in MEASURES.items()],
        "total": numbers.count(total),
        "rows": [device(frame, row) for row in rows],
        "pages": _pages(frame, page, total),
        "xlsx": frame.api("equipment", format="xlsx", limit="100000", **kept),
        "csv": frame.api("equipment", format="csv", limit="100000", **kept),
    }


def _pages(frame: Frame, page: int, total: int) -> Item:
    last = max((total - 1) // PER_PAGE + 1, 1)
    return {
        "page": page,
        "last": last,
        "before": frame.href(page=str(page - 1)) if page > 1 else "",
        "after": frame.href(page=str(page + 1)) if page < last else "",
    }


def _clean(text: str) -> str:
    """What is searched for: nothing stored has control characters in it."""
    return "".join(sign for sign in text if sign.isprintable()).strip()
