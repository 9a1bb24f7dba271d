"""What gateways say of themselves, and whether they are there (onboarding.md, Gateway)."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, delete, select, update

from ganpo_cloud.inlet.refusals import Refused, tell
from ganpo_cloud.store import sql
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.owners import numbers
from ganpo_cloud.store.tables import live, live_item
from ganpo_model.clock import FAR_MS, to_ms
from ganpo_model.errors import FrameError
from ganpo_model.frame import MAX_PACKED, unpack

INTERVALS = 3
"""Online while it said `live` within so many of its own intervals."""
_FEW = 5
"""Faults and silent units that a gateway names, at most."""
_LAST = "SELECT online FROM transition WHERE transition.gateway = {} ORDER BY at DESC LIMIT 1"
_TURN = (
    f"INSERT INTO transition SELECT ?, ?, ? WHERE coalesce(({_LAST.format('?')}), FALSE) <> ?"
    " ON CONFLICT (gateway, at) DO UPDATE SET online = excluded.online"
)
_SILENT = (
    f"SELECT gateway, heard_at + {INTERVALS} * interval_ms FROM live WHERE NOT offline"
    f" AND heard_at + {INTERVALS} * interval_ms < ? AND ({_LAST.format('live.gateway')})"
)
_MERGE = (
    "INSERT INTO live_item (gateway, session, kind, name, body) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (gateway, session, kind, name)"
    " DO UPDATE SET body = excluded.body WHERE live_item.body <> excluded.body"
)
_NAME = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,200}")
_KINDS = ("connections", "subjects")


class _Live(BaseModel):
    """What is read of a `live`; everything else is kept as it came. The will has `offline` alone. Connections and
    subjects: those that it tells of this time."""

    model_config = ConfigDict(extra="allow", strict=True)

    v: int = Field(ge=1, le=1)
    session: str = Field(max_length=64, pattern=r"^[0-9A-Za-z]+$")
    offline: bool = False
    interval_s: float = Field(default=60, gt=0, le=86_400)
    connections: dict[str, Any] = Field(default_factory=dict)
    subjects: dict[str, Any] = Field(default_factory=dict)


def hear(
    database: Database,
    said: Iterable[tuple[str, bytes]],
    now: datetime,
    refused: Callable[[Refused], None] = tell,
) -> list[str]:
    """Store what gateways say, in the order in which it came. Gives those that are to be answered: registered ones.

    What is no `live` is told to `refused` and ignored. Raises sqlalchemy.exc.OperationalError where the database fails.
    """
    understood: list[tuple[str, _Live]] = []
    for gateway, payload in said:
        try:
            understood.append((gateway, _read(payload)))
        except FrameError as error:
            refused(Refused(gateway, error, kept=False))
    with database.write() as connection:
        known = numbers(connection)
        answered = [
            gateway
            for gateway, word in understood
            if gateway in known and _store(connection, gateway, word, to_ms(now))
        ]
    return list(dict.fromkeys(answered))


def _read(payload: bytes) -> _Live:
    """JSON, or gzip of it. Raises FrameError."""
    if len(payload) > MAX_PACKED:
        raise FrameError(f"a `live` of more than {MAX_PACKED} bytes", reason="limits")
    try:
        return _Live.model_validate_json(unpack(payload) if payload.startswith(b"\x1f\x8b") else payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise FrameError(f"a `live` of {len(payload)} bytes: {where}: {first['msg']}") from None


def _store(connection: Connection, gateway: str, said: _Live, at: int) -> bool:
    """Store one word of a gateway; False for the will, which nobody waits behind."""
    mine = live.c.gateway == gateway
    if said.offline:
        # Heeded only for the session heard last: the will of an older one may come after the new one began.
        heard_last = mine & (live.c.session == said.session) & ~live.c.offline
        if connection.execute(update(live).where(heard_last).values(offline=True)).rowcount:
            _turn(connection, gateway, at, online=False)
        return False
    before = connection.execute(select(live.c.session).where(mine)).scalar()
    if before != said.session:
        left = live_item.c.session.not_in([said.session, before or ""])
        connection.execute(delete(live_item).where((live_item.c.gateway == gateway) & left))
    # What it tells stands beside what its session told before.
    told = [
        (gateway, said.session, kind, name, json.dumps(item))
        for kind in _KINDS
        for name, item in sorted(getattr(said, kind).items())
        if isinstance(item, dict) and _NAME.fullmatch(name)
    ]
    sql.run(connection, _MERGE, told)
    body = said.model_dump_json(exclude=set(_KINDS))
    sql.replace(connection, live, [(gateway, at, said.session, False, round(said.interval_s * 1000), body)])
    _turn(connection, gateway, at, online=True)
    return True


def online(heard_at: int, interval_ms: int, offline: bool, now_ms: int) -> bool:
    """Whether a gateway that was heard so is there at `now_ms`."""
    return not offline and now_ms <= heard_at + INTERVALS * interval_ms


def mark_silent(database: Database, now: datetime) -> None:
    """Gateways that said nothing for three intervals went offline when the third ended."""
    with database.read() as connection:
        silent = sql.rows(connection, _SILENT, (to_ms(now),))
    if silent:
        with database.write() as connection:
            for number, at in silent:
                _turn(connection, number, at, online=False)


def clock_off_ms(said: Mapping[str, object]) -> int:
    """By how much the clock of a gateway differs from ours, where that is too much; else 0."""
    off = said.get("clock_off_ms")
    return off if isinstance(off, int) and abs(off) > FAR_MS else 0


def counted(said: Mapping[str, Any], of: str, name: str) -> int | None:
    """A count that a gateway may say of itself; None where it does not."""
    group = said.get(of)
    number = group.get(name) if isinstance(group, dict) else None
    return (
        number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31 else None
    )


class OfPoints(NamedTuple):
    """What a gateway says of its points and units: counts (None where it says nothing), and the worst of them."""

    points: int | None
    points_at_fault: int | None
    units: int | None
    units_silent: int | None
    faults: list[str]
    silent: list[str]
    holes: int | None


def of_points(said: Mapping[str, Any]) -> OfPoints:
    """As a `live` has it; what is no such thing is left out."""
    return OfPoints(
        counted(said, "points", "bound"),
        counted(said, "points", "at_fault"),
        counted(said, "units", "asked"),
        counted(said, "units", "silent"),
        _some(said.get("faults")),
        _some(said.get("silent")),
        counted(said, "units", "holes"),
    )


def _some(said: object) -> list[str]:
    return [str(one)[:200] for one in said[:_FEW]] if isinstance(said, list) else []


def picture(body: str) -> dict[str, Any]:
    """A stored `live` as it was said, without connections and subjects."""
    found = json.loads(body)
    return found if isinstance(found, dict) else {}


def items(connection: Connection, kind: str, gateways: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What these gateways said last, by gateway and name, of every connection or subject they told of in the present
    session."""
    mine = (live_item.c.gateway == live.c.gateway) & (live_item.c.session == live.c.session)
    found: dict[str, dict[str, Any]] = {}
    query = select(live.c.gateway, live_item.c.name, live_item.c.body).where(
        mine & (live_item.c.kind == kind)
    )
    for number, name, body in connection.execute(query.where(live.c.gateway.in_(list(gateways)))):
        found.setdefault(number, {})[name] = json.loads(body)
    return found


def _turn(connection: Connection, number: str, at: int, *, online: bool) -> None:
    """A transition, where it is one."""
    sql.run(connection, _TURN, (number, at, online, number, online))
