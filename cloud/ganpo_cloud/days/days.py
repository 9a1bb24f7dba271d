"""Day rows: recomputed from the facts whenever something of a day arrives, never incremented."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from ganpo_cloud.days import anew, consumption, judging, onboarding, painting, production
from ganpo_cloud.days.calendars import Calendars, Machine
from ganpo_cloud.days.painting import Axis
from ganpo_cloud.store import apart, sql
from ganpo_cloud.store.counted_tables import production as production_table
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of, days_from
from ganpo_cloud.store.marks import EVER, Kind, Mark, answer, key, mark, names, seen, waiting
from ganpo_cloud.store.runs import packed
from ganpo_cloud.store.tables import day, register_day, subject
from ganpo_model.activity import GONE_DAYS
from ganpo_model.clock import DAY_MS, to_ms
from ganpo_model.facts import ExceptionItem
from ganpo_model.paint import Span, paint

BATCH = 200
"""Days of one transaction: short enough that frames never wait long."""
_EVER = 2**62
_WATCHED_MS = (GONE_DAYS + 10) * DAY_MS
"""What is withdrawn is watched for so long: until it is gone."""


def recompute(database: Database, now: datetime, holidays: Sequence[ExceptionItem] = ()) -> int:
    """Recompute dirty subject-days, about `BATCH` days in one transaction. Gives how many subject-days.

    What is described anew goes before: its days are found first. A subject that cannot be computed is set apart.
    `holidays`: of the province; a site's calendar may say otherwise.
    """
    while anew.recompute(database, now):
        pass
    waits = waiting(Kind.DAY)
    with database.read() as connection:
        if connection.execute(waits.limit(1)).first() is None:
            return 0
    with database.write() as connection:
        work = _Work(connection, _stamp(connection, now), to_ms(now), Calendars(connection, holidays))
        done, cost = 0, 0
        for of, group in groupby(seen(connection, waits.limit(BATCH)), key=lambda one: one.key):
            if cost >= BATCH:
                break
            marked = list(group)
            try:
                with connection.begin_nested():
                    cost += _compute(work, *names(of), marked)
            except OperationalError:
                raise
            except Exception as bug:  # noqa: BLE001 - our bug: its subject waits, and nobody else
                apart.keep(connection, of, bug, now)
            done += len(marked)
        mark(connection, Kind.SUMS, (("", local) for local in work.touched))
    return done


@dataclass(slots=True)
class _Work:
    """One transaction of computing. `touched`: the days of which sums may be others now."""

    connection: Connection
    stamp: int
    now_ms: int
    calendars: Calendars
    touched: set[date] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _About:
    """What a subject is; nothing, and our zone, until an inventory names it."""

    enterprise: str
    asset_no: str
    kind: str = ""
    zone: str = DEFAULT_ZONE
    gateway: str = ""
    since: date = date.max
    watched_until: int = _EVER


def _compute(work: _Work, enterprise: str, asset_no: str, marks: Sequence[Mark]) -> int:
    """The rows of one subject's marked days. Gives how many days were painted or judged."""
    connection = work.connection
    answer(connection, marks)
    marked = [one.day for one in marks]
    work.touched.update(marked)
    cost = 0
    about = _about(connection, enterprise, asset_no)
    registers = consumption.counters(connection, enterprise, asset_no)
    others: set[date] = set()
    for counter in registers:
        judged = judging.judge_days(connection, enterprise, counter.id, marked, work.stamp)
        cost += judged.folded
        if judged.first is not None and judged.last is not None:
            consumption.store(connection, enterprise, counter, judged.first, judged.last)
            work.touched.update(days_from(judged.first, judged.last))
            if counter.signal in production.COUNTED:
                last = date.max if judged.onwards else judged.last
                others.update(_painted(connection, enterprise, asset_no, judged.first, last))
    days = [local for local in sorted({*marked, *others}) if _happened(work, about, registers, local)]
    gone = set(marked) - set(days) if about.kind == "equipment" else set(marked)
    _forget(connection, enterprise, asset_no, gone)
    if days:
        whole = _paint(work, enterprise, asset_no, days, about.zone)
        cost += len(days)
        if about.kind == "equipment":
            of_signal: dict[str, list[str]] = {}
            for counter in registers:
                of_signal.setdefault(counter.signal, []).append(counter.id)
            machine = Machine(enterprise, asset_no, about.gateway, about.zone, of_signal)
            work.touched |= production.store(connection, machine, whole, work.calendars, work.now_ms)
    numbers = [counter.id for counter in registers]
    told = onboarding.look(connection, enterprise, asset_no, marked, numbers, about.zone)
    if told or (gone and about.kind == "equipment"):  # with a day goes what it said of how a machine is seen
        mark(connection, Kind.LEDGER, [(enterprise, EVER)])
    return cost


def _stamp(connection: Connection, now: datetime) -> int:
    """What this transaction's rows are computed at: now, and always later than every row before."""
    newest = [
        connection.execute(select(func.max(table.c.computed_at))).scalar() or 0
        for table in (day, register_day)
    ]
    return max(to_ms(now), *(at + 1 for at in newest))


