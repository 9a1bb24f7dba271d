"""The sums as of now or the end of a day: stored, or worked out where they are not."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Table, func, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import balances, intensities, totals
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.places import Key, Sums
from ganpo_cloud.province.within import Only
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import (
    ALL,
    FLOWS,
    STOCKS,
    YEARLY,
    area_day,
    area_month,
    area_year,
)
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.energy import WATER

Row = dict[str, Any]
LARGE = 20_000
"""Devices of a tag of which no past is worked out beside them."""
_NEWEST = "SELECT (SELECT max(day) FROM area_day), (SELECT value FROM counter WHERE name = ?)"


@dataclass(slots=True)
class Energy:
    """What is metered or stated of a place. `carriers`: millionths by carrier; `covered`: by carrier, how many
    enterprise-months are covered of those that are declared."""

    tce: int | None = None
    carriers: dict[str, int] = field(default_factory=dict)
    covered: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Snapshot:
    """Sums of places and industries as of an instant. `day`: the last one that is in them; `stored`: where counts are
    kept, None where they were `worked_out`; `only`: of what a tag marks, and then all of it is worked out."""

    connection: Connection
    province: Province
    at: datetime
    day: date
    stored: Table | None = None
    running: bool = False
    worked_out: Sums = field(default_factory=dict)
    only: Only | None = None
    _flows: Sums | None = None

    @property
    def month(self) -> str:
        """The month that times and quantities are of."""
        return periods.month_of(self.day)

    @property
    def whole(self) -> bool:
        """Whether that month is over at the instant, or runs: then its times are stored."""
        return self.running or self.day == periods.span(self.month)[1]

    def rows(self, areas: Collection[str], industries: Collection[str]) -> dict[Key, Row]:
        """The sums of these places in these industries: stocks at the instant, times of its month until then, and
        intensities of the newest `year` up to it that has any."""
        here = (areas, industries)
        parts: list[Sums] = [self.worked_out]
        if self.stored is not None:
            period = self.day.isoformat() if self.stored is area_day else self.month
            which = f"{self.stored.columns[2].name} = ?"
            parts.append(dict(self._read(*here, self.stored, STOCKS, which, period)))
        if self.whole and self.only is None:
            parts.append(dict(self._read(*here, area_month, FLOWS, "month = ?", self.month)))
        else:
            parts.append(self._times(*here))
        years = self.years(*here)
        has = (row["year"] for _, row in years if row["energy_enterprises"] or row["water_enterprises"])
        year = max(has, default=self.day.year)
        parts.append({key: row for key, row in years if row["year"] == year})
        nothing = dict.fromkeys((*STOCKS, *FLOWS, *YEARLY), 0) | {"year": year}
        found = {(area, of): dict(nothing) for area in areas for of in industries}
        for key, row in found.items():
            for part in parts:
                row |= part.get(key, {})
        return found

    def years(self, areas: Collection[str], industries: Collection[str]) -> list[tuple[Key, Row]]:
        """Intensities of the years up to its own; of what a tag marks of its own and the one before."""
        if self.only is None:
            return self._read(areas, industries, area_year, ("year", *YEARLY), "year <= ?", self.day.year)
        today = min(self.day, day_of(to_ms(self.at), DEFAULT_ZONE))
        years = {
            year: intensities.of_places(self.connection, self.province, year, today, self.only)
            for year in (self.day.year - 1, self.day.year)
        }
        return [
            (key, {"year": year, **sums.get(key, dict.fromkeys(YEARLY, 0))})
            for year, sums in years.items()
            for key in [(area, of) for area in areas for of in industries]
        ]

    def _times(self, areas: Collection[str], industries: Collection[str]) -> Sums:
        """Times of its month until then: added up from its days, and from production days where one is not stored."""
        first, day = periods.span(self.month)[0], area_day.c.day
        if self.only is not None:
            if self._flows is None:
                self._flows = totals.flows(self.connection, self.province, first, self.day, self.only)
            return self._flows
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
        last = self.month if self.whole else periods.months(self.day, 2)[0]
        return f"{last[:4]}-01", last

    def energy(
        self, areas: Collection[str], industries: Collection[str], months: tuple[str, str] | None = None
    ) -> dict[Key, Energy]:
        """Energy and water of `months`, or of others; first and last, both included."""
        found = {(area, of): Energy() for area in areas for of in industries}
        exact: dict[Key, Fraction] = defaultdict(Fraction)
        these = (self.connection, self.province, found.keys(), months or self.months, self.only, self.day)
        for row in balances.of_places(*these):
            key, carrier, amount = (row.area, row.industry), row.carrier, row.millionths
            here = found[key]
            covered, declared = here.covered.get(carrier, (0, 0))
            here.covered[carrier] = (covered + row.covered, declared + row.declared)
            if amount is None:
                continue
            here.carriers[carrier] = here.carriers.get(carrier, 0) + amount
            day, coefficients = periods.span(row.month)[0], self.province.coefficients
            if carrier != WATER and coefficients.at(carrier, day) is not None:
                exact[key] += coefficients.tce({carrier: amount}, day)
        for key, tce in exact.items():
            found[key].tce = int(tce * 10**6)
        return found

    def trend(
        self,
        areas: Collection[str],
        industries: Collection[str],
        months: Collection[str],
        names: Iterable[str] = (*STOCKS, *FLOWS),
    ) -> dict[tuple[str, str, str], Row]:
        """Stored months of places and industries, and of them what is named; those that are not stored are left out. Of
        what a tag marks they are worked out, without times, unless it marks too much (`LARGE`)."""
        if self.only is not None:
            return self._marked_then(areas, industries, months)
        when = f"month IN ({', '.join('?' * len(months))})"
        rows = self._read(areas, industries, area_month, ("month", *names), when, *months)
        return {(*key, row["month"]): row for key, row in rows}

    def _marked_then(
        self, areas: Collection[str], industries: Collection[str], months: Collection[str]
    ) -> dict[tuple[str, str, str], Row]:
        if not months or self.only is None or self.large:
            return {}
        stored = select(area_month.c.month).where(area_month.c.month.in_(months)).distinct()
        ends = {month: periods.span(month)[1] for month in self.connection.execute(stored).scalars()}
        if not ends:
            return {}
        sums = totals.marked(self.connection, self.province, list(ends.values()), self.only)
        nothing = dict.fromkeys((*STOCKS, *FLOWS), 0)
        return {
            (area, of, month): {"month": month, **nothing, **sums[end].get((area, of), {})}
            for month, end in ends.items()
            for area in areas
            for of in industries
        }

    @property
    def large(self) -> bool:
        """Whether a tag marks so many devices that its past would take longer than anybody waits."""
        if self.only is None:
            return False
        return max((row["ever_registered"] for row in self.worked_out.values()), default=0) > LARGE

    def _read(
        self,
        areas: Collection[str],
        industries: Collection[str],
        table: Table,
        names: Iterable[str],
        period: str,
        *values: object,
    ) -> list[tuple[Key, Row]]:
        """What is named of the sums of places; `period`, `values`: a condition."""
        statement = (
            f"SELECT area, industry, {', '.join(names)} FROM {table.name} WHERE {period}"
            f" AND area IN ({', '.join('?' * len(areas))}) AND industry IN ({', '.join('?' * len(industries))})"
        )
        return [
            ((area, of), dict(zip(names, said, strict=True)))
            for area, of, *said in sql.rows(self.connection, statement, (*values, *areas, *industries))
        ]


def snapshot(
    connection: Connection, province: Province, day: date | None, now: datetime, only: Only | None = None
) -> Snapshot:
    """The sums as of the end of a day that is over; None: now. `only`: of what a tag marks."""
    if day is None:
        newest, ms = sql.first(connection, _NEWEST, (totals.NEWEST,))
        today = day_of(to_ms(now), DEFAULT_ZONE) if newest is None else sql.day_given(newest)
        at = now if ms is None else from_ms(ms)
        if only is not None:
            counts = totals.stocks(connection, province, today, only)
            return Snapshot(connection, province, at, today, running=True, worked_out=counts, only=only)
        return Snapshot(connection, province, at, today, area_day, running=True)
    at = from_ms(bounds(day, DEFAULT_ZONE)[1])
    if only is not None:
        counts = totals.stocks(connection, province, day, only)
        return Snapshot(connection, province, at, day, worked_out=counts, only=only)
    stored, this = area_day, area_day.c.day == day
    if day == periods.span(periods.month_of(day))[1]:
        stored, this = area_month, area_month.c.month == periods.month_of(day)
    if connection.execute(select(stored.c.area).where(this).limit(1)).first() is not None:
        return Snapshot(connection, province, at, day, stored)
    return Snapshot(connection, province, at, day, worked_out=totals.stocks(connection, province, day))


def last_over(connection: Connection, day: date) -> str:
    """The month that was last over at the end of a day."""
    return over_then(day, newest_day(connection))


def newest_day(connection: Connection) -> date | None:
    """The day that was added up last, which runs; None: none was."""
    newest = sql.first(connection, _NEWEST, (totals.NEWEST,))[0]
    return None if newest is None else sql.day_given(newest)


def over_then(day: date, newest: date | None) -> str:
    """The month that was last over at the end of a day: one whose last day runs is not."""
    month = periods.month_of(day)
    over = day == periods.span(month)[1] and newest is not None and day < newest
    return month if over else periods.months(day, 2)[0]


def stock(connection: Connection, province: Province, day: date, key: Key, measure: str) -> int:
    """One count of a place at the end of a day, or until now: stored, or worked out where it is not."""
    month = periods.month_of(day)
    stored = [("area_day", "day", day.isoformat())]
    if day == periods.span(month)[1]:
        stored.insert(0, ("area_month", "month", month))
    for table, period, value in stored:
        statement = f"SELECT {measure} FROM {table} WHERE area = ? AND industry = ? AND {period} = ?"
        found = sql.first(connection, statement, (*key, value))
        if found is not None:
            return int(found[0])
    return totals.stocks(connection, province, day).get(key, {}).get(measure, 0)


def added_up(connection: Connection) -> datetime | None:
    """When the sums of today were added up last; None: never."""
    _, ms = sql.first(connection, _NEWEST, (totals.NEWEST,))
    return None if ms is None else from_ms(ms)
