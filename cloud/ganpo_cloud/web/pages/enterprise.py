"""One enterprise: how far it has come, on what evidence, what it counts for, and what its machines do."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select

from ganpo_cloud.days import painting, production
from ganpo_cloud.province import lists
from ganpo_cloud.province.measures import unit_of
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.web import i18n, views
from ganpo_cloud.web.answers.equipment import device
from ganpo_cloud.web.pages import numbers, timeline
from ganpo_cloud.web.pages.frame import Frame, Item, Lang, Site
from ganpo_cloud.web.pages.needs import Needs
from ganpo_cloud.web.pages.subject_parts import (
    LONGEST,
    age,
    evidence,
    ledger_on,
    reasons,
    sound,
    told,
    usage,
)
from ganpo_cloud.web.pages.words import STATES
from ganpo_model.clock import to_ms
from ganpo_model.coverage import MEASURES
from ganpo_model.states import State


def router(site: Site) -> APIRouter:
    """The route `/enterprises/{code}`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/enterprises/{code}", response_class=HTMLResponse)
    def enterprise(request: Request, code: str, lang: Lang = None) -> HTMLResponse:
        scope = site.scope(request, lang)
        if not sound(code):
            return site.missing(scope, code[:LONGEST])
        return site.answer("enterprise.html", scope, lambda c, f: _enterprise(c, f, code))

    return pages


def _enterprise(connection: Connection, frame: Frame, code: str) -> Item:
    about = ledger_on(connection, code, "", frame.day)
    rows = connection.execute(
        lists.devices(frame.province, lists.Filter(frame.province.whole, None, frame.day)).where(
            ledger.c.enterprise == code
        )
    ).all()
    found = views.subjects(connection, frame.now, code)
    gateways = [view for view in views.gateways(connection, frame.now, code) if view.enterprise == code]
    needs = Needs(frame.t, frame.lang, to_ms(frame.now), told).all(connection, found, gateways, code)
    seen = _seen(connection, code)
    steps = _steps(frame, about, rows, seen)
    machines_now = [_machine(connection, frame, view) for view in found if view.kind == "equipment"]
    meters = [view for view in found if view.kind == "meter" and not view.withdrawn]
    reached = sum(step["done"] for step in steps)
    return {
        "code": code,
        "name": about.name if about is not None else code,
        "known": about is not None or bool(found),
        "facts": _facts(frame, about),
        "gateways": [
            {"id": view.id, "online": view.online, "last": age(view.last_word, frame)} for view in gateways
        ],
        "sentence": _sentence(frame, reached, rows),
        "needs": needs[:8],
        "steps": steps,
        "why": reasons(connection, frame, code, None),
        "counts": _counts(frame, rows, about),
        "machines": machines_now,
        "charts": [chart for view in meters for chart in usage(connection, frame, code, view)],
        "devices": [device(row) for row in rows],
        "energy_href": frame.href("/energy"),
    }


def _facts(frame: Frame, about: Any) -> list[str]:
    if about is None:
        return [frame.t("not in the registry")]
    found = [frame.area(about.area), frame.industry(about.industry)]
    found.append(frame.t("above scale") if about.above_scale else frame.t("below scale"))
    if about.parent:
        found.append(frame.t("branch of {code}").format(code=about.parent))
    return found


def _seen(connection: Connection, code: str) -> dict[str, Any]:
    rows = connection.execute(select(registry.onboarding).where(registry.onboarding.c.enterprise == code))
    return {row.asset_no: row for row in rows}


