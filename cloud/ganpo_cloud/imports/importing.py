"""A list against what the registry holds: what is new, what changes, what is refused; then all of it or nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.imports.cells import Cells, Known
from ganpo_cloud.imports.kinds import KINDS, Kind, Values
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import subject
from ganpo_model import tables
from ganpo_model.errors import ConfigError
from ganpo_model.tables import Row
from ganpo_service import workbooks

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One row that says something new. `before`: what stood there, column by column, where it differs."""

    row: Row
    key: str
    before: Mapping[str, tuple[Any, Any]] | None
    values: Values


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list comes to, in rows. Nothing is applied while there are `errors`."""

    kind: str
    unchanged: int
    added: tuple[Change, ...]
    changed: tuple[Change, ...]
    rejected: int
    errors: tuple[ConfigError, ...]
    notes: tuple[str, ...]


def preview(
    connection: Connection, kind: str, raw: bytes, name: str, province: Province, now: datetime
) -> Preview:
    """Read a list and compare it with the registry. `name` of the file stands in every error."""
    about = KINDS[kind]
    required = [column for column in about.columns if column not in about.optional]
    found = tables.read(raw, name, about.columns, required, opener=workbooks.sheets, kind=kind)
    known = _known(connection, province, now, {row.cells.get("enterprise", "") for row in found.rows})
    there = {_key(about, row): dict(row) for row in connection.execute(select(about.table)).mappings()}
    errors = list(found.errors)
    said: dict[Key, Row] = {}
    refused: set[str] = set()
    new: dict[Key, Change] = {}
    unchanged = 0
    for row in found.rows:
        cells = Cells(row.cells, known, {})
        value = about.read(cells)
        for column, (what, hint) in cells.wrongs.items():
            errors.append(ConfigError(what, where=row.place(column), hint=hint))
        if cells.wrongs:
            refused.add(row.place())
            continue
        key = _key(about, value)
        first = said.setdefault(key, row)
        before = there.get(key)
        if before is not None and about.late is not None:
            value["recorded_at"] = before["recorded_at"]
        differences = before and {
            n: (before[n], v) for n, v in value.items() if n != "recorded_at" and before[n] != v
        }
        if first is not row:
            there_too = f"row {first.number}" if first.source == row.source else first.place()
            what = f"{there_too} says something of the same: {_named(key)}"
        elif before is not None and not differences:
            unchanged += 1
            continue
        else:
            what = about.late(value, now) if about.late is not None else ""
        if what:
            errors.append(ConfigError(what, where=row.place()))
            refused.add(row.place())
        else:
            new[key] = Change(row, _named(key), differences, value)
    for row, what in _clashes(about, there, new):
        errors.append(ConfigError(what, where=row.place()))
        refused.add(row.place())
    return Preview(
        kind,
        unchanged,
        tuple(change for change in new.values() if change.before is None),
        tuple(change for change in new.values() if change.before is not None),
        found.refused + len(refused),
        tuple(errors),
        found.notes,
    )


def _clashes(
    about: Kind, there: Mapping[Key, Values], new: Mapping[Key, Change]
) -> Iterable[tuple[Row, str]]:
    """Rows that cannot stand beside another of their site, as they would stand after the import."""
    if about.clash is None:
        return
    places: dict[Key, dict[Key, Values]] = {}
    for key, row in {**there, **{key: change.values for key, change in new.items()}}.items():
        places.setdefault((row["enterprise"], row["site"]), {})[key] = row
    for key, change in new.items():
        for other, row in places[change.values["enterprise"], change.values["site"]].items():
            if other != key and about.clash(change.values, row):
                yield change.row, f"{change.key} and {_named(other)} say something of the same day"


def apply(connection: Connection, found: Preview, today: date) -> None:
    """Store what a preview holds, in the transaction of the connection, and mark what it touches.

    Raises ValueError where rows were refused: nothing is applied by halves.
    """
    if found.errors:
        raise ValueError("rows were refused")
    about = KINDS[found.kind]
    new = [change.values for change in (*found.added, *found.changed)]
    sql.replace(connection, about.table, (tuple(map(row.get, about.table.columns.keys())) for row in new))
    if about.touched is not None:
        about.touched(connection, new, today)


def _known(connection: Connection, province: Province, now: datetime, named: set[str]) -> Known:
    """What rows may refer to. `named`: enterprises of the list itself, of which nothing older decides."""

    def every(*columns: Any) -> Iterable[Any]:
        return connection.execute(select(*columns).distinct())

    ledger, site = registry.equipment.c, registry.site.c
    described = every(subject.c.enterprise, subject.c.asset_no, subject.c.timezone)
    zones = {(row.enterprise, row.asset_no): row.timezone for row in described}
    return Known(
        province,
        now,
        {row.code for row in every(registry.enterprise.c.code)},
        {tuple(row) for row in every(site.enterprise, site.site)},
        zones.keys() | {tuple(row) for row in every(ledger.enterprise, ledger.asset_no)},
        zones,
        {row.year: row.price_basis for row in every(registry.value_added) if row.enterprise not in named},
    )


def _key(about: Kind, values: Mapping[Any, Any]) -> Key:
    return tuple(values[column.name] for column in about.table.primary_key)


def _named(key: Key) -> str:
    return " ".join(str(part) for part in key)
