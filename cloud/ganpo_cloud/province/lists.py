"""Enterprises and devices as lists: filtered in SQL over the ledger as it stood on a day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.counted_tables import ledger, production
from ganpo_model.coverage import Evidence

COUNTS: Mapping[str, str] = {
    "devices": "units",
    "main_devices": "main",
    "nc_devices": "nc_checked",
    "networked_devices": "now_networked",
    "cloud_devices": "now_cloud",
    "active_devices": "now_active",
}
"""What stands beside an enterprise, each by the measure that it is: how many of its devices have come how far."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of them: at a place, in an industry (None: in any), on a day; `text` in number or name."""

    area: str
    industry: str | None
    day: date
    text: str = ""


def below(province: Province, area: str) -> list[str] | None:
    """The lowest places of an area; None: everywhere."""
    if area == province.whole:
        return None
    return [number for number in province.areas if area in province.above(number)]


def devices(province: Province, wanted: Filter, measure: str | None = None) -> Select[Any]:
    """The devices of the ledger; of a measure, those that it counts. Ordered by enterprise and number."""
    age = _age(wanted.day)
    query = select(ledger, age.label("age")).where(
        ledger.c.kind == "equipment", *_within(province, wanted), *_like(wanted.text)
    )
    if measure is not None:
        query = query.where(_counts(measure, age, ledger.c))
    return query.order_by(ledger.c.enterprise, ledger.c.asset_no)


def enterprises(province: Province, wanted: Filter) -> Select[Any]:
    """The enterprises of the registry, at their homes, with how many devices have come how far."""
    own = ledger.alias("own")
    age = _age(wanted.day, own)
    on_day = (own.c.kind == "equipment") & _holds(own, wanted.day)
    counts = (
        select(
            own.c.enterprise,
            *(
                func.sum(case((_counts(measure, age, own.c), 1), else_=0)).label(name)
                for name, measure in COUNTS.items()
            ),
        )
        .where(on_day)
        .group_by(own.c.enterprise)
        .subquery()
    )
    return (
        select(ledger, *(counts.c[name] for name in COUNTS))
        .outerjoin(counts, counts.c.enterprise == ledger.c.enterprise)
        .where(ledger.c.kind == "enterprise", *_within(province, wanted))
        .where(*_like(wanted.text, ledger.c.enterprise))
        .order_by(ledger.c.enterprise)
    )


def page(connection: Connection, query: Select[Any], limit: int, page: int) -> tuple[Sequence[Row[Any]], int]:
    """The rows of a page of a list, and how many rows all its pages have."""
    rows = connection.execute(query.limit(limit).offset((page - 1) * limit)).all()
    if (rows and len(rows) < limit) or (page == 1 and not rows):
        return rows, (page - 1) * limit + len(rows)
    return rows, number(connection, query)


def number(connection: Connection, query: Select[Any]) -> int:
    """How many rows a list has."""
    return int(
        connection.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    )


def _within(province: Province, wanted: Filter) -> list[ColumnElement[bool]]:
    found = [_holds(ledger, wanted.day)]
    areas: Collection[str] | None = below(province, wanted.area)
    if areas is not None:
        found.append(ledger.c.area.in_(areas))
    if wanted.industry is not None:
        found.append(ledger.c.industry == wanted.industry)
    return found


def _like(text: str, code: ColumnElement[str] | None = None) -> list[ColumnElement[bool]]:
    if not text:
        return []
    columns = [ledger.c.name, code if code is not None else ledger.c.asset_no]
    return [or_(*(column.icontains(text, autoescape=True) for column in columns))]


def _holds(table: Any, day: date) -> ColumnElement[bool]:
    return and_(table.c.since <= day, or_(table.c.until.is_(None), table.c.until > day))


def _age(day: date, table: Any = ledger) -> ColumnElement[Any]:
    """The newest word for a device's age up to a day."""
    newest = (
        select(production.c.age)
        .where(production.c.enterprise == table.c.enterprise, production.c.subject == table.c.asset_no)
        .where(production.c.day <= day)
        .order_by(production.c.day.desc())
        .limit(1)
    )
    return case((table.c.networked, newest.scalar_subquery()), else_=None)


def _counts(measure: str, age: ColumnElement[Any], s: Any) -> ColumnElement[bool]:
    """What `MEASURES` says, as SQL over the columns of `ledger`; a test holds both equal."""
    here = (s.status != "retired") & ((age != "gone") | age.is_(None))
    conditions: dict[str, ColumnElement[bool]] = {
        "units": s.in_service,
        "main": s.in_service & (s.main > 0),
        "networked": s.in_service & s.networked & here,
        "digital_networked": s.in_service & (s.digital > 0) & s.networked & here,
        "cloud": s.in_service & s.cloud & here,
        "active": s.in_service & s.cloud & (age == "active"),
        "ever_registered": s.kind == "equipment",
        "now_registered": s.status != "retired",
        "ever_networked": s.networked == True,  # noqa: E712 - SQL
        "now_networked": s.networked & here,
        "ever_cloud": s.cloud == True,  # noqa: E712
        "now_cloud": s.cloud & here,
        "now_active": s.cloud & (s.status != "retired") & (age == "active"),
        "silent": s.cloud & (s.status != "retired") & (age == "silent"),
        "gone": s.cloud & (s.status != "retired") & (age == "gone"),
        "retired": s.status == "retired",
    }
    for flag, column in (("nc", s.numerical_control), ("intelligent", s.intelligent), ("digital", s.digital)):
        for word, least in zip(("declared", "checked", "proven"), list(Evidence)[1:], strict=True):
            among = s.main > 0 if flag == "nc" else s.in_service
            conditions[f"{flag}_{word}"] = s.in_service & among & (column >= least)
    return conditions[measure]


def codes(province: Province, wanted: Filter) -> Select[Any]:
    """The codes of the enterprises of a place."""
    return select(ledger.c.enterprise).where(ledger.c.kind == "enterprise", *_within(province, wanted))
