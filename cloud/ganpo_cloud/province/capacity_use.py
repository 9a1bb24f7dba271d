"""Capacity use: what enterprises made of what they are designed for, product by product (metrics.md).

A month counts where its output is listed and the year's capacity is: both sides cover the same months. Products have
units of their own: those of two are never added.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.measures import on
from ganpo_cloud.province.places import Key, Sums, keys
from ganpo_cloud.province.within import within
from ganpo_cloud.store import exact, sql
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ALL, FLOWS, ledger, production

PAGE = "/capacity-use"
SEVERAL = "Several products: their units do not add up. The page has each by itself."
NOBODY = "No enterprise has both output and design capacity listed here."
NOTES: tuple[str, ...] = (SEVERAL, NOBODY)
_OURS = "our definition"
MEASURED: tuple[Measured, ...] = (
    Measured(
        "capacity_use",
        "T27",
        "Capacity use",
        "output / design capacity of the same months, of enterprises of which both are listed; of one product",
        "%",
        _OURS,
        "rate",
    ),
    Measured(
        "capacity_enterprises",
        "T27",
        "Enterprises with output and capacity",
        "N(enterprises of which output and design capacity of a product are listed in the year)",
        "enterprises",
        _OURS,
    ),
)
OF_MONTHS = True
NOTHING: Mapping[str, int] = {f"capacity_{of}": 0 for of in ("products", "enterprises", "made", "able")}


@dataclass(frozen=True, slots=True)
class Use:
    """A product of an enterprise in a year. `output`, `capacity`: in millionths of its unit, of the same `months`."""

    enterprise: str
    name: str
    area: str
    industry: str
    product: str
    months: int
    output: int
    capacity: int


def uses(connection: Connection, province: Province, month: str, area: str, industry: str) -> Sequence[Use]:
    """Of every enterprise with its home at a place each product of which both are listed, in the year of a month until
    its end."""
    o, c, s = registry.output.c, registry.capacity.c, ledger.c
    year = int(month[:4])
    listed = (o.enterprise == c.enterprise) & (o.product == c.product) & (c.year == year)
    here = [s.kind == "enterprise", on(periods.span(month)[1]), o.month.between(f"{year}-01", month)]
    here += [c.millionths > 0, *within(province, area, industry, s)]
    about = (o.product, o.enterprise, s.name, s.area, s.industry, c.millionths)
    query = select(*about, func.count().label("months"), *exact.summed(o.millionths))
    query = query.join_from(registry.output, registry.capacity, listed).join(
        ledger, s.enterprise == o.enterprise
    )
    return [
        Use(row.enterprise, row.name, row.area, row.industry, row.product, row.months, *_both(row))
        for row in connection.execute(query.where(*here).group_by(*about).order_by(o.product, o.enterprise))
    ]


def _both(row: Row[Any]) -> tuple[int, int]:
    """The output, and the capacity of so many months of a year."""
    return exact.millionths(row), int(row.millionths) * int(row.months) // 12


def equipment_use(connection: Connection, month: str) -> Mapping[str, tuple[int, int]]:
    """APT and PBT of the enterprises with a capacity in the year, in a month of it: their availability is a proxy of
    capacity use, and no more."""
    s, p, c = ledger.c, production.c, registry.capacity.c
    mine = (p.enterprise == s.enterprise) & (p.subject == s.asset_no) & on(p.day) & s.in_service
    asked = p.enterprise.in_(select(c.enterprise).where(c.year == int(month[:4])))
    query = select(p.enterprise, func.sum(FLOWS["producing_ms"]), func.sum(FLOWS["busy_ms"]))
    query = query.where(mine & asked & p.day.between(*periods.span(month))).group_by(p.enterprise)
    return {code: (int(producing), int(busy)) for code, producing, busy in connection.execute(query)}


def entered(connection: Connection) -> frozenset[str]:
    """Its lists that have any row."""
    return frozenset({"capacities"} if sql.any_of(connection, registry.capacity) else ())


def counted(connection: Connection, province: Province, of: Filter) -> Sums:
    """How many products and enterprises both are listed of, until the end of the month of the day; where it is one
    product, its output and capacity."""
    places: dict[Key, list[Use]] = defaultdict(list)
    for use in uses(connection, province, periods.month_of(of.day), of.area, of.industry or ALL):
        for key in keys(province, use.area, use.industry):
            places[key].append(use)
    found = {}
    for key, some in places.items():
        products = {use.product for use in some}
        numbers = [len(products), len({use.enterprise for use in some}), 0, 0]
        if len(products) == 1:
            numbers[2:] = [sum(use.output for use in some), sum(use.capacity for use in some)]
        found[key] = dict(zip(NOTHING, numbers, strict=True))
    return found


def standings(at: At) -> Iterable[Standing]:
    """Of one product its rate, and how many enterprises stand behind all of them."""
    products, enterprises, made, able = (at.counted or NOTHING).values()
    note = "" if products == 1 else SEVERAL if products else NOBODY
    yield Standing("capacity_use", None if note else made, None if note else able, PAGE, note)
    yield Standing("capacity_enterprises", enterprises, None, PAGE)
