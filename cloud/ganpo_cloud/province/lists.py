"""Enterprises and devices as lists: filtered in SQL over the ledger as it stood on a day."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, case, cast, func, or_, select

from ganpo_cloud.province import firms
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.ledger import FLAGS
from ganpo_cloud.province.measures import counts, on
from ganpo_cloud.province.within import Only, within
from ganpo_cloud.store.counted_tables import ledger
from ganpo_model.coverage import ENTERPRISES

COUNTS: Mapping[str, str] = {
    "devices": "units",
    "registered": "now_registered",
    "main": "main",
    "nc": "nc_checked",
    "networked": "now_networked",
    "cloud": "now_cloud",
    "active": "now_active",
}
"""What stands beside an enterprise, each by the measure that it is: how many of its devices have come how far."""


AT_ONCE = 1000
"""Rows that are held together."""
DEVICE = (
    *(
        "enterprise",
        "asset_no",
        "name",
        "site",
        "area",
        "industry",
        "status",
        "in_service",
        "retired",
        "banned",
    ),
    *(*FLAGS, "networked", "cloud", "age", "named"),
)
"""What a list says of a device, as the ledger has it ..."""
COUNTED = (
    *("units", "main", "nc_declared", "nc_checked", "nc_proven", "intelligent_checked"),
    *("now_registered", "now_networked", "now_cloud", "now_active"),
)
"""... and the measures of which it says whether they count it: added up they are what the pages say of a place."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of them: at a place, in an industry (None: in any), on a day; `text` in number or name; `only`: of what a
    tag marks."""

    area: str
    industry: str | None
    day: date
    text: str = ""
    only: Only | None = None


def devices(
    province: Province, wanted: Filter, measure: str | None = None, without: str | None = None
) -> Select[Any]:
    """The devices of the ledger; of a measure, those that it counts, and that another does not. Ordered by enterprise
    and number."""
    counted = (cast(counts(name), Integer).label(f"counts_{name}") for name in COUNTED)
    query = select(*(ledger.c[name] for name in DEVICE), *counted).where(
        *_of("equipment", province, wanted, ledger.c.asset_no)
    )
    if measure is not None:
        query = query.where(counts(measure))
    if without is not None:  # what is not known is not counted either: NOT alone would leave it out
        query = query.where(case((counts(without), 0), else_=1) == 1)
    return query.order_by(ledger.c.enterprise, ledger.c.asset_no)


def enterprises(province: Province, wanted: Filter, measure: str | None = None) -> Select[Any]:
    """The enterprises of the registry, at their homes, with how many devices have come how far: worked out for those
    that are read, so that a page of them costs as much as it shows. Of a count of enterprises, those that it counts."""
    own = ledger.alias("own")
    mine = (own.c.enterprise == ledger.c.enterprise) & (own.c.kind == "equipment") & on(wanted.day, own.c)
    beside = (
        select(func.count())
        .where(mine, counts(measure, own.c))
        .correlate(ledger)
        .scalar_subquery()
        .label(name)
        for name, measure in COUNTS.items()
    )
    about = (ledger.c.enterprise, ledger.c.name, ledger.c.area, ledger.c.industry, ledger.c.above_scale)
    query = select(*about, *beside).where(*_of("enterprise", province, wanted, ledger.c.enterprise))
    if measure is not None:
        query = query.where(firms.counted(ENTERPRISES[measure], wanted.day))
        if measure == "enterprises_above_scale":
            query = query.where(ledger.c.above_scale)
    return query.order_by(ledger.c.enterprise)


def codes(province: Province, wanted: Filter) -> Select[Any]:
    """The codes of the enterprises of a place."""
    return select(ledger.c.enterprise).where(*_of("enterprise", province, wanted, ledger.c.enterprise))


def names(connection: Connection, codes: Collection[str], day: date) -> dict[str, str]:
    """What enterprises are called on a day, by code."""
    mine = (ledger.c.enterprise.in_(codes)) & (ledger.c.asset_no == "")
    query = select(ledger.c.enterprise, ledger.c.name).where(mine, on(day))
    return {row.enterprise: row.name for row in connection.execute(query)}


def page(connection: Connection, query: Select[Any], limit: int, page: int) -> tuple[Sequence[Row[Any]], int]:
    """The rows of a page of a list, and how many rows all its pages have."""
    rows = connection.execute(query.limit(limit).offset((page - 1) * limit)).all()
    if (rows and len(rows) < limit) or (page == 1 and not rows):
        return rows, (page - 1) * limit + len(rows)
    return rows, number(connection, query)


def long_page(
    connection: Connection, query: Select[Any], limit: int, number_of: int
) -> tuple[Iterable[Row[Any]], int]:
    """The same; the rows of a long page are read as they are taken."""
    if limit <= AT_ONCE or (total := number(connection, query)) <= AT_ONCE:
        return page(connection, query, limit, number_of)
    here = query.limit(limit).offset((number_of - 1) * limit)
    return connection.execute(here, execution_options={"yield_per": AT_ONCE}), total


def number(connection: Connection, query: Select[Any]) -> int:
    """How many rows a list has."""
    return int(connection.execute(query.with_only_columns(func.count()).order_by(None)).scalar_one())


def _of(kind: str, province: Province, wanted: Filter, code: ColumnElement[str]) -> list[ColumnElement[bool]]:
    """The conditions of a list; its `text` is looked for in the name and in `code`."""
    found = [ledger.c.kind == kind, on(wanted.day)]
    found += within(province, wanted.area, wanted.industry, ledger.c)
    if wanted.only is not None:
        found.append(wanted.only.holds(ledger.c))
    if wanted.text:
        found.append(or_(*(c.icontains(wanted.text, autoescape=True) for c in (ledger.c.name, code))))
    return found
