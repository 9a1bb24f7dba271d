"""The sums as of now or the end of a day: stored, or worked out where they are not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import totals
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.places import Key
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import (
    ALL,
    FLOWS,
    STOCKS,
    YEARLY,
    area_carrier,
    area_day,
    area_month,
    area_year,
)
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of
from ganpo_cloud.store.tables import counter
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.energy import WATER

NOTHING: Mapping[str, int] = dict.fromkeys((*STOCKS, *FLOWS, *YEARLY), 0)
Row = dict[str, Any]


@dataclass(slots=True)
class Snapshot:
    """Sums of places and industries as of an instant. `day`: the last one that is in them; `stored`: where counts are
    kept, None where they were `worked_out`."""

    connection: Connection
    province: Province
    at: datetime
    day: date
    stored: Table | None = None
    running: bool = False
    worked_out: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)
    _flows: Mapping[Key, Mapping[str, int]] | None = None

    @property
    def month(self) -> str:
        """The month that times and quantities are of."""
        return periods.month_of(self.day)

    def rows(self, areas: Collection[str], industries: Collection[str]) -> dict[Key, Row]:
        """The sums of these places in these industries: stocks at the instant, times of its month until then."""
        found: dict[Key, Row] = {(area, of): dict(NOTHING) for area in areas for of in industries}
        times: Mapping[Key, Mapping[str, int]] = {}
        if self.stored is area_day:
            self._add(found, area_day, STOCKS, "day = ?", self.day.isoformat())
        elif self.stored is area_month:
            self._add(found, area_month, STOCKS, "month = ?", self.month)
        if self.running or self.day == periods.span(self.month)[1]:
            self._add(found, area_month, tuple(FLOWS), "month = ?", self.month)
        else:
            times = self._times(areas, industries)
        for key in found:
            found[key] |= {**self.worked_out.get(key, {}), **times.get(key, {})}
        return found

    def _times(self, areas: Collection[str], industries: Collection[str]) -> Mapping[Key, Mapping[str, int]]:
        """Times of its month until then: added up from its days, and from production days where one is not stored."""
        first, day = periods.span(self.month)[0], area_day.c.day
        whole = (area_day.c.area == self.province.whole) & (area_day.c.industry == ALL)
        stored = select(func.count()).where(whole & day.between(first, self.day))
        if self.connection.execute(stored).scalar_one() == self.day.day:
            mine = area_day.c.area.in_(areas) & area_day.c.industry.in_(industries)
            return totals.of_days(self.connection, first, self.day, mine)
        if self._flows is None:
            self._flows = totals.flows(self.connection, self.province, first, self.day)
        return self._flows

    @property
    def months(self) -> tuple[str, str]:
        """The months that energy and water are of: up to the one that runs, or was last over at the instant, from the
        begin of its year. A month of which only a part lies before it is left out: in January it is the year before."""
        whole = self.running or self.day == periods.span(self.month)[1]
        last = self.month if whole else periods.months(self.day, 2)[0]
        return f"{last[:4]}-01", last

    def energy(self, areas: Collection[str], industries: Collection[str]) -> dict[Key, "Energy"]:
        """Energy and water of `months`."""
        return energy(self.connection, self.province, areas, industries, *self.months)

    def yearly(self, areas: Collection[str], industries: Collection[str]) -> tuple[int, dict[Key, Row]]:
        """Intensities of the newest year up to the instant that has any; and which year that is."""
        has = "(energy_enterprises > 0 OR water_enterprises > 0) AND year <= ?"
        years = _read(self.connection, area_year, ("year",), areas, industries, has, self.day.year)
        year = max((row[2] for row in years), default=self.day.year)
        found: dict[Key, Row] = {(area, of): dict.fromkeys(YEARLY, 0) for area in areas for of in industries}
        self._add(found, area_year, YEARLY, "year = ?", year)
        return year, found

    def _add(
        self, found: dict[Key, Row], table: Table, measures: Sequence[str], period: str, value: object
    ) -> None:
        areas, industries = {key[0] for key in found}, {key[1] for key in found}
        for area, of, *values in _read(self.connection, table, measures, areas, industries, period, value):
            found[area, of] |= dict(zip(measures, values, strict=True))


@dataclass(slots=True)
class Energy:
    """What is metered or stated of a place. `carriers`: millionths by carrier; `covered`: by carrier, how many
    enterprise-months are covered of those that are declared."""

    tce: int | None = None
    water: int | None = None
    carriers: dict[str, int] = field(default_factory=dict)
    covered: dict[str, tuple[int, int]] = field(default_factory=dict)


def snapshot(connection: Connection, province: Province, day: date | None, now: datetime) -> Snapshot:
    """The sums as of the end of a day that is over; None: now."""
    if day is None:
        newest = connection.execute(select(func.max(area_day.c.day))).scalar()
        today = newest or day_of(to_ms(now), DEFAULT_ZONE)
        return Snapshot(connection, province, added_up(connection) or now, today, area_day, running=True)
    at = from_ms(bounds(day, DEFAULT_ZONE)[1])
    stored, this = area_day, area_day.c.day == day
    if day == periods.span(periods.month_of(day))[1]:
        stored, this = area_month, area_month.c.month == periods.month_of(day)
    if connection.execute(select(stored.c.area).where(this).limit(1)).first() is not None:
        return Snapshot(connection, province, at, day, stored)
    return Snapshot(connection, province, at, day, worked_out=totals.stocks(connection, province, day))


def added_up(connection: Connection) -> datetime | None:
    """When the sums of today were added up last; None: never."""
    ms = connection.execute(select(counter.c.value).where(counter.c.name == totals.NEWEST)).scalar()
    return None if ms is None else from_ms(ms)


def trend(
    connection: Connection, areas: Collection[str], industries: Collection[str], months: Collection[str]
) -> dict[tuple[str, str, str], Row]:
    """Stored months of places and industries; those that are not stored are left out."""
    names = ("month", *STOCKS, *FLOWS)
    when = f"month IN ({', '.join('?' * len(months))})"
    rows = _read(connection, area_month, names, areas, industries, when, *months)
    return {(area, of, said[0]): dict(zip(names, said, strict=True)) for area, of, *said in rows}


def _read(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    areas: Collection[str],
    industries: Collection[str],
    period: str,
    *values: object,
) -> list[Any]:
    """Area, industry and what else is named of the sums of places; `period`, `values`: a condition."""
    statement = (
        f"SELECT area, industry, {', '.join(names)} FROM {table.name}"
        f" WHERE area IN ({', '.join('?' * len(areas))}) AND industry IN ({', '.join('?' * len(industries))})"
        f" AND {period}"
    )
    return sql.rows(connection, statement, (*areas, *industries, *values))


def energy(
    connection: Connection,
    province: Province,
    areas: Collection[str],
    industries: Collection[str],
    first: str,
    last: str,
) -> dict[Key, Energy]:
    """Energy and water of months, both included."""
    table = area_carrier
    mine = table.c.area.in_(areas) & table.c.industry.in_(industries) & table.c.month.between(first, last)
    found: dict[Key, Energy] = {(area, of): Energy() for area in areas for of in industries}
    exact: dict[Key, Any] = {}
    for row in connection.execute(select(table).where(mine)):
        key = (row.area, row.industry)
        here = found[key]
        covered, declared = here.covered.get(row.carrier, (0, 0))
        here.covered[row.carrier] = (covered + row.covered, declared + row.declared)
        if row.millionths is None:
            continue
        here.carriers[row.carrier] = here.carriers.get(row.carrier, 0) + row.millionths
        if row.carrier == WATER:
            here.water = (here.water or 0) + row.millionths
        elif province.coefficients.at(row.carrier, day := periods.span(row.month)[0]) is not None:
            exact[key] = exact.get(key, 0) + province.coefficients.tce({row.carrier: row.millionths}, day)
    for key, tce in exact.items():
        found[key].tce = int(tce * 10**6)
    return found
