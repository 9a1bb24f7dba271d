"""Energy and water per value added: of a year, by place and industry (metrics.md section 5)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

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
        for row in connection.execute(
            select(registry.value_added).where(
                (registry.value_added.c.year == year) & (registry.value_added.c.through == "")
            )
        )
    }
    taken: dict[str, dict[str, _Carried]] = defaultdict(lambda: defaultdict(_Carried))
    months = balance.c.month.between(f"{year}-01", f"{year}-12")
    for row in connection.execute(select(balance).where(months)):
        of, used = taken[row.enterprise][row.carrier], row.millionths or 0
        of.millionths += used
        of.tce += province.coefficients.tce({row.carrier: used}, periods.span(row.month)[0])
        of.covered_days[row.month] = row.covered_days
        of.declared |= row.declared
    lowest = (
        (at_home[code], _of_enterprise(province, carriers, added.get(code), days))
        for code, carriers in taken.items()
        if code in at_home
    )
    sums = roll_up(province, lowest, dict.fromkeys(YEARLY, 0))
    rows = [(*key, year, *(min(row[measure], LARGEST) for measure in YEARLY)) for key, row in sums.items()]
    sql.replace(connection, area_year, rows, year=year)


@dataclass(slots=True)
class _Carried:
    """A carrier of one enterprise over a year, wherever it was taken. `covered_days`: by month."""

    millionths: int = 0
    tce: Fraction = Fraction()
    covered_days: dict[str, int] = field(default_factory=dict)
    declared: bool = False


def _of_enterprise(
    province: Province, carriers: Mapping[str, _Carried], fen: int | None, days: int
) -> dict[str, int]:
    """What one enterprise adds to the sums of a year: only what is whole, over value added that is known."""
    found: dict[str, int] = {}
    for name, wanted in (("energy", province.coefficients.carriers), ("water", {WATER})):
        mine = [of for carrier, of in carriers.items() if carrier in wanted]
        covered = [sum(of.covered_days.values()) >= COVERED * days for of in mine if of.declared]
        if covered:
            found[f"{name}_declared"] = 1
        if covered and days and all(covered) and fen is not None:
            tce = int(sum(of.tce for of in mine) * 10**6)
            found |= {f"{name}_enterprises": 1, f"{name}_fen": fen}
            found[f"{name}_millionths"] = tce if name == "energy" else sum(of.millionths for of in mine)
    return found
