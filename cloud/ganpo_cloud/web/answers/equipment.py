"""The devices behind the numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer
from sqlalchemy import Connection

from ganpo_cloud.province import lists
from ganpo_cloud.province.ledger import FLAGS
from ganpo_cloud.province.measures import UNIT, counted
from ganpo_cloud.store.described import AssetNo, Code, Listing, answer, filled, read, said, somewhere
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import Listed, Question, asks, day, order, sorted_by
from ganpo_cloud.web.problems import Refused
from ganpo_model.activity import Age
from ganpo_model.coverage import MEASURES, Evidence, Unit

Flag = Literal["main", "numerical_control", "digital", "intelligent"]
COUNTED = (
    *("units", "main", "nc_declared", "nc_checked", "nc_proven", "intelligent_checked"),
    *("now_registered", "now_networked", "now_cloud", "now_active"),
)
"""The measures of which a list says whether they count a device: added up they are what the pages say of a place."""
Counting = Literal[*COUNTED]  # type: ignore[valid-type]
Level = Annotated[
    Evidence,
    PlainSerializer(lambda level: level.name.lower(), Literal["claimed", "document", "controller"]),
]


_LEVELS = list(Evidence)
_UNIT = slice(len(lists.DEVICE) - len(UNIT), len(lists.DEVICE))
_AGES: Mapping[str | None, Age | None] = {None: None, **{age.value: age for age in Age}}


LEVELS: Mapping[str, tuple[int, ...]] = {
    "claimed": (Evidence.CLAIMED,),
    "document": (Evidence.DOCUMENT,),
    "controller": (Evidence.CONTROLLER,),
}
"""What may be asked of the evidence of a flag."""
SORTED = (
    *("enterprise", "asset_no", "name", "area", "industry", "status"),
    *("numerical_control", "networked", "cloud", "age"),
)
"""The columns by which devices are sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Listed):
    """Devices, all of them or those that a measure counts, and of them what is asked for."""

    measure: Annotated[str | None, asks("only what this measure counts", "nc_checked", max_length=40)] = None
    without: Annotated[
        str | None, asks("of that only what this measure does not count", "nc_proven", max_length=40)
    ] = None
    age: Annotated[
        Literal["active", "seen", "silent", "gone", "never", ""],
        asks("only what is seen so; never: nothing Good ever came", "silent"),
    ] = ""
    evidence: Annotated[
        Literal["claimed", "document", "controller", ""],
        asks("only where what is counted, else numerical control, is known so", "claimed"),
    ] = ""
    silent_since: Annotated[
        str, asks("silent or long offline, and nothing Good since this date", "2026-10-01", max_length=40)
    ] = ""
    sort: Annotated[str, asks(sorted_by(SORTED), "-age", max_length=40)] = ""


@answer
class Device:
    """One device of the ledger on a day, and what is known of it."""

    enterprise: Code
    asset_no: AssetNo
    name: str = said("what people call it", "立式加工中心 VMC850")
    site: str = said("id of its site", "plant-1")
    area: str | None = said("county of its site; null where nobody said", "360681")
    industry: str = said("industry of the enterprise", "NONFERROUS")
    status: str = said("in the ledger", "in_use")
    counts: bool = said("it is in service, and in every denominator", True)
    flags: dict[Flag, Level] = said(
        "those that hold, with their strongest evidence",
        {"main": "claimed", "numerical_control": "controller"},
    )
    networked: bool = said("a Good value was observed", True)
    cloud: bool = said("a Good value was stored", True)
    age: Age | None = said("of its last Good value; null: there was none", "active")
    last_good: date | None = said(
        "of what is silent or long offline: the last day on which something Good was seen; null: of others, or never",
        "2026-10-02",
    )
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
    since = day(asked.silent_since, "silent_since") if asked.silent_since else None
    wanted = replace(
        marked.wanted(connection, question, asked.text),
        age=None if not asked.age else "" if asked.age == "never" else asked.age,
        known=(flag_of(measure), LEVELS[asked.evidence]) if asked.evidence else None,
        silent_since=since,
    )
    query = lists.devices(question.province, wanted, measure, without, order(asked.sort, SORTED))
    total = lists.number(connection, query)
    long = min(asked.limit, total) > lists.AT_ONCE
    whole = lists.as_it_is if long else partial(lists.with_all, query)
    rows = lists.long_page(connection, query, asked.limit, asked.page, total, whole)
    return Listing(read(rows, device), total)


def flag_of(measure: str | None) -> Flag:
    """The flag whose evidence is asked for: of what is counted, else numerical control."""
    conditions = MEASURES[measure].of if measure is not None else ()
    named = [
        condition.field for condition in conditions if condition.field in FLAGS and condition.field != "main"
    ]
    return named[0] if named else "numerical_control"  # type: ignore[return-value]


def device(row: Any) -> Device:
    """A row of `lists.devices`."""
    return filled(Device, row, area=somewhere(row.area), **_told(row[_UNIT]))


@lru_cache(maxsize=4096)
def _told(unit: tuple[Any, ...]) -> Mapping[str, Any]:
    """What is made of what a device counts for, once for all of which the ledger says the same."""
    of, counting = Unit(*unit), counted(unit)
    flags = {flag: _LEVELS[level] for flag in FLAGS if (level := getattr(of, flag))}
    counts = {name: int(name in counting) for name in COUNTED}
    return {"counts": of.in_service, "flags": flags, "age": _AGES[of.age], "counted": counts}
