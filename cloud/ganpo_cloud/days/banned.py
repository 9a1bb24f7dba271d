"""What is banned and runs: its evidence follows from the days of the device and of its meter, whenever one of them is
worked out; and whatever of it nobody has answered yet raises an alarm.

An alarm stays: evidence that goes away (a corrected list, facts that belong elsewhere) leaves it for a person to close.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, insert, or_, select, tuple_

from ganpo_cloud.days import chains, painting, subjects
from ganpo_cloud.days.production import Work
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import evidence
from ganpo_cloud.store.localdays import bounds
from ganpo_cloud.store.runs import unpacked
from ganpo_cloud.store.slots import OVERLAPPING, overlapping
from ganpo_cloud.store.tables import alarm, alarm_closing
from ganpo_model.banned import RUNNING, Standby, Stretch, runs, steps_above
from ganpo_model.clock import MINUTE_MS
from ganpo_model.energy import EXPORT
from ganpo_model.units import millionths

KEPT_BACK_MS = 62 * MINUTE_MS
"""The longest slot, and 2 min: what is stored later than that after it ended was not there for who closed an alarm."""
CLOSING = alarm_closing.c.alarm == alarm.c.id
_COUNTS = (
    "NOT EXISTS (SELECT 1 FROM banned n WHERE n.enterprise = o.enterprise AND n.asset_no = o.asset_no"
    " AND (n.recorded_at, n.since) > (o.recorded_at, o.since))"
)
_BANS = (
    "SELECT DISTINCT o.enterprise, o.asset_no, o.since, o.meter, o.standby_kw FROM asked"
    f" JOIN banned o ON o.enterprise = a AND (o.asset_no = b OR o.meter = b) WHERE {_COUNTS}"
)
_DAYS = (
    'SELECT day, start, "end", spans FROM day WHERE enterprise = ? AND subject = ? AND day >= ? AND day <= ?'
)
_TELLERS = (
    "SELECT o.start, o.runs, o.frame, f.committed_at"
    f" FROM (SELECT s.* FROM {OVERLAPPING}) o JOIN frame f ON f.id = o.frame ORDER BY o.frame"
)
_READ = (
    "SELECT f.id, f.committed_at FROM reading o JOIN frame f ON f.id = o.frame"
    " WHERE o.enterprise = ? AND o.register = ? AND o.at = ? AND o.raw = ?"
)
_DELETE = "DELETE FROM evidence WHERE enterprise = ? AND asset_no = ? AND day = ?"
_DECLARED = (0, 0)
"""The frame of what no frame tells: a person declared where the register stood."""


class Ban(NamedTuple):
    """What the list says of a device, in the row that counts."""

    enterprise: str
    asset_no: str
    since: date
    meter: str
    standby_kw: str


def counting(rows: Sequence[Any]) -> Any:
    """Of all rows of a device the one that counts: it was entered last, of several at once the latest `since`. None
    where there is none."""
    return max(rows, key=lambda row: (row.recorded_at, row.since), default=None)


def counts(b: Any = registry.banned.c) -> ColumnElement[bool]:
    """Whether a row of the list is that one."""
    n = registry.banned.alias().c
    newer = tuple_(n.recorded_at, n.since) > tuple_(b.recorded_at, b.since)
    return ~exists().where((n.enterprise == b.enterprise) & (n.asset_no == b.asset_no) & newer)


def unanswered(closed_at: Any, e: Any = evidence.c) -> ColumnElement[bool]:
    """Whether a closing left evidence open: it ran after it, or nobody could have known of it then."""
    kept_back = (e.known_at > closed_at) & (e.known_at - e.until > KEPT_BACK_MS)
    return or_(e.until > closed_at, kept_back)


def answered(stretch: Any, closed_at: int) -> bool:
    """Whether a closing answered a stretch: the contrary of `unanswered`."""
    kept_back = stretch.known_at > closed_at and stretch.known_at - stretch.until > KEPT_BACK_MS
    return bool(stretch.until <= closed_at) and not kept_back


def look(connection: Connection, done: Sequence[Work], now_ms: int) -> None:
    """Of the devices and meters that were worked out now, and whose days are stored: the evidence of what is banned
    among them, and the alarms that this raises."""
    touched = {one.key: one.touched for one in done}
    for row in sql.of_pairs(connection, _BANS, touched):
        ban = Ban(*row)._replace(since=sql.day_given(row[2]))
        sources = (touched.get((ban.enterprise, number), set()) for number in (ban.asset_no, ban.meter))
        days = sorted(set().union(*sources))
        found = [*_ran(connection, ban, days), *_metered(connection, ban, days)]
        key = (ban.enterprise, ban.asset_no)
        sql.run(connection, _DELETE, [(*key, day.isoformat()) for day in days])
        sql.replace(connection, evidence, found)
        _raise(connection, *key, now_ms)


def _ran(connection: Connection, ban: Ban, days: Sequence[date]) -> Iterator[sql.Row]:
    """What its own states show."""
    if not days:
        return
    key, wanted = (ban.enterprise, ban.asset_no), set(days)
    zone = subjects.one(connection, *key).zone
    span = (max(days[0], ban.since).isoformat(), days[-1].isoformat())
    for told, start, end, spans in sql.rows(connection, _DAYS, (*key, *span)):
        if (day := sql.day_given(told)) not in wanted:
            continue
        for one in runs(painting.stored(start, end, spans), bounds(ban.since, zone)[0]):
            frame, _ = _teller(connection, *key, one.at)
            _, known_at = _teller(connection, *key, one.until - 1)
            yield (*key, one.at, one.until, "", day, None, None, frame, known_at)


def _teller(connection: Connection, enterprise: str, asset_no: str, instant: int) -> tuple[int, int]:
    """The first frame that says that it ran then, and when that was stored."""
    asked = overlapping(enterprise, asset_no, instant, instant + 1)
    for start, stored, frame, committed_at in sql.rows(connection, _TELLERS, asked):
        states = [state for offset, state in unpacked(stored) if start + offset <= instant]
        if states and states[-1] in RUNNING:
            return frame, committed_at
    return _DECLARED


def _metered(connection: Connection, ban: Ban, days: Iterable[date]) -> Iterator[sql.Row]:
    """What the registers of its meter show."""
    if not ban.meter:
        return
    for counter in subjects.one(connection, ban.enterprise, ban.meter).registers:
        if counter.carrier is None or counter.signal == EXPORT:
            continue
        about = (counter.unit, counter.num, counter.den)
        standby = Standby.of(ban.standby_kw, *about, counter.rules.max_rate)
        for day in days:
            if day < ban.since:
                continue
            first, end = bounds(day, counter.zone)
            steps = chains.steps_between(connection, ban.enterprise, counter.id, first, end, counter.zone)
            for one in steps_above(steps, standby, first, end):
                yield _metered_row(connection, ban, counter, day, one)


def _metered_row(
    connection: Connection, ban: Ban, counter: subjects.Counter, day: date, one: Stretch
) -> sql.Row:
    read = [
        sql.first(connection, _READ, (ban.enterprise, counter.id, step.end.at, step.end.raw)) or _DECLARED
        for step in (one.steps[0], one.steps[-1])
    ]
    amount = millionths(one.counts, counter.num, counter.den)
    told = (one.at, one.until, counter.id, day, one.counts, amount, read[0][0], read[1][1])
    return (ban.enterprise, ban.asset_no, *told)


def _raise(connection: Connection, enterprise: str, asset_no: str, now_ms: int) -> None:
    """Open an alarm where none is open, and something is that nobody has answered."""
    mine = (alarm.c.enterprise == enterprise) & (alarm.c.asset_no == asset_no)
    query = select(alarm.c.id, alarm_closing.c.closed_at).outerjoin(alarm_closing, CLOSING).where(mine)
    newest = connection.execute(query.order_by(alarm.c.id.desc()).limit(1)).first()
    if newest is not None and newest.closed_at is None:
        return
    of = (evidence.c.enterprise == enterprise) & (evidence.c.asset_no == asset_no)
    if newest is not None:
        of &= unanswered(newest.closed_at)
    first = connection.execute(select(evidence).where(of).order_by(evidence.c.at).limit(1)).first()
    if first is None:
        return
    opened_at = first.at
    if newest is not None and first.at < newest.closed_at < first.until:
        opened_at = newest.closed_at
    values = {"opened_at": opened_at, "raised_at": now_ms, "frame": first.frame}
    connection.execute(insert(alarm).values(enterprise=enterprise, asset_no=asset_no, **values))
