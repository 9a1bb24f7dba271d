"""Sums by place and industry, of a day and of its month: added up again from ledger and production days, never
incremented."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from ganpo_cloud.days import periods
from ganpo_cloud.days.production import COMPLETE
from ganpo_cloud.province import balances
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.ledger import FLAGS, Device
from ganpo_cloud.province.places import Key, keys
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import FLOWS, STOCKS, area_day, area_month
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import Kind, answer, mark, seen, waiting
from ganpo_cloud.store.tables import counter
from ganpo_model.activity import Age
from ganpo_model.clock import to_ms
from ganpo_model.coverage import MEASURES, Unit

NEWEST = "totals added up"
"""The counter that says when the sums of today were added up."""
PASSES = "totals passes"
"""The counter that tells whether somebody else added up meanwhile."""
LONGEST_S = 0.5
"""A pass takes no further day after so long, and then adds up the months of those it took."""
_AT = "s.since <= ? AND (s.until IS NULL OR s.until > ?)"
_DEVICES = f"""
SELECT s.enterprise, s.area, s.industry, s.main, s.numerical_control, s.digital, s.intelligent, s.in_service,
  s.status, s.networked, s.cloud, p.age
FROM ledger s LEFT JOIN production p ON s.networked AND p.enterprise = s.enterprise AND p.subject = s.asset_no
  AND p.day = (SELECT max(q.day) FROM production q WHERE q.enterprise = s.enterprise AND q.subject = s.asset_no
    AND q.day <= ?)
WHERE s.kind = 'equipment' AND {_AT}"""
_HOMES = f"""
SELECT s.enterprise, s.parent, s.area, s.industry, s.above_scale FROM ledger s
WHERE s.kind = 'enterprise' AND {_AT}"""
_FLOWS = f"""
SELECT s.area, s.industry, sum(p.planned_ms), sum(p.planned_ms - p.unknown_ms),
  sum(CASE WHEN {COMPLETE} THEN p.producing_ms ELSE 0 END),
  sum(CASE WHEN {COMPLETE} THEN p.planned_ms - p.unknown_ms ELSE 0 END),
  sum(p.outside_ms), sum(CASE WHEN {COMPLETE} THEN 1 ELSE 0 END),
  sum(CASE WHEN p.planned_ms > 0 AND NOT ({COMPLETE}) THEN 1 ELSE 0 END)
FROM production p JOIN ledger s ON s.enterprise = p.enterprise AND s.asset_no = p.subject
  AND s.since <= p.day AND (s.until IS NULL OR s.until > p.day)
