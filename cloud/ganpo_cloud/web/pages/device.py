"""One device: its dates with their evidence, what is missing, its painted days, KPIs, and what a meter counts."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import Path
from sqlalchemy import Connection, func, select

from ganpo_cloud.days import observed, painting, production
from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.days.reasons import of_register
from ganpo_cloud.province import lists
from ganpo_cloud.province.why import why
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import day as painted_days
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.tables import frame as frames
from ganpo_cloud.store.tables import subject
from ganpo_cloud.web.asking import Asked
from ganpo_cloud.web.pages import meters, timeline
from ganpo_cloud.web.pages.rendering import LONGEST, Item, Rendering
from ganpo_cloud.web.problems import Refused
from ganpo_model.kpi import Parts, ratios
from ganpo_model.states import State

PAINTED = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class OfNumber(Asked):
    """The page of a device."""

    code: Annotated[str, Path()]
    asset_no: Annotated[str, Path()]


def device(connection: Connection, rendering: Rendering, asked: OfNumber) -> Item:
    """Everything of one device."""
    code, asset_no = sound(asked.code), sound(asked.asset_no)
    about = ledger_on(connection, code, asset_no, rendering.day)
    firm = ledger_on(connection, code, "", rendering.day)
    row = connection.execute(
        lists.devices(rendering.province, lists.Filter(rendering.province.whole, None, rendering.day)).where(
            (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no)
        )
    ).first()
    view = next(iter(observed.subjects(connection, rendering.now, code, asset_no)), None)
    mine = (subject.c.enterprise == code) & (subject.c.asset_no == asset_no)
    named = connection.execute(select(subject).where(mine)).first()
    seen = "" if named is not None else observed.kind_of(connection, code, asset_no)
    kind = named.kind if named is not None else seen or "equipment"
    return {
        "code": code,
        "asset_no": asset_no,
        "known": about is not None or named is not None or bool(seen),
        "name": about.name if about is not None else named.name if named is not None else "",
        "firm": firm.name if firm is not None else code,
        "kind": kind,
        "line": row,
        "dates": _dates(connection, code, asset_no, about, named),
        "why": why(connection, code, asset_no, rendering.now, rendering.province.holidays),
        "painted": _painted(connection, rendering, code, asset_no, named),
        "kpis": _kpis(connection, rendering, code, asset_no, named) if kind == "equipment" else None,
        "needs": list(map(of_register, open_items(connection, rendering.now, code, asset_no))),
        "charts": meters.usage(connection, rendering, code, [view]) if view and kind == "meter" else [],
    }


def ledger_on(connection: Connection, code: str, asset_no: str, day: date) -> Any:
    """What the ledger says of a device, or of an enterprise (its number is empty), on a day; None: nothing."""
    mine = (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no) & (ledger.c.since <= day)
    return connection.execute(select(ledger).where(mine).order_by(ledger.c.since.desc()).limit(1)).first()


def sound(text: str) -> str:
    """Nothing stored is longer, or has control characters in it. Raises Refused."""
    if text.isprintable() and len(text) <= LONGEST:
        return text
    raise Refused(404, "http", "nothing is called so", text[:LONGEST])


def _dates(connection: Connection, code: str, asset_no: str, about: Any, named: Any) -> Item:
    """The dates that are kept, each with its evidence; None where it has not come."""
    seen = registry.onboarding.c
    mine = (seen.enterprise == code) & (seen.asset_no == asset_no)
    query = select(registry.onboarding, frames.c.gateway, frames.c.stream, frames.c.seq)
    row = connection.execute(query.outerjoin(frames, frames.c.id == seen.cloud_frame).where(mine)).first()
    of = (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no)
    since = connection.execute(select(func.min(ledger.c.since)).where(of)).scalar()
    return {
        # A gateway that was ever the enterprise's names it ever: then it is the day on which it did so first.
        "registered": max(filter(None, (since, named and named.since)), default=None) if since else None,
        "seen": row,
        "evidence": json.loads(row.evidence) if row is not None else {},
        "retired": about.since if about is not None and about.status == "retired" else None,
    }


def _painted(
    connection: Connection, rendering: Rendering, code: str, asset_no: str, named: Any
) -> list[Item]:
    """The last local days of a machine as bars, the newest first."""
    if named is not None and named.kind != "equipment":
        return []
    first = rendering.day - timedelta(days=PAINTED - 1)
    mine = (painted_days.c.enterprise == code) & (painted_days.c.subject == asset_no)
    rows = connection.execute(
        select(painted_days)
        .where(mine & painted_days.c.day.between(first, rendering.day))
        .order_by(painted_days.c.day.desc())
    ).all()
    found = []
    now = rendering.ms
    for row in rows:
        spans = painting.stored(row.start, row.end, row.spans)
        known = sum(end - start for start, end, state in spans if state is not State.UNKNOWN)
        until = max(min(row.end, now) - row.start, 0)
        bar = timeline.pieces(spans, row.start, row.end, now)
        found.append({"day": row.day, "bar": bar, "known": min(known, until), "until": until})
    return found


def _kpis(connection: Connection, rendering: Rendering, code: str, asset_no: str, named: Any) -> Item:
    """The KPIs of the last 30 days together, and those of yesterday."""
    first = rendering.today - timedelta(days=meters.DAYS)
    rows = production.rows(connection, code, asset_no, first, rendering.today - timedelta(days=1))
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
    yesterday = production.of_day(
        connection,
        code,
        asset_no,
        rendering.today - timedelta(days=1),
        rendering.province.holidays,
        rendering.ms,
    )
    return {
        "sum": ratios(spent, planned, [State(state) for state in body.get("states", ())], parts),
        "day": yesterday.kpis if yesterday is not None else {},
        "left_out": sum(bool(row.planned_ms) for row in rows) - len(complete),
        "days": len(complete),
        "confirmed": yesterday.confirmed if yesterday is not None else True,
        "outside": sum(row.outside_ms for row in rows),
    }
