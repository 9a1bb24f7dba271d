"""One enterprise, and one of its devices: how far it has come, on what evidence, what it counts for, what it does."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select

from ganpo_cloud import i18n, lists, painting, timeline, views
from ganpo_cloud import registry_tables as registry
from ganpo_cloud.counting import machines, production
from ganpo_cloud.counting.tables import consumption, standing
from ganpo_cloud.counting.tables import production as production_days
from ganpo_cloud.counting.totals import unit_of_row
from ganpo_cloud.localdays import DEFAULT_ZONE, days_from
from ganpo_cloud.needs import Needs
from ganpo_cloud.page import WORDS as STATES
from ganpo_cloud.pages import numbers, trends
from ganpo_cloud.pages.frame import Frame, Item, Lang, Site
from ganpo_cloud.pages.lists import device
from ganpo_cloud.pages.words import AGES, KPIS
from ganpo_cloud.tables import day as painted_days
from ganpo_cloud.tables import frame as frames
from ganpo_cloud.tables import subject
from ganpo_cloud.why import WORDS, why
from ganpo_model import reference
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.coverage import MEASURES
from ganpo_model.kpi import Parts, ratios
from ganpo_model.paint import Span
from ganpo_model.states import State

DAYS = 30
PAINTED = 14
_TEXT = 80


def router(site: Site) -> APIRouter:
    """The routes `/enterprises/{code}` and `/enterprises/{code}/{asset_no}`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/enterprises/{code}", response_class=HTMLResponse)
    def enterprise(request: Request, code: str, lang: Lang = None) -> HTMLResponse:
        scope = site.scope(request, lang)
        if not _sound(code):
            return site.missing(scope, code[:_TEXT])
        return site.answer("enterprise.html", scope, lambda c, f: _enterprise(c, f, code))

    @pages.get("/enterprises/{code}/{asset_no}", response_class=HTMLResponse)
    def equipment(request: Request, code: str, asset_no: str, lang: Lang = None) -> HTMLResponse:
        scope = site.scope(request, lang)
        if not (_sound(code) and _sound(asset_no)):
            return site.missing(scope, asset_no[:_TEXT])
        return site.answer("device.html", scope, lambda c, f: _device(c, f, code, asset_no))

    return pages


def _sound(text: str) -> bool:
    """Nothing stored is longer, or has control characters in it."""
    return text.isprintable() and len(text) <= _TEXT


def _enterprise(connection: Connection, frame: Frame, code: str) -> Item:
    about = _standing(connection, code, "", frame.day)
    rows = connection.execute(
        lists.devices(frame.province, lists.Filter(frame.province.whole, None, frame.day)).where(
            standing.c.enterprise == code
        )
    ).all()
    found = views.subjects(connection, frame.now, code)
    gateways = [view for view in views.gateways(connection, frame.now, code) if view.enterprise == code]
    needs = Needs(frame.t, frame.lang, to_ms(frame.now), lambda ms: _told(ms, frame)).all(
        connection, found, gateways, code
    )
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
            {"id": view.id, "online": view.online, "last": _age(view.last_word, frame)} for view in gateways
        ],
        "sentence": _sentence(frame, reached, rows),
        "needs": needs[:8],
        "steps": steps,
        "why": _reasons(connection, frame, code, None),
        "counts": _counts(frame, rows, about),
        "machines": machines_now,
        "legend": [{"state": state, "word": frame.t(word)} for state, word in STATES.items()],
        "charts": [chart for view in meters for chart in _usage(connection, frame, code, view)],
        "devices": [device(frame, row) for row in rows],
        "energy_href": frame.href("/energy"),
    }


def _device(connection: Connection, frame: Frame, code: str, asset_no: str) -> Item:
    about = _standing(connection, code, asset_no, frame.day)
    firm = _standing(connection, code, "", frame.day)
    row = connection.execute(
        lists.devices(frame.province, lists.Filter(frame.province.whole, None, frame.day)).where(
            (standing.c.enterprise == code) & (standing.c.asset_no == asset_no)
        )
    ).first()
    views_of = [view for view in views.subjects(connection, frame.now, code) if view.asset_no == asset_no]
    view = views_of[0] if views_of else None
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
        "why": _reasons(connection, frame, code, asset_no) if kind == "equipment" else [],
        "painted": _painted(connection, frame, code, asset_no, named),
        "legend": [{"state": state, "word": frame.t(word)} for state, word in STATES.items()],
        "kpis": _kpis(connection, frame, code, asset_no, named) if kind == "equipment" else None,
        "charts": _usage(connection, frame, code, view) if view is not None and kind == "meter" else [],
    }


