"""Lists as people keep them: CSV bytes in, rows with their places or errors out (formats.md, Lists).

UTF-8 with or without BOM, LF or CRLF; GBK is recognised and said so. The same reader serves gateway and collector.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ganpo_model.errors import ConfigError

LONGEST_CELL = 1000
NUMBERED = "Excel made a number of it"
AS_TEXT = "format the column as text and enter it again"
_FORMULA = re.compile(r"=[^=<>]")
"""An = alone is a comparator, and => a slip of one."""
_NUMBERED = re.compile(r"\d+(\.\d+)?[Ee]\+\d+", re.ASCII)
_SAVE = "save it as CSV UTF-8, with commas"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` as a spreadsheet counts: the head is row 1. Every column has a cell, stripped, maybe empty."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class List:
    """The rows that can be read, and what cannot. `notes`: what a person should know of the file as a whole."""

    rows: tuple[Row, ...]
    errors: tuple[ConfigError, ...]
    notes: tuple[str, ...] = ()


def numbered(text: str) -> bool:
    """Whether a spreadsheet made a number of what was none: 9.13601E+17."""
    return _NUMBERED.fullmatch(text) is not None


def read(raw: bytes, name: str, columns: Sequence[str], required: Sequence[str] = ()) -> List:
    """Read a list of these `columns`; those `required` have to be in its head. `name` stands in every error.

    Empty rows and columns are ignored. Never raises for what a person wrote.
    """
    notes = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            return _broken(name, f"neither UTF-8 nor GBK (byte {error.start})", _SAVE)
        notes.append(f"{name}: is GBK and was read as such; {_SAVE}")
    if "\x00" in text:
        return _broken(name, "no CSV: it has bytes of 0 in it", "is this the spreadsheet itself? " + _SAVE)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    errors: list[ConfigError] = []
    rows: list[Row] = []
    head: dict[int, str] | None = None
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if head is None:
                head = _head(cells, name, columns, required, errors)
                if errors:
                    break
            elif (row := _row(number, cells, head, name, columns, errors)) is not None:
                rows.append(row)
    except csv.Error as error:
        errors.append(ConfigError(f"no CSV: {error}", where=f"{name} row {number + 1}", hint=_SAVE))
    if head is None and not errors:
        return _broken(name, "is empty", f"its first row is {','.join(columns)}")
    return List(tuple(rows), tuple(errors), tuple(notes))


def place(name: str, row: int, column: str, value: str) -> str:
    """Where something is wrong: file, row, column and what stands there, cut short."""
    shown = value if len(value) <= 60 else value[:57] + "..."
    shown = "".join(sign if sign.isprintable() else "?" for sign in shown)
    return f"{name} row {row}, {column}" + (f" = {shown}" if shown else "")


def _head(
    cells: Sequence[str],
    name: str,
    columns: Sequence[str],
    required: Sequence[str],
    errors: list[ConfigError],
) -> dict[int, str]:
    found: dict[int, str] = {}
    where = f"{name} row 1"
    if len(cells) == 1 and any(sign in cells[0] for sign in ";\t"):
        errors.append(ConfigError("its columns are not separated by commas", where=where, hint=_SAVE))
        return found
    for place_of, cell in enumerate(cells):
        column = cell.strip()
        if not column:
            continue
        if column not in columns:
            errors.append(
                ConfigError(
                    f"no such column: {column[:60]}", where=where, hint=f"it has {', '.join(columns)}"
                )
            )
        elif column in found.values():
            errors.append(ConfigError(f"column {column} twice", where=where))
        found[place_of] = column
    for column in required:
        if column not in found.values():
            errors.append(ConfigError(f"column {column} is missing", where=where))
    return found


def _row(
    number: int,
    cells: Sequence[str],
    head: Mapping[int, str],
    name: str,
    columns: Sequence[str],
    errors: list[ConfigError],
) -> Row | None:
    found = dict.fromkeys(columns, "")
    before = len(errors)
    for at, cell in enumerate(cells):
        value = cell.strip()
        column = head.get(at)
        if column is None:
            if value:
                what = "a cell under no column: is a comma missing its quotes?"
                errors.append(ConfigError(what, where=place(name, number, f"cell {at + 1}", value)))
            continue
        if _FORMULA.match(value):
            what = "a formula, no value"
            hint = "copy the column and insert it as values"
            errors.append(ConfigError(what, where=place(name, number, column, value), hint=hint))
        elif len(value) > LONGEST_CELL:
            what = f"{len(value)} characters: a cell has at most {LONGEST_CELL}"
            errors.append(ConfigError(what, where=place(name, number, column, value)))
        found[column] = value
    return Row(number, found) if len(errors) == before else None


def _broken(name: str, what: str, hint: str) -> List:
    return List((), (ConfigError(what, where=name, hint=hint),))
