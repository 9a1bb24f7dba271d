"""Frames that could not be applied: kept as they came, with the reason, bounded per gateway (uplink.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from ganpo_cloud.database import upsert
from ganpo_cloud.tables import counter, quarantine
from ganpo_cloud.tables import gateway as registry
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.errors import FrameError
from ganpo_model.frame import MAX_PACKED

STRANGER_FRAMES = 1000
"""Frames of a gateway that is not registered; more get no answer."""
REGISTERED_BYTES = 64 * 1024 * 1024
"""Of a registered gateway; the oldest go beyond that, counted."""
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One frame as it came."""

    id: int
    gateway: str
    received_at: datetime
    bytes: bytes


def keep(
    connection: Connection,
    gateway: str,
    packed: bytes,
    crc32: int,
    name: tuple[str, int] | None,
    error: FrameError,
    now: datetime,
    *,
    registered: bool,
) -> bool:
    """Keep a frame; False where the bound of an unknown gateway refuses it. The same frame is kept once.

    Of one that is too large for ever only the beginning is kept.
    """
    packed = packed[: MAX_PACKED + 1]
    if not registered and not _room(connection, gateway, crc32, len(packed)):
        return False
    stream, seq = name if name is not None else (None, None)
    connection.execute(
        upsert(connection, quarantine)
        .values(
            gateway=gateway,
            received_at=to_ms(now),
            reason=error.reason,
            detail=str(error)[:500].replace("\x00", "?"),
            stream=stream,
            seq=seq,
            crc32=crc32,
            bytes=packed,
            size=len(packed),
        )
        .on_conflict_do_nothing()
    )
    if registered:
        _drop_oldest(connection, gateway)
    return True


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


def remove(connection: Connection, number: int) -> None:
    """It was applied."""
    connection.execute(delete(quarantine).where(quarantine.c.id == number))


def explain(connection: Connection, number: int, error: FrameError) -> None:
    """It was tried again: this is the reason now."""
    connection.execute(
        update(quarantine)
        .where(quarantine.c.id == number)
        .values(reason=error.reason, detail=str(error)[:500].replace("\x00", "?"))
    )


def dropped_name(gateway: str) -> str:
    """The counter of frames that a full quarantine gave up."""
    return f"quarantine_dropped/{gateway}"


def _room(connection: Connection, gateway: str, crc32: int, size: int) -> bool:
    mine = quarantine.c.gateway == gateway
    number = connection.execute(select(func.count()).select_from(quarantine).where(mine)).scalar_one()
    if number < STRANGER_FRAMES:
        return True
    same = mine & (quarantine.c.crc32 == crc32) & (quarantine.c.size == size)
    return connection.execute(select(quarantine.c.id).where(same)).first() is not None


def _drop_oldest(connection: Connection, gateway: str) -> None:
    mine = quarantine.c.gateway == gateway
    total = connection.execute(select(func.coalesce(func.sum(quarantine.c.size), 0)).where(mine)).scalar_one()
    dropped = 0
    while total > REGISTERED_BYTES:
        number, size = connection.execute(
            select(quarantine.c.id, quarantine.c.size).where(mine).order_by(quarantine.c.id).limit(1)
        ).one()
        remove(connection, number)
        total -= size
        dropped += 1
    if dropped:
        statement = upsert(connection, counter).values(name=dropped_name(gateway), value=dropped)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name"], set_={"value": counter.c.value + dropped}
            )
        )