def mark_ended(database: Database, now: datetime) -> None:
    """Mark every ended day of every named machine that has no row, so that silence becomes 0 % and not a gap."""
    with database.read() as connection:
        zones = connection.execute(select(subject.c.timezone).distinct()).scalars().all()
        missing = [found for zone in zones for found in _without_row(connection, zone, now)]
    if missing:
        with database.write() as connection:
            mark(connection, Kind.DAY, missing)


def _without_row(connection: Connection, zone: str, now: datetime) -> Iterable[tuple[str, date]]:
    """The ended days without a row of the machines in a time zone, since they are named; at most 400 back."""
    ended = day_of(to_ms(now), zone) - timedelta(days=1)
    oldest = ended - timedelta(days=400)
    mine = (day.c.enterprise == subject.c.enterprise) & (day.c.subject == subject.c.asset_no)
    within = (day.c.day >= subject.c.since) & day.c.day.between(oldest, ended)
    named = (subject.c.kind == "equipment") & (subject.c.timezone == zone)
    watched = ~subject.c.withdrawn | (subject.c.at > to_ms(now) - _WATCHED_MS)
    query = (
        select(subject.c.enterprise, subject.c.asset_no, subject.c.since, func.count(day.c.day))
        .outerjoin(day, mine & within)
        .where(named & watched & (subject.c.since <= ended))
        .group_by(subject.c.enterprise, subject.c.asset_no)
    )
    for enterprise, asset_no, since, number in connection.execute(query).all():
        wanted = days_from(max(since, oldest), ended)
        if number < len(wanted):
            of = (day.c.enterprise == enterprise) & (day.c.subject == asset_no)
            here = set(connection.execute(select(day.c.day).where(of)).scalars())
            yield from ((key(enterprise, asset_no), local) for local in wanted if local not in here)


def _paint(
    work: _Work, enterprise: str, asset_no: str, marked: Sequence[date], zone: str
) -> dict[date, list[Span]]:
    """Store the rows of one machine's local days, days in a row at once. Gives their pieces."""
    whole: dict[date, list[Span]] = {}
    stretches = list(painting.in_a_row(marked))
    axes = [Axis(enterprise, asset_no, bounds(a, zone)[0], bounds(b, zone)[1]) for a, b in stretches]
    rows = []
    for (first, last), slots in zip(stretches, painting.slots(work.connection, axes), strict=True):
        for local in days_from(first, last):
            start, end = bounds(local, zone)
            whole[local] = spans = paint(slots, start, end)
            told = packed((span.start - start, span.state) for span in spans)
            rows.append((enterprise, asset_no, local, start, end, told, work.stamp))
    sql.replace(work.connection, day, rows)
    return whole


def _forget(connection: Connection, enterprise: str, asset_no: str, days: Iterable[date]) -> None:
    """Nothing happened on these days, or it is no machine: they have no row, though they may have had one."""
    rows = [(enterprise, asset_no, local.isoformat()) for local in days]
    for table in (day, production_table):
        sql.run(
            connection, f"DELETE FROM {table.name} WHERE enterprise = ? AND subject = ? AND day = ?", rows
        )


def _painted(connection: Connection, enterprise: str, asset_no: str, first: date, last: date) -> set[date]:
    """The painted days of a machine from `first` to `last`: what its counters come to on them may be another now."""
    mine = (day.c.enterprise == enterprise) & (day.c.subject == asset_no)
    return set(connection.execute(select(day.c.day).where(mine & day.c.day.between(first, last))).scalars())


def _happened(work: _Work, about: _About, registers: Sequence[consumption.Counter], local: date) -> bool:
    """Whether a day is painted: a machine's ended days since it was named, and those on which anything is stored; of
    what is no machine, or nobody names yet, those with states."""
    start, end = bounds(local, about.zone)
    machine = about.kind == "equipment"
    if machine and about.since <= local and end <= min(work.now_ms, about.watched_until):
        return True

    def there(query: str, *values: object) -> bool:
        return sql.first(work.connection, f"{query} LIMIT 1", (about.enterprise, *values)) is not None

    states = (
        'SELECT 1 FROM states WHERE enterprise = ? AND subject = ? AND start < ? AND "end" > ? AND start >= ?'
    )
    linked = (
        "SELECT 1 FROM event WHERE enterprise = ? AND subject = ? AND kind = 'link_up' AND at >= ? AND at < ?"
    )
    read = "SELECT 1 FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?"
    if there(states, about.asset_no, end, start, start - painting.LONGEST_SLOT_MS):
        return True
    return machine and (
        there(linked, about.asset_no, start, end)
        or any(there(read, counter.id, start, end) for counter in registers)
    )


def _about(connection: Connection, enterprise: str, asset_no: str) -> _About:
    query = "SELECT kind, timezone, gateway, since, withdrawn, at FROM subject WHERE enterprise = ? AND asset_no = ?"
    row = sql.first(connection, query, (enterprise, asset_no))
    if row is None:
        return _About(enterprise, asset_no)
    kind, zone, gateway, since, withdrawn, at = row
    until = at + _WATCHED_MS if withdrawn else _EVER
    return _About(enterprise, asset_no, kind, zone, gateway, sql.day_given(since), until)