def _standing(connection: Connection, code: str, asset_no: str, day: date) -> Any:
    mine = (standing.c.enterprise == code) & (standing.c.asset_no == asset_no) & (standing.c.since <= day)
    return connection.execute(select(standing).where(mine).order_by(standing.c.since.desc()).limit(1)).first()


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
            "when": _told(networked.networked_at, frame) if networked is not None else "",
            "count": number(len(of)),
            "told": _evidence(networked, frame)
            if networked is not None
            else t("no Good value was observed yet"),
        },
        {
            "word": t("in the cloud"),
            "done": cloud is not None,
            "when": _told(cloud.cloud_at, frame) if cloud is not None else "",
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


def _evidence(row: Any, frame: Frame) -> str:
    """What the first Good value was."""
    said = json.loads(row.evidence)
    parts = [str(said[key]) for key in ("point", "value", "driver") if said.get(key) is not None]
    return f"{row.asset_no} · {' '.join(parts)} · {frame.t('frame {n}').format(n=row.networked_frame)}"


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
    return MEASURES[measure](unit_of_row(row))


def _reasons(connection: Connection, frame: Frame, code: str, asset_no: str | None) -> list[Item]:
    found = why(connection, code, asset_no, frame.now, frame.province.holidays)
    return [
        {
            "what": frame.t(WORDS[reason.code]).format(**reason.details),
            "since": "" if reason.since is None else _told(reason.since, frame),
            "command": reason.command,
        }
        for reason in found
    ]


def _machine(connection: Connection, frame: Frame, view: views.SubjectView) -> Item:
    """The last 24 hours of a machine, and the KPIs of yesterday."""
    now = to_ms(frame.now)
    start = now - 24 * 3_600_000
    spans = painting.painted(connection, view.enterprise, view.asset_no, start, now)
    spent = painting.ms_per_state(spans)
    yesterday = frame.today - timedelta(days=1)
    mine = (production_days.c.enterprise == view.enterprise) & (production_days.c.subject == view.asset_no)
    row = connection.execute(
        select(production_days).where(mine & (production_days.c.day == yesterday))
    ).first()
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


def _dates(connection: Connection, frame: Frame, code: str, asset_no: str, about: Any) -> list[Item]:
    """The dates that are kept, each with its evidence."""
    t = frame.t
    mine = (registry.onboarding.c.enterprise == code) & (registry.onboarding.c.asset_no == asset_no)
    row = connection.execute(select(registry.onboarding).where(mine)).first()
    of = (standing.c.enterprise == code) & (standing.c.asset_no == asset_no)
    first = connection.execute(select(standing).where(of).order_by(standing.c.since).limit(1)).first()
    found = [
        {
            "word": t("registered"),
            "when": first.since.isoformat() if first is not None else numbers.NONE,
            "told": t("registry, or an inventory") if first is not None else "",
        },
        {
            "word": t("on the network"),
            "when": _told(row.networked_at, frame) if row is not None else numbers.NONE,
            "told": _evidence(row, frame) if row is not None else t("no Good value was observed yet"),
        },
        {
            "word": t("in the cloud"),
            "when": _told(row.cloud_at, frame) if row is not None else numbers.NONE,
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
    complete = [
        row for row in rows if row.planned_ms and 10 * (row.planned_ms - row.unknown_ms) >= 6 * row.planned_ms
    ]
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
        connection, code, asset_no, frame.today - timedelta(days=1), frame.province, to_ms(frame.now)
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


def _usage(connection: Connection, frame: Frame, code: str, view: views.SubjectView) -> list[Item]:
    """What the registers of a meter came to on each of the last 30 days."""
    found = []
    first, last = frame.today - timedelta(days=DAYS), frame.today - timedelta(days=1)
    for register in view.registers:
        if register.carrier is None:
            continue
        mine = (consumption.c.enterprise == code) & (consumption.c.register == register.id)
        rows = {
            row.day: row
            for row in connection.execute(
                select(consumption).where(mine & consumption.c.day.between(first, last))
            )
        }
        if not rows:
            continue
        days = days_from(first, last)
        values = [_value(rows.get(day)) for day in days]
        total = sum(row.millionths or 0 for row in rows.values())
        carrier = reference.carriers()[register.carrier]
        name = carrier.name_zh if frame.lang == "zh" else carrier.name_en
        unit = register.unit.replace("m3", "m³")
        title = frame.t("{name}: {total} {unit} in 30 days").format(
            name=name, total=numbers.quantity(Fraction(total, 10**6), frame.lang), unit=unit
        )
        text = frame.t("{unit} a day; {meter}; hatched: spread over a gap, or open")
        found.append(
            trends.chart(
                frame,
                "bar",
                title,
                text.format(unit=unit, meter=view.asset_no),
                [f"{day:%m-%d}" for day in days],
                [(unit, values, True)],
                spread=[bool(rows.get(day) and rows[day].spread_ms) for day in days],
                pending=[rows.get(day) is None or bool(rows[day].open) for day in days],
            )
        )
    return found


def _value(row: Any) -> float | None:
    return None if row is None or row.millionths is None else row.millionths / 10**6


def _told(ms: int, frame: Frame) -> str:
    return f"{from_ms(ms).astimezone(ZoneInfo(DEFAULT_ZONE)):%Y-%m-%d %H:%M}"


def _age(ms: int | None, frame: Frame) -> str:
    return i18n.age(to_ms(frame.now) - ms, frame.lang) if ms is not None else numbers.NONE
