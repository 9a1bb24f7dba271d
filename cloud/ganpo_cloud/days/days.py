"""Day rows: recomputed from the facts whenever something of a day arrives, never incremented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from ganpo_cloud.days import anew, banned, judging, onboarding, painting, production, quantities, subjects
from ganpo_cloud.days.calendars import Calendars
from ganpo_cloud.days.production import Work
from ganpo_cloud.days.subjects import Subject
from ganpo_cloud.store import apart, counted_tables, marks, sql
from ganpo_cloud.store.counted_tables import day, register_day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import bounds, days_from
from ganpo_cloud.store.marks import EVER, Kind, Mark
from ganpo_cloud.store.runs import packed
from ganpo_cloud.store.tables import dirty
from ganpo_model.clock import to_ms
from ganpo_model.facts import ExceptionItem

BATCH = 200
"""Days of one transaction: short enough that frames never wait long."""
_LOOP = "days"
_PRODUCED = "SELECT day FROM production WHERE enterprise = ? AND subject = ? AND day >= ? AND day <= ?"
_OF_BANNED = """SELECT DISTINCT d.kind, d.key, d.day, d.word FROM banned b JOIN dirty d ON d.kind = 'day'
  AND d.key IN (b.enterprise || '/' || b.asset_no, b.enterprise || '/' || b.meter)
