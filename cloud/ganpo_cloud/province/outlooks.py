"""What a year is expected to come to in energy and value added, as told at the end of each of its months: of every
enterprise, and by place and industry (metrics.md section 5, dual control)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import lcm
from typing import Any

from sqlalchemy import Connection, delete, select

from ganpo_cloud.days import periods
from ganpo_cloud.days.planned import PlannedDays
from ganpo_cloud.province.balances import LARGEST, homes
from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_cloud.province.measures import on
from ganpo_cloud.province.places import add, roll_up
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import OUTLOOK, area_outlook, ledger, outlook
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import OUTLOOKS
from ganpo_cloud.store.tables import counter
from ganpo_model.projection import COVERED, Course
from ganpo_model.units import MILLION

_SAID = """SELECT enterprise, area, carrier, month, millionths, covered_days, declared FROM balance
WHERE month >= ? AND month <= ?"""
_NOTHING: Mapping[str, int] = dict.fromkeys(OUTLOOK, 0)
Used = Mapping[str, Mapping[str, Fraction]]
"""tce by enterprise and place; what nobody knows is not there."""


def mark(connection: Connection, months: Iterable[str], today: date) -> None:
    """These months are told otherwise now, and all that follow, as far as they are over: this year's are next year's
    before."""
    over = [int(month.replace("-", "")) for month in months if month < periods.month_of(today)]
    if over:
        since = waits(connection)
        sql.replace(connection, counter, [(OUTLOOKS, min(over) if since is None else min(*over, since))])


def waits(connection: Connection) -> int | None:
    """From which month on they have to be worked out again; None: nothing waits."""
    return connection.execute(select(counter.c.value).where(counter.c.name == OUTLOOKS)).scalar()


def recompute(database: Database, province: Province, today: date) -> int:
    """Work out again what is marked, of the months that are over. Gives how many months.

    Reads alone while it works out, so that frames are stored meanwhile. Who marks months is who calls this, one after
    the other; who marks all of them meanwhile (`marks.planned_anew`) is answered by the next call.
    """
    with database.read() as connection:
        if (since := waits(connection)) is None:
            return 0
        over = periods.months(today, periods.MONTHS)[:-1]
        known = _Known(connection, province)
        found = {
            month: _add_up(connection, province, month, known, today)
            for month in over
            if int(month.replace("-", "")) >= since
        }
    with database.write() as connection:
        for month, (rows, sums) in found.items():
            sql.replace(connection, outlook, rows, month=month)
            sql.replace(connection, area_outlook, sums, month=month)
        connection.execute(delete(counter).where(counter.c.name == OUTLOOKS, counter.c.value == since))
    return len(found)


def forget(connection: Connection, before: str) -> None:
    """Let go what was told at the ends of months before one."""
    for table in (outlook, area_outlook):
        connection.execute(delete(table).where(table.c.month < before))


def _metered(connection: Connection, day: date) -> Mapping[str, Collection[str]]:
    """The places where each enterprise has meters on a day."""
    c = ledger.c
    found: dict[str, set[str]] = defaultdict(set)
    for code, area in connection.execute(
        select(c.enterprise, c.area).where(c.kind == "meter", on(day)).distinct()
    ):
        found[code].add(area)
    return found


def _add_up(
    connection: Connection, province: Province, month: str, known: "_Known", today: date
) -> tuple[list[sql.Row], list[sql.Row]]:
    """The rows of `outlook`, of every enterprise, and of `area_outlook`."""
    year, number = int(month[:4]), int(month[5:])
    day = min(periods.span(month)[1], today)
    at_home, metered = homes(connection, day), _metered(connection, day)
    planned = known.planned(year)
    added = _Added(connection, year, month)
    now, before = known.used(year, 1, number), known.used(year - 1, 1, number)
    rest = known.used(year - 1, number + 1, 12)
    covered, covered_before = known.covered(year, number), known.covered(year - 1, 12)
    rows: list[sql.Row] = []
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for code in {*now, *before, *rest, *covered}:
        home, industry = at_home.get(code, (province.whole, OTHER))
        same, others = _sum(before, code), _sum(rest, code)
        both = min(covered.get(code, Fraction()), covered_before.get(code, Fraction()))
        days = planned.of(code, periods.span(month)[1])
        course = Course(_sum(now, code), same, others or 0, *days, both)
        firm = _Firm(code, home, industry, course, covered.get(code))
        # Quantities count where they are taken, what is ahead where it is now; an enterprise once.
        shares = firm.shares(now, metered.get(code, ()))
        places = {*shares, *(area for of in (now, before, rest) for area in of.get(code, ()))} or {home}
        here = (((area, industry), firm.at(area, shares, before, rest)) for area in places)
        for key, values in roll_up(province, here, _NOTHING).items():
            add(sums.setdefault(key, dict(_NOTHING)), values | {f"by_{course.method}": 1})
        firm.add_value(added, known, planned)
        for key, values in roll_up(province, [((home, industry), firm.counted)], _NOTHING).items():
            add(sums.setdefault(key, dict(_NOTHING)), values)
        last_year = None if same is None and others is None else (same or 0) + (others or 0)
        rows.append(firm.row(month, last_year))
    return rows, [(*key, month, *(min(row[name], LARGEST) for name in OUTLOOK)) for key, row in sums.items()]


class _Known:
    """What balances and calendars say of years, each asked once."""

    def __init__(self, connection: Connection, province: Province) -> None:
        self._connection, self._province = connection, province
        denominators = (row.kgce.denominator for row in province.coefficients.rows)
        self._parts = lcm(*denominators)
        self._years: dict[int, dict[str, dict[str, list[int | None]]]] = {}
        self._days: dict[int, dict[tuple[str, str], list[int]]] = {}
        self._planned: dict[int, PlannedDays] = {}
        self._until: dict[tuple[int, int], dict[str, Fraction]] = {}
        self._covered: dict[tuple[int, int], dict[str, Fraction]] = {}

    def planned(self, year: int) -> PlannedDays:
        """The planned days of a year."""
        if year not in self._planned:
            self._planned[year] = PlannedDays(self._connection, self._province.holidays, year)
        return self._planned[year]

    def used(self, year: int, first: int, last: int) -> Used:
        """tce from one month of a year to another, both included."""
        self._read(year)
        found: dict[str, dict[str, Fraction]] = {}
        for code, places in self._years[year].items():
            for area, months in places.items():
                known = [parts for parts in months[first - 1 : last] if parts is not None]
                if known:
                    found.setdefault(code, {})[area] = Fraction(sum(known), 10**9 * self._parts)
        return found

    def used_until(self, year: int, last: int) -> dict[str, Fraction]:
        """tce from January to a month, by enterprise."""
        if (year, last) not in self._until:
            used = self.used(year, 1, last)
            self._until[year, last] = {code: sum(of.values(), Fraction()) for code, of in used.items()}
        return self._until[year, last]

    def covered(self, year: int, last: int) -> dict[str, Fraction]:
        """How much of the days from January to a month is covered, by enterprise: of the declared carrier of which it
        is the least; who declares none is not there."""
        self._read(year)
        if (year, last) in self._covered:
            return self._covered[year, last]
        whole = (periods.span(f"{year}-{last:02d}")[1] - date(year, 1, 1)).days + 1
        least: dict[str, Fraction] = {}
        for (code, _), months in self._days[year].items():
            least[code] = min(least.get(code, Fraction(1)), Fraction(sum(months[:last]), whole))
        self._covered[year, last] = least
        return least

    def _read(self, year: int) -> None:
        """By enterprise, place and month what was used, in whole parts of a tonne that no coefficient divides further;
        and of each declared carrier the days that are covered."""
        if year in self._years:
            return
        coefficients, parts = self._province.coefficients, self._parts
        months = [f"{year}-{number:02d}" for number in range(1, 13)]
        at = {month: number for number, month in enumerate(months)}
        kgce: dict[str, list[int | None]] = {}
        for carrier in coefficients.carriers:
            of_months = (coefficients.at(carrier, periods.span(month)[0]) for month in months)
            kgce[carrier] = [None if of is None else int(of.kgce * parts) for of in of_months]
        used: dict[str, dict[str, list[int | None]]] = {}
        days: dict[tuple[str, str], list[int]] = {}
        for code, area, carrier, month, millionths, covered, declared in sql.rows(
            self._connection, _SAID, (months[0], months[-1])
        ):
            if (factors := kgce.get(carrier)) is None:
                continue
            n = at[month]
            if millionths is not None and (factor := factors[n]) is not None:
                here = used.setdefault(code, {}).setdefault(area, [None] * 12)
                here[n] = (here[n] or 0) + int(millionths) * factor
            if declared:
                days.setdefault((code, carrier), [0] * 12)[n] = covered  # at all its places together
        self._years[year], self._days[year] = used, days


class _Added:
    """Value added of a year as it is known at the end of a month, and of the year before."""

    def __init__(self, connection: Connection, year: int, month: str) -> None:
        self._of: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
        self._year, self._month = year, month
        table = registry.value_added
        for row in connection.execute(select(table).where(table.c.year.in_((year, year - 1)))):
            self._of[row.enterprise, row.year][row.through or f"{row.year}-12"] = row.fen

    def newest(self, code: str) -> tuple[str, int] | None:
        """The month until which most is known of the year, not beyond the one that is asked for, and how much."""
        return max(
            ((m, fen) for m, fen in self._of[code, self._year].items() if m <= self._month), default=None
        )

    def before(self, code: str, through: str) -> tuple[int | None, int]:
        """Last year until the same month, and after it; None where one of both is not known."""
        last = self._of[code, self._year - 1]
        same, whole = last.get(f"{self._year - 1}{through[4:]}"), last.get(f"{self._year - 1}-12")
        return (None, 0) if same is None or whole is None else (same, whole - same)


@dataclass(slots=True)
class _Firm:
    """One enterprise. `covered`: of the days of this year; None: it declares no energy."""

    code: str
    home: str
    industry: str
    course: Course
    covered: Fraction | None
    counted: dict[str, int] = field(default_factory=dict)
    through: str = ""

    def shares(self, now: Used, metered: Collection[str]) -> Mapping[str, Fraction]:
        """What it used so far, by the places where the rest of the year will be used: what papers say of a home that it
        has left goes on at its home."""
        found: dict[str, Fraction] = defaultdict(Fraction)
        for area, used in now.get(self.code, {}).items():
            found[area if area in metered else self.home] += used
        return found

    def at(self, area: str, shares: Mapping[str, Fraction], before: Used, rest: Used) -> dict[str, int]:
        """What it adds at one of its places."""
        course, here = self.course, shares.get(area, Fraction())
        ahead = course.ahead * here / course.so_far if course.ahead and course.so_far else Fraction()
        last = sum((of.get(self.code, {}).get(area, Fraction()) for of in (before, rest)), Fraction())
        lost = last if course.method == "none" else Fraction()
        return {"ahead": _millionths(ahead), "last_year": _millionths(last), "lost": _millionths(lost)}

    def add_value(self, added: _Added, known: _Known, planned: PlannedDays) -> None:
        """What it adds to intensities: value added of this year, and energy of the same months that is covered."""
        if self.covered is None:
            return
        self.counted["energy_declared"] = 1
        if (newest := added.newest(self.code)) is None:
            return
        self.through, fen = newest
        self.counted["valued"] = 1
        until = int(self.through[:4]), int(self.through[5:])
        tce = known.used_until(*until).get(self.code)
        if tce is None or fen <= 0 or known.covered(*until).get(self.code, Fraction()) < COVERED:
            return
        self.counted |= {"added_enterprises": 1, "added_millionths": _millionths(tce), "added_fen": fen}
        same, rest = added.before(self.code, self.through)
        course = Course(fen, same, rest, *planned.of(self.code, periods.span(self.through)[1]), Fraction(1))
        if self.course.whole is not None and course.whole:
            self.counted |= {
                "expected_enterprises": 1,
                "expected_millionths": _millionths(self.course.whole),
                "expected_fen": int(course.whole),
            }

    def row(self, month: str, last_year: Fraction | int | None) -> sql.Row:
        """Its row of `outlook`."""
        course = self.course
        amounts = (None if of is None else _millionths(of) for of in (course.so_far, course.ahead, last_year))
        more = (self.counted.get(name) for name in ("added_millionths", "added_fen", "expected_fen"))
        head, covered = (self.code, month, self.home, self.industry), _millionths(self.covered or 0)
        return (*head, *amounts, course.method, course.gone, course.planned, covered, self.through, *more)


def _sum(of: Used, code: str) -> Fraction | None:
    return sum(of[code].values(), Fraction()) if code in of else None


def _millionths(of: Fraction | int) -> int:
    """Rounded towards zero, once an enterprise and place; as much as can be stored."""
    return max(min(int(of * MILLION), LARGEST), -LARGEST)
