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
from ganpo_cloud.province.measures import on
from ganpo_cloud.province.places import Key, Sums, keys, roll_up
from ganpo_cloud.province.within import Only
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import YEARLY, area_year, balance, ledger
from ganpo_model.energy import WATER, Coefficients

WHOLE = "12"
"""The month until which value added of a whole year is known."""


def add_up(connection: Connection, province: Province, year: int, today: date) -> None:
    """Intensities of a year: enterprises whose declared carriers are all covered and that have value added, of the
    whole year or else until a month; energy and water are of the same months."""
    sums = of_places(connection, province, year, today)
    rows = [(*key, year, *(min(row[measure], LARGEST) for measure in YEARLY)) for key, row in sums.items()]
    sql.replace(connection, area_year, rows, year=year)


def of_places(
    connection: Connection, province: Province, year: int, today: date, only: Only | None = None
) -> Sums:
    """What the intensities of a year are made of at every place; `only`: of the enterprises that a tag marks."""
    own = of_enterprises(connection, province, year, today, only).values()
    through: dict[Key, int] = defaultdict(int)
    for home, found, until in own:
        for key in keys(province, *home) if {"energy_fen", "water_fen"} & found.keys() else ():
            through[key] = max(through[key], until)
    sums = roll_up(province, ((home, found) for home, found, _ in own), dict.fromkeys(YEARLY, 0))
    for key, summed in sums.items():
        summed["through"] = through[key]
    return sums


def of_enterprises(
    connection: Connection, province: Province, year: int, today: date, only: Only | None = None
) -> dict[str, tuple[Key, dict[str, int], int]]:
    """The same of each enterprise of the registry, with its home and industry, and the month until which it is."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    at_home = homes(connection, min(last, today))
    of_year = select(registry.value_added).where(registry.value_added.c.year == year)
    rows = connection.execute(of_year).all()
    # A row of the whole year before those until a month, of these the newest; what is not over yet is an expectation.
    over = [row for row in rows if periods.span(f"{year}-{row.through[5:] or WHOLE}")[1] < today]
    added = {
        row.enterprise: (row.through[5:] or WHOLE, row.fen)
        for row in sorted(over, key=lambda row: (row.through == "", row.through))
    }
    b, factors = balance.c, _Factors(province.coefficients)
    told = (b.enterprise, b.carrier, b.month, b.millionths, b.covered_days, b.declared)
    query = select(*told).where(b.month.between(f"{year}-01", f"{year}-12"))
    if only is not None:
        mine = (ledger.c.kind == "enterprise") & on(min(last, today)) & only.holds(ledger.c)
        query = query.where(b.enterprise.in_(select(ledger.c.enterprise).where(mine)))
    taken: dict[str, dict[str, _Carried]] = defaultdict(lambda: defaultdict(_Carried))
    for code, carrier, month, used, covered_days, declared in connection.execute(query):
        of = taken[code][carrier]
        of.declared |= declared
        if month[5:] <= added.get(code, (WHOLE, 0))[0]:
            of.used[factors[carrier, month]] += used or 0
            of.covered_days[month] = covered_days
    ends = {
        until: periods.span(f"{year}-{until}")[1]
        for until in {WHOLE, *(until for until, _ in added.values())}
    }
    found: dict[str, tuple[Key, dict[str, int], int]] = {}
    for code in taken.keys() & at_home.keys():
        until = added.get(code, (WHOLE, 0))[0]
        days = ended(first, ends[until], today)
        own = _of_enterprise(province, factors, taken[code], added.get(code), days)
        found[code] = (at_home[code], own, int(until))
    return found


class _Factors(dict[tuple[str, str], int]):
    """By carrier and month the place in `kgce` of what its unit comes to; 0: nothing. Whole numbers are added up by it,
    so that a year takes one fraction and not one for each month."""

    def __init__(self, coefficients: Coefficients) -> None:
        super().__init__()
        self.kgce = [Fraction()]
        self._coefficients = coefficients

    def __missing__(self, key: tuple[str, str]) -> int:
        found = self._coefficients.at(key[0], periods.span(key[1])[0])
        if found is not None and found.kgce not in self.kgce:
            self.kgce.append(found.kgce)
        place = self[key] = 0 if found is None else self.kgce.index(found.kgce)
        return place


@dataclass(slots=True)
class _Carried:
    """A carrier of one enterprise over the months that count, wherever it was taken: millionths by `_Factors`.
    `covered_days`: by month."""

    used: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    covered_days: dict[str, int] = field(default_factory=dict)
    declared: bool = False


def _of_enterprise(
    province: Province,
    factors: _Factors,
    carriers: Mapping[str, _Carried],
    added: tuple[str, int] | None,
    days: int,
) -> dict[str, int]:
    """What one enterprise adds to the sums of a year: only what is whole, over value added that is known."""
    found: dict[str, int] = {}
    for name, wanted in (("energy", province.coefficients.carriers), ("water", {WATER})):
        mine = [of for carrier, of in carriers.items() if carrier in wanted]
        covered = [sum(of.covered_days.values()) >= COVERED * days for of in mine if of.declared]
        if covered:
            found[f"{name}_declared"] = 1
        if covered and days and all(covered) and added is not None:
            used = [(factors.kgce[at], some) for of in mine for at, some in of.used.items()]
            tce = int(sum(some * kgce for kgce, some in used) / 1000)
            found |= {f"{name}_enterprises": 1, f"{name}_fen": added[1]}
            found[f"{name}_millionths"] = tce if name == "energy" else sum(some for _, some in used)
    return found
