"""Dual control (双控): limits on energy use and on intensity of a year, what the year will come to, and how both stand
to each other (metrics.md section 5). Told at the ends of months."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any, Literal

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import limits
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.indicators import YUAN_10000
from ganpo_cloud.province.limits import KINDS, Kind, Limit
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.snapshots import Energy, Snapshot, last_over
from ganpo_cloud.province.targets import Target
from ganpo_cloud.province.within import within
from ganpo_cloud.store import exact
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ALL, area_outlook, balance, ledger, outlook
from ganpo_cloud.store.described import Month, Ratio, answer, said
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds
from ganpo_model.clock import from_ms
from ganpo_model.projection import COVERED, Light, light
from ganpo_model.units import MILLION

Scope = Literal["area", "industry", "enterprise"]
PAGE = "/dual-control"
LOST = Fraction(1, 10)
"""Enterprises without a projection may have held so much of last year's energy; else none is told of the place."""
OURS = "the plan asks for the regime; formula and colours are our definition"
NO_LIMIT = "no limit is entered for this year"
NOTHING_KNOWN = "nothing is known of this year's energy"
TOO_LITTLE = (
    "30 planned days are not gone, or enterprises without a projection held over 10% of last year's energy"
)
NOT_COVERED = "less than 90% of what is declared is covered"
NO_METHOD: Mapping[str, Any] = {"by_last_year": 0, "by_linear": 0, "by_none": 0}
NO_VALUE = "no value added of the year"
OTHER_BASIS = "the limit is in prices of another year than the value added"
MEASURED: tuple[Measured, ...] = (
    Measured(
        "dual_total",
        "T22",
        "Energy use projected for the year",
        "P = to date + rest of last year x to date / to date of last year, else evenly over planned days",
        "tce",
        OURS,
        "quantity",
    ),
    Measured(
        "dual_total_ratio",
        "T22",
        "Projected energy use, of its limit",
        "r = P / limit on the total",
        "%",
        OURS,
        "quantity",
    ),
    Measured(
        "dual_intensity",
        "T22",
        "Energy intensity projected for the year",
        "P of energy / P of value added, of the same enterprises",
        "tce / 10,000 CNY",
        OURS,
        "intensity",
    ),
    Measured(
        "dual_intensity_ratio",
        "T22",
        "Projected energy intensity, of its limit",
        "r = projected intensity / limit on intensity",
        "%",
        OURS,
        "quantity",
    ),
)
NOTES: tuple[str, ...] = (NO_LIMIT, NOTHING_KNOWN, TOO_LITTLE, NOT_COVERED, NO_VALUE, OTHER_BASIS)


