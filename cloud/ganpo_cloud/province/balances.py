"""Energy and water: what an enterprise took of each carrier in a month, from boundary meters and statements; and the
sums by place, industry, month and year (metrics.md section 5)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_cloud.province.places import keys
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import YEARLY, area_carrier, area_year, balance, ledger
from ganpo_model.energy import EXPORT, WATER

COVERED = Fraction(9, 10)
"""So much of a period has to be measured or stated before a carrier counts as covered."""
_SIGN = f"""CASE WHEN c.signal = '{EXPORT}' THEN CASE WHEN s.role = 'boundary_in' THEN -1 ELSE 0 END
  WHEN s.role IN ('boundary_in', 'generation') THEN 1 WHEN s.role = 'boundary_out' THEN -1 ELSE 0 END"""
_METERED = f"""
SELECT enterprise, area, industry, carrier, sum(used), sum(spread), sum(opened), sum(whole) FROM (
  SELECT c.enterprise, s.area, s.industry, c.carrier, c.day, sum(({_SIGN}) * c.millionths) AS used,
    max(c.spread_ms) AS spread, sum(c.open) AS opened, min(CASE WHEN c.covered THEN 1 ELSE 0 END) AS whole
  FROM consumption c JOIN ledger s ON s.enterprise = c.enterprise AND s.asset_no = c.subject
    AND s.since <= c.day AND (s.until IS NULL OR s.until > c.day)
  WHERE c.day >= ? AND c.day <= ? AND ({_SIGN}) <> 0
  GROUP BY c.enterprise, s.area, s.industry, c.carrier, c.day) AS daily
GROUP BY enterprise, area, industry, carrier"""
Place = tuple[str, str, str]


@dataclass(slots=True)
class Taken:
    """One row of `balance` in the making."""

    industry: str
    millionths: int | None = None
    spread_ms: int = 0
    open: int = 0
    covered_days: int = 0
    declared: bool = False


def recompute(connection: Connection, province: Province, month: str, today: date) -> None:
    """Work out a month again: `balance` of every enterprise, then `area_carrier`."""
    first, last = periods.span(month)
    homes = _homes(connection, min(last, today))
    found: dict[Place, Taken] = {}
    span = (first.isoformat(), min(last, today).isoformat())
    for code, area, industry, carrier, used, spread, opened, whole in sql.rows(connection, _METERED, span):
        found[code, area, carrier] = Taken(
            industry, None if used is None else int(used), int(spread), int(opened), int(whole)
        )
    for row in connection.execute(select(registry.statement).where(registry.statement.c.month == month)):
        area, industry = homes.get(row.enterprise, (province.whole, OTHER))
        taken = found.setdefault((row.enterprise, area, row.carrier), Taken(industry))
        taken.millionths = (taken.millionths or 0) + row.millionths
        taken.covered_days = (last - first).days + 1
    table = registry.declared_carrier
    where: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for key in found:
        where[key[0], key[2]].append(key)
    for row in connection.execute(select(table).where(table.c.year == first.year)):
        places = where.get((row.enterprise, row.carrier), [])
        if not places:
            area, industry = homes.get(row.enterprise, (province.whole, OTHER))
            places = [(row.enterprise, area, row.carrier)]
            found[places[0]] = Taken(industry)
        for place in places:
            found[place].declared = True
    rows = [
        (
            code,
            area,
            month,
            carrier,
            t.industry,
            t.millionths,
            t.spread_ms,
            t.open,
            t.covered_days,
            t.declared,
        )
        for (code, area, carrier), t in sorted(found.items())
    ]
    sql.replace(connection, balance, rows, month=month)
    _add_up_month(connection, province, month, found, _ended(first, last, today))


def _add_up_month(
    connection: Connection, province: Province, month: str, found: Mapping[Place, Taken], days: int
) -> None:
    sums: dict[tuple[str, str, str], list[Any]] = {}
    for (_code, area, carrier), taken in found.items():
        covered = taken.declared and days > 0 and taken.covered_days >= COVERED * days
        for place, industry in keys(province, area, taken.industry):
            row = sums.setdefault((place, industry, carrier), [None, 0, 0, 0, 0, 0])
            if taken.millionths is not None:
                row[0] = (row[0] or 0) + taken.millionths
                row[3] += 1
            row[1] += taken.spread_ms
            row[2] += taken.open
            row[4] += taken.declared
            row[5] += covered
    rows = [
        (place, industry, month, carrier, *row) for (place, industry, carrier), row in sorted(sums.items())
    ]
    sql.replace(connection, area_carrier, rows, month=month)


def add_up_year(connection: Connection, province: Province, year: int, today: date) -> None:
    """Intensities of a year: enterprises whose declared carriers are all covered and that have value added."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = _ended(first, last, today)
    homes = _homes(connection, min(last, today))
    added = {
        row.enterprise: row.fen
        for row in connection.execute(select(registry.value_added).where(registry.value_added.c.year == year))
    }
    taken = by_enterprise(
        connection.execute(select(balance).where(balance.c.month.between(f"{year}-01", f"{year}-12"))),
        province,
    )
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for code, carriers in taken.items():
        if code not in homes:
            continue
        found = intensities(province, carriers, added.get(code), days)
        for key in keys(province, *homes[code]):
            row = sums.setdefault(key, dict.fromkeys(YEARLY, 0))
            for measure, value in found.items():
                row[measure] += value
    rows = [(*key, year, *(row[measure] for measure in YEARLY)) for key, row in sums.items()]
    sql.replace(connection, area_year, rows, year=year)


