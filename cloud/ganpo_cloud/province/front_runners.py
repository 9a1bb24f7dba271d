"""Front-runners in energy and water: enterprises of one product by what a unit of it takes (metrics.md).

Comparable are those with enough months of output whose declared carriers are covered and whose energy is the product's:
it is all that the enterprise makes, or process meters measure it; the two are ranked apart. Everybody else is left out,
for the first reason that holds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection, case, func, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.balances import COVERED
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.measures import on
from ganpo_cloud.province.places import Key, Sums, keys
from ganpo_cloud.province.snapshots import last_over
from ganpo_cloud.province.within import within
from ganpo_cloud.store import exact, sql
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ALL, balance, ledger
from ganpo_model.energy import EXPORT, WATER
from ganpo_model.specific import RANKED_FROM, YEAR_MONTHS, Making, Ranking, enough_months, ranked

Medium = Literal["energy", "water"]
MEDIUMS: tuple[Medium, ...] = ("energy", "water")
Kind = Literal["whole", "metered"]
Reason = Literal["scale", "months", "several_products", "coverage"]
PAGE = "/front-runners"
PER_UNIT: Mapping[Medium, int] = {"energy": 1000, "water": 1}
"""A unit of a product is told in kgce, or in m3."""
NOBODY = "No five enterprises of one product can be compared here."
NOTES: tuple[str, ...] = (NOBODY,)
_OURS = "our definition"
_GAP = "sum of max(0, own - median) x own output, of the ranked, 12 months"


def _two(medium: str, word: str, unit: str) -> tuple[Measured, Measured]:
    text = f"N(enterprises ranked by {medium} per unit of a product: five or more are comparable), 12 months"
    return (
        Measured(f"{medium}_ranked", "T23", f"Ranked by {medium} per product", text, "enterprises", _OURS),
        Measured(f"{medium}_gap", "T23", word, f"{medium}: {_GAP}", unit, _OURS, "quantity"),
    )


MEASURED: tuple[Measured, ...] = (
    *_two("energy", "Energy above the median", "tce"),
    *_two("water", "Water above the median", "m3"),
)
OF_MONTHS = True
NOTHING: Mapping[str, int] = {of.id: 0 for of in MEASURED}
_METERED = f"""
SELECT c.enterprise, c.subject, c.carrier, substr(CAST(c.day AS TEXT), 1, 7),
  sum(CASE WHEN c.signal = '{EXPORT}' THEN -c.millionths ELSE c.millionths END),
  sum(CASE WHEN c.covered THEN 1 ELSE 0 END)
