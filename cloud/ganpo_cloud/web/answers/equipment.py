"""The devices behind the numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer
from sqlalchemy import Connection

from ganpo_cloud.province import lists
from ganpo_cloud.province.ledger import FLAGS
from ganpo_cloud.store.described import AssetNo, Code, Listing, answer, filled, read, said, somewhere
from ganpo_cloud.web.asking import Listed, Question, asks
from ganpo_cloud.web.problems import Refused
from ganpo_model.activity import Age
from ganpo_model.coverage import MEASURES, Evidence

Flag = Literal["main", "numerical_control", "digital", "intelligent"]
Counting = Literal[*lists.COUNTED]  # type: ignore[valid-type]
Level = Annotated[
    Evidence,
    PlainSerializer(lambda level: level.name.lower(), Literal["claimed", "document", "controller"]),
]


_LEVELS = list(Evidence)
_AGES: Mapping[str | None, Age | None] = {None: None, **{age.value: age for age in Age}}
_flags = attrgetter(*FLAGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Listed):
    """Devices, all of them or those that a measure counts."""

    measure: Annotated[str | None, asks("only what this measure counts", "nc_checked", max_length=40)] = None
    without: Annotated[
        str | None, asks("of that only what this measure does not count", "nc_proven", max_length=40)
    ] = None


@answer
class Device:
    """One device of the ledger on a day, and what is known of it."""

    enterprise: Code
    asset_no: AssetNo
    name: str = said("what people call it", "立式加工中心 VMC850")
    site: str = said("id of its site", "plant-1")
    area: str | None = said("county of its site; null where nobody said", "360681")
    industry: str = said("of the enterprise", "NONFERROUS")
    status: str = said("in the ledger", "in_use")
    counts: bool = said("it is in service, and in every denominator", True)
    flags: dict[Flag, Level] = said(
        "those that hold, with their strongest evidence",
        {"main": "claimed", "numerical_control": "controller"},
    )
    networked: bool = said("a Good value was observed", True)
    cloud: bool = said("a Good value was stored", True)
    age: Age | None = said("of its last Good value; null: there was none", "active")
    counted: dict[Counting, int] = said(
        "1 where a measure counts it; what these add up to is what the pages say of a place",
        {"units": 1, "main": 1, "nc_checked": 0},
        adds=True,
    )


def equipment(connection: Connection, question: Question, asked: Counted) -> Listing[Device]:
    """The devices behind the numbers, as of the end of a day."""
    measure, without = asked.measure or None, asked.without or None
    for where, name in (("measure", measure), ("without", without)):
        if name is not None and name not in MEASURES:
            raise Refused(422, "measure", f"none of {', '.join(MEASURES)}", where)
    wanted = lists.Filter(question.area, question.industry, question.day, asked.text)
    query = lists.devices(question.province, wanted, measure, without)
    rows, total = lists.long_page(connection, query, asked.limit, asked.page)
    return Listing(read(rows, device), total)


def device(row: Any) -> Device:
    """A row of `lists.devices`."""
    levels = {flag: _LEVELS[level] for flag, level in zip(FLAGS, _flags(row), strict=True) if level}
    about = {"counts": row.in_service, "area": somewhere(row.area), "flags": levels, "age": _AGES[row.age]}
    return filled(
        Device, row, **about, counted=dict(zip(lists.COUNTED, row[len(lists.DEVICE) :], strict=True))
    )