@dataclass(slots=True)
class Carried:
    """A carrier of one enterprise over a period. `covered_days`: those of the place that has the fewest."""

    millionths: int | None = None
    tce: Fraction = Fraction()
    covered_days: int = 0
    declared: bool = False


def by_enterprise(rows: Iterable[Any], province: Province) -> dict[str, dict[str, Carried]]:
    """Rows of `balance` of some months, added up by enterprise and carrier."""
    places: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    found: dict[str, dict[str, Carried]] = {}
    for row in rows:
        carried = found.setdefault(row.enterprise, {}).setdefault(row.carrier, Carried())
        if row.millionths is not None:
            carried.millionths = (carried.millionths or 0) + row.millionths
            carried.tce += province.coefficients.tce(
                {row.carrier: row.millionths}, periods.span(row.month)[0]
            )
        carried.declared |= row.declared
        places[row.enterprise, row.carrier][row.area] += row.covered_days
    for (code, carrier), days in places.items():
        found[code][carrier].covered_days = min(days.values())
    return found


def missing(carriers: Mapping[str, Carried], days: int, wanted: Iterable[str]) -> list[str]:
    """The declared carriers among `wanted` that are not covered for 90 % of so many days."""
    of = set(wanted)
    return sorted(
        carrier
        for carrier, carried in carriers.items()
        if carried.declared and carrier in of and (not days or carried.covered_days < COVERED * days)
    )


def intensities(
    province: Province, carriers: Mapping[str, Carried], fen: int | None, days: int
) -> dict[str, int]:
    """What one enterprise adds to the sums of a year: only what is whole, over value added that is known."""
    found: dict[str, int] = {}
    energy = province.coefficients.carriers
    for name, wanted in (("energy", energy), ("water", {WATER})):
        declared = [carrier for carrier in wanted if carrier in carriers and carriers[carrier].declared]
        if not declared:
            continue
        found[f"{name}_declared"] = 1
        if fen is None or missing(carriers, days, wanted):
            continue
        known = [carriers[carrier] for carrier in wanted if carrier in carriers]
        found[f"{name}_enterprises"] = 1
        found[f"{name}_fen"] = fen
        if name == "energy":
            found["energy_millionths"] = int(sum(carried.tce for carried in known) * 10**6)
        else:
            found["water_millionths"] = sum(carried.millionths or 0 for carried in known)
    return found


def _homes(connection: Connection, day: date) -> dict[str, tuple[str, str]]:
    """Home and industry of every enterprise on a day; what was known later holds for before."""
    mine = (ledger.c.kind == "enterprise") & (ledger.c.since <= day)
    rows = connection.execute(
        select(ledger.c.enterprise, ledger.c.area, ledger.c.industry).where(mine).order_by(ledger.c.since)
    )
    return {row.enterprise: (row.area, row.industry) for row in rows}


def _ended(first: date, last: date, today: date) -> int:
    """How many days of a period are over."""
    return max(min((last - first).days + 1, (today - first).days), 0)
