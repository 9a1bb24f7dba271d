"""Frames that could not be applied: kept as they came, with the reason, bounded per gateway (uplink.md)."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from ganpo_cloud.inlet.came import Came
from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import gateway as registry
from ganpo_cloud.store.tables import quarantine, quarantine_total
from ganpo_model.clock import to_ms
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
_THERE = "SELECT 1 FROM quarantine WHERE gateway = ? AND digest = ? AND size = ?"
_HELD = "SELECT coalesce(sum(frames), 0), coalesce(sum(bytes), 0) FROM quarantine_total WHERE gateway"
_STRANGERS = f"{_HELD} NOT IN (SELECT id FROM gateway)"
_ADD = (
    "INSERT INTO quarantine_total VALUES (?, ?, ?) ON CONFLICT (gateway) DO UPDATE SET"
    " frames = quarantine_total.frames + excluded.frames, bytes = quarantine_total.bytes + excluded.bytes"
)
_OLDEST = (
    "DELETE FROM quarantine WHERE id IN (SELECT id FROM (SELECT id, sum(size) OVER (ORDER BY id) - size AS before"
    " FROM (SELECT id, size FROM quarantine WHERE gateway = ? ORDER BY id LIMIT 1000) AS oldest) AS summed"
    " WHERE before < ?) RETURNING size"
)
_COUNT = "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value"
_DIGITS = re.compile(r"\d{40,}")
"""A number that nobody reads to its end."""


class Held(NamedTuple):
    """What is kept of one gateway for one reason: how many frames, since when (ms), and what the last is told of."""

    reason: str
    frames: int
    since: int
    detail: str


def keep(connection: Connection, refused: Sequence[Came], now: datetime) -> None:
    """Keep frames for their errors, the same one once; `kept` says of each whether it is there: not where the bounds
    of unknown gateways refuse it. Of one that is too large for ever only the beginning is kept."""
    frames: Counter[str] = Counter()
    size: Counter[str] = Counter()
    all_frames, all_bytes = sql.first(connection, _STRANGERS)
    for one in refused:
        gateway, packed, error = one.gateway, one.packed[: MAX_PACKED + 1], one.error
        # What tells frames apart, also those that are none: the CRC-32 at their end may be any four bytes.
        digest = int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), signed=True)
        fits = bool(one.registered) or (
            frames[gateway] + _held(connection, gateway)[0] < STRANGER_FRAMES
            and all_frames < STRANGERS_FRAMES
            and all_bytes + len(packed) <= STRANGERS_BYTES
        )
        if fits and error is not None:
            about = (gateway, to_ms(now), error.reason, _detail(error), one.stream or None, one.seq or None)
            if sql.first(connection, _INSERT, (*about, digest, packed, len(packed))) is not None:
                frames[gateway] += 1
                size[gateway] += len(packed)
                if not one.registered:
                    all_frames, all_bytes = all_frames + 1, all_bytes + len(packed)
        one.kept = fits or sql.first(connection, _THERE, (gateway, digest, len(packed))) is not None
    for gateway, number in sorted(frames.items()):
        _add(connection, gateway, number, size[gateway])
    for gateway in sorted({one.gateway for one in refused if one.registered}):
        _drop_oldest(connection, gateway)


def page(connection: Connection, after: int, gateway: str | None) -> Sequence[Any]:
    """The next frames of registered gateways, by id: rows of id, gateway, received_at and bytes."""
    query = (
        select(quarantine.c.id, quarantine.c.gateway, quarantine.c.received_at, quarantine.c.bytes)
        .join(registry, registry.c.id == quarantine.c.gateway)
        .where(quarantine.c.id > after)
        .order_by(quarantine.c.id)
        .limit(_PAGE)
    )
    if gateway is not None:
        query = query.where(quarantine.c.gateway == gateway)
    return connection.execute(query).all()


def held(connection: Connection, gateways: Sequence[str] | None = None) -> dict[str, list[Held]]:
    """What is kept of these gateways, or of all, by reason, that of the newest frame first."""
    of = quarantine.c
    numbers = (
        func.count().label("frames"),
        func.min(of.received_at).label("since"),
        func.max(of.id).label("newest"),
    )
    counted = select(of.reason, *numbers).group_by(of.gateway, of.reason)
    if gateways is not None:
        counted = counted.where(of.gateway.in_(gateways))
    found = counted.subquery().c
    query = select(of.gateway, found.reason, found.frames, found.since, of.detail)
    kept: dict[str, list[Held]] = {}
    for number, *about in connection.execute(query.where(of.id == found.newest).order_by(of.id.desc())):
        kept.setdefault(number, []).append(Held(*about))
    return kept


def remove(connection: Connection, number: int) -> None:
    """It was applied."""
    gone = delete(quarantine).where(quarantine.c.id == number)
    row = connection.execute(gone.returning(quarantine.c.gateway, quarantine.c.size)).one()
    _add(connection, row.gateway, -1, -row.size)


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


def _held(connection: Connection, gateway: str) -> tuple[int, int]:
    """Frames and bytes of a gateway."""
    frames, size = sql.first(connection, f"{_HELD} = ?", (gateway,))
    return frames, size


def _add(connection: Connection, gateway: str, frames: int, size: int) -> None:
    sql.run(connection, _ADD, (gateway, frames, size))
    sql.run(connection, "DELETE FROM quarantine_total WHERE gateway = ? AND frames = 0", (gateway,))


def _drop_oldest(connection: Connection, gateway: str) -> None:
    while (too_many := _held(connection, gateway)[1] - REGISTERED_BYTES) > 0:
        gone = sql.rows(connection, _OLDEST, (gateway, too_many))
        _add(connection, gateway, -len(gone), -sum(size for (size,) in gone))
        sql.run(connection, _COUNT, (dropped_name(gateway), len(gone)))
