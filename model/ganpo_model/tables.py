"""Lists as people keep them: a CSV file or a workbook in, rows with their places or errors out (docs/lists.md).

The same reader serves gateway and collector. A workbook is bytes here: who calls says what opens it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from ganpo_model import cells as cells_of
from ganpo_model import heads, separated
from ganpo_model.cells import AS_TEXT, NUMBERED, numbered
from ganpo_model.errors import ConfigError
from ganpo_model.heads import Head, Merged, letters
from ganpo_model.meant import meant
from ganpo_model.sheets import List, Opener, Row, Sheet, Source

__all__ = [
    "AS_TEXT",
    "NUMBERED",
    "List",
    "Opener",
    "Row",
    "Sheet",
    "Source",
    "is_workbook",
    "numbered",
    "read",
]

LONGEST_CELL = 1000
_FORMULA = re.compile(r"=[^=<>]")
"""An = alone is a comparator, and => a slip of one."""
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_NEAR = 0.8
_SHOWN = 5
"""Hidden rows that are named."""


def is_workbook(raw: bytes) -> bool:
    """Whether these are the bytes of a workbook, whatever the file is called."""
    return raw.startswith(_MAGIC)


def read(
    raw: bytes,
    name: str,
    columns: Sequence[str],
    required: Sequence[str] = (),
    *,
    opener: Opener | None = None,
    kind: str = "",
    foreign: bool = False,
    aside: Sequence[str] = (),
    about: Mapping[str, str] = MappingProxyType({}),
) -> List:
    """Read a list of these `columns`; those `required` have to be in its head. `name` stands in every error.

    `opener`: for workbooks; `kind`: of the list, after which sheets are called; `foreign`: columns that are none of the
    list are left out, with a note, but for those `aside`, which are read too; `about`: what stands in a column, for
    those that are missing. Empty rows and columns are ignored. Never raises for what a person wrote.
    """
    reading = _Reading(name, (*columns, *aside), tuple(required), foreign, tuple(aside), about)
    if not is_workbook(raw):
        found = separated.read(raw, name, reading.columns)
        reading.notes += found.notes
        if not found.rows and found.error is None:
            first = f"its first row is {','.join(columns)}"
            found = separated.Separated((), error=ConfigError("is empty", where=name, hint=first))
        reading.take(Sheet("", found.rows))
        if found.error is not None:
            reading.errors.append(found.error)
        return reading.result()
    if opener is None:
        reading.errors.append(ConfigError("is a workbook, no CSV", where=name, hint=separated.SAVE))
        return reading.result()
    try:
        sheets = opener(raw, name)
    except ConfigError as error:
        reading.errors.append(error)
        return reading.result()
    for sheet in reading.chosen(sheets, kind):
        reading.take(sheet)
    return reading.result()


class _Reading:
    """One list while it is read. What was read otherwise than it stands is told once per column and sort."""

    def __init__(
        self,
        name: str,
        columns: tuple[str, ...],
        required: tuple[str, ...],
        foreign: bool,
        aside: tuple[str, ...],
        about: Mapping[str, str],
    ) -> None:
        self.columns = columns
        self.errors: list[ConfigError] = []
        self.notes: list[str] = []
        self._name, self._required, self._foreign = name, required, foreign
        self._aside, self._about = aside, about
        self._rows: list[Row] = []
        self._refused: set[str] = set()
        self._has: set[str] = set()
        self._otherwise: dict[tuple[str, str, str], list[str]] = {}
        self._cell = lru_cache(1024)(_cell)  # most cells of a list stand in many of its rows

    def result(self) -> List:
        """What it came to."""
        for told in self._otherwise.values():
            more = f"; {len(told) - 1} more in this column" if len(told) > 1 else ""
            self.notes.append(told[0] + more)
        refused, has = len(self._refused), frozenset(self._has)
        return List(tuple(self._rows), tuple(self.errors), tuple(self.notes), refused, has)

    def chosen(self, sheets: Sequence[Sheet], kind: str) -> list[Sheet]:
        """The sheets that hold this list: called after it, or with all that is required in their heads."""
        heads_of = {sheet.name: heads.find(sheet.rows, self.columns, sheet.merged) for sheet in sheets}
        mine, complete = [], []
        for sheet in sheets:
            head, named = heads_of[sheet.name], heads.lists_named(sheet.name)
            fits = head is not None and head.has(self._required)
            if sheet.hidden:
                if fits:
                    self.notes.append(f"{self._name}, sheet {sheet.name}: is hidden and was left out")
            elif kind in named and head is not None:
                mine.append(sheet)
            elif fits and not named:
                complete.append(sheet)
        clean = [sheet for sheet in complete if (head := heads_of[sheet.name]) and not head.strange]
        found = mine + (clean or complete)
        shown = [sheet for sheet in sheets if not sheet.hidden and sheet.rows]
        if not found and len(shown) == 1 and not heads.lists_named(shown[0].name):
            return shown
        if not found:
            names = ", ".join(sheet.name for sheet in shown)
            what = f"no sheet has a head with {', '.join(self._required or self.columns)}"
            hint = f"its sheets are {names}" if shown else "it is empty"
            self.errors.append(ConfigError(what, where=self._name, hint=hint))
        for sheet in shown:
            if found and sheet not in found and not heads.lists_named(sheet.name):
                self.notes.append(f"{self._name}, sheet {sheet.name}: has no such rows and was left out")
        return found

    def take(self, sheet: Sheet) -> None:
        """Read one sheet."""
        head = heads.find(sheet.rows, self.columns, sheet.merged)
        if head is None:
            return
        if self._foreign:
            head = heads.settled(head, self._aside)
        source = Source(
            self._name, sheet.name, {c: letters(at) for at, c in head.named.items()} if sheet.name else {}
        )
        before = len(self.errors)
        self._check(head, source)
        if len(self.errors) > before:
            return
        self._has.update(head.named.values())
        below = [(number, row) for number, row in sheet.rows if number > head.end]
        if unseen := [str(number) for number, _ in below if number in sheet.unseen]:
            some = ", ".join(unseen[:_SHOWN]) + (" ..." if len(unseen) > _SHOWN else "")
            self.notes.append(f"{source.file}, sheet {source.sheet}: hidden rows were read too: {some}")
        for number, row in self._unmerged(below, sheet.merged, source, head):
            self._take_row(number, row, head, sheet, source)

    def _check(self, head: Head, source: Source) -> None:
        """Tell what is wrong with a head."""
        where = source.row(head.row)
        strange = list(head.strange.items())
        for at, cell in strange:
            near = meant(cell.casefold(), self.columns, _NEAR)
            if self._foreign and not near:
                continue
            at_cell = (
                f"{source.file}, sheet {source.sheet}, cell {letters(at)}{head.row}"
                if source.sheet
                else where
            )
            hint = f"it has {', '.join(column for column in self.columns if column not in self._aside)}"
            self.errors.append(ConfigError(f"no such column: {cell[:60]}", where=at_cell, hint=hint))
        for at, column in head.twice.items():
            first = next(place for place, other in head.named.items() if other == column)
            names = " and ".join(_head_cell(place, head.texts[place]) for place in (first, at))
            hint = f"{names} both name it: keep one, and call the other otherwise"
            self.errors.append(ConfigError(f"column {column} twice", where=where, hint=hint))
        for column in self._required:
            if column not in head.named.values():
                title = heads.titles().get(column, "")
                hint = "; ".join(filter(None, (title and f"or in Chinese: {title}", self._about.get(column))))
                self.errors.append(ConfigError(f"column {column} is missing", where=where, hint=hint))
        if self._foreign and strange:
            names = ", ".join(cell for _, cell in strange)
            self.notes.append(f"{where}: columns that are none of the list were left out: {names}")
        if head.above and head.named:
            self.notes.append(f"{source.row(head.above)}: stands above the head and was left out")

    def _unmerged(
        self,
        rows: Iterable[tuple[int, Sequence[str]]],
        merged: Collection[Merged],
        source: Source,
        head: Head,
    ) -> Iterable[tuple[int, Sequence[str]]]:
        """The rows, with what stands in merged cells below one another in each of them."""
        inside: dict[int, dict[int, str]] = {}
        values = {}
        for top, left, bottom, right in merged:
            if top <= head.end:
                continue
            if right > left and sum(at in head.named for at in range(left, right + 1)) > 1:
                where = f"{source.file}, sheet {source.sheet}, cell {letters(left)}{top}"
                what, hint = "cells of two columns are merged", "split them and fill in each"
                self.errors.append(ConfigError(what, where=where, hint=hint))
                self._refused.add(source.row(top))
            elif bottom > top and left in head.named:
                values[top, left] = range(top + 1, bottom + 1)
        if not values:
            yield from rows
            return
        for number, cells in rows:
            found = list(cells)
            for at, value in inside.get(number, {}).items():
                found += [""] * (at + 1 - len(found))
                found[at] = found[at] or value
            for at, cell in enumerate(found):
                for below in values.pop((number, at), ()):
                    inside.setdefault(below, {})[at] = cell
                    column = head.named[at]
                    told = f"{source.cell(below, column)}: read as the cell that it is merged with"
                    self._note(told, source, column, "merged")
            yield number, found

    def _take_row(self, number: int, row: Sequence[str], head: Head, sheet: Sheet, source: Source) -> None:
        """Read one row; it is left out where a cell cannot be read."""
        found = dict.fromkeys(self.columns, "")
        before = len(self.errors)
        faults = sheet.faults
        for at, written in enumerate(row):
            value = written.strip()
            if not value:
                continue
            column = head.named.get(at)
            if column is None:
                if at not in head.strange:
                    what = "a cell under no column: is a comma missing its quotes?"
                    self._wrong(source.cell(number, f"cell {at + 1}", value), what)
                continue
            try:
                fault = faults.get((number, at), "") if faults else ""
                read = self._cell(value, column, fault, from_1904=sheet.from_1904)
            except cells_of.CellError as error:
                self._wrong(source.cell(number, column, value), error.what, error.hint)
                continue
            found[column] = read.text
            if read.note:
                told = f"{source.cell(number, column, value)}: read as {read.text}: {read.note}"
                self._note(told, source, column, read.note)
        if len(self.errors) > before:
            self._refused.add(source.row(number))
        else:
            self._rows.append(Row(number, found, source))

    def _wrong(self, where: str, what: str, hint: str = "") -> None:
        self.errors.append(ConfigError(what, where=where, hint=hint))

    def _note(self, told: str, source: Source, column: str, sort: str) -> None:
        """One of a sort: the first of a column stands for all."""
        self._otherwise.setdefault((source.sheet, column, sort), []).append(told)


def _head_cell(at: int, text: str) -> str:
    return f"{text} ({letters(at)})"


def _cell(value: str, column: str, fault: str, *, from_1904: bool) -> cells_of.Read:
    """A cell with something in it. Raises CellError."""
    if fault or _FORMULA.match(value):
        raise cells_of.CellError(fault or "a formula, no value", "copy the column and insert it as values")
    if len(value) > LONGEST_CELL:
        what = f"{len(value)} characters: a cell has at most {LONGEST_CELL}"
        raise cells_of.CellError(what, "is a quote missing that ends it?")
    return cells_of.read(value, column, from_1904=from_1904)