FROM asked JOIN consumption c ON c.enterprise = a AND c.subject = b
WHERE c.day >= '{{first}}' AND c.day <= '{{last}}' GROUP BY 1, 2, c.register, 3, 4"""


@dataclass(frozen=True, slots=True)
class Firm:
    """An enterprise that makes a product. `output`: in millionths of the product's unit."""

    enterprise: str
    name: str
    area: str
    industry: str
    product: str
    output: int
    kind: Kind | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Enterprises of one product whose energy is known in one way, ranked."""

    product: str
    kind: Kind
    ranking: Ranking


@dataclass(slots=True)
class Found:
    """Everybody who makes something: by product ranked, or left out."""

    groups: list[Group] = field(default_factory=list)
    left_out: list[Firm] = field(default_factory=list)


@dataclass(slots=True)
class _Taken:
    """What is known of one enterprise, or of one product of it: `amount` in tce or m3."""

    amount: Fraction = Fraction()
    covered: bool = False


def last_months(connection: Connection, day: date) -> list[str]:
    """The twelve months that were last over at the end of a day."""
    return periods.months(periods.span(last_over(connection, day))[0], YEAR_MONTHS)


def front_runners(
    connection: Connection,
    province: Province,
    area: str,
    industry: str,
    medium: Medium,
    months: Sequence[str],
    *,
    above_scale: bool = False,
) -> Found:
    """Who leads at a place, of those that have their home there at the end of a period. `months`: of the period, one
    after the other; `above_scale`: others are left out."""
    found, known = Found(), defaultdict[tuple[str, Kind], list[Making]](list)
    makers = _makers(connection, province, area, industry, months)
    for firm, making in _judged(connection, province, makers, medium, months, above_scale=above_scale):
        if making is None or firm.kind is None:
            found.left_out.append(firm)
        else:
            known[firm.product, firm.kind].append(making)
    found.groups = [Group(*key, ranked(makings)) for key, makings in sorted(known.items())]
    return found


def _judged(
    connection: Connection,
    province: Province,
    makers: Sequence[Any],
    medium: Medium,
    period: Sequence[str],
    *,
    above_scale: bool = False,
) -> Iterator[tuple[Firm, Making | None]]:
    """Every maker; None: it is left out."""
    if not makers:
        return
    meters = _meters(connection, makers, medium, period)
    whole = _whole(connection, province, {row.enterprise for row in makers}, medium, period)
    metered = _metered(connection, province, medium, meters, period)
    products: dict[str, int] = defaultdict(int)
    for row in makers:
        products[row.enterprise] += row.months > 0
    for row in makers:
        of = (row.enterprise, row.product)
        kind: Kind | None = "metered" if of in meters else "whole" if products[row.enterprise] == 1 else None
        why: Reason | None = None
        if above_scale and not row.above_scale:
            why = "scale"
        elif not enough_months(row.months, len(period)):
            why = "months"
        elif kind is None:
            why = "several_products"
        elif not whole[row.enterprise].covered or not (kind == "whole" or metered[of].covered):
            why = "coverage"
        firm = Firm(
            row.enterprise, row.name, row.area, row.industry, row.product, exact.millionths(row), kind, why
        )
        if why is None:
            taken = whole[row.enterprise] if kind == "whole" else metered[of]
            yield firm, Making(firm, taken.amount, Fraction(firm.output, 10**6))
        else:
            yield firm, None


def entered(connection: Connection) -> frozenset[str]:
    """Its lists that have any row."""
    return frozenset({"outputs"} if sql.any_of(connection, registry.output) else ())


def counted(connection: Connection, province: Province, of: Filter) -> Sums:
    """How many are ranked, and what they took above their medians, in the twelve months up to that of the day: every
    place has its own ranking."""
    period = periods.months(of.day, YEAR_MONTHS)
    makers = _makers(connection, province, of.area, of.industry or ALL, period)
    found: dict[Key, dict[str, int]] = {}
    for medium in MEDIUMS:
        places: dict[Key, dict[tuple[str, Any], list[Making]]] = defaultdict(lambda: defaultdict(list))
        for firm, making in _judged(connection, province, makers, medium, period):
            if making is not None:
                for key in keys(province, firm.area, firm.industry):
                    places[key][firm.product, firm.kind].append(making)
        for key, groups in places.items():
            large = (makings for makings in groups.values() if len(makings) >= RANKED_FROM)
            if there := [ranked(makings) for makings in large]:
                gap = sum((ranking.gap or Fraction() for ranking in there), Fraction())
                row = found.setdefault(key, dict(NOTHING))
                row[f"{medium}_ranked"] = sum(len(ranking.places) for ranking in there)
                row[f"{medium}_gap"] = int(gap * 10**6)
    return found


def standings(at: At) -> Iterable[Standing]:
    """How many are ranked, and what they took above their medians."""
    row = at.counted or NOTHING
    for medium in MEDIUMS:
        page = f"{PAGE}?medium={medium}"
        there = row[f"{medium}_ranked"]
        yield Standing(f"{medium}_ranked", there, None, page)
        note = "" if there else NOBODY
        yield Standing(f"{medium}_gap", row[f"{medium}_gap"] if there else None, None, page, note)


def _makers(
    connection: Connection, province: Province, area: str, industry: str, months: Sequence[str]
) -> Sequence[Any]:
    """What enterprises made: of each product the sum, and in how many months there was any."""
    o, s = registry.output.c, ledger.c
    here = [s.kind == "enterprise", on(periods.span(months[-1])[1]), o.month.between(months[0], months[-1])]
    here += within(province, area, industry, s)
    some = func.sum(case((o.millionths > 0, 1), else_=0)).label("months")
    about = (o.enterprise, o.product, s.name, s.area, s.industry, s.above_scale)
    query = select(*about, *exact.summed(o.millionths), some, func.max(o.meters).label("meters"))
    query = query.join_from(registry.output, ledger, o.enterprise == s.enterprise).where(*here)
    return connection.execute(query.group_by(*about).order_by(o.enterprise, o.product)).all()


def _carriers(province: Province, medium: Medium) -> set[str]:
    return {WATER} if medium == "water" else province.coefficients.carriers


def _amount(province: Province, medium: Medium, carrier: str, millionths: int, month: str) -> Fraction:
    """tce of a carrier, or m3."""
    if medium == "water":
        return Fraction(millionths, 10**6)
    return province.coefficients.tce({carrier: millionths}, periods.span(month)[0])


def _stretches(province: Province, medium: Medium, months: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The first and last months of those parts of a period in which no coefficient changes."""
    coefficients, carriers = province.coefficients, sorted(_carriers(province, medium))

    def of(month: str) -> list[Any]:
        return [coefficients.at(carrier, periods.span(month)[0]) for carrier in carriers]

    for _, some in groupby(months, of):
        first, *others = some
        yield first, others[-1] if others else first


