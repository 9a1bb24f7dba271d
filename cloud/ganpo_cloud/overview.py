"""The province's numbers at an instant, for any area and industry: coverage, intelligent equipment, onboarding
(metrics.md section 6). Every one with its denominator, how many enterprises stand behind it, and its target."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud import registry_tables as registry
from ganpo_cloud.divisions import OTHER, Province
from ganpo_cloud.ledger import Device, Ledger
from ganpo_model.coverage import Count, Unit, connected, flagged, reaches

TARGETS = {"nc_rate_main": "T01", "intelligent_count": "T02", "enterprise_onboarded": "T03"}
"""Which target of the plan a number is measured against."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One indicator. `word`: what people call it, translated for pages; `text`: what is counted, and among what.
    `rate`: a share of its denominator; else a plain count."""

    id: str
    word: str
    text: str
    rate: bool
    count: Callable[[Sequence[Unit]], Count]


@dataclass(frozen=True, slots=True)
class Target:
    """What the plan asks for. `value`: None where the plan has no number."""

    id: str
    comparator: str
    value: str | None
    deadline: date


@dataclass(frozen=True, slots=True)
class Indicator:
    """One number. `with_data`: enterprises with at least one main equipment in the ledger; `of`: as many as there are,
    None where nobody said. `status`: reached, below, no_number, no_target or no_data."""

    definition: Definition
    count: Count
    with_data: int
    of: int | None
    target: Target | None
    status: str


def _onboarded(units: Sequence[Unit]) -> Count:
    """Enterprises with a device in the cloud, among all with a device: each once."""
    all_of = {unit.enterprise for unit in units}
    there = {unit.enterprise for unit in units if unit.cloud}
    return Count(len(all_of), len(there), len(there), len(there))


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "nc_rate_main",
        "CNC coverage",
        "N(main and numerical_control and in service) / N(main and in service)",
        True,
        lambda units: flagged(units, "numerical_control", "main"),
    ),
    Definition(
        "intelligent_count",
        "Intelligent equipment",
        "N(intelligent and in service)",
        False,
        lambda units: flagged(units, "intelligent"),
    ),
    Definition(
        "enterprise_onboarded",
        "Enterprises in the cloud",
        "N(enterprises with a device whose cloud_at is set)",
        False,
        _onboarded,
    ),
    Definition(
        "equip_digital_rate",
        "Digital equipment",
        "N(digital and in service) / N(in service)",
        True,
        lambda units: flagged(units, "digital"),
    ),
    Definition(
        "equip_network_rate",
        "Networked equipment",
        "N(networked_at set and in service) / N(in service)",
        True,
        connected,
    ),
    Definition(
        "digital_equip_network_rate",
        "Networked, of digital equipment",
        "N(digital and networked_at set) / N(digital and in service)",
        True,
        lambda units: connected(units, among="digital"),
    ),
    Definition(
        "equip_cloud_rate",
        "Equipment in the cloud",
        "N(cloud_at set and in service) / N(in service)",
        True,
        lambda units: connected(units, cloud=True),
    ),
)


def overview(
    connection: Connection, found: Ledger, province: Province, area: str, industry: str | None
) -> list[Indicator]:
    """Every indicator of an area and an industry (None: of all)."""
    devices = [device for device in found.within(province, area, industry) if device.counts]
    units = [device.unit for device in devices]
    with_data = len({unit.enterprise for unit in units if "main" in unit.flags})
    of = _population(connection, province, area, industry, found.as_of.year)
    targets = _targets(connection, area, industry)
    indicators = []
    for definition in DEFINITIONS:
        count = definition.count(units)
        target = targets.get(TARGETS.get(definition.id, ""))
        indicators.append(
            Indicator(definition, count, with_data, of, target, _status(definition, count, target))
        )
    return indicators


def by_area(
    found: Ledger, province: Province, parent: str, industry: str | None
) -> dict[str | None, list[Device]]:
    """The devices that count, by the areas next below `parent`; under None those of the province whose place nobody
    said. Together they are the devices of `parent`."""
    parts: dict[str | None, list[Device]] = {
        area: [] for area, rows in province.areas.items() if rows[-1].parent == parent
    }
    if not parts:
        return {}
    for device in found.within(province, parent, industry):
        if not device.counts:
            continue
        above = province.above(device.area) if device.area is not None else []
        place = next((area for area in above if area in parts), None)
        parts.setdefault(place, []).append(device)
    return parts


def _population(
    connection: Connection, province: Province, area: str, industry: str | None, year: int
) -> int | None:
    """How many enterprises there are: what is entered for the area itself, else what its parts add up to; of the
    newest year up to `year`. None where a part of it is missing: a part is no denominator."""
    table = registry.population
    query = select(table.c.area, table.c.industry, table.c.count.label("number"))
    rows = connection.execute(query.where(table.c.year <= year).order_by(table.c.year))
    newest: dict[tuple[str, str], int] = {(row.area, row.industry): row.number for row in rows}
    wanted = [industry] if industry is not None else [name for name in province.industries if name != OTHER]

    def of(place: str) -> int | None:
        own = [newest[place, name] for name in wanted if (place, name) in newest]
        if len(own) == len(wanted):
            return sum(own)
        below = [of(part) for part, rows in province.areas.items() if rows[-1].parent == place]
        known = [number for number in below if number is not None]
        return sum(known) if known and len(known) == len(below) else None

    return of(area)


def _targets(connection: Connection, area: str, industry: str | None) -> dict[str, Target]:
    """The targets of an area and an industry, of each the one with the latest deadline."""
    table = registry.target
    mine = (table.c.area == area) & (table.c.industry == (industry or ""))
    rows: Iterable[Any] = connection.execute(select(table).where(mine).order_by(table.c.deadline))
    return {row.id: Target(row.id, row.comparator, row.value, row.deadline) for row in rows}


def _status(definition: Definition, count: Count, target: Target | None) -> str:
    """The checked rate, or the checked count, stands against the target."""
    if target is None:
        return "no_target"
    if target.value is None:
        return "no_number"
    if definition.rate and not count.denominator:
        return "no_data"
    denominator = count.denominator if definition.rate else None
    return (
        "reached"
        if reaches(count.checked, denominator, target.comparator, Fraction(target.value))
        else "below"
    )
