"""Why is it not counted? The first things that are missing of an enterprise or a device, since when, and what closes
each (onboarding.md)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, func, select

from ganpo_cloud.days.calendars import Calendars
from ganpo_cloud.days.open_items import OpenItem, open_items
from ganpo_cloud.inlet import lives
from ganpo_cloud.province.ledger import Device, Ledger, ledgers
from ganpo_cloud.store import apart, slots
from ganpo_cloud.store.counted_tables import production
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of
from ganpo_cloud.store.runs import unpacked
from ganpo_cloud.store.tables import (
    event,
    reading,
    register,
    states,
    subject,
)
from ganpo_cloud.web import views
from ganpo_cloud.web.i18n import Translator
from ganpo_model.activity import Age
from ganpo_model.calendar import first_exception
from ganpo_model.clock import to_ms
from ganpo_model.coverage import Evidence
from ganpo_model.facts import EventKind, ExceptionItem
from ganpo_model.states import State

STALE_MS = 1_800_000
"""Two slots: each brings a reading of every register that is read."""
DAY_MS = 24 * 3_600_000
"""How long an event of a gateway is shown."""
HEALTH = "curl http://127.0.0.1:8780/health"
STATUS = "systemctl status ganpo-agent"
REASONS: Mapping[str, str] = {
    "enterprise": "the enterprise is not in the registry",
    "gateway": "no gateway of the enterprise is registered",
    "never": "the gateway was never heard",
    "offline": "the gateway is offline",
    "clock": "the gateway waits for the time: its clock is not trusted",
    "clock_off": "its clock differs from ours by {by} (h:mm:ss)",
    "quarantine": "{n} frames are in quarantine: {reason}",
    "stranger": "is not registered; its frames wait: {n}",
    "link": "its connection says: {error}",
    "alone": "a frame does not get through: {frame}",
    "missing": "{n} frames are missing: not stored, not declared lost, not at the gateway",
    "both": "two boxes send with this id: give one of them an id of its own",
    "contents": "number {seq} of {stream} came with two contents: a disk was set back or copied",
    "beyond": "its disk was set back or copied: frames up to {seq} of {stream} lie behind the end it tells",
    "runs": "its disk was set back or copied: two runs follow {stream}",
    "suspect": "jumps more than 60 times an hour: check max_rate, unit, decoding",
    "fault": "{name}: fault",
    "read": "{name} is still read, though the newest inventory of its gateway does not name it",
    "elsewhere": "is observed by gateway {gateway}, which belongs to {other}",
    "unknown": "neither a list nor an inventory names it",
    "status": "it does not count: {status}",
    "main": "it is not said to be main production equipment",
    "nc": "it is not said to be numerically controlled",
    "claimed": "numerical control is only claimed: no document, and the controller has not shown it",
    "ledger": "it stands in the ledger only: no gateway names it",
    "connection": "its gateway has no connection to it",
    "apart": "its numbers cannot be worked out, and it is set apart: {reason}",
    "device": "it does not answer: {reason}",
    "silent": "no Good value of it was ever stored",
    "point": "it answers, but its state is unknown: a point that it needs has no good value",
    "reading": "its link is up, but no reading of it came for more than two slots",
    "withdrawn": "no inventory of its gateway names it any more",
    "inside": "{outer} above it has measured what it measures: it counts as a sub-meter, not in the total",
    "open": "a step of {n} counts is open: it counts nothing until somebody says what it was",
    "daily": "a step is open every day, {n} counts in all: say so if it shows a new number once a day",
    "follows": "a new register of this meter begins: nobody said where the old one ended",
    "not_believed": "not believed, its readings contradict one another: check unit, decoding",
    "too_fast": "not believed, it rises by {asked} an hour, at most {allowed} are allowed: check max_rate, CT, unit,"
    " decoding",
    "holiday": "its site is off today ({what}): silence is no fault, and it still counts",
    "gone": "nothing Good was seen of it for 90 days: it left the current counts",
    "not_taken": "the time-series store has not taken {measurement}: {problem}",
    "left_out": "not written to the time-series store, which does not read these names as they are: {names}",
}
"""What each reason says; translated where it is shown."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a person should know: why something is not counted, or what needs somebody.

    `who`: the device, register or gateway, where it is not the one that was asked for; `since`: ms, where it is known;
    `details` fill the words; `command` closes it; `level`: alarm (act now) or warn (look).
    """

    code: str
    since: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    who: str = ""
    level: str = "warn"

    def told(self, t: Translator) -> str:
        """In words, in the language of `t`."""
        said = t(REASONS[self.code], **self.details)
        return f"{self.who}: {said}" if self.who else said


def why(
    connection: Connection,
    enterprise: str,
    asset_no: str | None,
    now: datetime,
    holidays: Sequence[ExceptionItem] = (),
) -> list[Reason]:
    """What is missing of an enterprise, or of one of its devices; nothing: it is counted.

    `holidays`: of the province.
    """
    found = ledgers(connection, [enterprise]).get(enterprise, Ledger(enterprise))
    gateways = [view for view in views.gateways(connection, now, enterprise) if view.enterprise]
    reasons = []
    if not any(row.since <= day_of(to_ms(now), DEFAULT_ZONE) for row in found.homes):
        reasons.append(Reason("enterprise", command="ganpo-cloud import enterprises FILE.csv"))
    if not gateways:
        reasons.append(
            Reason("gateway", command=f"ganpo-cloud gateway add ID --enterprise {enterprise} --site SITE")
        )
    reasons += of_gateways(gateways)
    reasons += _apart(connection, enterprise, asset_no)
    if asset_no is not None:
        reasons += _of_device(connection, found, asset_no, now, holidays)
    return reasons


def _apart(connection: Connection, enterprise: str, asset_no: str | None) -> Iterator[Reason]:
    """What cannot be computed: the ledger, the device; of an enterprise everything."""
    for row in apart.found(connection, enterprise):
        if asset_no is None or row.subject in ("", asset_no):
            yield of_apart(row)


def of_apart(row: Any) -> Reason:
    """What is set apart, and why."""
    who = row.subject or row.enterprise
    return Reason("apart", row.since, {"reason": row.reason[:200]}, "journalctl -u ganpo-cloud", who, "alarm")


def of_gateways(found: Sequence[views.GatewayView]) -> Iterator[Reason]:
    """What keeps gateways from being heard; where at least half of them are away somebody has to act."""
    away = sum(not view.online for view in found)
    level = "alarm" if 2 * away >= len(found) else "warn"
    for view in found:
        if not view.online and (view.last_word is not None or not view.kept):
            code = "never" if view.last_word is None else "offline"
            yield Reason(code, view.last_word, {}, STATUS, view.id, level)
        elif view.online and view.said.get("trusted") is False:
            yield Reason("clock", None, {}, "timedatectl status", view.id)
        elif view.online and (off := lives.clock_off_ms(view.said)):
            by = f"{'+' if off > 0 else '-'}{timedelta(seconds=abs(off) // 1000)}"
            yield Reason("clock_off", None, {"by": by}, "timedatectl status", view.id)
        for one in view.kept:
            details = {"n": f"{one.frames:,}", "reason": f"{one.reason}: {one.detail}"[:160]}
            yield Reason("quarantine", one.since, details, "ganpo-cloud quarantine list", view.id)


def of_register(item: OpenItem) -> Reason:
    """What waits of a register."""
    code = "too_fast" if item.asked is not None else item.kind
    details = {
        "n": f"{item.amount or 0:,}".replace("-", "\u2212"),
        "asked": rate(item.asked, item.unit),
        "allowed": rate(item.allowed, item.unit),
    }
    return Reason(code, item.since, details, item.command, item.register)


def rate(value: Fraction | None, unit: str) -> str:
    """In six digits, or all before the point: 8,640 kWh."""
    if value is None:
        return ""
    digits = f"{float(value):,.6g}" if value < 100_000 else f"{round(value):,}"
    return f"{digits} {unit.replace('m3', 'm³')}".removesuffix(" 1")


def _of_device(
    connection: Connection, found: Ledger, asset_no: str, now: datetime, holidays: Sequence[ExceptionItem]
) -> list[Reason]:
    enterprise = found.code
    device = next((device for device in found.at(to_ms(now)) if device.asset_no == asset_no), None)
    named = connection.execute(
        select(subject).where((subject.c.enterprise == enterprise) & (subject.c.asset_no == asset_no))
    ).first()
    if device is None and named is None:
        return _elsewhere(connection, enterprise, asset_no)
    reasons = [*_flags(device)] if device is not None and device.kind == "equipment" else []
    if device is not None and device.kind == "meter" and device.parent is not None:
        reasons.append(Reason("inside", None, {"outer": device.parent}, "ganpo check"))
    if named is not None and named.withdrawn:
        reasons.append(Reason("withdrawn", None, {}, "ganpo check"))
    if device is None or not device.networked:
        reasons += _not_observed(connection, enterprise, asset_no, named)
    else:
        reasons += _down(connection, enterprise, asset_no) or _unknown(connection, named, to_ms(now))
    reasons += map(of_register, open_items(connection, now, enterprise, asset_no))
    if named is not None and named.kind == "equipment":
        reasons += _age(connection, named, now, holidays)
    return reasons


def _unknown(connection: Connection, named: Any, now_ms: int) -> list[Reason]:
    """Its link is up, and yet the newest run says nothing, or no reading comes."""
    if named is None:
        return []
    mine = slots.of(named.enterprise, named.asset_no)
    row = connection.execute(slots.newest(select(states.c.start, states.c.runs).where(mine))).first()
    runs = unpacked(row.runs) if row is not None else []
    if row is not None and runs and runs[-1][1] == State.UNKNOWN:
        return [Reason("point", row.start + runs[-1][0], {}, HEALTH)]
    read = _last_reading(connection, named)
    if named.kind == "meter" and read is not None and now_ms - read > STALE_MS:
        return [Reason("reading", read, {}, HEALTH)]
    return []


def _last_reading(connection: Connection, named: Any) -> int | None:
    same = (reading.c.enterprise == register.c.enterprise) & (reading.c.register == register.c.id)
    mine = (register.c.enterprise == named.enterprise) & (register.c.subject == named.asset_no)
    return connection.execute(
        select(func.max(reading.c.at)).select_from(register).join(reading, same).where(mine)
    ).scalar()


def _age(
    connection: Connection, named: Any, now: datetime, holidays: Sequence[ExceptionItem]
) -> Iterator[Reason]:
    today = day_of(to_ms(now), named.timezone)
    mine = (production.c.enterprise == named.enterprise) & (production.c.subject == named.asset_no)
    rows = connection.execute(
        select(production.c.day, production.c.good, production.c.age)
        .where(mine & (production.c.day <= today))
        .order_by(production.c.day.desc())
    ).all()
    if rows and rows[0].age == Age.GONE and any(row.good for row in rows):
        last = next(row.day for row in rows if row.good)
        yield Reason("gone", bounds(last, named.timezone)[1], {}, HEALTH)
    seen_today = bool(rows) and rows[0].day == today and rows[0].good
    calendar = Calendars(connection, holidays).of(named.enterprise, named.gateway)
    off = first_exception(calendar.on(today), today)
    if not seen_today and off is not None and off.plan == "off":
        details = {"what": off.why or off.plan}
        yield Reason("holiday", None, details, "ganpo-cloud import exceptions FILE.csv")


def _elsewhere(connection: Connection, enterprise: str, asset_no: str) -> list[Reason]:
    row = connection.execute(
        select(subject.c.enterprise, subject.c.gateway)
        .where((subject.c.asset_no == asset_no) & (subject.c.enterprise != enterprise))
        .order_by(subject.c.at.desc())
        .limit(1)
    ).first()
    if row is None:
        command = "ganpo-cloud import equipment FILE.csv"
        return [Reason("unknown", None, {}, command, asset_no)]
    details = {"gateway": row.gateway, "other": row.enterprise}
    command = f"ganpo-cloud gateway add {row.gateway} --enterprise {enterprise} --site SITE"
    return [Reason("elsewhere", None, details, command, asset_no)]


def _flags(device: Device) -> Iterator[Reason]:
    command = "ganpo-cloud import flags FILE.csv"
    if not device.in_service:
        yield Reason("status", None, {"status": device.status}, "ganpo-cloud import equipment FILE.csv")
    if "main" not in device.flags:
        yield Reason("main", command=command)
    level = device.flags.get("numerical_control")
    if level is None:
        yield Reason("nc", command=command)
    elif level is Evidence.CLAIMED:
        yield Reason("claimed", command=command)


def _not_observed(connection: Connection, enterprise: str, asset_no: str, named: Any) -> Sequence[Reason]:
    if named is None:
        return [Reason("ledger", command="ganpo check")]
    body = json.loads(named.body)
    if named.kind == "equipment" and not body.get("profile"):
        return [Reason("connection", command="ganpo check")]
    return _down(connection, enterprise, asset_no) or [Reason("silent", command=HEALTH)]


def _down(connection: Connection, enterprise: str, asset_no: str) -> list[Reason]:
    """The newest word of its link, where that is that it went down."""
    row = connection.execute(
        select(event.c.kind, event.c.at, event.c.data)
        .where((event.c.enterprise == enterprise) & (event.c.subject == asset_no))
        .where(event.c.kind.in_([EventKind.LINK_UP, EventKind.LINK_DOWN]))
        .order_by(event.c.at.desc(), event.c.frame.desc(), event.c.place.desc())
        .limit(1)
    ).first()
    if row is None or row.kind != EventKind.LINK_DOWN:
        return []
    reason = str(json.loads(row.data).get("reason", ""))
    return [Reason("device", row.at, {"reason": reason}, HEALTH)]
