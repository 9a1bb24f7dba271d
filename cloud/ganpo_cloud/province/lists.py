"""Enterprises and devices as lists: filtered in SQL over the ledger as it stood on a day."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    Row,
    Select,
    and_,
    case,
    cast,
    func,
    nulls_last,
    select,
)

from ganpo_cloud.province import firms
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.measures import UNIT, counts, on
from ganpo_cloud.province.within import Only, within
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import ledger, production
from ganpo_model.activity import Age
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


ORDERED: Mapping[str, Sequence[str]] = {
    **{name: (measure,) for name, measure in COUNTS.items()},
    "nc_rate": ("nc_checked", "main"),
}
"""By what enterprises are sorted beside what is said of them: a count of their devices, or one over another."""
AT_ONCE = 1000
"""Rows that are held together."""
DEVICE = ("enterprise", "asset_no", "name", "site", "area", "industry", "status", *UNIT)
"""What a list says of a device, as the ledger has it."""

_NAMES = """SELECT enterprise, name FROM ledger
WHERE asset_no = '' AND since <= ? AND (until IS NULL OR until > ?)"""
AGE = case({age.value: n for n, age in enumerate(Age)}, value=ledger.c.age)
"""From active to gone."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of them: at a place, in an industry (None: in any), on a day; `text` in number, code or name; `only`: of
    what a tag marks. Of devices `age`: their word, empty where they have none; `known`: a flag and how well it may be
    known; `silent_since`: nothing Good came since that day."""

    area: str
    industry: str | None
    day: date
    text: str = ""
    only: Only | None = None
    age: str | None = None
    known: tuple[str, tuple[int, ...]] | None = None
    silent_since: date | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """By which column, and whether the largest comes first; empty: by enterprise and number."""

    column: str = ""
    falling: bool = False

    def of(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """A column in this direction; what is not known stands last."""
        found: ColumnElement[Any] = nulls_last(column.desc() if self.falling else column.asc())
        return found


def devices(
    province: Province,
    wanted: Filter,
    measure: str | None = None,
    without: str | None = None,
    order: Order = Order(),
) -> Select[Any]:
    """The devices of the ledger; of a measure, those that it counts, and that another does not."""
    c = ledger.c
    quiet = c.age.in_([Age.SILENT, Age.GONE])
    last_good = case((quiet, _last_good(wanted.day)), else_=None).label("last_good")
    query = select(*(c[name] for name in DEVICE), last_good)
    query = query.where(*_of("equipment", province, wanted))
    if measure is not None:
        query = query.where(counts(measure))
    if without is not None:  # what is not known is not counted either: NOT alone would leave it out
        query = query.where(case((counts(without), 0), else_=1) == 1)
    if wanted.age is not None:
        query = query.where(c.age == wanted.age if wanted.age else c.age.is_(None))
    if wanted.known is not None:
        flag, levels = wanted.known
        query = query.where(c[flag].in_(levels))
    if wanted.silent_since is not None:
        query = query.where(quiet, _last_good(wanted.day) < wanted.silent_since)
    first = [order.of(AGE if order.column == "age" else c[order.column])] if order.column else []
    return query.order_by(*first, c.enterprise, c.asset_no)


def _last_good(day: date) -> ColumnElement[Any]:
    """Of a device of the ledger the last day, up to one, on which something Good was seen of it."""
    p = production.c
    mine = (p.enterprise == ledger.c.enterprise) & (p.subject == ledger.c.asset_no)
    query = select(p.day).where(mine, p.good, p.day <= day).order_by(p.day.desc()).limit(1)
    return query.correlate(ledger).scalar_subquery()


def enterprises(
    province: Province, wanted: Filter, measure: str | None = None, order: Order = Order()
) -> Select[Any]:
    """The enterprises of the registry, at their homes; of a count of enterprises, those that it counts."""
    c = ledger.c
    about = (c.enterprise, c.name, c.area, c.industry, c.above_scale)
    query = select(*about).where(*_of("enterprise", province, wanted))
    if measure is not None:
        query = query.where(firms.counted(ENTERPRISES[measure], wanted.day))
        if measure == "enterprises_above_scale":
            query = query.where(c.above_scale)
    if not order.column:
        return query.order_by(c.enterprise)
    by: ColumnElement[Any]
    if order.column in ORDERED:
        own = ledger.alias("own")
        here = (own.c.kind == "equipment", on(wanted.day, own.c))
        summed = (func.sum(cast(counts(name, own.c), Integer)).label(name) for name in ORDERED[order.column])
        each = select(own.c.enterprise, *summed).where(*here).group_by(own.c.enterprise).subquery("each")
        query = query.outerjoin(each, each.c.enterprise == c.enterprise)
        first, *among = (each.c[name] for name in ORDERED[order.column])
        by = cast(first, Float) / func.nullif(among[0], 0) if among else func.coalesce(first, 0)
    else:
        by = c[order.column]
    return query.add_columns(by.label("by")).order_by(order.of(by), c.enterprise)


def as_it_is(here: Select[Any]) -> Select[Any]:
    """A page of which all is told already: of a long one a look at each row again would cost as much again."""
    return here


def with_all(query: Select[Any], here: Select[Any]) -> Select[Any]:
    """A page of devices with all that the list `query` tells: worked out for those that are read alone."""
    keys = here.with_only_columns(*ledger.primary_key.columns).subquery("keys")
    mine = (ledger.c[column.name] == keys.c[column.name] for column in ledger.primary_key.columns)
    return query.join(keys, and_(*mine))


def with_counts(day: date, order: Order, here: Select[Any]) -> Select[Any]:
    """A page of enterprises with how many of their devices have come how far: worked out for those that are read alone,
    so that a page of them costs as much as it shows."""
    of, own = here.subquery("here"), ledger.alias("own")
    mine = (own.c.enterprise == of.c.enterprise) & (own.c.kind == "equipment") & on(day, own.c)
    beside = (
        select(func.count()).where(mine, counts(measure, own.c)).correlate(of).scalar_subquery().label(name)
        for name, measure in COUNTS.items()
    )
    return select(of, *beside).order_by(*([order.of(of.c.by)] if order.column else ()), of.c.enterprise)


def codes(province: Province, wanted: Filter) -> Select[Any]:
    """The codes of the enterprises of a place."""
    return select(ledger.c.enterprise).where(*_of("enterprise", province, wanted))


def names(connection: Connection, codes: Collection[str], day: date) -> dict[str, str]:
    """What enterprises are called on a day, by code."""
    statement = f"{_NAMES} AND enterprise IN ({', '.join('?' * len(codes))})"
    return dict(sql.rows(connection, statement, (day, day, *codes)))


def page(connection: Connection, query: Select[Any], limit: int, page: int) -> tuple[Sequence[Row[Any]], int]:
    """The rows of a page of a list, and how many rows all its pages have."""
    rows = connection.execute(query.limit(limit).offset((page - 1) * limit)).all()
    if (rows and len(rows) < limit) or (page == 1 and not rows):
        return rows, (page - 1) * limit + len(rows)
    return rows, number(connection, query)


def long_page(
    connection: Connection,
    query: Select[Any],
    limit: int,
    number_of: int,
    total: int,
    whole: Callable[[Select[Any]], Select[Any]],
) -> Iterable[Row[Any]]:
    """The rows of a page of a list of which `total` is known; those of a long one are read as they are taken. `whole`:
    the list of all that is told of a page of it."""
    here = whole(query.limit(limit).offset((number_of - 1) * limit))
    if min(limit, total) > AT_ONCE:
        return _taken(connection, here)
    return connection.execute(here).all()


def _taken(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    """Rows as they are taken; who takes none asks for none."""
    with connection.execute(query, execution_options={"yield_per": AT_ONCE}) as result:
        for rows in result.partitions():
            yield from rows


def number(connection: Connection, query: Select[Any]) -> int:
    """How many rows a list has."""
    whole = query.order_by(None).subquery()
    return int(connection.execute(select(func.count()).select_from(whole)).scalar_one())


def _of(kind: str, province: Province, wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions of a list; its `text` is looked for in name, code and number at once."""
    c = ledger.c
    found = [c.kind == kind, on(wanted.day)]
    found += placed(province, wanted, c)
    if wanted.text:
        text = c.name + "\n" + c.enterprise + "\n" + c.asset_no
        found.append(text.icontains(wanted.text, autoescape=True))
    return found


def placed(province: Province, wanted: Filter, c: Any) -> Iterable[ColumnElement[bool]]:
    """The conditions of place, industry and tag, over any table that has `enterprise`, `area` and `industry`."""
    yield from within(province, wanted.area, wanted.industry, c)
    if wanted.only is not None:
        yield wanted.only.holds(c)
