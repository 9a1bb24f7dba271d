"""A list against what the registry holds: what is new, what changes, what is refused; then all of it or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from ganpo_cloud.imports.cells import Cells, Known
from ganpo_cloud.imports.kinds import KINDS, Kind, Values
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import subject
from ganpo_model import tables
from ganpo_model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Change:
    """One row that says something new. `before`: what stood there, column by column, where it differs."""

    row: int
    key: str
    before: Mapping[str, tuple[Any, Any]] | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list comes to, in rows. Nothing is applied while there are `errors`."""

    kind: str
    rejected: int
    unchanged: int
    added: tuple[Change, ...]
    changed: tuple[Change, ...]
    errors: tuple[ConfigError, ...]
    notes: tuple[str, ...]
    values: tuple[Values, ...]


def preview(
    connection: Connection, kind: str, raw: bytes, name: str, province: Province, now: datetime
) -> Preview:
    """Read a list and compare it with the registry. `name` of the file stands in every error."""
    about = KINDS[kind]
    wanted = [column for column in about.columns if column not in about.optional]
    found = tables.read(raw, name, about.columns, wanted)
    known = _known(connection, province, now, {row.cells.get("enterprise", "") for row in found.rows})
    there = _there(connection, about.table)
    errors = list(found.errors)
    added: list[Change] = []
    changed: list[Change] = []
    values: list[Values] = []
    unread = len({error.where.partition(",")[0] for error in errors})
    rejected = 0
    taken: dict[tuple[Any, ...], int] = {}
    for row in found.rows:
        cells = Cells(row.cells, known)
        value = about.read(cells)
        if cells.errors:
            rejected += 1
            for wrong in cells.errors:
                where = tables.place(name, row.number, wrong.column, row.cells[wrong.column])
                errors.append(ConfigError(wrong.what, where=where, hint=wrong.hint))
            continue
        key = _key(about.table, value)
        if key in taken:
            what = f"row {taken[key]} says something of the same: {_named(key)}"
            errors.append(ConfigError(what, where=f"{name} row {row.number}"))
            rejected += 1
            continue
        taken[key] = row.number
        before = there.get(key)
        if before is not None and "recorded_at" in value:
            value["recorded_at"] = before["recorded_at"]
        differences = before and {n: (before[n], v) for n, v in value.items() if before[n] != v}
        if before is not None and not differences:
            continue
        if about.late is not None and (why := about.late(value, now)):
            errors.append(ConfigError(why, where=f"{name} row {row.number}"))
            rejected += 1
            continue
        (added if before is None else changed).append(Change(row.number, _named(key), differences))
        values.append(value)
    for what in _clashes(about, there, values):
        errors.append(ConfigError(what, where=name))
    return Preview(
        kind,
        rejected + unread,
        len(found.rows) - len(added) - len(changed) - rejected,
        tuple(added),
        tuple(changed),
        tuple(errors),
        found.notes,
        tuple(values),
    )


def _clashes(
    about: Kind, there: Mapping[tuple[Any, ...], Mapping[str, Any]], new: Sequence[Values]
) -> Iterable[str]:
    """Rows that cannot stand beside each other at one site, as they would stand after the import."""
    if about.clash is None:
        return
    after = {**there, **{_key(about.table, value): value for value in new}}
    places: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in after.values():
        places.setdefault((row["enterprise"], row["site"]), []).append(row)
    told: set[tuple[Any, ...]] = set()
    for value in new:
        mine = _key(about.table, value)
        told.add(mine)
        for other in places[value["enterprise"], value["site"]]:
            theirs = _key(about.table, other)
            if theirs not in told and about.clash(dict(value), dict(other)):
                yield f"{_named(mine)} and {_named(theirs)} say something of the same day"


def apply(connection: Connection, found: Preview, today: date) -> None:
    """Store what a preview holds, in the transaction of the connection, and mark what it touches.

    Raises ValueError where rows were refused: nothing is applied by halves.
    """
    if found.errors:
        raise ValueError("rows were refused")
    table = KINDS[found.kind].table
    rows = (tuple(map(values.get, table.columns.keys())) for values in found.values)
    sql.replace(connection, table, rows)
    KINDS[found.kind].touched(connection, found.values, today)


def _known(connection: Connection, province: Province, now: datetime, named: set[str]) -> Known:
    """What rows may refer to. `named`: enterprises of the list itself, of which nothing older decides."""

    def pairs(*columns: Any) -> Iterable[tuple[str, str]]:
        return ((row[0], row[1]) for row in connection.execute(select(*columns).distinct()))

    equipment = {
        *pairs(registry.equipment.c.enterprise, registry.equipment.c.asset_no),
        *pairs(subject.c.enterprise, subject.c.asset_no),
    }
    zones = {
        (row.enterprise, row.asset_no): row.timezone
        for row in connection.execute(select(subject.c.enterprise, subject.c.asset_no, subject.c.timezone))
    }
    return Known(
        province,
        now,
        frozenset(connection.execute(select(registry.enterprise.c.code).distinct()).scalars()),
        frozenset(pairs(registry.site.c.enterprise, registry.site.c.site)),
        frozenset(equipment),
        zones,
        {
            row.year: row.price_basis
            for row in connection.execute(select(registry.value_added))
            if row.enterprise not in named
        },
    )


def _there(connection: Connection, table: Table) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    return {_key(table, row): dict(row) for row in connection.execute(select(table)).mappings()}


def _key(table: Table, values: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(values[column.name] for column in table.primary_key)


def _named(key: Sequence[Any]) -> str:
    return " ".join(str(part) for part in key)
