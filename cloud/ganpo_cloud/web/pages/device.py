"""One device: its dates with their evidence, what is missing, its painted days, KPIs, and what a meter counts."""

import json
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select

from ganpo_cloud.days import machines, production
from ganpo_cloud.province import lists
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.tables import day as painted_days
from ganpo_cloud.store.tables import frame as frames
from ganpo_cloud.store.tables import subject
from ganpo_cloud.web import i18n, views
from ganpo_cloud.web.pages import numbers, timeline
from ganpo_cloud.web.pages.frame import Frame, Item, Lang, Site
from ganpo_cloud.web.pages.lists import device
from ganpo_cloud.web.pages.needs import Needs
from ganpo_cloud.web.pages.plant import WORDS as STATES
from ganpo_cloud.web.pages.subject_parts import (
    DAYS,
    LONGEST,
    evidence,
    ledger_on,
    reasons,
    sound,
    told,
    usage,
)
from ganpo_cloud.web.pages.words import AGES, KPIS
from ganpo_model.clock import to_ms
from ganpo_model.kpi import Parts, ratios
from ganpo_model.paint import Span
from ganpo_model.states import State

PAINTED = 14


def router(site: Site) -> APIRouter:
    """The route `/enterprises/{code}/{asset_no}`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/enterprises/{code}/{asset_no}", response_class=HTMLResponse)
    def show(request: Request, code: str, asset_no: str, lang: Lang = None) -> HTMLResponse:
        scope = site.scope(request, lang)
        if not (sound(code) and sound(asset_no)):
            return site.missing(scope, asset_no[:LONGEST])
        return site.answer("device.html", scope, lambda c, f: _device(c, f, code, asset_no))

    return pages


def _device(connection: Connection, frame: Frame, code: str, asset_no: str) -> Item:
    about = ledger_on(connection, code, asset_no, frame.day)
    firm = ledger_on(connection, code, "", frame.day)
    row = connection.execute(
        lists.devices(frame.province, lists.Filter(frame.province.whole, None, frame.day)).where(
            (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no)
        )
    ).first()
    view = next(iter(views.subjects(connection, frame.now, code, asset_no)), None)
    mine = (subject.c.enterprise == code) & (subject.c.asset_no == asset_no)
    named = connection.execute(select(subject).where(mine)).first()
    kind = named.kind if named is not None else "equipment"
    return {
        "code": code,
        "asset_no": asset_no,
        "known": about is not None or named is not None,
        "name": about.name if about is not None else named.name if named is not None else "",
        "firm": firm.name if firm is not None else code,
        "firm_href": frame.href(f"/enterprises/{code}"),
        "kind": kind,
        "line": device(frame, row) if row is not None else None,
        "dates": _dates(connection, frame, code, asset_no, about),
        "why": reasons(connection, frame, code, asset_no) if kind == "equipment" else [],
        "painted": _painted(connection, frame, code, asset_no, named),
        "legend": [{"state": state, "word": frame.t(word)} for state, word in STATES.items()],
        "kpis": _kpis(connection, frame, code, asset_no, named) if kind == "equipment" else None,
        "needs": Needs(frame.t, frame.lang, to_ms(frame.now), told).open(connection, code, asset_no),
        "charts": usage(connection, frame, code, view) if view is not None and kind == "meter" else [],
    }


def _dates(connection: Connection, frame: Frame, code: str, asset_no: str, about: Any) -> list[Item]:
    """The dates that are kept, each with its evidence."""
    t = frame.t
    mine = (registry.onboarding.c.enterprise == code) & (registry.onboarding.c.asset_no == asset_no)
    row = connection.execute(select(registry.onboarding).where(mine)).first()
    of = (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no)
    first = connection.execute(select(ledger).where(of).order_by(ledger.c.since).limit(1)).first()
    found = [
        {
            "word": t("registered"),
            "when": first.since.isoformat() if first is not None else numbers.NONE,
            "told": t("registry, or an inventory") if first is not None else "",
        },
        {
            "word": t("on the network"),
            "when": told(row.networked_at) if row is not None else numbers.NONE,
            "told": evidence(row, frame) if row is not None else t("no Good value was observed yet"),
        },
        {
            "word": t("in the cloud"),
            "when": told(row.cloud_at) if row is not None else numbers.NONE,
            "told": _frame(connection, row.cloud_frame)
            if row is not None
            else t("no Good value was stored yet"),
        },
    ]
    if about is not None and about.status == "retired":
        found.append(
            {"word": t("retired"), "when": about.since.isoformat(), "told": t("registry, or an inventory")}
        )
    return found


def _frame(connection: Connection, number: int) -> str:
    row = connection.execute(select(frames).where(frames.c.id == number)).first()
    return f"{row.gateway} / {row.stream} / {row.seq}" if row is not None else str(number)


def _painted(connection: Connection, frame: Frame, code: str, asset_no: str, named: Any) -> list[Item]:
    """The last local days of a machine as bars, the newest first."""
    if named is None or named.kind != "equipment":
        return []
    first = frame.day - timedelta(days=PAINTED - 1)
    mine = (painted_days.c.enterprise == code) & (painted_days.c.subject == asset_no)
    rows = connection.execute(
        select(painted_days)
        .where(mine & painted_days.c.day.between(first, frame.day))
        .order_by(painted_days.c.day.desc())
    ).all()
    found = []
    now = to_ms(frame.now)
    for row in rows:
        pieces = production.unpack(row.start, row.end, row.spans)
        spans = [Span(start, end, state) for start, end, state in pieces]
        known = sum(end - start for start, end, state in pieces if state is not State.UNKNOWN)
        until = min(row.end, now) - row.start
        found.append(
            {
                "day": row.day.isoformat(),
                "bar": timeline.pieces(spans, row.start, row.end, now),
                "known": numbers.rate(min(known, until), until) if until > 0 else numbers.NONE,
            }
        )
    return found


def _kpis(connection: Connection, frame: Frame, code: str, asset_no: str, named: Any) -> Item:
    """The KPIs of the last 30 days together, and those of yesterday."""
    first = frame.today - timedelta(days=DAYS)
    rows = production.rows(connection, code, asset_no, first, frame.today - timedelta(days=1))
    complete = [row for row in rows if production.complete(row)]
    spent = {state: sum(getattr(row, f"{state.lower()}_ms") for row in complete) for state in State}
    planned = sum(row.planned_ms for row in complete)
    body = json.loads(named.body) if named is not None else {}
    run_time = body.get("planned_run_time_s")
    made = [row.made for row in complete if row.made is not None]
    good = [row.made_good for row in complete if row.made_good is not None]
    parts = Parts(
        sum(made) if made else None, sum(good) if good else None, run_time * 1000 if run_time else None
    )
    sums = ratios(spent, planned, [State(state) for state in body.get("states", ())], parts)
    yesterday = machines.day(
        connection, code, asset_no, frame.today - timedelta(days=1), frame.province.holidays, to_ms(frame.now)
    )
    lines = [
        {
            "word": frame.t(word),
            "sum": _ratio(sums.get(name)),
            "day": _ratio(yesterday.kpis.get(name)) if yesterday is not None else numbers.NONE,
        }
        for name, word in KPIS.items()
    ]
    age = frame.t(AGES[rows[-1].age]) if rows and rows[-1].age else ""
    return {
        "lines": lines,
        "left_out": sum(bool(row.planned_ms) for row in rows) - len(complete),
        "days": len(complete),
        "confirmed": yesterday.confirmed if yesterday is not None else True,
        "outside": i18n.age(sum(row.outside_ms for row in rows), frame.lang),
        "age": age,
    }


def _ratio(found: tuple[int, int] | None) -> str:
    return numbers.rate(*found) if found is not None else numbers.NONE
