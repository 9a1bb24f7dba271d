"""One device: its dates with their evidence, what is missing, its painted days, KPIs, and what a meter counts."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ganpo_cloud.days import alarms, commissioned, observed, painting, production
from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.province import lists
from ganpo_cloud.province.why import why
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import day as painted_days
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.tables import frame as frames
from ganpo_cloud.store.tables import subject
from ganpo_cloud.web.answers import banned
from ganpo_cloud.web.asking import OfDevice
from ganpo_cloud.web.pages import meters
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import kpi
from ganpo_model.kpi import Parts, ratios
from ganpo_model.states import State
from ganpo_service.pages import timeline

PAINTED = 14


def device(connection: Connection, rendering: Rendering, asked: OfDevice) -> Item:
    """Everything of one device."""
    code, asset_no = key = asked.enterprise, asked.asset_no
    about, firm = (ledger_on(connection, code, number, rendering.day) for number in (asset_no, ""))
    mine = (subject.c.enterprise == code) & (subject.c.asset_no == asset_no)
    named = connection.execute(select(subject).where(mine)).first()
    kind = named.kind if named is not None else observed.kind_of(connection, *key)
    compared = commissioned.records(connection, *key)
    found = {
        "code": code,
        "asset_no": asset_no,
        "known": about is not None or kind != "",
        "name": getattr(about or named, "name", ""),
        "firm": getattr(firm, "name", code),
        "kind": kind or "equipment",
        "about": about,
        "line": next(iter(listed(connection, rendering, code, ledger.c.asset_no == asset_no)), None),
        "registered": _registered(connection, *key, named),
        "seen": _seen(connection, *key),
        "why": why(connection, *key, rendering.now, rendering.province.holidays),
        "needs": [
            *alarms.reasons(connection, *key),
            *open_items(connection, rendering.now, *key),
            *commissioned.differing(compared),
        ],
        "compared": compared,
        "alarms": (raised := alarms.of_device(connection, *key)),
        "banned": banned.of_device(connection, *key, rendering.ms, raised),
        "charts": [],
    }
    if found["kind"] == "equipment":
        painted = list(_painted(connection, rendering, *key))
        return found | {"painted": painted} | _kpis(connection, rendering, *key, named)
    views = observed.subjects(connection, rendering.now, *key)
    return found | {"charts": meters.usage(connection, rendering, code, views)}


def ledger_on(connection: Connection, code: str, asset_no: str, day: date) -> Any:
    """What the ledger says of a device, or of an enterprise (its number is empty), on a day; None: nothing."""
    mine = (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no) & (ledger.c.since <= day)
    return connection.execute(select(ledger).where(mine).order_by(ledger.c.since.desc()).limit(1)).first()


def listed(connection: Connection, rendering: Rendering, code: str, *mine: Any) -> Sequence[Row[Any]]:
    """The devices of an enterprise on the day as lists tell them, or some of them."""
    everywhere = lists.Filter(rendering.province.whole, None, rendering.day)
    query = lists.devices(rendering.province, everywhere)
    return connection.execute(query.where(ledger.c.enterprise == code, *mine)).all()


def _registered(connection: Connection, code: str, asset_no: str, named: Any) -> date | None:
    """A gateway that was ever the enterprise's names it ever: then it is the day on which it did so first."""
    of = (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no)
    since = connection.execute(select(func.min(ledger.c.since)).where(of)).scalar()
    return max(since, named.since or since) if since and named else since


def _seen(connection: Connection, code: str, asset_no: str) -> Any:
    """The dates that are kept, each with its evidence; None where none has come."""
    seen = registry.onboarding.c
    query = select(registry.onboarding, frames.c.gateway, frames.c.stream, frames.c.seq)
    query = query.outerjoin(frames, frames.c.id == seen.cloud_frame)
    return connection.execute(query.where((seen.enterprise == code) & (seen.asset_no == asset_no))).first()


def _painted(connection: Connection, rendering: Rendering, code: str, asset_no: str) -> Iterator[Item]:
    """The last local days of a machine as bars, the newest first."""
    first = rendering.day - timedelta(days=PAINTED - 1)
    mine = (painted_days.c.enterprise == code) & (painted_days.c.subject == asset_no)
    mine &= painted_days.c.day.between(first, rendering.day)
    for row in connection.execute(select(painted_days).where(mine).order_by(painted_days.c.day.desc())):
        spans = painting.stored(row.start, row.end, row.spans)
        known = sum(end - start for start, end, state in spans if state is not State.UNKNOWN)
        until = max(min(row.end, rendering.ms) - row.start, 0)
        bar = timeline.pieces(spans, row.start, row.end, rendering.ms)
        yield {"day": row.day, "bar": bar, "known": min(known, until), "until": until}


def _kpis(connection: Connection, rendering: Rendering, code: str, asset_no: str, named: Any) -> Item:
    """The KPIs of the last 30 days together, and the production day of yesterday. `complete`: so many
    of them count."""
    yesterday = rendering.today - timedelta(days=1)
    rows = production.rows(
        connection, code, asset_no, rendering.today - timedelta(days=meters.DAYS), yesterday
    )
    complete = [row for row in rows if kpi.complete(row.planned_ms, row.planned_ms - row.unknown_ms)]

    def total(column: str) -> int | None:
        known = [getattr(row, column) for row in complete if getattr(row, column) is not None]
        return sum(known) if known else None

    spent = {state: total(f"{state.lower()}_ms") or 0 for state in State}
    body = json.loads(named.body) if named is not None else {}
    run_time = body.get("planned_run_time_s")
    parts = Parts(total("made"), total("made_good"), run_time * 1000 if run_time else None)
    shown = [State(state) for state in body.get("states", ())]
    key = (code, asset_no, yesterday, rendering.province.holidays, rendering.ms)
    return {
        "kpis": ratios(spent, total("planned_ms") or 0, shown, parts),
        "yesterdays": production.of_day(connection, *key),
        "complete": len(complete),
        "left_out": sum(bool(row.planned_ms) for row in rows) - len(complete),
        "outside": sum(row.outside_ms for row in rows),
    }
