"""Energy and water per value added: of a year, by place and industry (metrics.md section 5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.balances import COVERED, LARGEST, ended, homes
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.places import roll_up
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import YEARLY, area_year, balance
from ganpo_model.energy import WATER


def add_up(connection: Connection, province: Province, year: int, today: date) -> None:
    """Intensities of a year: enterprises whose declared carriers are all covered and that have value added."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = ended(first, last, today)
    at_home = homes(connection, min(last, today))
    added = {
        row.enterprise: row.fen
        for row in connection.execute(select(registry.value_added).where(registry.value_added.c.year == year))
    }
    taken = _by_enterprise(
        connection.execute(select(balance).where(balance.c.month.between(f"{year}-01", f"{year}-12"))),
        province,
    )
    lowest = (
        (at_home[code], _of_enterprise(province, carriers, added.get(code), days))
        for code, carriers in taken.items()
        if code in at_home
    )
    sums = roll_up(province, lowest, YEARLY)
    rows = [(*key, year, *(min(row[measure], LARGEST) for measure in YEARLY)) for key, row in sums.items()]
    sql.replace(connection, area_year, rows, year=year)


@dataclass(slots=True)
class _Carried:
    """A carrier of one enterprise over a period."""

    millionths: int | None = None
    tce: Fraction = Fraction()
    covered_days: int = 0
    declared: bool = False


def _by_enterprise(rows: Iterable[Any], province: Province) -> dict[str, dict[str, _Carried]]:
    """Rows of `balance` of some months, added up by enterprise and carrier, wherever it was taken."""
    found: dict[str, dict[str, _Carried]] = {}
    months: dict[tuple[str, str, str], int] = {}
    for row in rows:
        carried = found.setdefault(row.enterprise, {}).setdefault(row.carrier, _Carried())
        if row.millionths is not None:
            carried.millionths = (carried.millionths or 0) + row.millionths
            carried.tce += province.coefficients.tce(
                {row.carrier: row.millionths}, periods.span(row.month)[0]
            )
        carried.declared |= row.declared
        months[row.enterprise, row.carrier, row.month] = row.covered_days
    for (code, carrier, _), days in months.items():
        found[code][carrier].covered_days += days
    return found


def _missing(carriers: Mapping[str, _Carried], days: int, wanted: Iterable[str]) -> list[str]:
    """The declared carriers among `wanted` that are not covered for 90 % of so many days."""
    of = set(wanted)
    return sorted(
        carrier
        for carrier, carried in carriers.items()
        if carried.declared and carrier in of and (not days or carried.covered_days < COVERED * days)
    )


def _of_enterprise(
    province: Province, carriers: Mapping[str, _Carried], fen: int | None, days: int
) -> dict[str, int]:
    """What one enterprise adds to the sums of a year: only what is whole, over value added that is known."""
    found: dict[str, int] = {}
    energy = province.coefficients.carriers
    for name, wanted in (("energy", energy), ("water", {WATER})):
        declared = [carrier for carrier in wanted if carrier in carriers and carriers[carrier].declared]
        if not declared:
            continue
        found[f"{name}_declared"] = 1
        if fen is None or _missing(carriers, days, wanted):
            continue
        known = [carriers[carrier] for carrier in wanted if carrier in carriers]
        found[f"{name}_enterprises"] = 1
        found[f"{name}_fen"] = fen
        if name == "energy":
            found["energy_millionths"] = int(sum(carried.tce for carried in known) * 10**6)
        else:
            found["water_millionths"] = sum(carried.millionths or 0 for carried in known)
    return found
