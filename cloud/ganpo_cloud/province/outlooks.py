"""What a year is expected to come to in energy and value added, as told at the end of each of its months: of every
enterprise, and by place and industry (metrics.md section 5, dual control)."""

from collections import defaultdict
from collections.abc import Mapping
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
from ganpo_cloud.province.places import add, roll_up
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import OUTLOOK, area_outlook, outlook
from ganpo_model.projection import COVERED, Course
from ganpo_model.units import MILLION

_USED = """SELECT enterprise, area, carrier, month, millionths FROM balance
WHERE month >= ? AND month <= ? AND millionths IS NOT NULL"""
_COVERED = """SELECT enterprise, carrier, month, max(covered_days) FROM balance
WHERE month >= ? AND month <= ? AND declared GROUP BY enterprise, carrier, month"""
_NOTHING: Mapping[str, int] = dict.fromkeys(OUTLOOK, 0)
Used = Mapping[str, Mapping[str, Fraction]]
"""tce by enterprise and place; what nobody knows is not there."""


def recompute(connection: Connection, province: Province, changed: set[str], today: date) -> None:
    """Work out again the months that are over and told otherwise once others have changed: these, and all that
    follow, for this year's are next year's before."""
    over = periods.months(today, periods.MONTHS)[:-1]
    known = _Known(connection, province)
    for month in over:
        if month >= min(changed):
            _add_up(connection, province, month, known, today)


def forget(connection: Connection, before: str) -> None:
    """Let go what was told at the ends of months before one."""
    for table in (outlook, area_outlook):
        connection.execute(delete(table).where(table.c.month < before))


def _add_up(connection: Connection, province: Province, month: str, known: "_Known", today: date) -> None:
    """`outlook` of every enterprise, then `area_outlook`."""
    year, number = int(month[:4]), int(month[5:])
    at_home = homes(connection, min(periods.span(month)[1], today))
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
        # Quantities count where they are taken, each place with its share of what is ahead; an enterprise once.
        places = {area for of in (now, before, rest) for area in of.get(code, ())} or {home}
        here = (((area, industry), firm.at(area, now, before, rest)) for area in places)
        for key, values in roll_up(province, here, _NOTHING).items():
            add(sums.setdefault(key, dict(_NOTHING)), values | {f"by_{course.method}": 1})
        firm.add_value(added, known, planned)
        for key, values in roll_up(province, [((home, industry), firm.counted)], _NOTHING).items():
            add(sums.setdefault(key, dict(_NOTHING)), values)
        last_year = None if same is None and others is None else (same or 0) + (others or 0)
        rows.append(firm.row(month, last_year))
    sql.replace(connection, outlook, rows, month=month)
    summed = ((*key, month, *(min(row[name], LARGEST) for name in OUTLOOK)) for key, row in sums.items())
    sql.replace(connection, area_outlook, summed, month=month)


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
        if year not in self._years:
            self._years[year] = self._read(year)
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
        if year not in self._days:
            self._days[year] = defaultdict(lambda: [0] * 12)
            span = (f"{year}-01", f"{year}-12")
            for code, carrier, month, days in sql.rows(self._connection, _COVERED, span):
                if carrier in self._province.coefficients.carriers:
                    self._days[year][code, carrier][int(month[5:]) - 1] = int(days)
        if (year, last) in self._covered:
            return self._covered[year, last]
        whole = (periods.span(f"{year}-{last:02d}")[1] - date(year, 1, 1)).days + 1
        least: dict[str, Fraction] = {}
        for (code, _), months in self._days[year].items():
            least[code] = min(least.get(code, Fraction(1)), Fraction(sum(months[:last]), whole))
        self._covered[year, last] = least
        return least

    def _read(self, year: int) -> dict[str, dict[str, list[int | None]]]:
        """By enterprise, place and month, in whole parts of a tonne that no coefficient divides further."""
        kgce: dict[tuple[str, str], int | None] = {}
        found: dict[str, dict[str, list[int | None]]] = defaultdict(lambda: defaultdict(lambda: [None] * 12))
        for code, area, carrier, month, millionths in sql.rows(
            self._connection, _USED, (f"{year}-01", f"{year}-12")
        ):
            if (carrier, month) not in kgce:
                of = self._province.coefficients.at(carrier, periods.span(month)[0])
                kgce[carrier, month] = None if of is None else int(of.kgce * self._parts)
            if (parts := kgce[carrier, month]) is not None:
                months, at = found[code][area], int(month[5:]) - 1
                months[at] = (months[at] or 0) + int(millionths) * parts
        return found


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

    def at(self, area: str, now: Used, before: Used, rest: Used) -> dict[str, int]:
        """What it adds at one of its places."""
        course, here = self.course, now.get(self.code, {}).get(area, Fraction())
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
