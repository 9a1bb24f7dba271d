"""Machines and meters as they are observed now. Read-only."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from ganpo_cloud.days import chains
from ganpo_cloud.inlet import lives
from ganpo_cloud.store import slots
from ganpo_cloud.store.described import AssetNo, Code, Instant, Unit, answer, said, unsaid
from ganpo_cloud.store.tables import gateway, live, reading, register, states, subject
from ganpo_model.clock import to_ms
from ganpo_model.registers import standing
from ganpo_model.states import State


@answer
class Register:
    """A register and where it stands."""

    id: str = said("asset_no/signal#hash of what it is read from", "DB-0101/energy_import#1f3a9c02")
    signal: str = said("what it counts", "energy_import")
    carrier: str | None = said("what the meter measures", "electricity")
    unit: Unit
    num: int = said("one count is num/den of the unit", 1)
    den: int = said("one count is num/den of the unit", 100)
    raw: int | None = said("counts at the last accepted reading", 4820300)
    at: Instant | None = said("time of the last accepted reading", "2026-11-25T02:15:03.120Z")
    doubted_since: int | None = unsaid()
    read_at: int | None = unsaid()
    """The newest reading, accepted or not."""


@answer
class Subject:
    """A machine or a meter."""

    enterprise: Code
    asset_no: AssetNo
    kind: Literal["equipment", "meter"] = said("what it is", "equipment")
    name: str = said("as its gateway names it", "立式加工中心 VMC850")
    withdrawn: bool = said("no inventory names it any more", False)
    gateways: list[str] = said("gateways whose inventories name it", ["gw-nc-0007"])
    state: State | None = said(
        "of a machine, now; UNKNOWN where nobody observes it; null without a connection", "PRODUCING"
    )
    state_since: Instant | None = said("since when it is in this state", "2026-11-25T02:07:12.000Z")
    registers: list[Register] = said("its registers, and where each stands")
    last_word: Instant | None = said("newest observation stored", "2026-11-25T02:15:00.000Z")
    timezone: str = unsaid()
    gateway: str = unsaid()
    """Whose inventory is the newest."""


def subjects(
    connection: Connection, now: datetime, enterprise: str | None = None, asset_no: str | None = None
) -> list[Subject]:
    """Everything an inventory ever named, or of one enterprise, or one subject of it, by number; what is observed now
    comes from the gateways' own word: from those that are online and know what time it is."""
    heard = select(live).join(gateway, gateway.c.id == live.c.gateway)
    seen = slots.newest(select(slots.END).where(slots.of(subject.c.enterprise, subject.c.asset_no)))
    query = select(subject, seen.scalar_subquery().label("seen"))
    query = query.order_by(subject.c.enterprise, subject.c.asset_no)
    if enterprise is not None:
        heard = heard.where(gateway.c.enterprise == enterprise)
        query = query.where(subject.c.enterprise == enterprise)
    if asset_no is not None:
        query = query.where(subject.c.asset_no == asset_no)
    there = [
        row.gateway
        for row in connection.execute(heard).all()
        if lives.online(row.heard_at, row.interval_ms, row.offline, to_ms(now))
        and lives.picture(row.body).get("trusted") is not False
    ]
    told = lives.items(connection, "subjects", there)
    registers = _registers(connection, enterprise, asset_no)
    return [
        _subject(row, told, registers.get((row.enterprise, row.asset_no), []))
        for row in connection.execute(query).all()
    ]


def kind_of(connection: Connection, enterprise: str, asset_no: str) -> str:
    """The kind of what no inventory names, by what is stored of it: states are of equipment, readings alone of a meter;
    empty where nothing is."""
    states_of = select(states.c.start).where(slots.of(enterprise, asset_no))
    of_it = func.substr(reading.c.register, 1, len(asset_no) + 1) == f"{asset_no}/"
    readings_of = select(reading.c.at).where((reading.c.enterprise == enterprise) & of_it)
    kinds = (("equipment", states_of), ("meter", readings_of))
    return next((kind for kind, query in kinds if connection.execute(query.limit(1)).first()), "")


def _subject(row: Any, told: dict[str, dict[str, Any]], registers: list[Register]) -> Subject:
    body = json.loads(row.body)
    gateways = body.get("gateways", [])
    state, since = None, None
    if row.kind == "equipment" and body.get("profile"):
        state, since = _state_now(row.asset_no, gateways, told)
    words = [row.seen, *(one.read_at for one in registers)]
    last_word = max((at for at in words if at is not None), default=None)
    about = (row.enterprise, row.asset_no, row.kind, row.name, bool(row.withdrawn), gateways)
    return Subject(*about, state, since, registers, last_word, row.timezone, row.gateway)


def _state_now(asset_no: str, of: Sequence[str], told: dict[str, dict[str, Any]]) -> tuple[State, int | None]:
    """What an online gateway says of the machine; nobody there: not observed, UNKNOWN at once."""
    for number in of:
        item = told.get(number, {}).get(asset_no, {})
        if item.get("state") in State.__members__:
            try:
                since = to_ms(datetime.fromisoformat(str(item.get("since"))))
            except ValueError:
                since = None
            return State(item["state"]), since
    return State.UNKNOWN, None


def _registers(
    connection: Connection, enterprise: str | None, asset_no: str | None
) -> dict[tuple[str, str], list[Register]]:
    """By subject its registers, and where each stands."""
    state = chains.newest_states(register.c.enterprise, register.c.id)
    mine = (reading.c.enterprise == register.c.enterprise) & (reading.c.register == register.c.id)
    read_at = select(reading.c.at).where(mine).order_by(reading.c.at.desc()).limit(1).scalar_subquery()
    query = select(register, state.label("state"), read_at.label("read_at")).order_by(register.c.id)
    if enterprise is not None:
        query = query.where(register.c.enterprise == enterprise)
    if asset_no is not None:
        query = query.where(register.c.subject == asset_no)
    found: dict[tuple[str, str], list[Register]] = {}
    for row in connection.execute(query):
        now = standing(row.state) if row.state is not None else None
        raw, at = (now.last.raw, now.last.at) if now is not None and now.last else (None, None)
        doubted = now.doubted_since if now is not None else None
        about = (row.id, row.signal, row.carrier, row.unit, row.num, row.den)
        found.setdefault((row.enterprise, row.subject), []).append(
            Register(*about, raw, at, doubted, row.read_at)
        )
    return found