def _steps(frame: Frame, about: Any, rows: Sequence[Any], seen: Mapping[str, Any]) -> list[Item]:
    """Registered, on the network, in the cloud, active: since when, on what evidence, or what is missing."""
    t = frame.t
    of = [seen[row.asset_no] for row in rows if row.asset_no in seen]
    networked = min(of, key=lambda row: row.networked_at, default=None)
    cloud = min(of, key=lambda row: row.cloud_at, default=None)
    active = sum(row.age == "active" for row in rows)
    count = t("{m} of {n} devices")

    def number(m: int) -> str:
        return count.format(m=m, n=len(rows))

    return [
        {
            "word": t("registered"),
            "done": about is not None,
            "when": about.since.isoformat() if about is not None else "",
            "count": t("{n} devices in the ledger").format(n=len(rows)),
            "told": t("registry, or an inventory") if about is not None else "",
            "command": "" if about is not None else "ganpo-cloud import enterprises FILE.csv",
        },
        {
            "word": t("on the network"),
            "done": networked is not None,
            "when": told(networked.networked_at) if networked is not None else "",
            "count": number(len(of)),
            "told": evidence(networked, frame)
            if networked is not None
            else t("no Good value was observed yet"),
        },
        {
            "word": t("in the cloud"),
            "done": cloud is not None,
            "when": told(cloud.cloud_at) if cloud is not None else "",
            "count": number(len(of)),
            "told": t("frame {n}").format(n=cloud.cloud_frame)
            if cloud is not None
            else t("no Good value was stored yet"),
        },
        {
            "word": t("active"),
            "done": active > 0,
            "when": frame.day.isoformat() if active else "",
            "count": number(active),
            "told": t("of the planned days of the last 30, 90 % have half of their time known"),
        },
    ]


def _sentence(frame: Frame, reached: int, rows: Sequence[Any]) -> list[str]:
    t = frame.t
    words = [t("registered"), t("on the network"), t("in the cloud"), t("active")]
    main = [row for row in rows if row.in_service and row.main]
    nc = sum(row.numerical_control >= 2 for row in main)
    told = (
        [t("This enterprise is {word}.").format(word=words[reached - 1])]
        if reached
        else [t("It is not registered.")]
    )
    if main:
        text = t("{n} of its {m} main machines are numerically controlled (checked): {rate}.")
        told.append(text.format(n=nc, m=len(main), rate=numbers.rate(nc, len(main))))
    return told


def _counts(frame: Frame, rows: Sequence[Any], about: Any) -> list[Item]:
    """For which numbers of the province it counts, and with how much."""
    t = frame.t
    found = []
    for word, measures in (
        (t("CNC coverage"), ("nc_checked", "main")),
        (t("Intelligent equipment"), ("intelligent_checked", "units")),
        (t("Equipment in the cloud"), ("cloud", "units")),
        (t("Active, of equipment in the cloud"), ("active", "cloud")),
    ):
        numerator, among = (sum(_counts_for(row, measure) for row in rows) for measure in measures)
        counted = about is not None and bool(among)
        state = (
            t("counted")
            if counted and numerator
            else t("only in the denominator")
            if counted
            else t("not counted")
        )
        found.append(
            {"word": word, "state": state, "warn": not counted, "told": f"{numerator:,} / {among:,}"}
        )
    return found


def _counts_for(row: Any, measure: str) -> bool:
    return MEASURES[measure].counts(unit_of(row))


def _machine(connection: Connection, frame: Frame, view: views.SubjectView) -> Item:
    """The last 24 hours of a machine, and the KPIs of yesterday."""
    now = to_ms(frame.now)
    start = now - 24 * 3_600_000
    spans = painting.painted(connection, view.enterprise, view.asset_no, start, now)
    spent = painting.ms_per_state(spans)
    yesterday = frame.today - timedelta(days=1)
    rows = production.rows(connection, view.enterprise, view.asset_no, yesterday, yesterday)
    row = rows[0] if rows else None
    busy = row.planned_ms - row.unknown_ms if row is not None else 0
    state = view.state
    return {
        "asset_no": view.asset_no,
        "name": view.name,
        "href": frame.href(f"/enterprises/{view.enterprise}/{view.asset_no}"),
        "state": state,
        "word": frame.t(STATES[state]) if state is not None else "",
        "bar": timeline.pieces(spans, start, now, now),
        "finding": f"{view.asset_no} {view.name}: "
        + "; ".join(f"{frame.t(STATES[State(s)])} {i18n.age(ms, frame.lang)}" for s, ms in spent.items()),
        "availability": numbers.rate(row.producing_ms, busy) if row is not None and busy else numbers.NONE,
        "completeness": numbers.rate(busy, row.planned_ms)
        if row is not None and row.planned_ms
        else numbers.NONE,
    }
