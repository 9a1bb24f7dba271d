"""A text file of separated values: bytes in, the rows of one sheet out, or why they cannot be read.

UTF-8 with or without BOM, LF or CRLF; GBK is recognised and said so, and so are semicolons and tabs between columns.
"""

import csv
import io
from dataclasses import dataclass

from ganpo_model.errors import ConfigError
from ganpo_model.heads import Rows, column_of

SAVE = "save it as CSV UTF-8, with commas"
_SEPARATORS = {";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, slots=True)
class Separated:
    """The rows that are not empty. `error`: why they end before the file does."""

    rows: Rows
    notes: tuple[str, ...] = ()
    error: ConfigError | None = None


def read(raw: bytes, name: str, columns: tuple[str, ...]) -> Separated:
    """Read a file of this `name`; `columns`: of its list, which tell what separates them. Never raises."""
    notes = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            what = f"neither UTF-8 nor GBK (byte {error.start})"
            return Separated((), error=ConfigError(what, where=name, hint=SAVE))
        notes.append(f"{name}: is GBK and was read as such; {SAVE}")
    if "\x00" in text:
        return Separated((), error=ConfigError("no CSV: it has bytes of 0 in it", where=name, hint=SAVE))
    separator = _separator(text, columns)
    if separator != ",":
        notes.append(f"{name}: its columns are separated by {_SEPARATORS[separator]} and were read as such")
    rows = []
    number = 0
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
    except csv.Error as error:
        wrong = ConfigError(f"no CSV: {error}", where=f"{name} row {number + 1}", hint=SAVE)
        return Separated(rows, tuple(notes), wrong)
    return Separated(rows, tuple(notes))


def _separator(text: str, columns: tuple[str, ...]) -> str:
    """A comma, unless the first line that names a column names more when it is cut otherwise."""
    for line in text.splitlines()[:10]:
        named = {
            sign: sum(bool(column_of(cell.strip('" '), columns)) for cell in line.split(sign))
            for sign in (",", *_SEPARATORS)
        }
        best = max(named, key=lambda sign: named[sign])
        if named[best] > 1 or named[","]:
            return best if named[best] > named[","] else ","
    return ","
