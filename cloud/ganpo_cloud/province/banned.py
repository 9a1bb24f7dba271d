"""Banned equipment of a place (T28 of the plan): the list as it counts, each with its newest alarm; where it stands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, Integer, Row, Select, Text, and_, cast, exists, func, or_, select, tuple_

from ganpo_cloud.days.banned import CLOSING, answered, counts
from ganpo_cloud.province import lists
from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_cloud.province.lists import Filter, placed
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.measures import on
from ganpo_cloud.province.places import Sums, roll_up
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import slots, sql
from ganpo_cloud.store.counted_tables import NOWHERE, consumption, evidence, ledger
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds
from ganpo_cloud.store.tables import alarm, alarm_closing, frame, reading, register, states
from ganpo_model.clock import MINUTE_MS
from ganpo_model.energy import EXPORT

Alarms = Literal["open", "closed", "none"]
PAGE = "/banned"
LIST = "the list of banned equipment, each by its document; our definition"
MEASURED: tuple[Measured, ...] = (
    Measured("banned", "T28", "Banned equipment", "N(banned)", "sets", LIST),
    Measured(
        "banned_ran",
        "T28",
        "Banned equipment seen running",
        "N(banned and ever PRODUCING, SETUP or above standby since)",
        "sets",
        LIST,
    ),
    Measured(
        "banned_alarms",
        "T28",
        "Open alarms of banned equipment",
        "N(alarms that nobody closed)",
        "sets",
        LIST,
    ),
)
ONLY_SEEN = "of those that are seen; the list says which nobody sees"
NOTES: tuple[str, ...] = (ONLY_SEEN,)
OF_MONTHS = False
NOTHING: Mapping[str, int] = {of.id: 0 for of in MEASURED}
FRESH_MS = 30 * MINUTE_MS
"""Two slots: what was seen running or still so lately is so now."""
_b, _e = registry.banned.c, evidence.c
_home = ledger.alias("home")


def devices(province: Province, wanted: Filter, alarms: Alarms | None = None) -> Select[Any]:
    """What is banned at a place on a day, with its newest alarm up to its end; those with an open one first. `alarms`:
    only those of which the newest is so, or that never had one."""
    end = bounds(wanted.day, DEFAULT_ZONE)[1]
    closed_at, newest = alarm_closing.c.closed_at, _newest(end)
    home = (_home.c.enterprise == _b.enterprise) & (_home.c.asset_no == "") & on(wanted.day, _home.c)
    query = (
        _joined(wanted.day)
        .add_columns(
            *(_b[name] for name in ("enterprise", "asset_no", "kind", "since", "meter", "standby_kw")),
            *(_b[name] for name in ("document", "by", "recorded_at")),
            *(ledger.c[name] for name in ("name", "area", "industry", "status")),
            _home.c.name.label("firm"),
            *(alarm.c[name].label(name) for name in ("opened_at", "raised_at")),
            alarm.c.id.label("alarm"),
            *(closed_at, alarm_closing.c.why, alarm_closing.c.by.label("closed_by")),
        )
        .outerjoin(_home, home)
        .outerjoin(newest, (newest.c.enterprise == _b.enterprise) & (newest.c.asset_no == _b.asset_no))
        .outerjoin(alarm, alarm.c.id == newest.c.id)
        .outerjoin(alarm_closing, CLOSING & (closed_at < end))
    )
    query = query.where(*placed(province, wanted, ledger.c))
    if wanted.text:
        told = (ledger.c.name, _home.c.name, _b.asset_no, _b.enterprise)
        query = query.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in told)))
    if alarms == "none":
        query = query.where(alarm.c.id.is_(None))
    elif alarms is not None:
        query = query.where(alarm.c.id.is_not(None), closed_at.is_(None) == (alarms == "open"))
    is_open = and_(alarm.c.id.is_not(None), closed_at.is_(None))
    return query.order_by(is_open.desc(), alarm.c.opened_at.desc().nulls_last(), _b.enterprise, _b.asset_no)


def seen(connection: Connection, rows: Sequence[Any], end: int) -> dict[tuple[str, str], Row[Any]]:
    """Of some rows of the list, by device: its newest slot, when its meter was read last; before an instant how often
    it ran, when last, and the frame of that. Asked of the rows that are shown, for it costs more than the list."""
    if len(rows) > lists.AT_ONCE:
        return seen(connection, rows[: lists.AT_ONCE], end) | seen(connection, rows[lists.AT_ONCE :], end)
    wanted = tuple_(_b.enterprise, _b.asset_no).in_([(row.enterprise, row.asset_no) for row in rows])
    about = (
        _slot(slots.END).label("seen_at"),
        _slot(states.c.runs).label("seen"),
        _read().label("read_at"),
        _ran(func.count(), end).label("stretches"),
    )
    of = select(registry.banned, *about, _ran(func.max(_e.at), end).label("ran_at")).where(wanted, counts())
    page = of.subquery("page")
    last = (_e.enterprise == page.c.enterprise) & (_e.asset_no == page.c.asset_no) & (_e.at == page.c.ran_at)
    query = select(page, _e.until, frame.c.gateway, frame.c.stream, frame.c.seq).outerjoin(evidence, last)
    query = query.outerjoin(frame, frame.c.id == _e.frame).order_by(_e.register.desc())
    return {(row.enterprise, row.asset_no): row for row in connection.execute(query)}


def stretches(
    connection: Connection, enterprise: str, asset_no: str, end: int, most: int | None = None
) -> Sequence[Row[Any]]:
    """The evidence of a device that begins before an instant, the newest first, each with its frame."""
    mine = (_e.enterprise == enterprise) & (_e.asset_no == asset_no) & (_e.at < end)
    query = select(evidence, frame.c.gateway, frame.c.stream, frame.c.seq, register.c.unit)
    query = query.outerjoin(frame, frame.c.id == _e.frame)
    query = query.outerjoin(register, (register.c.enterprise == enterprise) & (register.c.id == _e.register))
    return connection.execute(query.where(mine).order_by(_e.at.desc(), _e.register).limit(most)).all()


def belongs(stretch: Any, alarms: Sequence[Any]) -> int | None:
    """The last of a device's alarms, oldest first, of which a stretch is evidence: the closing before did not answer
    it, and it began before this one's. None: there was no alarm yet."""
    found, before = None, 0
    for one in alarms:
        if answered(stretch, before):
            break
        if one.closed_at is None or stretch.at < one.closed_at:
            found = one.id
        before = one.closed_at or before
    return found