@answer
class Course:
    """How a place, an industry or an enterprise stands to its limit of a year, as told at the end of a month."""

    scope: Scope = said("whether it is told of an area, an industry or an enterprise", "area")
    area: str = said("id of the area; of an enterprise its home", "360100")
    industry: str | None = said("id of the industry; null: all", "STEEL")
    enterprise: str | None = said("unified social credit code; null: of a place", "91360000625912173B")
    name: str | None = said("name of the enterprise", "江西铜业")
    kind: Kind = said("total_tce: energy use; intensity: energy per value added", "total_tce")
    month: Month
    limit: Limit | None = said("the one that counts: entered last; null: none")
    others: Sequence[Limit] = said("what other documents say of the same year; they do not count")
    to_date: Ratio | None = said(
        "energy (tce), of an intensity over value added (10,000 CNY) of the same months; null: nobody knows",
        rate=False,
        scale=MILLION,
    )
    projected: Ratio | None = said(
        "the same of the whole year; null: nobody can tell", rate=False, scale=MILLION
    )
    r: Ratio | None = said("projected / limit, exactly; null: one of both is missing")
    light: Light = said(
        "green: within the limit; yellow: near it; red: above it, or expected to be;"
        " hatched: less than 90% is covered; none: no limit, or no projection",
        "green",
    )
    covered: Ratio | None = said(
        "carrier-months that are covered of those declared; of an enterprise its days, in millionths;"
        " of an intensity enterprises in it of those that declare energy; null: nothing is declared"
    )
    by_last_year: int = said("enterprises whose rest of the year follows last year's", 12)
    by_linear: int = said("enterprises whose rest goes on evenly over planned days", 3)
    by_none: int = said("enterprises without a projection", 1)
    through: str | None = said("of an intensity of an enterprise: until when value added is known", "2026-09")
    why: str = said("why a number or its status is missing; empty: nothing is", "")

    def value(self, of: Ratio | None) -> Fraction | None:
        """A number in its unit."""
        if of is None or of.numerator is None:
            return None
        if self.kind == "total_tce":
            return Fraction(of.numerator, MILLION)
        return Fraction(of.numerator * YUAN_10000, MILLION * of.denominator) if of.denominator else None

    @property
    def share(self) -> Fraction | None:
        """r."""
        return None if self.r is None else Fraction(self.r.numerator or 0, self.r.denominator or 1)

    @property
    def exceeded(self) -> bool:
        """Whether what was used already is more than the limit, and not only what is expected of the year."""
        so_far = self.value(self.to_date)
        return self.limit is not None and so_far is not None and so_far > self.limit.number

    @property
    def key(self) -> str:
        """What it is of, as a limit names it."""
        return self.enterprise or self.area


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a year. `of`: whose it is and by which methods, by the names of `Course`; `why`: there is no
    projection."""

    of: Mapping[str, Any]
    kind: Kind
    to_date: Ratio | None
    projected: Ratio | None
    covered: Ratio | None
    why: str = ""


class DualControl:
    """The courses of one month: limits and price bases of its year are read once."""

    def __init__(self, connection: Connection, province: Province, month: str) -> None:
        self._connection, self._province, self.month = connection, province, month
        self._limits = limits.of_year(connection, int(month[:4]))
        table = registry.value_added
        bases = select(table.c.price_basis).where(table.c.year == int(month[:4])).limit(1)
        self._basis = connection.execute(bases).scalar()

    def places(self, areas: Sequence[str], industries: Sequence[str]) -> list[Course]:
        """The total and the intensity of every area in every industry (ALL: in all)."""
        table = area_outlook
        mine = table.c.area.in_(areas) & table.c.industry.in_(industries) & (table.c.month == self.month)
        rows = {(row.area, row.industry): row for row in self._connection.execute(select(table).where(mine))}
        first, last = f"{self.month[:4]}-01", periods.span(self.month)[1]
        at = Snapshot(self._connection, self._province, from_ms(bounds(last, DEFAULT_ZONE)[1]), last)
        energies = at.energy(areas, industries, (first, self.month))
        every = [(area, of) for area in areas for of in industries]
        return [self._place(key, kind, rows.get(key), energies[key]) for key in every for kind in KINDS]

    def enterprises(self, area: str, industry: str) -> list[Course]:
        """Every limit on an enterprise of an area and an industry (ALL: of all), by name."""
        table = registry.limit.c
        codes = select(table.enterprise).where(table.year == int(self.month[:4]), table.enterprise != "")
        mine = (outlook.c.month == self.month) & outlook.c.enterprise.in_(codes)
        rows = {row.enterprise: row for row in self._connection.execute(select(outlook).where(mine))}
        firms = (ledger.c.kind == "enterprise") & ledger.c.enterprise.in_(codes)
        named = select(ledger.c.enterprise, ledger.c.name, ledger.c.area, ledger.c.industry)
        ordered = named.where(firms & (ledger.c.since <= periods.span(self.month)[1])).order_by(
            ledger.c.since
        )
        found = []
        for firm in {row.enterprise: row for row in self._connection.execute(ordered)}.values():
            above = (*self._province.above(firm.area), self._province.whole)
            if area in above and industry in (ALL, firm.industry):
                found += [
                    self._enterprise(firm, kind, rows.get(firm.enterprise))
                    for kind in KINDS
                    if ("", "", firm.enterprise, kind) in self._limits
                ]
        return sorted(found, key=lambda row: (row.name or "", row.enterprise or "", KINDS.index(row.kind)))

    def limited(self, area: str, industry: str) -> Fraction:
        """tce that enterprises with a limit of their own took at a place so far, in the months of the sheet."""
        of, c = registry.limit.c, balance.c
        year = int(self.month[:4])
        codes = select(of.enterprise).where(of.year == year, of.kind == "total_tce", of.enterprise != "")
        here = within(self._province, area, industry or None, c)
        query = select(c.carrier, c.month, *exact.summed(c.millionths)).where(c.enterprise.in_(codes), *here)
        query = query.where(c.month.between(f"{year}-01", self.month)).group_by(c.carrier, c.month)
        coefficients = self._province.coefficients
        taken = (
            coefficients.tce({row.carrier: exact.millionths(row)}, periods.span(row.month)[0])
            for row in self._connection.execute(query)
        )
        return sum(taken, Fraction())

    def _place(self, key: tuple[str, str], kind: Kind, row: Any, used: Energy) -> Course:
        area, industry = key
        of: dict[str, Any] = {"scope": "industry" if industry else "area", "area": area}
        of["industry"] = industry or None
        of |= {name: getattr(row, name) if row else 0 for name in ("by_last_year", "by_linear", "by_none")}
        told = row is not None and row.by_last_year + row.by_linear > 0 and row.lost <= LOST * row.last_year
        if kind == "intensity":
            return self._judged(_Known(of, kind, *_per_value(row, "added_fen", told=told)))
        carriers = [
            n for carrier, n in used.covered.items() if carrier in self._province.coefficients.carriers
        ]
        some, every = (sum(n[at] for n in carriers) for at in (0, 1))
        to_date = None if used.tce is None else Ratio(used.tce, None)
        projected = Ratio(used.tce + row.ahead, None) if used.tce is not None and told else None
        why = "" if projected else NOTHING_KNOWN if to_date is None else TOO_LITTLE
        return self._judged(_Known(of, kind, to_date, projected, Ratio(some, every) if every else None, why))

    def _enterprise(self, firm: Any, kind: Kind, row: Any) -> Course:
        of = {"scope": "enterprise", "area": firm.area, "industry": firm.industry}
        of |= {"enterprise": firm.enterprise, "name": firm.name}
        if row is None:
            return self._judged(_Known(of, kind, None, None, None, NOTHING_KNOWN))
        of[f"by_{row.method}"] = 1
        known = row.so_far is not None and row.ahead is not None
        whole = row.so_far + row.ahead if known else None
        if kind == "intensity":
            of["through"] = row.through or None
            added = None if row.added_fen is None else Ratio(row.added_millionths, row.added_fen)
            expected = Ratio(whole, row.expected_fen) if row.expected_fen and known else None
            why = (
                ""
                if expected
                else NO_VALUE
                if not row.through
                else NOT_COVERED
                if added is None
                else TOO_LITTLE
            )
            return self._judged(_Known(of, kind, added, expected, Ratio(row.covered, MILLION), why))
        to_date = None if row.so_far is None else Ratio(row.so_far, None)
        why = "" if known else NOTHING_KNOWN if to_date is None else TOO_LITTLE
        projected = Ratio(whole, None) if known else None
        return self._judged(_Known(of, kind, to_date, projected, Ratio(row.covered, MILLION), why))

    def _judged(self, known: _Known) -> Course:
        """Against the limit that counts."""
        of, kind = known.of, known.kind
        place = ("", "") if of.get("enterprise") else (of["area"], of["industry"] or ALL)
        said_so = self._limits.get((*place, of.get("enterprise") or "", kind), [])
        nobody = {"industry": None, "enterprise": None, "name": None, "through": None}
        bare = Course(
            **{**nobody, **NO_METHOD, **of},
            kind=kind,
            month=self.month,
            limit=said_so[0] if said_so else None,
            others=said_so[1:],
            to_date=known.to_date,
            projected=known.projected,
            r=None,
            light="none",
            covered=known.covered,
            why=known.why,
        )
        if bare.limit is None:
            return bare
        if kind == "intensity" and self._basis not in (None, bare.limit.price_basis):
            return replace(bare, why=OTHER_BASIS)
        whole, so_far, share = bare.value(bare.projected), bare.value(bare.to_date), known.covered
        covered = share is not None and (share.numerator or 0) >= COVERED * (share.denominator or 0)
        near, above = self._province.lights
        grows = so_far if kind == "total_tce" else None
        found = light(whole, bare.limit.number, so_far=grows, covered=covered, near=near, above=above)
        r = None if whole is None else whole / bare.limit.number
        told = NOT_COVERED if found == "hatched" else bare.why
        return replace(
            bare, r=None if r is None else Ratio(r.numerator, r.denominator), light=found, why=told
        )


def _per_value(row: Any, of: str, *, told: bool) -> tuple[Ratio | None, Ratio | None, Ratio | None, str]:
    """The intensity of a place to date and projected, how many enterprises are in it, and why there is none."""
    if row is None or not row.energy_declared:
        return None, None, None, NOTHING_KNOWN
    covered = Ratio(row.added_enterprises, row.energy_declared)
    if not row.added_fen:
        return None, None, covered, NOT_COVERED if row.valued else NO_VALUE
    expected = Ratio(row.expected_millionths, row.expected_fen) if told and row.expected_fen else None
    return Ratio(row.added_millionths, row.added_fen), expected, covered, "" if expected else TOO_LITTLE


def _numbers(of: Ratio | None) -> tuple[int | None, int | None]:
    return (None, None) if of is None else (of.numerator, of.denominator)


def standings(at: At) -> Iterable[Standing]:
    """What a year is projected to, and how that stands to its limits, rounded up to millionths of a percent. The limit
    that counts is the target of both."""
    control = DualControl(at.connection, at.province, last_over(at.connection, at.day))
    for name, course in zip(
        ("dual_total", "dual_intensity"), control.places([at.area], [at.industry]), strict=True
    ):
        told, unsure = course.projected, course.light == "hatched"
        yield Standing(name, *_numbers(told), PAGE, course.why, _asked(course), unsure)
        why = course.why or ("" if course.limit else NO_LIMIT)
        percent = None if (r := course.share) is None else ceil(100 * MILLION * r)
        yield Standing(f"{name}_ratio", percent, None, PAGE, why, _asked(course, "100"), unsure)


def _asked(course: Course, value: str | None = None) -> Target | None:
    """The limit of a course, as what its number is to keep; None: none, or one that it cannot be compared with."""
    of = course.limit
    if of is None or course.why == OTHER_BASIS:
        return None
    told = (value or of.value, date(int(course.month[:4]), 12, 31), of.document, of.by, of.recorded_at)
    here = (course.area, course.industry or ALL)
    return Target("T22", "<=", *told, *here, plan=told[1], beside=len(course.others), page=PAGE)
