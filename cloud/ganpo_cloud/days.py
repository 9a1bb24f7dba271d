"""Day rows: recomputed from the facts whenever something of a day arrives, never incremented."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import OperationalError

from ganpo_cloud import judging, lives, onboarding
from ganpo_cloud.database import Database, driver_sql
from ganpo_cloud.localdays import DEFAULT_ZONE, bounds, day_of, days_from
from ganpo_cloud.marks import mark
from ganpo_cloud.tables import day, dirty, register_day, subject
from ganpo_model.clock import Clock, to_ms
from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State

log = logging.getLogger(__name__)

BATCH = 200
"""Days of one transaction: short enough that frames never wait long."""
PAUSE_S = 0.5
LOOK = timedelta(minutes=10)
"""How often it is looked whether a local day has ended."""
_LONGEST_SLOT_MS = 24 * 3_600_000


async def run(database: Database, clock: Clock, beat: Callable[[], None] = lambda: None) -> None:
    """Recompute dirty days, for ever; after each local midnight every named subject's ended day too.

    `beat` is called whenever it makes progress.
    """
    looked: datetime | None = None
    while True:
        now, done = clock.utc(), 0
        beat()
        try:
            done = await asyncio.to_thread(recompute, database, now)
            if looked is None or abs(now - looked) >= LOOK:
                await asyncio.to_thread(mark_ended, database, now)
                looked = now
            await asyncio.to_thread(lives.mark_silent, database, now)
        except OperationalError as error:
            log.warning("days wait: the database does not answer: %s", error.orig)
        await asyncio.sleep(0 if done else PAUSE_S)


def recompute(database: Database, now: datetime) -> int:
    """Recompute dirty subject-days, about `BATCH` days in one transaction. Gives how many subject-days."""
    with database.read() as connection:
        if connection.execute(select(dirty.c.day).limit(1)).first() is None:
            return 0
    with database.write() as connection:
        stamp = _stamp(connection, now)
        rows = connection.execute(
            select(dirty).order_by(dirty.c.enterprise, dirty.c.subject, dirty.c.day).limit(BATCH)
        ).all()
        done, cost = 0, 0
        for (enterprise, asset_no), group in groupby(rows, key=lambda row: (row.enterprise, row.subject)):
            if cost >= BATCH:
                break
            marked = [row.day for row in group]
            cost += _compute(connection, enterprise, asset_no, marked, stamp)
            done += len(marked)
    return done


def _compute(connection: Connection, enterprise: str, asset_no: str, marked: list[date], stamp: int) -> int:
    """The rows of one subject's marked days. Gives how many days were painted or judged."""
    mine = (dirty.c.enterprise == enterprise) & (dirty.c.subject == asset_no)
    connection.execute(delete(dirty).where(mine & (dirty.c.day <= marked[-1])))
    cost = 0
    kind, zone = _about(connection, enterprise, asset_no)
    if _is_painted(connection, enterprise, asset_no, kind):
        for local in marked:
            _paint_day(connection, enterprise, asset_no, local, zone, stamp)
        cost += len(marked)
    registers = _registers(connection, enterprise, asset_no)
    for number in registers:
        cost += judging.judge_days(connection, enterprise, number, marked, stamp)
    onboarding.look(connection, enterprise, asset_no, marked, registers, zone)
    return cost


def _stamp(connection: Connection, now: datetime) -> int:
    """What this transaction's rows are computed at: now, and always later than every row before."""
    newest = [
        connection.execute(select(func.max(table.c.computed_at))).scalar() or 0
        for table in (day, register_day)
    ]
    return max(to_ms(now), *(at + 1 for at in newest))


def painted(connection: Connection, enterprise: str, asset_no: str, start: int, end: int) -> list[Span]:
    """The painted states of one subject over [start, end), from the facts as they are now."""
    rows: Sequence[Any] = driver_sql(
        connection,
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
    """Mark every ended day of every named machine that has no row, so that silence becomes 0 % and not a gap."""
    with database.read() as connection:
        zones = connection.execute(select(subject.c.timezone).distinct()).scalars().all()
        missing = [found for zone in zones for found in _without_row(connection, zone, now)]
    if missing:
        with database.write() as connection:
            mark(connection, missing)


def _without_row(connection: Connection, zone: str, now: datetime) -> Iterable[tuple[str, str, date]]:
    """The ended days without a row of the machines in a time zone, since they are named; at most 400 back."""
    ended = day_of(to_ms(now), zone) - timedelta(days=1)
    oldest = ended - timedelta(days=400)
    mine = (day.c.enterprise == subject.c.enterprise) & (day.c.subject == subject.c.asset_no)
    within = (day.c.day >= subject.c.since) & day.c.day.between(oldest, ended)
    named = ~subject.c.withdrawn & (subject.c.kind == "equipment") & (subject.c.timezone == zone)
    query = (
        select(subject.c.enterprise, subject.c.asset_no, subject.c.since, func.count(day.c.day))
        .outerjoin(day, mine & within)
        .where(named & (subject.c.since <= ended))
        .group_by(subject.c.enterprise, subject.c.asset_no)
    )
    for enterprise, asset_no, since, number in connection.execute(query).all():
        wanted = days_from(max(since, oldest), ended)
        if number < len(wanted):
            of = (day.c.enterprise == enterprise) & (day.c.subject == asset_no)
            here = set(connection.execute(select(day.c.day).where(of)).scalars())
            yield from ((enterprise, asset_no, local) for local in wanted if local not in here)


def _runs(text: str) -> tuple[tuple[int, State], ...]:
    return tuple((offset, State(state)) for offset, state in json.loads(text))


def _paint_day(
    connection: Connection, enterprise: str, asset_no: str, local: date, zone: str, stamp: int
) -> None:
    """The row of one machine's local day."""
    start, end = bounds(local, zone)
    spans = painted(connection, enterprise, asset_no, start, end)
    key = {"enterprise": enterprise, "subject": asset_no, "day": local}
    values: dict[str, Any] = {
        "start": start,
        "end": end,
        "spans": json.dumps([[span.start - start, span.state] for span in spans], separators=(",", ":")),
        "ms": json.dumps(ms_per_state(spans)),
        "computed_at": stamp,
    }
    connection.execute(delete(day).filter_by(**key))
    connection.execute(insert(day).values(**key, **values))


def _is_painted(connection: Connection, enterprise: str, asset_no: str, kind: str) -> bool:
    """Whether it has painted days: machines have, and what no inventory names yet but has states."""
    query = "SELECT 1 FROM states WHERE enterprise = ? AND subject = ? LIMIT 1"
    return kind == "equipment" or driver_sql(connection, query, (enterprise, asset_no)).first() is not None


def _about(connection: Connection, enterprise: str, asset_no: str) -> tuple[str, str]:
    """What a subject is, and its time zone; nothing, and ours, until an inventory names it."""
    query = "SELECT kind, timezone FROM subject WHERE enterprise = ? AND asset_no = ?"
    row: Any = driver_sql(connection, query, (enterprise, asset_no)).first()
    return (row[0], row[1]) if row is not None else ("", DEFAULT_ZONE)


def _registers(connection: Connection, enterprise: str, asset_no: str) -> Sequence[str]:
    query = "SELECT id FROM register WHERE enterprise = ? AND subject = ? ORDER BY id"
    return [row[0] for row in driver_sql(connection, query, (enterprise, asset_no))]
