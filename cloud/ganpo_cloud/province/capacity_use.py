"""Capacity use: what enterprises made of what they are designed for, product by product (metrics.md).

A month counts where its output is listed and the year's capacity is: both sides cover the same months. Products have
units of their own: those of two are never added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.measured import Measured, Standing
from ganpo_cloud.province.measures import on
from ganpo_cloud.province.snapshots import last_over
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ALL, FLOWS, ledger, production

PAGE = "/capacity-use"
SEVERAL = "Several products: their units do not add up. The page has each by itself."
NOTHING = "No enterprise has both output and design capacity listed here."
NOTES: tuple[str, ...] = (SEVERAL, NOTHING)
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


@dataclass(frozen=True, slots=True)
class Use:
    """A product of an enterprise in a year. `output`, `capacity`: in millionths of its unit, of the same `months`."""

    enterprise: str
    name: str
    area: str
    product: str
    months: int
    output: int
    capacity: int


def uses(connection: Connection, province: Province, day: date, area: str, industry: str) -> Sequence[Use]:
    """Of every enterprise with its home at a place each product of which both are listed, in the year of the day."""
    o, c, s = registry.output.c, registry.capacity.c, ledger.c
    listed = (o.enterprise == c.enterprise) & (o.product == c.product) & (c.year == day.year)
    months = o.month.between(f"{day.year}-01", last_month(connection, day))
    here = [s.kind == "enterprise", on(day), months, c.millionths > 0]
    if area != province.whole:
        here.append(s.area.in_([number for number in province.areas if area in province.above(number)]))
    if industry != ALL:
        here.append(s.industry == industry)
    about = (o.product, o.enterprise, s.name, s.area, c.millionths)
    query = select(*about, func.count().label("months"), func.sum(o.millionths).label("output"))
    query = query.join_from(registry.output, registry.capacity, listed).join(
        ledger, s.enterprise == o.enterprise
    )
    return [
        Use(row.enterprise, row.name, row.area, row.product, row.months, int(row.output), _of(row))
        for row in connection.execute(query.where(*here).group_by(*about).order_by(o.product, o.enterprise))
    ]


def _of(row: Row[Any]) -> int:
    """The capacity of so many months of a year."""
    return int(row.millionths) * int(row.months) // 12


def equipment_use(connection: Connection, day: date) -> Mapping[str, tuple[int, int]]:
    """APT and PBT of the enterprises with a capacity, in the last month of the year that was over: their availability
    is a proxy of capacity use, and no more."""
    month = last_month(connection, day)
    if month.endswith("00"):
        return {}
    s, p, c = ledger.c, production.c, registry.capacity.c
    first, last = periods.span(month)
    mine = (p.enterprise == s.enterprise) & (p.subject == s.asset_no) & on(p.day) & s.in_service
    asked = p.enterprise.in_(select(c.enterprise).where(c.year == day.year))
    query = select(p.enterprise, func.sum(FLOWS["producing_ms"]), func.sum(FLOWS["busy_ms"]))
    query = query.where(mine & asked & p.day.between(first, last)).group_by(p.enterprise)
    return {code: (int(producing), int(busy)) for code, producing, busy in connection.execute(query)}


def last_month(connection: Connection, day: date) -> str:
    """The last month of the year that was over at the end of a day: 2026-00 where none was."""
    return max(last_over(connection, day), f"{day.year}-00")


def standings(
    connection: Connection, province: Province, day: date, area: str, industry: str
) -> Iterable[Standing]:
    """Of one product its rate, and how many enterprises stand behind all of them."""
    found = uses(connection, province, day, area, industry)
    note = "" if len({use.product for use in found}) == 1 else SEVERAL if found else NOTHING
    made, able = sum(use.output for use in found), sum(use.capacity for use in found)
    yield Standing("capacity_use", None if note else made, None if note else able, PAGE, note)
    yield Standing("capacity_enterprises", len({use.enterprise for use in found}), None, PAGE)
