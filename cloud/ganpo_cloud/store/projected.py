"""How far each measurement is written, and what the store says where it takes none: kept in the database, so that pages
and `/health` tell it too."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from ganpo_cloud.store import sql
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import frame, subject
from ganpo_cloud.store.tables import projection as table
from ganpo_model.clock import to_ms

_KEPT = "SELECT cursor, failing_since, problem FROM projection WHERE measurement = ?"
STEP_BACK_MS = 10 * 60_000


class Failing(NamedTuple):
    """A measurement that the store does not take, since when (ms), and why."""

    measurement: str
    since: int
    problem: str


def failing(connection: Connection) -> Sequence[Failing]:
    """What is not written, by measurement."""
    query = select(table.c.measurement, table.c.failing_since, table.c.problem)
    rows = connection.execute(query.where(table.c.problem.is_not(None)).order_by(table.c.measurement))
    return [Failing(*row) for row in rows]


def left_out(connection: Connection) -> Sequence[str]:
    """The numbers of subjects of which nothing is written, because no name of theirs is read alike by every store."""
    if connection.execute(select(table.c.measurement).limit(1)).first() is None:
        return []
    named = select(subject.c.asset_no).where(subject.c.asset_no.contains("\\", autoescape=True)).distinct()
    return sorted(name for name in connection.execute(named).scalars() if not writable(name))


def writable(name: str) -> bool:
    """Whether InfluxDB and VictoriaMetrics read a name of ours as it is: a backslash at its end takes the comma behind
    it along in the one, two in a row are one in the other."""
    return not name.endswith("\\") and "\\\\" not in name


def told(database: Database, measurement: str, now: datetime, problem: str | None) -> None:
    """The store does not take a measurement, or takes it again."""
    with database.write() as connection:
        cursor, since, _ = _kept(connection, measurement)
        at = None if problem is None else since or to_ms(now)
        sql.replace(connection, table, [(measurement, cursor, at, problem)])


def forget(database: Database) -> None:
    """Nothing is projected any more."""
    with database.write() as connection:
        connection.execute(delete(table))


def keep(database: Database, measurement: str, cursor: int) -> None:
    """Everything up to this cursor is in the store, and on its disk."""
    with database.write() as connection:
        _, *failing = _kept(connection, measurement)
        sql.replace(connection, table, [(measurement, cursor, *failing)])


def begin_frame(connection: Connection, measurement: str) -> int:
    """The frame behind which writing goes on: ten minutes of commit time before the one that is kept, which is what a
    store may have taken and lost when it was killed."""
    number, *_ = _kept(connection, measurement)
    last = connection.execute(select(frame.c.committed_at).where(frame.c.id == number)).scalar() or 0
    before = (frame.c.id < number) & (frame.c.committed_at < last - STEP_BACK_MS)
    return connection.execute(select(func.max(frame.c.id)).where(before)).scalar() or 0


def begin_day(connection: Connection, measurement: str) -> int:
    """The same for days: an instant of computing, ms."""
    return max(_kept(connection, measurement)[0] - STEP_BACK_MS, 0)


def _kept(connection: Connection, measurement: str) -> tuple[int, int | None, str | None]:
    found = sql.first(connection, _KEPT, (measurement,))
    return found or (0, None, None)
