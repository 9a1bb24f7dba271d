"""The tables that give words their meaning: normative (metrics.md). A test holds code and tables equal.

Read with the standard library at first use; a table that is damaged is told with its file, row and column.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

from ganpo_model.errors import ConfigError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Signal:
    """What a point may mean. `type`: enum, bool, string, number or register; `subjects`: equipment, meter."""

    id: str
    type: str
    unit: str
    subjects: tuple[str, ...]
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Carrier:
    """What is metered. `kind`: carrier, working_medium or water."""

    id: str
    name_zh: str
    name_en: str
    unit: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A mark that filters and never partitions. `plan`: the row of the plan that asks for it, if one does; `of`:
    enterprise, area, or area_industry (an industry of an area)."""

    id: str
    plan: str
    of: str
    name_zh: str
    name_en: str


def rows(table: str) -> list[dict[str, str]]:
    """The rows of a table by column. Raises ConfigError for a row with too few or too many cells."""
    text = files(__name__).joinpath(f"{table}.csv").read_text(encoding="utf-8-sig")
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        if None in row or None in row.values():
            raise ConfigError("a row with too few or too many cells", where=f"{table}.csv row {number}")
        found.append(row)
    return found


@cache
def signals() -> dict[str, Signal]:
    """Signals by id."""
    return _keyed(
        "signals",
        lambda row: Signal(
            row["id"], row["type"], row["unit"], tuple(row["for"].split()), row["name_zh"], row["name_en"]
        ),
        {"type": {"enum", "bool", "string", "number", "register"}},
    )


@cache
def carriers() -> dict[str, Carrier]:
    """Carriers by id."""
    return _keyed(
        "carriers",
        lambda row: Carrier(row["id"], row["name_zh"], row["name_en"], row["unit"], row["kind"]),
        {"kind": {"carrier", "working_medium", "water"}},
    )


@cache
def flags() -> tuple[str, ...]:
    """Ids of the flags that equipment may have."""
    return tuple(row["flag"] for row in rows("equipment_flags"))


@cache
def tags() -> dict[str, Tag]:
    """Tags by id."""
    return _keyed(
        "tags",
        lambda row: Tag(row["id"], row["plan"], row["of"], row["name_zh"], row["name_en"]),
        {"of": {"enterprise", "area", "area_industry"}},
    )


def _keyed(table: str, make: Callable[[dict[str, str]], _T], words: dict[str, set[str]]) -> dict[str, _T]:
    found: dict[str, _T] = {}
    for number, row in enumerate(rows(table), start=2):
        for column, allowed in words.items():
            if row[column] not in allowed:
                where = f"{table}.csv row {number}, {column} = {row[column]!r}"
                raise ConfigError(f"none of {', '.join(sorted(allowed))}", where=where)
        if row["id"] in found:
            raise ConfigError("twice", where=f"{table}.csv row {number}, id = {row['id']}")
        found[row["id"]] = make(row)
    return found
