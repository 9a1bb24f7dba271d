"""Sums by place and industry, of a day and of its month: added up again from ledger and production days, never
incremented."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, delete, func, or_, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import balances, intensities, outlooks, targets
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.measures import UNIT, counted, on
from ganpo_cloud.province.places import Key, Sums, roll_up
from ganpo_cloud.province.within import Only
from ganpo_cloud.store import marks, sql
from ganpo_cloud.store.counted_tables import FLOWS, STOCKS, area_day, area_month, ledger, production
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of, days_from
from ganpo_cloud.store.marks import EVER, Kind, answer, mark, seen, waiting
from ganpo_cloud.store.tables import counter
from ganpo_model.clock import to_ms
from ganpo_model.coverage import ENTERPRISES

NEWEST = "totals added up"
"""The counter that says when the sums of today were added up."""
_FILES = "files_of_the_province"
"""The counter that has the checksum of the files by which it was added up."""
_LOOP = "totals"
LONGEST_S = 0.5
"""A pass takes no further day after so long, and then adds up the months of those it took."""
# Read as they are and counted here: a third of the time that conditions over each row take in SQL.
_DEVICES = f"""SELECT enterprise, area, industry, {", ".join(UNIT)} FROM ledger
WHERE kind = 'equipment' AND since <= ? AND (until IS NULL OR until > ?)"""
_HOMES = """SELECT enterprise, parent, area, industry, above_scale FROM ledger
WHERE kind = 'enterprise' AND since <= ? AND (until IS NULL OR until > ?)"""


def recompute(database: Database, province: Province, now: datetime) -> int:
    """Add up the newest dirty days and their months. Gives how many days, or months of outlooks.

    Adding up takes long and reads alone, so that frames are stored meanwhile. What is marked again meanwhile stays
    marked; where another process added up meanwhile, what it wrote is newer, and this is for nothing. Older days than
    are kept up to date are let go once they are dirty: they are worked out when they are asked for.
    """
    today = day_of(to_ms(now), DEFAULT_ZONE)
    with database.read() as connection:
        passes = marks.passes(connection, _LOOP)
        marked = {one.day: one for one in seen(connection, waiting(Kind.SUMS))}
        days = _added_up(connection, province, sorted(marked, reverse=True), today)
        ends = _ends(connection, province, days, today)
    if not days:
        return outlooks.recompute(database, province, today)
    with database.write() as connection:
        if not marks.is_next(connection, _LOOP, passes):
            return len(days)
        answer(connection, [marked[day] for day in days])
        for day, (counts, times) in days.items():
            _put(connection, area_day, day, counts, times)
        for month, (counts, whole) in ends.items():
            first, last = periods.span(month)
            times = of_days(connection, first, min(last, today)) if whole is None else whole
            _put(connection, area_month, month, counts, times)
        for month in sorted({periods.month_of(day) for day in days if day <= today}):
            balances.recompute(connection, province, month, today)
        outlooks.mark(connection, map(periods.month_of, days), today)
        mark(connection, Kind.PLAN, (("", end) for end in targets.ends(connection, min(days), today)))
        for year in sorted({day.year for day in days}):
            intensities.add_up(connection, province, year, today)
        if today in days:
            sql.replace(connection, counter, [(NEWEST, to_ms(now))])
    outlooks.recompute(database, province, today)
    return len(days)


def _added_up(
    connection: Connection, province: Province, marked: Iterable[date], today: date
) -> dict[date, tuple[Sums, Sums]]:
    """The sums of as many of the marked days as fit into `LONGEST_S`; none of those that are not kept up to date."""
    began = time.monotonic()
    days: dict[date, tuple[Sums, Sums]] = {}
    for day in marked:
        days[day] = ({}, {})
        if periods.kept_since(today) <= day <= today:
            days[day] = (stocks(connection, province, day), flows(connection, province, day, day))
        if time.monotonic() - began > LONGEST_S:
            break
    return days


def _ends(
    connection: Connection, province: Province, days: Mapping[date, tuple[Sums, Sums]], today: date
) -> dict[str, tuple[Sums, Sums | None]]:
    """The counts at the ends of the months of these days, and their times; None: they are those of their days."""
    ends: dict[str, tuple[Sums, Sums | None]] = {}
    kept = targets.kept(connection, today)
    for month in {periods.month_of(day) for day in days if day <= today}.intersection(kept):
        first, last = periods.span(month)
        end = min(last, today)
        counts = days[end][0] if end in days and days[end][0] else stocks(connection, province, end)
        whole = periods.kept_since(today) <= first
        ends[month] = (counts, None if whole else flows(connection, province, first, end))
    return ends


def follow_files(database: Database, province: Province, now: datetime) -> None:
    """Where the files of the province are others than those by which it was added up, all that is kept is added up
    again."""
    today = day_of(to_ms(now), DEFAULT_ZONE)
    with database.write() as connection:
        before = connection.execute(select(counter.c.value).where(counter.c.name == _FILES)).scalar()
        if before == province.checksum:
            return
        sql.replace(connection, counter, [(_FILES, province.checksum)])
        if before is not None:
            mark(connection, Kind.SUMS, (("", day) for day in targets.counted(connection, EVER, today)))
            connection.execute(delete(area_day).where(area_day.c.day < periods.kept_since(today)))


def turn_day(database: Database, now: datetime) -> None:
    """A day has sums also where nothing happens on it, and every one before is whole once it is over, also where nobody
    collected then; sums of longer ago than anybody compares with are let go."""
    today = day_of(to_ms(now), DEFAULT_ZONE)
    oldest = periods.months(today, periods.MONTHS)[0]
    with database.write() as connection:
        added_up = connection.execute(select(counter.c.value).where(counter.c.name == NEWEST)).scalar()
        since = today if added_up is None else day_of(added_up, DEFAULT_ZONE)
        since = max(min(since, today - timedelta(days=1)), periods.kept_since(today))
        mark(connection, Kind.SUMS, (("", day) for day in days_from(since, today)))
        connection.execute(delete(area_day).where(area_day.c.day < periods.span(oldest)[0]))
        deadlines = [month for month in targets.kept(connection, today) if month < oldest]
        old = (area_month.c.month < oldest) & area_month.c.month.not_in(deadlines)
        connection.execute(delete(area_month).where(old))
        outlooks.forget(connection, oldest)


def of_days(
    connection: Connection, first: date, last: date, *places: ColumnElement[bool]
) -> dict[Key, dict[str, int]]:
    """The times of days together as they are stored, both ends included; of `places`, conditions over `area_day`."""
    t = area_day.c
    query = select(t.area, t.industry, *(func.sum(t[name]) for name in FLOWS))
    query = query.where(t.day.between(first, last), *places).group_by(t.area, t.industry)
    return dict(_times(connection, query))


def stocks(connection: Connection, province: Province, day: date, only: Only | None = None) -> Sums:
    """Counts of devices and enterprises at the end of a day; `only`: of those that a tag marks."""
    if only is not None:
        return marked(connection, province, [day], only)[day]
    at = (day.isoformat(), day.isoformat())
    devices = sql.rows(connection, _DEVICES, at)
    return _counts(province, devices, devices, sql.rows(connection, _HOMES, at))


def marked(connection: Connection, province: Province, days: Sequence[date], only: Only) -> dict[date, Sums]:
    """The same of what a tag marks, at the end of each of some days, read once: the devices, and the enterprises by all
    devices of theirs and of their branches."""
    s, firm, above = ledger.c, ledger.alias("firm").c, ledger.alias("above").c
    here = (s.since <= max(days)) & (s.until.is_(None) | (s.until > min(days)))
    persons = select(above.enterprise).where(above.kind == "enterprise", only.holds(above))
    belongs = or_(only.holds(firm), firm.parent.in_(persons))
    firms = select(firm.enterprise).where(firm.kind == "enterprise", belongs)
    equipment = select(
        s.since, s.until, only.holds(s), s.enterprise, s.area, s.industry, *(s[name] for name in UNIT)
    )
    equipment = equipment.where(here, s.kind == "equipment", or_(only.holds(s), s.enterprise.in_(firms)))
    homes = select(s.since, s.until, only.holds(s), s.enterprise, s.parent, s.area, s.industry, s.above_scale)
    homes = homes.where(here, s.kind == "enterprise", s.enterprise.in_(firms))
    rows, dated = (list(map(tuple, connection.execute(query))) for query in (equipment, homes))
    found = {}
    for day in days:
        there, persons_there = (
            [row for row in every if row[0] <= day and (row[1] is None or row[1] > day)]
            for every in (rows, dated)
        )
        devices = [row[3:] for row in there if row[2]]
        at_home = [row[3:] for row in persons_there if row[2] or row[4] is not None]
        found[day] = _counts(province, devices, [row[3:] for row in there], at_home)
    return found


def _counts(
    province: Province, devices: Sequence[Any], of_firms: Sequence[Any], homes: Sequence[Any]
) -> Sums:
    """What devices, and enterprises with devices, are counted in."""
    found = Counter((area, industry, counted(tuple(unit))) for _, area, industry, *unit in devices)
    reached: dict[str, set[str]] = defaultdict(set)
    for code, unit in {(row[0], row[3:]) for row in of_firms}:
        reached[code] |= _reached(unit)
    for code, parent, *_ in homes:  # what a branch has reached, its legal person has
        if parent is not None:
            reached[parent] |= reached[code]
    for code, parent, area, industry, above_scale in homes:
        if parent is None:
            found[area, industry, _firm(frozenset(reached[code]), bool(above_scale))] += 1
    lowest = (((area, industry), dict.fromkeys(of, number)) for (area, industry, of), number in found.items())
    return roll_up(province, lowest, dict.fromkeys(STOCKS, 0))


def flows(
    connection: Connection, province: Province, first: date, last: date, only: Only | None = None
) -> Sums:
    """Times of machines over days, both ends included; `only`: of those that a tag marks."""
    span, query = {"first": first, "last": last}, _flows()
    if only is not None:
        query = query.where(only.holds(ledger.c))
    return roll_up(province, _times(connection, query, span), dict.fromkeys(FLOWS, 0))


@cache
def _flows() -> Select[Any]:
    """The question of `flows`: to put it together takes longer than a small province to answer."""
    s, p = ledger.c, production.c
    query = select(s.area, s.industry, *(func.sum(of) for of in FLOWS.values()))
    span = p.day.between(bindparam("first", type_=p.day.type), bindparam("last", type_=p.day.type))
    mine = (p.enterprise == s.enterprise) & (p.subject == s.asset_no) & span
    return query.where(mine, on(p.day), s.in_service).group_by(s.area, s.industry)


def _times(
    connection: Connection, query: Select[Any], values: Mapping[str, Any] | None = None
) -> Iterator[tuple[Key, dict[str, int]]]:
    for area, industry, *sums in connection.execute(query, values):
        yield (area, industry), {name: int(value) for name, value in zip(FLOWS, sums, strict=True)}


@lru_cache(maxsize=4096)
def _reached(unit: tuple[Any, ...]) -> frozenset[str]:
    """Of these those that are asked of a device of an enterprise."""
    asked = {measure for of in ENTERPRISES.values() for measure in (of.devices, *of.without)}
    return frozenset(name for name in counted(unit) if name in asked)


@lru_cache(maxsize=4096)
def _firm(reached: frozenset[str], above_scale: bool) -> tuple[str, ...]:
    """The counts of enterprises in which one is that has reached so much."""
    found = {name for name, of in ENTERPRISES.items() if of.counts(reached)}
    return tuple(found if above_scale else found - {"enterprises_above_scale"})


def _put(connection: Connection, table: Table, period: date | str, counts: Sums, times: Sums) -> None:
    """Replace the rows of a day or a month."""
    nothing = dict.fromkeys((*STOCKS, *FLOWS), 0)
    rows = [
        (*key, period, *(nothing | {**counts.get(key, {}), **times.get(key, {})}).values())
        for key in counts.keys() | times.keys()
    ]
    sql.replace(connection, table, rows, **{table.columns[2].name: period})
