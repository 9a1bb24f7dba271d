"""What needs a person in an enterprise: alarms first, each with the command that closes it, if there is one (ui.md)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from ganpo_cloud.days import alarms, commissioned, observed
from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.days.reasons import HEALTH, SERVICE, Reason, of_apart, of_gateways
from ganpo_cloud.inlet.gateways import Gateway
from ganpo_cloud.store import apart, projected
from ganpo_cloud.store.tables import event, inventory
from ganpo_model.clock import DAY_MS, to_ms
from ganpo_model.facts import EventKind
from ganpo_model.states import State


def needs(
    connection: Connection,
    now: datetime,
    subjects: Sequence[observed.Subject],
    gateways: Sequence[Gateway],
    enterprise: str | None = None,
    compared: Iterable[commissioned.Record] = (),
) -> list[Reason]:
    """Everything of these subjects and gateways, or of one enterprise; with as many statements for all as for one.

    `compared`: what people compared at devices."""
    here = [view for view in gateways if view.enterprise is not None]
    found = alarms.reasons(connection, enterprise)
    found += [
        Reason("fault", view.state_since, {"name": view.name}, "", view.asset_no, "alarm")
        for view in subjects
        if view.state is State.FAULT and not view.withdrawn
    ]
    found += of_gateways(here)
    for view in gateways:
        if view.enterprise is None:
            command = f"ganpo-cloud gateway add {view.id} --enterprise CODE --site ID"
            found.append(Reason("stranger", None, {"n": f"{view.quarantined:,}"}, command, view.id))
    for view in here:
        found += [*_clones(view), *_told(view)]
    found += map(of_apart, apart.found(connection, enterprise))
    found += _still_read(connection, to_ms(now), [view for view in subjects if view.withdrawn])
    found += open_items(connection, now, enterprise)
    found += commissioned.differing(compared)
    found += [*_suspects(connection, to_ms(now), here), *_projection(connection)]
    return sorted(found, key=lambda reason: reason.level != "alarm")


def _told(view: Gateway) -> Iterator[Reason]:
    """What a gateway that is there says of its connections and its frames."""
    if not view.online:
        return
    for name, item in sorted(view.connections.items()):
        if isinstance(item, dict) and item.get("error"):
            yield Reason("link", None, {"error": str(item["error"])[:200]}, HEALTH, name)
    if view.points_at_fault:
        details = {
            "n": f"{view.points_at_fault:,}",
            "all": f"{view.points or 0:,}",
            "fault": ", ".join(view.faults[:1]),
        }
        yield Reason("faults", None, details, "ganpo points --faulty", view.id)
    alone = view.live.get("alone")
    for frame in alone if isinstance(alone, list) else []:
        yield Reason("alone", None, {"frame": str(frame)[:200]}, HEALTH, view.id)
    held = view.live.get("waiting")
    missing = sum(stream.missing for stream in view.streams)
    if missing > (held if isinstance(held, int) else 0):
        yield Reason("missing", None, {"n": f"{missing:,}"}, SERVICE, view.id)


def _clones(view: Gateway) -> Iterable[Reason]:
    """One line for a second box, else one for each thing that one box cannot have sent."""
    both = [clone for clone in view.clones if clone.both]
    if both:
        add = "ganpo-cloud gateway add NEW_ID --enterprise CODE --site ID"
        return [Reason("both", both[0].since, {}, add, view.id, "alarm")]
    return [
        Reason(clone.kind, clone.since, {"seq": f"{clone.seq}", "stream": clone.stream}, "", view.id)
        for clone in view.clones
    ]


def _still_read(connection: Connection, now: int, withdrawn: Sequence[observed.Subject]) -> Iterator[Reason]:
    """A second box with the same id names other devices than the first, and what the first reads is withdrawn."""
    gateways = {number for view in withdrawn for number in view.gateways}
    key = (inventory.c.enterprise, inventory.c.gateway)
    query = select(*key, func.max(inventory.c.at)).where(inventory.c.gateway.in_(gateways)).group_by(*key)
    newest = {(row[0], row[1]): row[2] for row in connection.execute(query)} if gateways else {}
    for view in withdrawn:
        named = max((newest.get((view.enterprise, number), 0) for number in view.gateways), default=0)
        if view.last_word is not None and view.last_word > max(named, now - DAY_MS):
            yield Reason("read", None, {"name": view.name}, "ganpo check", view.asset_no)


def _suspects(connection: Connection, now: int, here: Sequence[Gateway]) -> Iterator[Reason]:
    """Registers of which a gateway saw more jumps than it may send, in the last day."""
    recent = event.c.gateway.in_([view.id for view in here]) & (event.c.at > now - DAY_MS)
    query = select(event.c.data, event.c.at).where(recent & (event.c.kind == str(EventKind.SUSPECT)))
    rows = connection.execute(query.order_by(event.c.at))
    newest = {str(json.loads(data).get("register")): at for data, at in rows}
    for register, at in sorted(newest.items()):
        yield Reason("suspect", at, {}, "ganpo check", register)


def _projection(connection: Connection) -> Iterator[Reason]:
    """What the time-series store does not take, in its own words, and what it cannot."""
    for item in projected.failing(connection):
        details = {"measurement": item.measurement, "problem": item.problem}
        yield Reason("not_taken", item.since, details, "curl http://127.0.0.1:8700/health", "projection")
    if names := projected.left_out(connection):
        yield Reason("left_out", None, {"names": ", ".join(names[:10])}, "", "projection")
