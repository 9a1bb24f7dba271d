"""Day rows: recomputed from the facts whenever something of a day arrives, never incremented."""

import asyncio
import json
import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import OperationalError

from ganpo_cloud import judging, lives
from ganpo_cloud.database import Database
from ganpo_cloud.localdays import bounds, day_of, zone_of
from ganpo_cloud.tables import day, dirty, register, states, subject
from ganpo_model.clock import Clock, to_ms
from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State

log = logging.getLogger(__name__)

BATCH = 200
"""Subject-days of one transaction: short enough that frames never wait long."""
PAUSE_S = 0.5
_LONGEST_SLOT_MS = 24 * 3_600_000


async def run(database: Database, clock: Clock) -> None:
    """Recompute dirty days, for ever; after each local midnight every named subject's ended day too."""
    while True:
        try:
            done = await asyncio.to_thread(recompute, database, clock.utc())
            if not done:
                await asyncio.to_thread(mark_ended, database, clock.utc())
                await asyncio.to_thread(lives.mark_silent, database, clock.utc())
        except OperationalError as error:
            log.warning("days wait: the database does not answer: %s", error.orig)
            done = 0
        await asyncio.sleep(0 if done >= BATCH else PAUSE_S)


def recompute(database: Database, now: datetime, limit: int = BATCH) -> int:
    """Recompute up to `limit` dirty subject-days, oldest first. Gives how many."""
    with database.read() as connection:
        if connection.execute(select(dirty.c.day).limit(1)).first() is None:
            return 0
    with database.write() as connection:
        rows = connection.execute(
            select(dirty).order_by(dirty.c.enterprise, dirty.c.subject, dirty.c.day).limit(limit)
        ).all()
        for row in rows:
            connection.execute(
                delete(dirty).filter_by(enterprise=row.enterprise, subject=row.subject, day=row.day)
            )
        for row in rows:
            _paint_day(connection, row.enterprise, row.subject, row.day, to_ms(now))
            # The first dirty day of a subject goes through the following ones by itself; a later dirty one
            # is gone through again, for the states in between may have stood unchanged.
            for number in _registers(connection, row.enterprise, row.subject):
                judging.judge_from(connection, row.enterprise, number, row.day, to_ms(now))
    return len(rows)


def painted(connection: Connection, enterprise: str, asset_no: str, start: int, end: int) -> list[Span]:
    """The painted states of one subject over [start, end), from the facts as they are now."""
    rows = connection.exec_driver_sql(
        "SELECT f.stream, f.seq, f.crc32, s.place, s.start, s.end, s.runs FROM states s JOIN frame f ON f.id = s.frame"
        " WHERE s.enterprise = ? AND s.subject = ? AND s.start >= ? AND s.start < ? AND s.end > ?",
        (enterprise, asset_no, start - _LONGEST_SLOT_MS, end, start),
    ).all()
    slots = [Slot(tuple(row[:4]), row[4], row[5], _runs(row[6])) for row in rows]
    return paint(slots, start, end)


def ms_per_state(spans: Iterable[Span]) -> dict[str, int]:
    """How long each state lasted; states that did not occur are left out."""
    found: dict[str, int] = {}
    for span in spans:
        found[span.state] = found.get(span.state, 0) + span.end - span.start
    return found


def mark_ended(database: Database, now: datetime) -> None:
    """Mark yesterday dirty for every named subject that has no row of it, so that silence becomes 0 %."""
    with database.read() as connection:
        named = connection.execute(
            select(subject).where(~subject.c.withdrawn & (subject.c.kind == "equipment"))
        ).all()
        missing = []
        for row in named:
            ended = day_of(to_ms(now), row.timezone) - timedelta(days=1)
            key = {"enterprise": row.enterprise, "subject": row.asset_no, "day": ended}
            if (
                bounds(ended, row.timezone)[1] > row.at
                and connection.execute(select(day.c.day).filter_by(**key)).first() is None
            ):
                missing.append(key)
    if missing:
        with database.write() as connection:
            for key in missing:
                mark(connection, **key)


def mark(connection: Connection, enterprise: str, subject: str, day: date) -> None:
    """Mark one subject-day dirty."""
    key = {"enterprise": enterprise, "subject": subject, "day": day}
    if connection.execute(select(dirty.c.day).filter_by(**key)).first() is None:
        connection.execute(insert(dirty).values(**key))


def _runs(text: str) -> tuple[tuple[int, State], ...]:
    return tuple((offset, State(state)) for offset, state in json.loads(text))


def _paint_day(connection: Connection, enterprise: str, asset_no: str, local: date, now_ms: int) -> None:
    """The row of one subject's local day. Meters have no states, and no such row."""
    kind = connection.execute(
        select(subject.c.kind).where((subject.c.enterprise == enterprise) & (subject.c.asset_no == asset_no))
    ).scalar()
    has_states = connection.execute(
        select(states.c.start)
        .where((states.c.enterprise == enterprise) & (states.c.subject == asset_no))
        .limit(1)
    ).first()
    if kind != "equipment" and has_states is None:
        return
    start, end = bounds(local, zone_of(connection, enterprise, asset_no))
    spans = painted(connection, enterprise, asset_no, start, end)
    key = {"enterprise": enterprise, "subject": asset_no, "day": local}
    values: dict[str, Any] = {
        "start": start,
        "end": end,
        "spans": json.dumps([[span.start - start, span.state] for span in spans], separators=(",", ":")),
        "ms": json.dumps(ms_per_state(spans)),
        "computed_at": now_ms,
    }
    connection.execute(delete(day).filter_by(**key))
    connection.execute(insert(day).values(**key, **values))


def _registers(connection: Connection, enterprise: str, asset_no: str) -> Sequence[str]:
    mine = (register.c.enterprise == enterprise) & (register.c.subject == asset_no)
    return connection.execute(select(register.c.id).where(mine).order_by(register.c.id)).scalars().all()
