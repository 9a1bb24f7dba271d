"""Facts and day rows to a time-series store that speaks the InfluxDB v2 write API (architecture.md).

Written synchronously from a cursor over what is committed. A store that is killed loses what it took seconds
before, so the cursor that is kept trails, and at start and after a failed write one goes back further still:
repetition is harmless.

A day is written again when it is recomputed. InfluxDB then overwrites its point; VictoriaMetrics (1.79 tried) keeps one
of the two, mostly the bigger: there the numbers of recomputed days are right again after wiping it and `rebuild`.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError
from urllib3.exceptions import HTTPError

from ganpo_cloud import quantities
from ganpo_cloud.database import Database, driver_sql, rows_of, upsert
from ganpo_cloud.localdays import bounds, days_from
from ganpo_cloud.settings import ProjectionSettings
from ganpo_cloud.tables import counter, frame, register, register_day
from ganpo_model.clock import Clock
from ganpo_model.states import State

log = logging.getLogger(__name__)

STEP_BACK_MS = 10 * 60_000
BATCH = 5000
PAUSE_S = 2.0
RETRY_S = 10.0
SETTLED_S = 60.0
"""After so long what a store took is on its disk."""
TIMEOUT_MS = 3000
"""Below the 5 s in which the process ends: a store that hangs must not hold it."""
REFUSED = (ApiException, HTTPError, OSError)
"""What a store that is away, or that does not want us, comes to."""
_FRAME, _DAY = "projection_frame", "projection_day"


class _Cursor(NamedTuple):
    """Everything up to this frame and this recomputation is written. Frames are numbered inside their
    transaction, and one loop recomputes days, so neither is ever committed behind the cursor."""

    frame: int
    computed_at: int


async def run(
    database: Database, settings: ProjectionSettings, clock: Clock, beat: Callable[[], None] = lambda: None
) -> None:
    """Project what is committed, for ever. A store that is away costs nothing but its own delay.

    `beat` is called whenever it makes progress: waiting for a store is progress too.
    """
    at: _Cursor | None = None
    recent: deque[tuple[float, _Cursor]] = deque()
    failing = False
    while True:
        beat()
        try:
            if at is None:
                at = await asyncio.to_thread(_begin, database)
            until, written = await asyncio.to_thread(_write, database, settings, at)
            at = until
            if written:
                recent.append((clock.monotonic(), until))
            while recent and recent[0][0] <= clock.monotonic() - SETTLED_S:
                await asyncio.to_thread(_keep, database, recent.popleft()[1])
        except (*REFUSED, OperationalError) as error:
            log.log(logging.DEBUG if failing else logging.WARNING, "projection: %s", str(error)[:300])
            at, failing = None, True
            recent.clear()
            await asyncio.sleep(RETRY_S)
        else:
            if failing:
                log.info("projection writes again to %s", settings.url)
            failing = False
            await asyncio.sleep(0 if written >= BATCH else PAUSE_S)


def rebuild(database: Database, settings: ProjectionSettings) -> int:
    """Write everything from the beginning, also beside a running collector. Gives the number of points."""
    at, total = _Cursor(0, 0), 0
    while True:
        at, written = _write(database, settings, at)
        if not written:
            return total
        total += written


def _write(database: Database, settings: ProjectionSettings, after: _Cursor) -> tuple[_Cursor, int]:
    """Write the next batch after a cursor. Gives the cursor behind it and the number of points, 0 at the end."""
    with database.read() as connection:
        until = _until(connection, after)
        if until == after:
            return after, 0
        lines = [*_fact_lines(connection, after, until), *_day_lines(connection, after, until)]
    token = settings.token.get_secret_value() if settings.token is not None else ""
    with (
        InfluxDBClient(url=settings.url, token=token, org=settings.org, timeout=TIMEOUT_MS) as client,
        client.write_api(write_options=SYNCHRONOUS) as api,
    ):
        for first in range(0, len(lines), BATCH):
            body = "\n".join(lines[first : first + BATCH]).encode()
            api.write(bucket=settings.bucket, record=body, write_precision="ms")
    return until, max(len(lines), 1)


def _until(connection: Connection, after: _Cursor) -> _Cursor:
    """How far the next batch goes: some frames, and the day rows of some recomputations."""
    frames = driver_sql(
        connection,
        "SELECT max(id) FROM (SELECT id FROM frame WHERE id > ? ORDER BY id LIMIT 500) AS next",
        (after.frame,),
    ).scalar()
    days = driver_sql(
        connection,
        "SELECT max(t) FROM (SELECT computed_at AS t FROM day WHERE computed_at > ?"
        " UNION ALL SELECT computed_at FROM register_day WHERE computed_at > ? ORDER BY t LIMIT 500) AS next",
        (after.computed_at, after.computed_at),
    ).scalar()
    return _Cursor(frames or after.frame, days or after.computed_at)


def _fact_lines(connection: Connection, after: _Cursor, until: _Cursor) -> Iterable[str]:
    """Readings at their times, and each run at its start, as they came."""
    span = (after.frame, until.frame)
    sites = {row[0]: row[1] for row in rows_of(connection, "SELECT id, site FROM gateway", ())}
    for enterprise, number, at, raw, gateway in rows_of(
        connection,
        "SELECT r.enterprise, r.register, r.at, r.raw, f.gateway FROM frame f JOIN reading r ON r.frame = f.id"
        " WHERE f.id > ? AND f.id <= ?",
        span,
    ):
        tags = _tags(enterprise, sites.get(gateway), number.partition("/")[0], number)
        yield f"reading,{tags} raw={raw}i {at}"
    for enterprise, subject, start, runs, gateway in rows_of(
        connection,
        "SELECT s.enterprise, s.subject, s.start, s.runs, f.gateway FROM frame f JOIN states s ON s.frame = f.id"
        " WHERE f.id > ? AND f.id <= ?",
        span,
    ):
        tags = _tags(enterprise, sites.get(gateway), subject, None)
        for offset, state in json.loads(runs):
            yield f"state,{tags} code={State(state).code}i {start + offset}"


def _day_lines(connection: Connection, after: _Cursor, until: _Cursor) -> Iterable[str]:
    """Milliseconds per state, and the millionths of each register, at local midnight."""
    span = (after.computed_at, until.computed_at)
    sites = {
        (row[0], row[1]): row[2]
        for row in rows_of(
            connection,
            "SELECT s.enterprise, s.asset_no, g.site FROM subject s JOIN gateway g ON g.id = s.gateway",
            (),
        )
    }
    for enterprise, subject, start, spent in rows_of(
        connection,
        "SELECT enterprise, subject, start, ms FROM day WHERE computed_at > ? AND computed_at <= ?",
        span,
    ):
        found = json.loads(spent)
        fields = ",".join(f"{state.lower()}_ms={found.get(state, 0)}i" for state in State)
        yield f"day,{_tags(enterprise, sites.get((enterprise, subject)), subject, None)} {fields} {start}"
    rows = connection.execute(
        select(
            register_day.c.enterprise,
            register_day.c.register,
            register_day.c.day,
            register_day.c.touches,
            register.c.subject,
            register.c.timezone,
        )
        .join(
            register,
            (register.c.enterprise == register_day.c.enterprise) & (register.c.id == register_day.c.register),
        )
        .where((register_day.c.computed_at > span[0]) & (register_day.c.computed_at <= span[1]))
    ).all()
    for row in rows:
        tags = _tags(row.enterprise, sites.get((row.enterprise, row.subject)), row.subject, row.register)
        for start, amount in _millionths(connection, row):
            yield f"day,{tags} millionths={amount}i {start}"


def _millionths(connection: Connection, row: Any) -> Iterable[tuple[int, int]]:
    """The quantities of a judged day, and of the days before it that it changed."""
    days = days_from(row.touches, row.day)
    borders = [bounds(days[0], row.timezone)[0], *(bounds(day, row.timezone)[1] for day in days)]
    parts = quantities.in_parts(connection, row.enterprise, row.register, borders)
    for start, part in zip(borders, parts, strict=False):
        if part.millionths is not None:
            yield start, part.millionths


def _tags(enterprise: str, site: str | None, subject: str, register: str | None) -> str:
    found = {"enterprise": enterprise, "register": register, "site": site, "subject": subject}
    return ",".join(f"{name}={_escaped(value)}" for name, value in found.items() if value)


def _escaped(text: str) -> str:
    """A tag's value in line protocol."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _begin(database: Database) -> _Cursor:
    """The cursor that is kept, less ten minutes of commit time: what a store had taken and lost when it was killed."""
    with database.read() as connection:
        rows = connection.execute(
            select(counter.c.name, counter.c.value).where(counter.c.name.in_((_FRAME, _DAY)))
        )
        kept = {row.name: row.value for row in rows}
        number, computed_at = kept.get(_FRAME, 0), kept.get(_DAY, 0)
        last = connection.execute(select(frame.c.committed_at).where(frame.c.id == number)).scalar() or 0
        earlier = connection.execute(
            select(func.max(frame.c.id)).where(frame.c.committed_at < last - STEP_BACK_MS)
        ).scalar()
    return _Cursor(min(earlier or 0, number), max(computed_at - STEP_BACK_MS, 0))


def _keep(database: Database, cursor: _Cursor) -> None:
    with database.write() as connection:
        for name, value in ((_DAY, cursor.computed_at), (_FRAME, cursor.frame)):
            statement = upsert(connection, counter).values(name=name, value=value)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
            )
