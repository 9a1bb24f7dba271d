"""The province's numbers at an instant, for any area and industry, each judged once: with its denominator, how many
enterprises stand behind it, its completeness, its target and its pace (metrics.md sections 4 to 7). Whoever shows or
publishes a number reads it here."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.definitions import DEFINITIONS, Definition
from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_cloud.province.pace import LEAST_CHANGE, LEAST_OF_INTENSITY, OVER_MONTHS, Pace, pace
from ganpo_cloud.province.places import Key
from ganpo_cloud.province.snapshots import Energy, Snapshot
from ganpo_cloud.province.targets import Target, Targets, month_over, year_over
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ALL
from ganpo_model.coverage import reaches
from ganpo_model.energy import WATER

MONTHS = 12
YUAN_10000 = 1_000_000
"""Fen in 10,000 CNY."""
_EVER = "ever_registered"
"""Of a stored month: nothing is known of a place where this is 0."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What is known of a target whose deadline has passed. `day`: the deadline; `period`: the month that was over then,
    of an intensity the year; `checked`, `denominator`: what stood then against the target, None: there were no data.
    `since`: the month at whose end, or the year in which, it first was as it is now (reached, or not) without a break,
    empty where none is known; `ever`: it was so in every one that is known."""

    day: date
    period: str
    checked: int | None
    denominator: int | None
    since: str
    ever: bool


@dataclass(frozen=True, slots=True)
class Indicator:
    """One number as it is judged. None: nobody knows. `declared`, `proven`: None where evidence has no meaning, and all
    there is stands as `checked`. `behind`, `of`: m of N enterprises, N None where nobody said, both None of a quantity:
    its `completeness` says how much is known. `history`: what stands against the target at the ends of the months
    before, oldest first, and now. `pace`: None where there is nothing to reach, or too little to tell."""

    definition: Definition
    area: str
    industry: str
    period: str
    declared: int | None
    checked: int | None
    proven: int | None
    denominator: int | None
    behind: int | None
    of: int | None
    completeness: tuple[int, int] | None
    target: Target | None
    history: tuple[Fraction | None, ...] = ()
    pace: Pace | None = None
    missing: tuple[str, ...] = ()
    passed: Passed | None = None
    """None: the deadline lies ahead, or there is nothing to reach."""
    uncovered: bool = False
    """So little is known of it that nobody can say that it keeps below a limit; what is missing only adds."""

    @property
    def value(self) -> Fraction | None:
        """What stands against the target: percent, a number, or a quantity in its unit."""
        return value(self.definition, self.checked, self.denominator)

    @property
    def goal(self) -> Fraction | None:
        """The number that is asked for; None: there is none."""
        return None if self.target is None else self.target.goal

    @property
    def status(self) -> str:
        """Of the checked number against the target: reached; below or above it where that is missed; uncovered;
        no_number, no_target or no_data."""
        if self.target is None:
            return "no_target"
        if self.goal is None:
            return "no_number"
        if self.value is None:
            return "no_data"
        if reaches(self.value, self.target.comparator, self.goal):
            return "uncovered" if self.uncovered else "reached"
        return "above" if self.target.down(self.value) else "below"

    @property
    def missed(self) -> bool:
        """Whether it is not what its target asks for."""
        return self.status in ("below", "above")

    @property
    def verdict(self) -> str:
        """The status; of what misses its target how it moves: in_time, late, still, falling or rising; of what is below
        it and moves by months too_early to tell."""
        if self.missed and self.pace is not None:
            return self.pace.verdict
        return "too_early" if self.status == "below" and self.definition.stored else self.status

    @property
    def change(self) -> Fraction | None:
        """What it moved over six months; None where one of both ends is not known."""
        if len(self.history) <= OVER_MONTHS or self.history[-1] is None:
            return None
        before = self.history[-1 - OVER_MONTHS]
        return None if before is None else self.history[-1] - before


def value(definition: Definition, checked: int | None, denominator: int | None) -> Fraction | None:
    """A numerator over its denominator in the unit of the definition; None where nothing is known."""
    if checked is None:
        return None
    if definition.kind == "rate":
        return Fraction(100 * checked, denominator) if denominator else None
    if definition.kind == "intensity":
        return Fraction(checked * YUAN_10000, 10**6 * denominator) if denominator else None
    return Fraction(checked, 10**6) if definition.kind == "quantity" else Fraction(checked)


class Indicators:
    """Indicators of one snapshot. Targets and populations are read once."""

    def __init__(self, found: Snapshot) -> None:
        self.snapshot = found
        self.targets = Targets(found.connection)
        self._populations = Populations(found.connection, found.province, found.day.year)

    def of(self, area: str, industry: str | None) -> list[Indicator]:
        """Every indicator of an area and an industry (None: of all)."""
        return self.all([area], [industry])[area, industry or ALL]

    def all(
        self,
        areas: list[str],
        industries: list[str | None],
        *,
        counted: bool = False,
        only: Collection[Definition] = tuple(DEFINITIONS.values()),
    ) -> dict[Key, list[Indicator]]:
        """Every indicator, or `only` some, of every area in every industry; `counted`: not of one industry in which
        nothing counts."""
        names = [industry or ALL for industry in industries]
        asked = counted or any(of.kind == "quantity" for of in only)
        energies = self.snapshot.energy(areas, names) if asked else {}
        months = periods.months(self.snapshot.day, OVER_MONTHS + 1)[:-1]
        if deadlines := self.targets.months(self.snapshot.day):
            months = sorted(deadlines.union(periods.months(self.snapshot.day, periods.MONTHS)[:-1]))
        stored = self.snapshot.trend(
            areas, names, months, {_EVER, *(name for of in only for name in of.stored)}
        )
        years: dict[Key, dict[int, Mapping[str, Any]]] = defaultdict(dict)
        if deadlines and self.snapshot.only is None and any(of.kind == "intensity" for of in only):
            for key, row in self.snapshot.years(areas, names):
                years[key][row["year"]] = row
        found: dict[Key, list[Indicator]] = {}
        for key, row in self.snapshot.rows(areas, names).items():
            used = energies.get(key, Energy())
            facts = row | {"tce": used.tce, WATER: used.carriers.get(WATER)}
            if counted and key[1] != ALL and not any(facts[name] for name in facts if name != "year"):
                continue
            past = {month: stored.get((*key, month)) for month in months}
            found[key] = [self._indicator(of, key, facts, used.covered, past, years[key]) for of in only]
        return found

    def target(self, definition: Definition, area: str, industry: str) -> Target | None:
        """What is asked for. A count that is asked of the whole says nothing of what a tag marks."""
        if self.snapshot.only is not None and definition.kind not in ("rate", "intensity"):
            return None
        return self.targets.of(self.snapshot.province, definition, area, industry)

    def _indicator(
        self,
        definition: Definition,
        key: Key,
        facts: Mapping[str, Any],
        covered: Mapping[str, tuple[int, int]],
        past: Mapping[str, Mapping[str, Any] | None],
        years: Mapping[int, Mapping[str, Any]],
    ) -> Indicator:
        declared, checked, proven = (facts[measure] for measure in definition.measures)
        denominator = facts[definition.among] if definition.among else None
        behind = facts[definition.behind]
        of = facts[definition.of] if definition.of else self._population(key, facts)
        period, completeness = "", None
        missing: tuple[str, ...] = ()
        if definition.kind == "quantity":
            behind = of = None
            period = "/".join(self.snapshot.months)
            mine = {carrier: of for carrier, of in covered.items() if self._belongs(definition, carrier)}
            some, every = (sum(of[n] for of in mine.values()) for n in (0, 1))
            completeness = (some, every) if every else None
            missing = tuple(sorted(carrier for carrier, (some, every) in mine.items() if some < every))
        elif definition.kind == "intensity":
            period = _of_year(facts)
            checked = checked if behind else None
        elif definition.id in ("availability", "completeness"):
            period, completeness = self.snapshot.month, (facts["known_ms"], facts["planned_ms"])
        if len(set(definition.measures)) == 1:
            declared = proven = None
        target = self.target(definition, *key)
        stored = past if definition.stored else {}

        def then(month: str) -> Fraction | None:
            row = stored.get(month)
            return None if row is None else _of(definition, row)

        now = value(definition, checked, denominator)
        history = (*map(then, [*past][-OVER_MONTHS:]), now)
        moved = moving(definition, target, history, self.snapshot.day)
        numbers = (declared, checked, proven, denominator, behind, of)
        judged = Indicator(definition, *key, period, *numbers, completeness, target, history, moved, missing)
        deadline = None if target is None else target.passed(self.snapshot.day)
        if deadline is None or definition.kind == "quantity":
            return judged
        if definition.kind == "intensity":
            if self.snapshot.only is not None:  # years that are over are not worked out of what a tag marks
                return judged
            row, earlier = years.get(year_over(deadline)), sorted(of for of in years if of < facts["year"])
            known = _amounts(definition, row) if row is not None and row[definition.behind] else (None, None)
            period = f"{year_over(deadline)}" if row is None else _of_year(row)
            each = {f"{of}": _of(definition, years[of]) for of in earlier}
            return passed(judged, deadline, period, *known, each, f"{facts['year']}")
        row = past.get(month_over(deadline))
        known = _amounts(definition, row) if row is not None and row[_EVER] else (None, None)
        oldest = periods.months(self.snapshot.day, periods.MONTHS)[0]
        running = {month: then(month) for month in past if month >= oldest}
        return passed(judged, deadline, month_over(deadline), *known, running, self.snapshot.month)

    def _population(self, key: Key, facts: Mapping[str, Any]) -> int | None:
        """How many enterprises there are; of what a tag marks those of the registry."""
        return self._populations.of(*key) if self.snapshot.only is None else facts["enterprises"]

    def _belongs(self, definition: Definition, carrier: str) -> bool:
        energy = carrier in self.snapshot.province.coefficients.carriers
        return energy if definition.unit == "tce" else carrier == definition.measures[0]


def moving(
    definition: Definition, target: Target | None, history: Sequence[Fraction | None], day: date
) -> Pace | None:
    """How a number moves towards its target; `history`: at the ends of months, and as of a day. None: nothing to reach,
    or too early to tell."""
    if target is None or target.goal is None:
        return None
    least = LEAST_OF_INTENSITY if definition.kind == "intensity" else LEAST_CHANGE
    return pace(history, target.goal, day, target.deadline, down=target.down(history[-1]), least=least)


def passed(
    item: Indicator,
    deadline: date,
    period: str,
    checked: int | None,
    denominator: int | None,
    before: Mapping[str, Fraction | None],
    now: str,
) -> Indicator:
    """A number with what is known of its deadline that has passed. `period`: the month or year that was over then;
    `before`: what it came to at the ends of months, or in years, that follow each other, until `now`."""
    since, ever = "", True
    if item.goal is not None and item.target is not None and item.value is not None:
        comparator, goal, reached = item.target.comparator, item.goal, not item.missed
        months = [(month, found) for month, found in before.items() if found is not None]
        since = now if months else ""
        for month, found in reversed(months):
            if reaches(found, comparator, goal) != reached:
                ever = False
                break
            since = month
    return replace(item, passed=Passed(deadline, period, checked, denominator, since, ever))


class Populations:
    """How many enterprises there are: what is entered for a place itself, else what its parts add up to; of the newest
    year up to `year`. None where a part of it is missing: a part is no denominator."""

    def __init__(self, connection: Connection, province: Province, year: int) -> None:
        table = registry.population
        query = select(table.c.area, table.c.industry, table.c.count.label("number"))
        rows = connection.execute(query.where(table.c.year <= year).order_by(table.c.year))
        self._newest: dict[Key, int] = {(row.area, row.industry): row.number for row in rows}
        self._every = [name for name in province.industries if name != OTHER]
        self._parts: dict[str, list[str]] = {}
        for part, areas in province.areas.items():
            if (parent := areas[-1].parent) is not None and areas[-1].until is None:
                self._parts.setdefault(parent, []).append(part)

    def of(self, area: str, industry: str) -> int | None:
        """Of a place in an industry, or in all."""
        if not self._newest:
            return None
        wanted = [industry] if industry != ALL else self._every
        own = [self._newest[area, name] for name in wanted if (area, name) in self._newest]
        if len(own) == len(wanted):
            return sum(own)
        below = [self.of(part, industry) for part in self._parts.get(area, ())]
        known = [number for number in below if number is not None]
        return sum(known) if known and len(known) == len(below) else None


def _of(definition: Definition, row: Mapping[str, Any]) -> Fraction | None:
    """What stands against the target, of a row of sums."""
    return value(definition, *_amounts(definition, row))


def _amounts(definition: Definition, row: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Numerator and denominator of a row of sums."""
    return row[definition.measures[1]], row[definition.among] if definition.among else None


def _of_year(row: Mapping[str, Any]) -> str:
    """The year, or months of a year, that an intensity is of."""
    year, through = row["year"], row["through"]
    return f"{year}-01/{year}-{through:02d}" if 0 < through < MONTHS else f"{year}"
