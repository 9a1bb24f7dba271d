"""Every number of the plan's rows in the invented province, counted from its lists and from what its gateways saw:
plain loops, nothing of the collector's."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from ganpo_demo import fleet as invented
from ganpo_demo import fleet_facts
from ganpo_demo.fleet import Firm
from ganpo_demo.fleet_products import process_meters
from support.recounting import (
    DAY,
    GRADES,
    Dual,
    Recount,
    capacity_uses,
    days,
    days_of,
    declared,
    dual,
    energies,
    leaders,
    months_of,
    node_counts,
    points,
    tagged,
    tce_of,
)

SCHEME = Path(__file__).parents[2] / "cloud/ganpo_cloud/province/assessment.toml"
KINDS = ("cell", "line", "workshop", "factory")
ENTERPRISE_TAGS = (
    "technology_centre",
    "technical_upgrade",
    "integration_standard",
    "integration_benchmark",
    "industrial_platform",
    "green_factory",
)
AREA_TAGS = ("intelligent_base", "green_park", "pilot_comprehensive")
"""Of a place as a whole: of one industry there is none."""
Number = tuple[Any, Any]
"""A number and its denominator in their units; None: nobody knows, or there is none."""


@dataclass(eq=False)
class PlanRecount(Recount):
    """Counts the rows of the plan as of its day `today`. `signed`: areas whose assessment of last year is published."""

    signed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.firms = {firm.code: firm for firm in self.fleet.firms}
        self.statements: dict[tuple[str, str, str], list[dict[str, str]]] = {}
        for row in self.lists["statements"]:
            self.statements.setdefault((row["enterprise"], row["carrier"], row["month"]), []).append(row)

    def plan(self, area: str, industry: str | None) -> dict[str, Number]:
        """By what is measured."""
        day, asked = self.today, {"area": area} | ({"industry": industry} if industry else {})
        overview = self.overview(area, industry, day)
        found: dict[str, Number] = {
            name: (overview[name][1], overview[name][3])
            for name in ("nc_rate_main", "intelligent_count", "enterprise_onboarded", "availability")
        }
        for name, medium in (
            ("energy_intensity", energies(self.province)),
            ("water_intensity", ["water_fresh"]),
        ):
            found[name] = self.intensity(area, industry, medium)
        marked = tagged(self.lists, self.province, area, industry, day)
        names = (
            *ENTERPRISE_TAGS,
            "pilot_special",
            "move_data_centre",
            "move_business_systems",
            "newly_above_scale",
        )
        for name in (*names, *AREA_TAGS):
            found[name] = (
                marked.get(name, (0, None)) if industry is None or name not in AREA_TAGS else (None, None)
            )
        found["move_devices"] = (overview["enterprise_onboarded"][1], None)
        found |= self.nodes(area, industry)
        found |= self.dual_control(area, industry)
        for what in ("energy", "water"):
            ranked = [row for row in self.leaders(area, industry, what).values() if row[1] is not None]
            found[f"{what}_ranked"] = (len(ranked), None)
            found[f"{what}_gap"] = (
                Fraction(sum(row[4] for row in ranked), 10**6) if ranked else None,
                None,
            )
        found["assessment_points"] = (self.assessed(area) if industry is None else None, None)
        here = [one for one in self.signed if area in self.province.above(one)]
        found["assessments_published"] = (len(here) if industry is None else None, None)
        used = capacity_uses(self.lists, self.province, asked | {"as_of": f"{day}"})
        found["capacity_enterprises"] = (len({code for code, _ in used}), None)
        found["capacity_use"] = (None, None)
        if len({product for _, product in used}) == 1:
            made, able = zip(*used.values(), strict=True)
            found["capacity_use"] = (sum(made), sum(able))
        return found | self.banned(area, industry)

    def nodes(self, area: str, industry: str | None) -> dict[str, Number]:
        """How many are recognised, each kind for itself, and lines with workshops."""
        here = node_counts(self.lists, self.province, area, industry, self.today)
        number = {kind: sum(here.get((kind, grade), 0) for grade in GRADES) for kind in KINDS}
        found: dict[str, Number] = {f"nodes_{kind}": (number[kind] if here else None, None) for kind in KINDS}
        return found | {"lines_and_workshops": (number["line"] + number["workshop"] if here else None, None)}

    def dual_control(self, area: str, industry: str | None) -> dict[str, Number]:
        """What the year comes to, and of its limits."""
        told = self.dual(area, industry)
        total, per = self.limit(area, industry, "total_tce"), self.limit(area, industry, "intensity")
        whole = told.whole if told.used or told.whole else None
        value = told.intensity_of_the_year
        return {
            "dual_total": (whole, None),
            "dual_total_ratio": (100 * whole / total if whole is not None and total else None, None),
            "dual_intensity": (value, 1 if value is not None else None),
            "dual_intensity_ratio": (100 * value / per if value is not None and per else None, None),
        }

    @cache  # noqa: B019 - as long as the test
    def dual(self, area: str, industry: str | None, only: str | None = None) -> Dual:
        """At the end of the month that was over last."""
        return dual(self.lists, self.province, self.over, area, industry, self, only)

    @property
    def over(self) -> str:
        """The month that was over last."""
        return f"{self.today.replace(day=1) - DAY:%Y-%m}"

    def limit(self, area: str, industry: str | None, kind: str, code: str = "") -> Fraction | None:
        """Of the year of that month; one document names it."""
        for row in self.lists["limits"]:
            of = (row["area"], row["industry"], row["enterprise"], row["year"], row["kind"])
            if of == ("" if code else area, industry or "", code, self.over[:4], kind):
                return Fraction(row["value"])
        return None

    @cache  # noqa: B019 - as long as the test
    def leaders(self, area: str, industry: str | None, medium: str) -> dict[tuple[str, str], tuple[Any, ...]]:
        """Of the last twelve months."""
        months: list[str] = []
        first = self.today.replace(day=1)
        while len(months) < 12:
            first = (first - DAY).replace(day=1)
            months.insert(0, f"{first:%Y-%m}")
        asked = {"area": area, "medium": medium} | ({"industry": industry} if industry else {})
        return leaders(self.lists, self.province, asked, months, self)

    def intensity(self, area: str, industry: str | None, medium: Iterable[str]) -> Number:
        """Energy (tce) or water (m3) and CNY 10,000 of the newest year of which any is known: of those that cover every
        carrier that they declare, over the months of their value added."""
        medium = [*medium]
        for year in range(self.today.year, self.today.year - 3, -1):
            # What is known of energy or of water makes it the year of both.
            every = [self._per_value(code, year, area, industry) for code in self.firms]
            if any(every):
                mine = [of["water" if medium == ["water_fresh"] else "energy"] for of in every if of]
                some = [of for of in mine if of is not None]
                if not some:
                    return None, None
                return sum(taken for taken, _ in some), sum(cny for _, cny in some) / 10_000
        return None, None

    def _per_value(
        self, code: str, year: int, area: str, industry: str | None
    ) -> dict[str, tuple[Fraction, Fraction] | None] | None:
        firm = self.firms[code]
        if not self.within(firm, area) or industry not in (None, firm.industry):
            return None
        rows = [r for r in self.lists["value_added"] if (r["enterprise"], int(r["year"])) == (code, year)]
        ends = {row["through"] or f"{year}-12": Fraction(row["amount_cny"]) for row in rows}
        over = [month for month in ends if month <= self.over]
        if not over:
            return None
        months = months_of(year, 1, int(max(over)[5:]))
        found: dict[str, tuple[Fraction, Fraction] | None] = {}
        for name, medium in (("energy", energies(self.province)), ("water", ["water_fresh"])):
            carriers = declared(self.lists, code, year, medium)
            known = [sum(self.took(code, carrier, month)[1] for month in months) for carrier in carriers]
            covered = carriers and all(10 * some >= 9 * sum(map(days_of, months)) for some in known)
            amounts = [self.took(code, "water_fresh", month)[0] or Fraction(0) for month in months]
            taken = sum(amounts, Fraction(0))
            if name == "energy":
                taken = tce_of(self, self.province, code, months, medium) or Fraction(0)
            found[name] = (taken, ends[max(over)]) if covered else None
        return found if any(found.values()) else None

    def banned(self, area: str, industry: str | None) -> dict[str, Number]:
        """What may not run, and of it what ran since: each has an alarm, which nobody closed."""
        many = ran = 0
        for row in self.lists["banned"]:
            firm = self.firms[row["enterprise"]]
            if (
                row["since"] > f"{self.today}"
                or not self.within(firm, area)
                or industry not in (None, firm.industry)
            ):
                continue
            many += 1
            since = max(date.fromisoformat(row["since"]), self.fleet.first)
            for tool in firm.watched():
                if tool.asset_no == row["asset_no"] and firm.since is not None:
                    there = days(max(since, firm.since), min(firm.until, self.fleet.last))
                    ran += any(
                        state in ("PRODUCING", "SETUP")
                        for day in there
                        for _, state in fleet_facts.states(self.fleet.seed, firm, tool, day).runs
                    )
        return {"banned": (many, None), "banned_ran": (ran, None), "banned_alarms": (ran, None)}

    def assessed(self, area: str) -> Fraction | None:
        """Points of a city or county in the year that runs."""
        if area == self.province.whole:
            return None
        return Fraction(sum(self.items(area).values()), 10)

    def items(self, area: str) -> dict[str, int]:
        """Tenths of a point by item of the scheme."""
        overview, dual_control = self.overview(area, None, self.today), self.dual_control(area, None)
        values: dict[str, Fraction | int | None] = {
            name: number for name, (number, _) in dual_control.items()
        }
        told, limit = self.dual(area, None), self.limit(area, None, "total_tce")
        above = limit is not None and max(told.used, told.whole or 0) > limit
        if 10 * told.covered < 9 * told.months and not above:
            values["dual_total_ratio"] = None  # not judged
        if 10 * told.valued < 9 * told.enterprises:
            values["dual_intensity_ratio"] = None
        for name in ("nc_rate_main", "completeness"):
            some, every = overview[name][1], overview[name][3]
            values[name] = Fraction(100 * some, every) if every else None
        found = {}
        for item in tomllib.loads(SCHEME.read_text(encoding="utf-8"))["item"]:
            value, most = values[item["measure"]], item["max"]
            number = None if value is None else Fraction(value)
            if item["rule"] == "linear":
                found[item["id"]] = points(number, most, item["full"], item["zero"])
            else:
                found[item["id"]] = 10 * most if number is not None and number >= item["full"] else 0
        return found

    @cache  # noqa: B019 - as long as the test
    def took(self, code: str, carrier: str, month: str) -> tuple[Fraction | None, int]:
        """Of a carrier in a month in its unit by meters, by statement where they see less than 90 % of it, and what is
        stated beside them; and the days that somebody vouches for."""
        amount: Fraction | None = None
        seen, metered = 0, False
        firm = self.firms[code]
        for gauge in firm.gauges:
            if gauge.carrier == carrier and firm.since is not None:
                metered = True
                counts, seen = self._read(firm, gauge.register, month)
                if counts is not None:
                    amount = Fraction(counts, gauge.den)
        for row in self.statements.get((code, carrier, month), ()):
            if row["part"] == "unmetered":
                amount = (amount or 0) + Fraction(row["quantity"])
                seen = seen if metered else days_of(month)
            else:
                amount = amount if 10 * seen >= 9 * days_of(month) else Fraction(row["quantity"])
                seen = days_of(month)
        return amount, seen

    def metered(self, code: str, meter: str, month: str) -> tuple[str, Fraction, int] | None:
        """What a process meter measures, how much in a month, and on how many days."""
        firm = self.firms[code]
        for gauge in process_meters(firm):
            if gauge.asset_no == meter and firm.since is not None:
                counts, seen = self._read(firm, gauge.register, month)
                return gauge.carrier, Fraction(counts or 0, gauge.den), seen
        return None

    def _read(self, firm: Firm, register: str, month: str) -> tuple[int | None, int]:
        """How far a register went in a month, and how many whole days of it lie between its first and last reading."""
        readings, first = self.readings(firm)[register], date.fromisoformat(f"{month}-01")
        every = days(first, first + (days_of(month) - 1) * DAY)
        begun, newest = readings[0][0], readings[-1][0]
        if newest <= invented.midnight(first) or begun >= invented.midnight(every[-1] + DAY):
            return None, 0
        seen = sum(
            begun <= invented.midnight(day) and invented.midnight(day + DAY) <= newest for day in every
        )
        return self.used(firm, register, first, every[-1]), seen

    def works(self, code: str, day: date) -> bool:
        """Whether a day is planned; where no gateway says when it works every day is."""
        firm = self.firms[code]
        return firm.since is None or bool(self.planned(firm.pattern, day))