def entered(connection: Connection) -> frozenset[str]:
    """Its lists that have any row."""
    return frozenset({"banned"} if sql.any_of(connection, registry.banned) else ())


def counted(connection: Connection, province: Province, of: Filter) -> Sums:
    """By place and industry the numbers of `MEASURED` as of the end of a day."""
    day, end = of.day, bounds(of.day, DEFAULT_ZONE)[1]
    ran = exists().where((_e.enterprise == _b.enterprise) & (_e.asset_no == _b.asset_no) & (_e.at < end))
    closed = exists().where(CLOSING & (alarm_closing.c.closed_at < end))
    mine = (alarm.c.enterprise == _b.enterprise) & (alarm.c.asset_no == _b.asset_no)
    is_open = exists().where(mine & (alarm.c.raised_at < end) & ~closed)
    place = (ledger.c.area, ledger.c.industry)
    numbers = (func.count(), func.sum(cast(ran, Integer)), func.sum(cast(is_open, Integer)))
    query = _joined(day).add_columns(*place, *numbers).group_by(*place)
    rows = connection.execute(query.where(*placed(province, of, ledger.c)))
    lowest = (
        ((row[0] or NOWHERE, row[1] or OTHER), dict(zip(NOTHING, map(int, row[2:]), strict=True)))
        for row in rows
    )
    return roll_up(province, lowest, NOTHING)


def energy(
    connection: Connection, province: Province, wanted: Filter, first: date
) -> dict[tuple[str, str], int]:
    """What the meters of banned equipment of a place counted from a day to the filter's, by month and carrier, in
    millionths: of each from the day of its ban on. They are analysis: what counts is told by boundary meters."""
    place = placed(province, wanted, ledger.c)
    since = func.min(_b.since).label("since")
    of = _joined(wanted.day).add_columns(_b.enterprise, _b.meter, since).where(_b.meter != "", *place)
    meters = of.group_by(_b.enterprise, _b.meter).subquery()
    used, r = consumption.c, register.c
    mine = (r.enterprise == meters.c.enterprise) & (r.subject == meters.c.meter) & (r.signal != EXPORT)
    here = (used.enterprise == r.enterprise) & (used.register == r.id) & (used.day >= meters.c.since)
    month = func.substr(cast(used.day, Text), 1, 7).label("month")
    query = select(month, used.carrier, func.sum(used.millionths)).select_from(meters).join(register, mine)
    query = query.join(consumption, here & used.day.between(first, wanted.day))
    rows = connection.execute(query.group_by(month, used.carrier))
    return {(row[0], row[1]): int(row[2]) for row in rows if row[2] is not None}


def standings(at: At) -> Iterable[Standing]:
    """Where T28 stands."""
    found = (at.counted or NOTHING).items()
    return [Standing(name, n, None, PAGE, ONLY_SEEN if name == "banned_ran" else "") for name, n in found]


def _joined(day: date) -> Select[Any]:
    """What is banned on a day, with what the ledger says of it then."""
    own = (ledger.c.enterprise == _b.enterprise) & (ledger.c.asset_no == _b.asset_no) & on(day)
    query = select().select_from(registry.banned).where(counts(), _b.since <= day)
    return query.outerjoin(ledger, own)


def _newest(end: int) -> Any:
    """By device its newest alarm that was raised before an instant."""
    of = (alarm.c.enterprise, alarm.c.asset_no)
    query = select(*of, func.max(alarm.c.id).label("id")).where(alarm.c.raised_at < end)
    return query.group_by(*of).subquery("newest")


def _slot(column: Any) -> Any:
    """Of the newest slot of a device."""
    mine = slots.of(_b.enterprise, _b.asset_no)
    return slots.newest(select(column).where(mine)).correlate(registry.banned).scalar_subquery()


def _read() -> Any:
    """When its meter was read last."""
    mine = (register.c.enterprise == _b.enterprise) & (register.c.subject == _b.meter)
    of = (reading.c.enterprise == _b.enterprise) & (reading.c.register == register.c.id)
    newest = select(func.max(reading.c.at)).where(of).correlate(register, registry.banned).scalar_subquery()
    return select(func.max(newest)).where(mine).correlate(registry.banned).scalar_subquery()


def _ran(what: Any, end: int) -> Any:
    """Of the evidence of a device before an instant."""
    mine = (_e.enterprise == _b.enterprise) & (_e.asset_no == _b.asset_no) & (_e.at < end)
    return select(what).where(mine).correlate(registry.banned).scalar_subquery()
