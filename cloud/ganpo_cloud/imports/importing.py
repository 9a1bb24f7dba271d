"""A list against what the registry holds: what is new, what changes, what is refused; then all of it or nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from ganpo_cloud.imports.cells import Cells
from ganpo_cloud.imports.kind import Kind, Values
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.imports.known import Known, of_names
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store import sql
from ganpo_model import tables
from ganpo_model.errors import ConfigError
from ganpo_model.tables import List, Row
from ganpo_service import workbooks

Key = tuple[Any, ...]
_EACH_ITS_OWN = "of two documents the one counts that is imported last: each in a file of its own"


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
    withdrawn: tuple[Change, ...] | None = None
    """What is taken back; None: it is an import."""


@dataclass
class _Read:
    """A list as it was read, and what is wrong with it. `taken`: its rows that could be read, with their values."""

    about: Kind
    known: Known
    found: List
    taken: list[tuple[Row, Values]]
    errors: list[ConfigError]
    refused: set[str]
    said: dict[Key, Row] = field(default_factory=dict)

    def refuse(self, row: Row, what: str, column: str = "", hint: str = "") -> None:
        """A row is refused."""
        self.errors.append(ConfigError(what, where=row.place(column), hint=hint))
        self.refused.add(row.place())

    def once(self, row: Row, value: Values) -> bool:
        """Whether it is the first row that says something of the same; any other is refused."""
        key, about = self.about.key(value), self.about
        first = self.said.setdefault(tuple(value[column] for column in about.once.split()) or key, row)
        if first is row:
            return True
        there_too = f"row {first.number}" if first.source == row.source else first.place()
        what = f"{there_too} says something of the same: {_named(key)}"
        self.refuse(row, what, hint=_EACH_ITS_OWN if about.once else "")
        return False

    @property
    def rejected(self) -> int:
        """How many rows are refused."""
        return self.found.refused + len(self.refused)


def _read(
    connection: Connection,
    kind: str,
    raw: bytes,
    name: str,
    province: Province,
    now: datetime,
    *,
    ruled: bool = True,
) -> _Read:
    about = KINDS[kind]
    required = [column for column in about.columns if column not in about.optional]
    found = tables.read(raw, name, about.columns, required, opener=workbooks.sheets, kind=kind)
    known = Known(connection, province, now, {row.cells.get("enterprise", "") for row in found.rows})
    read = _Read(about, known, found, [], list(found.errors), set())
    for row in found.rows:
        cells = Cells(row.cells, known, {})
        value = about.read(cells, ruled=ruled)
        for column, (what, hint) in cells.wrongs.items():
            read.refuse(row, what, column, hint)
        if not cells.wrongs:
            read.taken.append((row, value))
    return read


def preview(
    connection: Connection, kind: str, raw: bytes, name: str, province: Province, now: datetime
) -> Preview:
    """Read a list and compare it with the registry. `name` of the file stands in every error."""
    read = _read(connection, kind, raw, name, province, now)
    about, found = read.about, read.found
    there = _there(connection, about, read.taken)
    new: dict[Key, Change] = {}
    unchanged = 0
    for row, value in read.taken:
        key = about.key(value)
        before = there.get(key)
        differences = before and _differences(before, value)
        if not read.once(row, value):
            continue
        if before is not None and not differences:
            unchanged += 1
        elif about.late is not None and (what := about.late(value, before, read.known)):
            read.refuse(row, what)
        else:
            new[key] = Change(row, _named(key), differences, value)
    # A row that could not be read may be what others miss: they are held against each other once all can be.
    notes = list(found.notes)
    if not found.rows and not read.errors:
        notes.append(f"{name}: no row stands below its head")
    if about.beside is not None and read.rejected:
        notes.append(f"{name}: its rows are held against each other once every one can be read")
    else:
        for row, column, what in _beside(about, there, new):
            read.refuse(row, what, column)
    return Preview(
        kind,
        unchanged,
        tuple(change for change in new.values() if change.before is None),
        tuple(change for change in new.values() if change.before is not None),
        read.rejected,
        tuple(read.errors),
        tuple(notes),
    )


def withdrawal(
    connection: Connection, kind: str, raw: bytes, name: str, province: Province, now: datetime
) -> Preview:
    """Read a list of rows that are to be taken back: each has to stand in the registry as the list says it.

    Raises ConfigError for a list whose rows others name.
    """
    if KINDS[kind].named:
        what = "rows of other lists name these: none is taken back"
        raise ConfigError(what, where=kind, hint="a later row of the same key corrects it, or ends it")
    read = _read(connection, kind, raw, name, province, now, ruled=False)
    about = read.about
    there = _there(connection, about, read.taken)
    gone = []
    for row, value in read.taken:
        key = about.key(value)
        if not read.once(row, value):
            continue
        if (before := there.get(key)) is None:
            read.refuse(row, f"{_named(key)} does not stand in the registry: there is nothing to take back")
        elif differences := _differences(before, value):
            said = ", ".join(f"{column} {was}" for column, (was, _) in differences.items())
            read.refuse(row, f"stands there otherwise: {said}", hint="take back what stands there")
        elif about.late is not None and (what := about.late(value, before, read.known)):
            read.refuse(row, what)
        else:
            gone.append(Change(row, _named(key), None, before))
    notes = list(read.found.notes)
    if not read.found.rows and not read.errors:
        notes.append(f"{name}: no row stands below its head")
    return Preview(kind, 0, (), (), read.rejected, tuple(read.errors), tuple(notes), tuple(gone))


def _differences(before: Values, value: Values) -> dict[str, tuple[Any, Any]]:
    """What another row says otherwise, column by column; when it was entered is none of it."""
    return {n: (before[n], v) for n, v in value.items() if n != "recorded_at" and before[n] != v}


def _there(connection: Connection, about: Kind, taken: Iterable[tuple[Row, Values]]) -> dict[Key, Values]:
    """What is stored that shares the first part of a key with a row of the list: all that it may meet."""
    first = next(iter(about.table.primary_key))
    names = {value[first.name] for _, value in taken}
    rows = of_names(connection, select(about.table), first, names)
    values = (dict(zip(about.table.columns.keys(), row, strict=True)) for row in rows)
    return {about.key(value): value for value in values}


def _beside(
    about: Kind, there: Mapping[Key, Values], new: Mapping[Key, Change]
) -> Iterator[tuple[Row, str, str]]:
    """Rows of the list that cannot stand beside another, as all would stand after the import; each cell once."""
    if about.beside is None or not new:
        return
    told = set()
    for value, column, what in about.beside([*({**there, **{k: c.values for k, c in new.items()}}).values()]):
        key = about.key(value)
        if key in new and (key, column) not in told:
            told.add((key, column))
            yield new[key].row, column, what


def apply(connection: Connection, found: Preview, today: date) -> None:
    """Store what a preview holds, in the transaction of the connection, and mark what it touches.

    Raises ValueError where rows were refused: nothing is applied by halves.
    """
    if found.errors:
        raise ValueError("rows were refused")
    about = KINDS[found.kind]
    new = [change.values for change in (*found.added, *found.changed)]
    gone = [change.values for change in found.withdrawn or ()]
    sql.replace(connection, about.table, (tuple(map(row.get, about.table.columns.keys())) for row in new))
    if gone:
        names = {column: f"of_{column.name}" for column in about.table.primary_key}
        same = delete(about.table).where(*(column == bindparam(name) for column, name in names.items()))
        connection.execute(same, [{name: row[of.name] for of, name in names.items()} for row in gone])
    if (new or gone) and about.touched is not None:
        about.touched(connection, [*new, *gone], today)


def _named(key: Key) -> str:
    return " ".join(str(part) for part in key)