WHERE p.day >= ? AND p.day <= ? AND s.in_service GROUP BY s.area, s.industry"""
Sums = Mapping[Key, Mapping[str, int]]


def recompute(database: Database, province: Province, now: datetime) -> int:
    """Add up the newest dirty days and their months. Gives how many days.

    Adding up takes long and reads alone, so that frames are stored meanwhile. What is marked again meanwhile stays
    marked; where another process added up meanwhile, what it wrote is newer, and this is for nothing.
    """
    today = day_of(to_ms(now), DEFAULT_ZONE)
    with database.read() as connection:
        passes = _passes(connection)
        marked = {one.day: one for one in seen(connection, waiting(Kind.SUMS))}
        done, sums = _added_up(connection, province, sorted(marked, reverse=True), today)
    if not done:
        return 0
    with database.write() as connection:
        if _passes(connection) != passes:
            return len(done)
        _count(connection, PASSES, passes + 1)
        answer(connection, [marked[day] for day in done])
        for table, period, counts, times in sums:
            _put(connection, table, period, counts, times)
        for month in sorted({periods.month_of(day) for day in done if day <= today}):
            balances.recompute(connection, province, month, today)
        for year in sorted({day.year for day in done}):
            balances.add_up_year(connection, province, year, today)
        if today in done:
            _count(connection, NEWEST, to_ms(now))
    return len(done)


def _passes(connection: Connection) -> int:
    found = connection.execute(select(counter.c.value).where(counter.c.name == PASSES)).scalar()
    return found or 0


def _count(connection: Connection, name: str, value: int) -> None:
    sql.replace(connection, counter, [(name, value)])


def _added_up(
    connection: Connection, province: Province, marked: Iterable[date], today: date
) -> tuple[list[date], list[tuple[Table, date | str, Sums, Sums]]]:
    """As many of the marked days as fit into `LONGEST_S`, and the sums of those that are kept, and of their months."""
    began = time.monotonic()
    done: list[date] = []
    sums: list[tuple[Table, date | str, Sums, Sums]] = []
    for day in marked:
        if day <= today and today - timedelta(days=periods.DAYS) <= day:
            counts = stocks(connection, province, day)
            sums.append((area_day, day, counts, flows(connection, province, day, day)))
        done.append(day)
        if time.monotonic() - began > LONGEST_S:
            break
    kept = periods.months(today, periods.MONTHS)
    for month in sorted({periods.month_of(day) for day in done if day <= today}):
        if month in kept:
            first, last = periods.span(month)
            end = min(last, today)
            counts = stocks(connection, province, end)
            sums.append((area_month, month, counts, flows(connection, province, first, end)))
    return done, sums


def turn_day(database: Database, now: datetime) -> None:
    """A day has sums also where nothing happens on it, and the one before is whole once it is over; sums that are not
    kept up to date any more are let go: they are worked out when they are asked for."""
    today = day_of(to_ms(now), DEFAULT_ZONE)
    with database.write() as connection:
        mark(connection, Kind.SUMS, (("", day) for day in (today, today - timedelta(days=1))))
        connection.execute(delete(area_day).where(area_day.c.day < today - timedelta(days=periods.DAYS)))
        oldest = periods.months(today, periods.MONTHS)[0]
        connection.execute(delete(area_month).where(area_month.c.month < oldest))


@dataclass(slots=True)
class _Reached:
    """How far an enterprise has come with what it has."""

    main: bool = False
    ever_networked: bool = False
    networked: bool = False
    ever_cloud: bool = False
    cloud: bool = False
    active: bool = False


@dataclass(slots=True)
class Counts:
    """Counts of the lowest places, while devices and enterprises come in."""

    units: Counter[tuple[str, str, Unit]] = field(default_factory=Counter)
    reached: dict[str, _Reached] = field(default_factory=lambda: defaultdict(_Reached))
    homes: dict[str, tuple[str | None, str, str, bool]] = field(default_factory=dict)

    def device(self, enterprise: str, area: str, industry: str, unit: Unit) -> None:
        """Count one device."""
        self.units[area, industry, unit] += 1
        here = self.reached[enterprise]
        here.main |= unit.in_service and unit.main > 0
        here.ever_networked |= unit.networked
        here.networked |= unit.networked and unit.here
        here.ever_cloud |= unit.cloud
        here.cloud |= unit.cloud and unit.here
        here.active |= unit.cloud and not unit.retired and unit.age is Age.ACTIVE

    def enterprise(
        self, code: str, parent: str | None, area: str, industry: str, *, above_scale: bool
    ) -> None:
        """Count one enterprise; what a branch has reached, its legal person has."""
        self.homes[code] = (parent, area, industry, above_scale)

    def sums(self, province: Province) -> dict[Key, dict[str, int]]:
        """Everything by place and industry, with every place above and every industry together."""
        lowest: dict[Key, Counter[str]] = defaultdict(Counter)
        for (area, industry, unit), number in self.units.items():
            row = lowest[area, industry]
            for measure in _counted(unit):
                row[measure] += number
        for code, (parent, *_) in self.homes.items():
            if parent is not None and code in self.reached:
                mine, whole = self.reached[code], self.reached[parent]
                for name in _Reached.__slots__:
                    setattr(whole, name, getattr(whole, name) or getattr(mine, name))
        for code, (parent, area, industry, above_scale) in self.homes.items():
            if parent is None:
                lowest[area, industry].update(_of_enterprise(self.reached[code], above_scale))
        found: dict[Key, dict[str, int]] = {}
        for (area, industry), counted in lowest.items():
            for key in keys(province, area, industry):
                row_of = found.setdefault(key, dict.fromkeys(STOCKS, 0))
                for measure, number in counted.items():
                    row_of[measure] += number
        return found


def stocks(connection: Connection, province: Province, day: date) -> dict[Key, dict[str, int]]:
    """Counts of devices and enterprises at the end of a day."""
    counts = Counts()
    at = day.isoformat()
    for row in sql.rows(connection, _DEVICES, (at, at, at)):
        counts.device(row[0], row[1], row[2], _unit(tuple(row[3:])))
    for row in sql.rows(connection, _HOMES, (at, at)):
        counts.enterprise(row[0], row[1], row[2], row[3], above_scale=bool(row[4]))
    return counts.sums(province)


def stocks_of(
    devices: Iterable[Device], ages: Mapping[Key, str], province: Province
) -> dict[Key, dict[str, int]]:
    """The same of a ledger; `ages` by enterprise and asset_no."""
    counts = Counts()
    for device in devices:
        if device.kind == "enterprise":
            counts.enterprise(
                device.enterprise, device.parent, device.area, device.industry, above_scale=device.above_scale
            )
        elif device.kind == "equipment":
            counts.device(
                device.enterprise,
                device.area,
                device.industry,
                unit_of(device, ages.get((device.enterprise, device.asset_no))),
            )
    return counts.sums(province)


def unit_of(device: Device, age: str | None) -> Unit:
    """A device as it is counted."""
    flags = (int(device.flags.get(flag, 0)) for flag in FLAGS)
    return _unit((*flags, device.in_service, device.status, device.networked, device.cloud, age))


def unit_of_row(row: Any) -> Unit:
    """A row of `ledger` with its `age`."""
    flags = (getattr(row, flag) for flag in FLAGS)
    return _unit((*flags, row.in_service, row.status, row.networked, row.cloud, row.age))


def flows(connection: Connection, province: Province, first: date, last: date) -> dict[Key, dict[str, int]]:
    """Times of machines over days, both ends included."""
    found: dict[Key, dict[str, int]] = {}
    for area, industry, *sums in sql.rows(connection, _FLOWS, (first.isoformat(), last.isoformat())):
        for key in keys(province, area, industry):
            row = found.setdefault(key, dict.fromkeys(FLOWS, 0))
            for measure, value in zip(FLOWS, sums, strict=True):
                row[measure] += int(value)
    return found


@lru_cache(maxsize=4096)
def _unit(said: tuple[Any, ...]) -> Unit:
    main, numerical_control, digital, intelligent, in_service, status, networked, cloud, age = said
    seen = Age(age) if age else (Age.SEEN if networked else None)
    return Unit(
        main,
        numerical_control,
        digital,
        intelligent,
        bool(in_service),
        status == "retired",
        bool(networked),
        bool(cloud),
        seen,
    )


@lru_cache(maxsize=4096)
def _counted(unit: Unit) -> tuple[str, ...]:
    return tuple(measure for measure, counts in MEASURES.items() if counts(unit))


def _of_enterprise(here: _Reached, above_scale: bool) -> Iterator[str]:
    yield "enterprises"
    for measure, holds in (
        ("enterprises_above_scale", above_scale),
        ("enterprises_with_main", here.main),
        ("enterprises_ever_networked", here.ever_networked),
        ("enterprises_networked", here.networked),
        ("enterprises_ever_cloud", here.ever_cloud),
        ("enterprises_cloud", here.cloud),
        ("enterprises_active", here.active),
    ):
        if holds:
            yield measure


def _put(connection: Connection, table: Table, period: date | str, counts: Sums, times: Sums) -> None:
    """Replace the rows of a day or a month."""
    name = table.columns[2].name
    names = (*STOCKS, *FLOWS)
    rows = []
    for key in sorted(counts.keys() | times.keys()):
        row = {**counts.get(key, {}), **times.get(key, {})}
        rows.append((*key, period, *(row.get(measure, 0) for measure in names)))
    sql.replace(connection, table, rows, **{name: period})
