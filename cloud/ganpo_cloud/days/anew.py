"""What is described in other words than before is worked out anew: all its days are marked, before any is computed."""

from datetime import date, datetime

from sqlalchemy import Connection, Table, delete, exists, select, union, update
from sqlalchemy.exc import OperationalError

from ganpo_cloud.store import apart
from ganpo_cloud.store.counted_tables import consumption, day, production, register_day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import day_of, days_from, zone_of
from ganpo_cloud.store.marks import Kind, Mark, answer, key, mark, names, seen
from ganpo_cloud.store.registry_tables import onboarding
from ganpo_cloud.store.slots import END, of
from ganpo_cloud.store.tables import apart as set_apart
from ganpo_cloud.store.tables import dirty, event, reading, register, states
from ganpo_model.facts import EventKind

BATCH = 200
"""Subjects and registers of one transaction."""
_FAILED = 0
"""The word of a mark that could not be worked out: it waits until it is forgiven, or marked again."""
_WAITS = (
    select(dirty)
    .where(dirty.c.kind.in_([Kind.SUBJECT.value, Kind.REGISTER.value]))
    .where((dirty.c.word != _FAILED) | ~exists().where(set_apart.c.key == dirty.c.key))
    .order_by(dirty.c.kind, dirty.c.key)
)


def recompute(database: Database, now: datetime) -> int:
    """Mark the days of what is described anew, some in one transaction. Gives how many subjects and registers."""
    with database.read() as connection:
        if connection.execute(_WAITS.limit(1)).first() is None:
            return 0
    with database.write() as connection:
        marks = seen(connection, _WAITS.limit(BATCH))
        for one in marks:
            try:
                with connection.begin_nested():
                    _work_out(connection, one)
            except OperationalError:
                raise
            except Exception as bug:  # noqa: BLE001 - our bug: its subject waits, and nobody else
                apart.keep(connection, one.key, bug, now)
                failed = update(dirty).filter_by(kind=one.kind, key=one.key)
                connection.execute(failed.values(word=_FAILED))
    return len(marks)


def _work_out(connection: Connection, one: Mark) -> None:
    enterprise, number = names(one.key)
    asset_no = number.partition("/")[0]
    for waits in {one.key, key(enterprise, asset_no)}:
        apart.forgive(connection, waits)
    zone = zone_of(connection, enterprise, asset_no)
    if one.kind == Kind.REGISTER:
        days = _judged(connection, enterprise, number, zone)
    else:
        days = _painted(connection, enterprise, asset_no, zone)
    mark(connection, Kind.DAY, ((key(enterprise, asset_no), local) for local in days))
    answer(connection, [one])


def _judged(connection: Connection, enterprise: str, number: str, zone: str) -> set[date]:
    """Forget what was judged of a register, and when its subject came into the cloud. Gives the days on which it was
    read or came to anything, and those of its machine, whose counter it may be."""
    asset_no = number.partition("/")[0]
    found: set[date] = set()
    for table in (register_day, consumption):
        found |= _days(connection, table, enterprise=enterprise, register=number)
        connection.execute(delete(table).filter_by(enterprise=enterprise, register=number))
    times = select(reading.c.at).filter_by(enterprise=enterprise, register=number)
    found |= {day_of(at, zone) for at in connection.execute(times).scalars()}
    if not found:
        return found
    connection.execute(delete(onboarding).filter_by(enterprise=enterprise, asset_no=asset_no))
    return found | _days(connection, day, enterprise=enterprise, subject=asset_no)


def _painted(connection: Connection, enterprise: str, asset_no: str, zone: str) -> set[date]:
    """The days on which anything happened to a subject, or that it has a row of: they may begin elsewhere now."""
    found: set[date] = set()
    for table in (day, production):
        found |= _days(connection, table, enterprise=enterprise, subject=asset_no)
    for start, end in connection.execute(select(states.c.start, END).where(of(enterprise, asset_no))):
        found.update(days_from(day_of(start, zone), day_of(end - 1, zone)))
    registers = select(register.c.id).filter_by(enterprise=enterprise, subject=asset_no)
    read = select(reading.c.at).filter_by(enterprise=enterprise).where(reading.c.register.in_(registers))
    linked = select(event.c.at).filter_by(
        enterprise=enterprise, subject=asset_no, kind=str(EventKind.LINK_UP)
    )
    found.update(day_of(at, zone) for at in connection.execute(union(read, linked)).scalars())
    return found


def _days(connection: Connection, table: Table, **of: str) -> set[date]:
    return set(connection.execute(select(table.c.day).filter_by(**of)).scalars())