def _days(months: Sequence[str]) -> int:
    return (periods.span(months[-1])[1] - periods.span(months[0])[0]).days + 1


def _whole(
    connection: Connection, province: Province, codes: set[str], medium: Medium, months: Sequence[str]
) -> Mapping[str, _Taken]:
    """What enterprises took altogether: covered where every carrier that they declare is, and they declare any."""
    b, o, found, days = balance.c, registry.output.c, defaultdict[str, _Taken](_Taken), _days(months)
    declared = func.max(case((b.declared, 1), else_=0)).label("declared")
    sums = (*exact.summed(b.millionths), func.max(b.covered_days).label("covered"), declared)
    making = select(o.enterprise).where(o.month.between(months[0], months[-1]))
    mine = b.carrier.in_(sorted(_carriers(province, medium))) & b.enterprise.in_(making)
    monthly = select(b.enterprise, b.carrier, *sums).where(mine).group_by(b.enterprise, b.carrier, b.month)
    covered: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    asked: set[tuple[str, str]] = set()
    for first, last in _stretches(province, medium, months):
        m = monthly.where(b.month.between(first, last)).subquery("monthly").c
        together = (func.sum(m[name]).label(name) for name in ("whole", "rest", "covered", "declared"))
        query = select(m.enterprise, m.carrier, *together).group_by(m.enterprise, m.carrier)
        for row in connection.execute(query):
            if (code := row.enterprise) in codes:
                found[code].amount += _amount(province, medium, row.carrier, exact.millionths(row), first)
                covered[code][row.carrier] += int(row.covered)
                if row.declared:
                    asked.add((code, row.carrier))
    for code, carriers in covered.items():
        wanted = [number for carrier, number in carriers.items() if (code, carrier) in asked]
        found[code].covered = bool(wanted) and all(number >= COVERED * days for number in wanted)
    return found


def _meters(
    connection: Connection, makers: Collection[Any], medium: Medium, months: Sequence[str]
) -> Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]:
    """By enterprise and product the meters of each month that its output names, of those that measure the medium."""
    if not any(row.meters for row in makers):
        return {}
    o, s = registry.output.c, ledger.c
    named = o.month.between(months[0], months[-1]) & (o.meters != "")
    wanted = s.carrier == WATER if medium == "water" else s.carrier != WATER
    query = select(s.enterprise, s.asset_no).where(
        (s.kind == "meter") & on(periods.span(months[-1])[1]) & wanted
    )
    measuring = {tuple(row) for row in connection.execute(query)}
    mine = {(row.enterprise, row.product) for row in makers}
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = defaultdict(dict)
    for row in connection.execute(select(o.enterprise, o.product, o.month, o.meters).where(named)):
        meters = tuple(meter for meter in row.meters.split() if (row.enterprise, meter) in measuring)
        if meters and (row.enterprise, row.product) in mine:
            found[row.enterprise, row.product][row.month] = meters
    return found


def _metered(
    connection: Connection,
    province: Province,
    medium: Medium,
    meters: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]],
    months: Sequence[str],
) -> Mapping[tuple[str, str], _Taken]:
    """What the named meters of products measured: covered where every register of theirs is."""
    pairs = {(of[0], meter) for of, named in meters.items() for some in named.values() for meter in some}
    carriers, days = _carriers(province, medium), dict[tuple[str, str, str], int]()
    used: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    asked = _METERED.format(first=periods.span(months[0])[0], last=periods.span(months[-1])[1])
    for enterprise, meter, carrier, month, millionths, covered in sql.of_pairs(
        connection, asked, sorted(pairs)
    ):
        if carrier in carriers:
            at = (enterprise, meter, month)
            used[at] += _amount(province, medium, carrier, int(millionths or 0), month)
            days[at] = min(days.get(at, covered), covered)
    found: dict[tuple[str, str], _Taken] = {}
    for (code, product), named in meters.items():
        every = [[(code, meter, month) for meter in some] for month, some in named.items()]
        whole = sum(min(days.get(at, 0) for at in some) for some in every)
        amount = sum((used[at] for some in every for at in some), Fraction())
        found[code, product] = _Taken(amount, whole >= COVERED * _days(months))
    return found