WHERE NOT EXISTS (SELECT 1 FROM apart a WHERE a.key = d.key) ORDER BY d.key, d.day LIMIT ?"""
_DELETE = "DELETE FROM {} WHERE enterprise = ? AND subject = ? AND day = ?"


@dataclass(slots=True)
class Round:
    """How far one has come around what is marked; `after`: the key at which to go on, empty where a round begins."""

    after: str = ""


def recompute(
    database: Database, now: datetime, holidays: Sequence[ExceptionItem] = (), of: Round | None = None
) -> int:
    """Recompute dirty subject-days, about `BATCH` days in one transaction. Gives how many subject-days.

    What is described anew goes before: its days are found first. A subject that cannot be computed is set apart.
    `holidays`: of the province; a site's calendar may say otherwise.
    """
    while anew.recompute(database, now):
        of_banned(database, now, holidays)
    of = of or Round()
    with database.read() as connection:
        waits = marks.waiting(Kind.DAY).where(dirty.c.key >= of.after)
        found = marks.seen(connection, waits.limit(BATCH))
    keys = {key: list(group) for key, group in groupby(found, key=lambda one: one.key)}
    done = _work_out(database, keys, now, holidays)
    of.after = next((key for key in keys if key not in done), found[-1].key if len(found) == BATCH else "")
    return sum(len(keys[key]) for key in done)


def of_banned(database: Database, now: datetime, holidays: Sequence[ExceptionItem] = ()) -> int:
    """The dirty days of what is banned and of its meters, ahead of all others: an alarm waits for nobody.

    Gives how many subject-days.
    """
    with database.read() as connection:
        found = [
            Mark(kind, key, sql.day_given(local), word)
            for kind, key, local, word in sql.rows(connection, _OF_BANNED, (BATCH,))
        ]
    keys = {key: list(group) for key, group in groupby(found, key=lambda one: one.key)}
    return sum(len(keys[key]) for key in _work_out(database, keys, now, holidays))


def _work_out(
    database: Database, keys: dict[str, list[Mark]], now: datetime, holidays: Sequence[ExceptionItem]
) -> set[str]:
    """Work out what is marked of these keys. Gives those that are done."""
    if not keys:
        return set()
    try:
        with database.read() as connection:
            passes, calendars = marks.passes(connection, _LOOP), Calendars(connection, holidays)
            work = _read(connection, keys, calendars, to_ms(now))
        with database.write() as connection:
            # Where another process worked out days meanwhile, this is older than what it wrote.
            if not marks.is_next(connection, _LOOP, passes):
                return set(keys)
            calendars.connection = connection
            done = _write(connection, work, calendars, now)
            marks.answer(connection, [mark for key in done for mark in keys[key]])
            return done
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - our bug: one by one, so that its subject waits, and nobody else
        bug = error
    if len(keys) > 1:
        alone = [_work_out(database, {key: keys[key]}, now, holidays) for key in keys]
        return set().union(*alone)
    with database.write() as connection:
        apart.keep(connection, next(iter(keys)), bug, now)
    return set(keys)


def _read(
    connection: Connection, keys: dict[str, list[Mark]], calendars: Calendars, now_ms: int
) -> list[Work]:
    """Everything that is read and painted while others write."""
    described = subjects.read(connection, [marks.names(key) for key in keys])
    days = [[one.day for one in marked] for marked in keys.values()]
    painted = painting.of_subjects(connection, list(zip(described, days, strict=True)), now_ms)
    found = [Work(*one) for one in zip(described, days, painted, strict=True)]
    production.work_out(connection, [one for one in found if one.about.machine], calendars, now_ms)
    return found


def _write(connection: Connection, work: Sequence[Work], calendars: Calendars, now: datetime) -> set[str]:
    """Judge registers and store everything. Gives the keys that are done: of long judgements not all."""
    stamp = _stamp(connection, now)
    done: list[Work] = []
    cost = 0
    for one in work:
        if cost >= BATCH:
            break
        cost += len(one.painted) + _judge(connection, one, stamp)
        done.append(one)
    ledgers = production.see(connection, done)
    ledgers |= onboarding.look(connection, [(one.about, one.days) for one in done])
    _store(connection, done, stamp)
    for one in done:
        if one.about.counts_parts:
            production.count(connection, one.about, one.counted, calendars, to_ms(now))
    banned.look(connection, done, to_ms(now))
    marks.mark(connection, Kind.SUMS, (("", local) for one in done for local in one.touched))
    marks.mark(connection, Kind.LEDGER, ((code, EVER) for code in ledgers))
    return {marks.key(*one.key) for one in done}


def _store(connection: Connection, done: Sequence[Work], stamp: int) -> None:
    """The rows of painted and of production days."""
    painted: list[sql.Row] = []
    for one in done:
        for local, spans in one.painted.items():
            start, end = bounds(local, one.about.zone)
            runs = packed((span.start - start, span.state) for span in spans)
            painted.append((*one.key, local, start, end, runs, stamp))
    unpainted = [(one, local) for one in done for local in one.days if local not in one.painted]
    unworked = [(one, local) for one in done for local in one.gone]
    sql.replace(connection, day, painted)
    sql.replace(connection, counted_tables.production, (row for one in done for row in one.produced.values()))
    for table, gone in (("day", unpainted), ("production", unworked)):
        sql.run(connection, _DELETE.format(table), [(*one.key, local.isoformat()) for one, local in gone])


def _judge(connection: Connection, one: Work, stamp: int) -> int:
    """Judge the registers of a subject, and what they come to. Gives how many days were judged."""
    about, cost = one.about, 0
    for counter in about.registers:
        judged = judging.judge_days(connection, about.enterprise, counter, one.days, stamp)
        cost += judged.folded
        if judged.first is None or judged.last is None:
            continue
        quantities.store(connection, about.enterprise, counter, judged.first, judged.last)
        one.touched.update(days_from(judged.first, judged.last))
        if about.machine and counter.signal in subjects.COUNTED:
            last = date.max if judged.onwards else judged.last
            one.counted |= _produced(connection, about, judged.first, last)
    one.counted.update(one.produced)
    one.touched.update(one.days, one.counted)
    return cost


def _produced(connection: Connection, of: Subject, first: date, last: date) -> set[date]:
    """The production days of a machine from `first` to `last`: what was made on them may be another now."""
    values = (of.enterprise, of.asset_no, first.isoformat(), last.isoformat())
    return {sql.day_given(row[0]) for row in sql.rows(connection, _PRODUCED, values)}


def _stamp(connection: Connection, now: datetime) -> int:
    """What this transaction's rows are computed at: now, and always later than every row before."""
    newest = [
        connection.execute(select(func.max(table.c.computed_at))).scalar() or 0
        for table in (day, register_day)
    ]
    return max(to_ms(now), *(at + 1 for at in newest))
