"""Frames that could not be applied: kept as they came, with the reason, bounded per gateway (uplink.md)."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import counter, quarantine, quarantine_total
from ganpo_cloud.store.tables import gateway as registry
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.errors import FrameError
from ganpo_model.frame import MAX_PACKED

STRANGER_FRAMES = 1000
"""Frames of a gateway that is not registered; more get no answer."""
STRANGERS_FRAMES = 10_000
STRANGERS_BYTES = 64 * 1024 * 1024
"""Of all gateways together that are not registered: anybody who reaches the broker may invent one more."""
REGISTERED_BYTES = 64 * 1024 * 1024
"""Of a registered gateway; the oldest go beyond that, counted."""
_PAGE = 100
_INSERT = (
    "INSERT INTO quarantine (gateway, received_at, reason, detail, stream, seq, digest, bytes, size)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING size"
)
_DIGITS = re.compile(r"\d{40,}")
"""A number that nobody reads to its end."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame as it came, `name` (stream, seq) if it has one, and why it was not applied."""

    gateway: str
    packed: bytes
    name: tuple[str, int] | None
    error: FrameError


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One frame that is kept."""

    id: int
    gateway: str
    received_at: datetime
    bytes: bytes


class Held(NamedTuple):
    """What is kept of one gateway for one reason: how many frames, since when (ms), and what the last is told of."""

    reason: str
    frames: int
    since: int
    detail: str


class _Total(NamedTuple):
    frames: int
    size: int


def keep(connection: Connection, kept: Sequence[Kept], now: datetime) -> list[bool]:
    """Keep frames; False for one that the bounds of unknown gateways refuse. The same frame is kept once.

    Of one that is too large for ever only the beginning is kept.
    """
    answers: dict[int, bool] = {}
    in_order = sorted(range(len(kept)), key=lambda place: kept[place].gateway)
    strangers: _Total | None = None
    for gateway, places in groupby(in_order, lambda place: kept[place].gateway):
        room = None
        if not _is_registered(connection, gateway):
            strangers = strangers or _strangers(connection)
            mine = _total(connection, gateway)
            frames = min(STRANGER_FRAMES - mine.frames, STRANGERS_FRAMES - strangers.frames)
            room = _Total(frames, STRANGERS_BYTES - strangers.size)
        total = _Total(0, 0)
        for place in places:
            one = kept[place]
            packed = one.packed[: MAX_PACKED + 1]
            fits = room is None or (total.frames < room.frames and total.size + len(packed) <= room.size)
            if fits:
                new = _insert(connection, one, packed, now)
                total = _Total(total.frames + new, total.size + new * len(packed))
            answers[place] = fits or _is_there(connection, one, packed)
        _add(connection, gateway, total)
        if room is None:
            _drop_oldest(connection, gateway)
        elif strangers is not None:
            strangers = _Total(strangers.frames + total.frames, strangers.size + total.size)
    return [answers[place] for place in range(len(kept))]


def page(connection: Connection, after: int, gateway: str | None) -> Sequence[Quarantined]:
    """The next frames of registered gateways, by id."""
    query = (
        select(quarantine.c.id, quarantine.c.gateway, quarantine.c.received_at, quarantine.c.bytes)
        .join(registry, registry.c.id == quarantine.c.gateway)
        .where(quarantine.c.id > after)
        .order_by(quarantine.c.id)
        .limit(_PAGE)
    )
    if gateway is not None:
        query = query.where(quarantine.c.gateway == gateway)
    return [
        Quarantined(row.id, row.gateway, from_ms(row.received_at), row.bytes)
        for row in connection.execute(query)
    ]


def held(connection: Connection, gateways: Sequence[str]) -> dict[str, list[Held]]:
    """What is kept of these gateways, by reason, that of the newest frame first."""
    found = (
        select(
            quarantine.c.reason,
            func.count().label("frames"),
            func.min(quarantine.c.received_at).label("since"),
            func.max(quarantine.c.id).label("newest"),
        )
        .where(quarantine.c.gateway.in_(gateways))
        .group_by(quarantine.c.gateway, quarantine.c.reason)
        .subquery()
    )
    query = (
        select(quarantine.c.gateway, found.c.reason, found.c.frames, found.c.since, quarantine.c.detail)
        .join(quarantine, quarantine.c.id == found.c.newest)
        .order_by(found.c.newest.desc())
    )
    kept: dict[str, list[Held]] = {}
    for number, *about in connection.execute(query):
        kept.setdefault(number, []).append(Held(*about))
    return kept


def remove(connection: Connection, number: int) -> None:
    """It was applied."""
    row = connection.execute(
        delete(quarantine).where(quarantine.c.id == number).returning(quarantine.c.gateway, quarantine.c.size)
    ).one()
    _add(connection, row.gateway, _Total(-1, -row.size))


def drop(connection: Connection, gateway: str) -> int:
    """Nobody will ever want the frames of this gateway; gives how many they were."""
    number = connection.execute(delete(quarantine).where(quarantine.c.gateway == gateway)).rowcount
    connection.execute(delete(quarantine_total).where(quarantine_total.c.gateway == gateway))
    return number


def explain(connection: Connection, number: int, error: FrameError) -> None:
    """It was tried again: this is the reason now."""
    connection.execute(
        update(quarantine).where(quarantine.c.id == number).values(reason=error.reason, detail=_detail(error))
    )


def dropped_name(gateway: str) -> str:
    """The counter of frames that a full quarantine gave up."""
    return f"quarantine_dropped/{gateway}"


def _detail(error: FrameError) -> str:
    short = _DIGITS.sub(lambda many: f"{many[0][:20]}... ({len(many[0])} digits)", str(error))
    return short[:500].replace("\x00", "?")


def _insert(connection: Connection, one: Kept, packed: bytes, now: datetime) -> bool:
    """Whether it is new."""
    stream, seq = one.name if one.name is not None else (None, None)
    reason, detail = one.error.reason, _detail(one.error)
    values = (one.gateway, to_ms(now), reason, detail, stream, seq, _digest(packed), packed, len(packed))
    return sql.first(connection, _INSERT, values) is not None


def _is_there(connection: Connection, one: Kept, packed: bytes) -> bool:
    same = "SELECT 1 FROM quarantine WHERE gateway = ? AND digest = ? AND size = ?"
    return sql.first(connection, same, (one.gateway, _digest(packed), len(packed))) is not None


def _digest(packed: bytes) -> int:
    """What tells frames apart, also those that are none: the CRC-32 at their end may be any four bytes."""
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), signed=True)


def _is_registered(connection: Connection, gateway: str) -> bool:
    return sql.first(connection, "SELECT 1 FROM gateway WHERE id = ?", (gateway,)) is not None


def _strangers(connection: Connection) -> _Total:
    """What all unknown gateways hold together."""
    frames, size = connection.execute(
        select(
            func.coalesce(func.sum(quarantine_total.c.frames), 0),
            func.coalesce(func.sum(quarantine_total.c.bytes), 0),
        ).where(quarantine_total.c.gateway.not_in(select(registry.c.id)))
    ).one()
    return _Total(int(frames), int(size))


def _total(connection: Connection, gateway: str) -> _Total:
    row = sql.first(connection, "SELECT frames, bytes FROM quarantine_total WHERE gateway = ?", (gateway,))
    return _Total(*row) if row else _Total(0, 0)


def _add(connection: Connection, gateway: str, more: _Total) -> None:
    if not more.frames:
        return
    held = _total(connection, gateway)
    row = (gateway, held.frames + more.frames, held.size + more.size)
    sql.replace(connection, quarantine_total, [row])
    emptied = (quarantine_total.c.gateway == gateway) & (quarantine_total.c.frames == 0)
    connection.execute(delete(quarantine_total).where(emptied))


def _drop_oldest(connection: Connection, gateway: str) -> None:
    too_many = _total(connection, gateway).size - REGISTERED_BYTES
    if too_many <= 0:
        return
    oldest = "SELECT id, size FROM quarantine WHERE gateway = ? ORDER BY id LIMIT 1000"
    gone = _Total(0, 0)
    while gone.size < too_many:
        for number, size in sql.rows(connection, oldest, (gateway,)):
            last = number
            gone = _Total(gone.frames + 1, gone.size + size)
            if gone.size >= too_many:
                break
        sql.run(connection, "DELETE FROM quarantine WHERE gateway = ? AND id <= ?", (gateway, last))
    _add(connection, gateway, _Total(-gone.frames, -gone.size))
    name = dropped_name(gateway)
    before = connection.execute(select(counter.c.value).where(counter.c.name == name)).scalar() or 0
    sql.replace(connection, counter, [(name, before + gone.frames)])
