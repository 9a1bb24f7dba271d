"""Why is it not counted? The first things that are missing of an enterprise or a device, since when, and what closes
each (onboarding.md)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from ganpo_cloud.days import observed
from ganpo_cloud.days.calendars import Calendars
from ganpo_cloud.days.observed import Subject
from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.days.reasons import HEALTH, Reason, of_apart, of_gateways
from ganpo_cloud.inlet.gateways import Gateway, known_gateways
from ganpo_cloud.province.below import more_below
from ganpo_cloud.province.ledger import Device, Ledger, ledgers
from ganpo_cloud.store import apart, slots
from ganpo_cloud.store.counted_tables import production
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of
from ganpo_cloud.store.runs import unpacked
from ganpo_cloud.store.tables import event, states, subject
from ganpo_model.activity import LEAST_PLANNED, Age
from ganpo_model.calendar import first_exception
from ganpo_model.clock import to_ms
from ganpo_model.coverage import Evidence
from ganpo_model.facts import EventKind, ExceptionItem
from ganpo_model.states import State

STALE_MS = 1_800_000
"""Two slots: each brings a reading of every register that is read."""


def why(
    connection: Connection,
    enterprise: str,
    asset_no: str | None,
    now: datetime,
    holidays: Sequence[ExceptionItem] = (),
    gateways: Sequence[Gateway] | None = None,
) -> list[Reason]:
    """What is missing of an enterprise, or of one of its devices; nothing: it is counted.

    `holidays`: of the province; `gateways`: what is known of the enterprise's, where somebody has read it already.
    """
    found = ledgers(connection, [enterprise]).get(enterprise, Ledger(enterprise))
    here = known_gateways(connection, now, enterprise) if gateways is None else gateways
    here = [one for one in here if one.enterprise is not None]
    reasons = []
    if not any(row.since <= day_of(to_ms(now), DEFAULT_ZONE) for row in found.homes):
        reasons.append(Reason("enterprise", command="ganpo-cloud import enterprises FILE.csv"))
    if not here:
        command = f"ganpo-cloud gateway add ID --enterprise {enterprise} --site SITE"
        reasons.append(Reason("gateway", command=command))
    reasons += of_gateways(here)
    # What cannot be computed: the ledger, the device; of an enterprise everything.
    apart_here = apart.found(connection, enterprise)
    reasons += [of_apart(row) for row in apart_here if asset_no is None or row.subject in ("", asset_no)]
    if asset_no is not None:
        reasons += _of_device(connection, found, asset_no, now, holidays)
    elif not any(device.kind == "equipment" for device in found.at(to_ms(now))):
        reasons.append(Reason("empty", command="ganpo-cloud import equipment FILE.csv"))
    return reasons


def _of_device(
    connection: Connection, found: Ledger, asset_no: str, now: datetime, holidays: Sequence[ExceptionItem]
) -> Iterable[Reason]:
    enterprise = found.code
    device = next((device for device in found.at(to_ms(now)) if device.asset_no == asset_no), None)
    named = next(iter(observed.subjects(connection, now, enterprise, asset_no)), None)
    if device is None and named is None:
        yield _elsewhere(connection, enterprise, asset_no)
        return
    if device is not None and device.kind == "equipment":
        yield from _banned(found, asset_no, now)
        yield from _flags(device)
    if device is not None and device.kind == "meter" and device.parent is not None:
        yield Reason("inside", None, {"outer": device.parent}, "ganpo check")
    if device is not None and device.kind == "meter":
        today = day_of(to_ms(now), DEFAULT_ZONE)
        meters = {no: item for no, item in found.meters_at(today).items() if item["status"] == "in_use"}
        if (more := more_below(connection, enterprise, asset_no, meters, today)) is not None:
            yield more
    if named is not None and named.withdrawn:
        yield Reason("withdrawn", command="ganpo check")
    networked = device is not None and device.networked
    if named is None and not networked:
        yield Reason("ledger", command="ganpo check")
    elif named is not None and named.kind == "equipment" and named.state is None and not networked:
        yield Reason("connection", command="ganpo check")
    elif down := _down(connection, enterprise, asset_no):
        yield down
    elif not networked:
        yield Reason("silent", command=HEALTH)
    elif named is not None:
        yield from _unknown(connection, named, to_ms(now))
    yield from open_items(connection, now, enterprise, asset_no)
    if named is not None and named.kind == "equipment":
        yield from _age(connection, named, now, holidays, counts=device is not None and device.in_service)


def _unknown(connection: Connection, named: Subject, now_ms: int) -> Iterator[Reason]:
    """Its link is up, and yet the newest run says nothing, or no reading comes."""
    mine = slots.of(named.enterprise, named.asset_no)
    row = connection.execute(slots.newest(select(states.c.start, states.c.runs).where(mine))).first()
    runs = unpacked(row.runs) if row is not None else []
    read = max((one.read_at for one in named.registers if one.read_at is not None), default=None)
    if row is not None and runs and runs[-1][1] == State.UNKNOWN:
        yield Reason("point", row.start + runs[-1][0], {}, HEALTH)
    elif named.kind == "meter" and read is not None and now_ms - read > STALE_MS:
        yield Reason("reading", read, {}, HEALTH)


_AGES = {Age.SEEN: "seldom", Age.SILENT: "quiet", Age.GONE: "gone"}


def _age(
    connection: Connection, named: Subject, now: datetime, holidays: Sequence[ExceptionItem], *, counts: bool
) -> Iterator[Reason]:
    today = day_of(to_ms(now), named.timezone)
    p = production.c
    mine = select(p.day, p.good, p.age, p.watched).filter_by(
        enterprise=named.enterprise, subject=named.asset_no
    )
    rows = connection.execute(mine.where(p.day <= today).order_by(p.day.desc())).all()
    last = next((row.day for row in rows if row.good), None)
    new = (
        sum(row.watched for row in rows) < LEAST_PLANNED
    )  # it cannot be active yet, and nobody has to do anything
    if counts and last is not None and rows[0].age in _AGES and not (new and rows[0].age == Age.SEEN):
        yield Reason(_AGES[Age(rows[0].age)], bounds(last, named.timezone)[1], {}, HEALTH)
    seen_today = bool(rows) and rows[0].day == today and rows[0].good
    calendar = Calendars(connection, holidays).of(named.enterprise, named.gateway)
    off = first_exception(calendar.on(today), today)
    if not seen_today and off is not None and off.plan == "off":
        details = {"what": off.why or off.plan}
        yield Reason("holiday", None, details, "ganpo-cloud import exceptions FILE.csv")


def _elsewhere(connection: Connection, enterprise: str, asset_no: str) -> Reason:
    """Of what neither a list nor an inventory of the enterprise names."""
    if observed.kind_of(connection, enterprise, asset_no):
        return Reason("unnamed", who=asset_no)
    row = connection.execute(
        select(subject.c.enterprise, subject.c.gateway)
        .where((subject.c.asset_no == asset_no) & (subject.c.enterprise != enterprise))
        .order_by(subject.c.at.desc())
        .limit(1)
    ).first()
    if row is None:
        return Reason("unknown", None, {}, "ganpo-cloud import equipment FILE.csv", asset_no)
    details = {"gateway": row.gateway, "other": row.enterprise}
    command = f"ganpo-cloud gateway add {row.gateway} --enterprise {enterprise} --site SITE"
    return Reason("elsewhere", None, details, command, asset_no)


def _banned(found: Ledger, asset_no: str, now: datetime) -> Iterator[Reason]:
    """It may not run, by which document."""
    ban = found.banned(asset_no, day_of(to_ms(now), DEFAULT_ZONE))
    if ban is not None:
        yield Reason(ban.kind, bounds(ban.since, DEFAULT_ZONE)[0], {"document": ban.document})


def _flags(device: Device) -> Iterator[Reason]:
    command = "ganpo-cloud import flags FILE.csv"
    if not device.in_service and not device.banned:
        yield Reason("status", None, {"status": device.status}, "ganpo-cloud import equipment FILE.csv")
    if "main" not in device.flags:
        yield Reason("main", command=command)
    level = device.flags.get("numerical_control")
    if level is None:
        yield Reason("nc", command=command)
    elif level is Evidence.CLAIMED:
        yield Reason("claimed", command=command)
    for flag in ("digital", "intelligent"):
        if device.flags.get(flag) is Evidence.CLAIMED:
            yield Reason(f"claimed_{flag}", command=command)


def _down(connection: Connection, enterprise: str, asset_no: str) -> Reason | None:
    """The newest word of its link, where that is that it went down."""
    row = connection.execute(
        select(event.c.kind, event.c.at, event.c.data)
        .where((event.c.enterprise == enterprise) & (event.c.subject == asset_no))
        .where(event.c.kind.in_([EventKind.LINK_UP, EventKind.LINK_DOWN]))
        .order_by(event.c.at.desc(), event.c.frame.desc(), event.c.place.desc())
        .limit(1)
    ).first()
    if row is None or row.kind != EventKind.LINK_DOWN:
        return None
    return Reason("device", row.at, {"reason": str(json.loads(row.data).get("reason", ""))}, HEALTH)
