"""Workbooks: bytes of an .xlsx in, sheets of texts out (`ganpo_model.tables`); and lists out as a workbook.

python-calamine reads the cells. What it does not tell is looked up in the file itself before: cells with an error or a
formula without a value, percentages, where days are counted from; and how large everything is, for a small file can
hold a sheet of billions of cells.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ganpo_model.errors import ConfigError
from ganpo_model.tables import Sheet

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MOST_BYTES = 64 << 20
"""What a workbook may come to when it is unpacked."""
MOST_CELLS = 4_000_000
"""Cells of a sheet, empty ones too, up to the last one with something in it."""
_MOST_MEMBERS = 2000
_MOST_MERGED = 10_000
_OLD = b"\xd0\xcf\x11\xe0"
_SAVE = "save it as .xlsx or as CSV"
_SIGNS = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
"""As XML writes them; & comes last."""
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?row>)", re.DOTALL)
_UNSEEN = re.compile(rb'\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\br="(\d{1,7})"')
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_REF = re.compile(rb'\br="([A-Z]{1,3})\d{1,7}"')
_STYLE = re.compile(rb'\bs="(\d+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]+)</")
_SHARED = re.compile(rb"<(?:\w+:)?si\b.*?</(?:\w+:)?si>", re.DOTALL)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_FORMATS = re.compile(rb'<(?:\w+:)?numFmt\b[^>]*\bnumFmtId="(\d+)"[^>]*\bformatCode="([^"]*)"')
_XF = re.compile(rb'<(?:\w+:)?xf\b[^>]*\bnumFmtId="(\d+)"')
_PERCENT = {9, 10}


def sheets(raw: bytes, name: str) -> Sequence[Sheet]:
    """The worksheets of a workbook, in its order. Raises ConfigError, with `name`, for what cannot be read."""
    if raw.startswith(_OLD):
        if "EncryptedPackage".encode("utf-16-le") in raw:
            raise ConfigError("is encrypted: it asks for a password", where=name, hint="save it without one")
        raise ConfigError("is a workbook of an old form (.xls)", where=name, hint=_SAVE)
    package = _Package(_unpacked(raw, name), name)
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    found = []
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as book:
            for about in book.sheets_metadata:
                if about.typ is not SheetTypeEnum.WorkSheet:
                    continue
                looks = package.looks(about.name)
                sheet = book.get_sheet_by_name(about.name)
                hidden = about.visible is not SheetVisibleEnum.Visible
                rows = list(_rows(sheet, looks))
                merged = tuple(looks.merged)
                told = (looks.faults, package.from_1904, looks.unseen)
                found.append(Sheet(about.name, rows, hidden, merged, *told))
    except (CalamineError, ValueError, OSError) as error:
        raise _damaged(name, str(error)) from error
    return found


@dataclass(slots=True)
class _Looks:
    """What the file says of a sheet that calamine does not. Rows count from 1, columns from 0."""

    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    shown: dict[tuple[int, int], str] = field(default_factory=dict)
    percent: set[tuple[int, int]] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    unseen: set[int] = field(default_factory=set)


class _Package:
    """The parts of a workbook, unpacked."""

    def __init__(self, parts: dict[str, bytes], name: str) -> None:
        self._parts, self._name = parts, name
        self._texts = [len(text) for text in _SHARED.findall(parts.get("xl/sharedstrings.xml", b""))]
        book = parts.get("xl/workbook.xml")
        if book is None:
            what = "is no workbook" if "mimetype" not in parts else "is a workbook of another form (.ods)"
            raise ConfigError(what, where=name, hint=_SAVE)
        self.from_1904 = re.search(rb'\bdate1904="(1|true)"', book) is not None
        links = dict(
            _attributes(parts.get("xl/_rels/workbook.xml.rels", b""), rb"Relationship", "Id", "Target")
        )
        self._files = {
            title: _part(links.get(link, "")) for title, link in _attributes(book, rb"sheet", "name", "r:id")
        }
        styles = parts.get("xl/styles.xml", b"")
        percent = _PERCENT | {int(number) for number, code in _FORMATS.findall(styles) if b"%" in code}
        cell_formats = styles.partition(b"<cellXfs")[2].partition(b"</cellXfs>")[0]
        self._percent = {at for at, number in enumerate(_XF.findall(cell_formats)) if int(number) in percent}

    def looks(self, sheet: str) -> _Looks:
        """Look through one sheet. Raises ConfigError where it is too large."""
        looks = _Looks()
        xml = self._parts.get(self._files.get(sheet, ""))
        if xml is None:
            raise _damaged(self._name, f"no part holds sheet {sheet}")
        row = last_row = last_column = length = 0
        for about, inside in _ROW.findall(xml):
            number = _NUMBER.search(about)
            row = int(number[1]) if number else row + 1
            column = -1
            if _UNSEEN.search(about):
                looks.unseen.add(row)
            for attributes, content in _CELL.findall(inside):
                ref = _REF.search(attributes)
                column = _column(ref[1]) if ref else column + 1
                if content:
                    last_row, last_column = max(last_row, row), max(last_column, column)
                    length += self._look((row, column), attributes, content, looks)
        merged = _MERGED.findall(xml)
        if last_row * (last_column + 1) > MOST_CELLS or length > MOST_BYTES or len(merged) > _MOST_MERGED:
            size = f"{last_row:,} rows of {last_column + 1:,} columns, {length >> 20:,} MiB of texts"
            what = f"{size}: too large for a list"
            hint = "delete what lies far below or beside the list"
            raise ConfigError(what, where=f"{self._name}, sheet {sheet}", hint=hint)
        for first, top, last, bottom in merged:
            end = min(int(bottom), last_row), min(_column(last), last_column)
            looks.merged.append((int(top), _column(first), *end))
        return looks

    def _look(self, at: tuple[int, int], attributes: bytes, content: bytes, looks: _Looks) -> int:
        """Look at one cell. Gives the length of the text that it takes from those that cells share."""
        value = _VALUE.search(content)
        if b't="e"' in attributes:
            looks.shown[at] = error = value[1].decode("utf-8", "replace") if value else "#ERROR"
            looks.faults[at] = f"the spreadsheet shows {error} here"
        elif value is None and b't="str"' not in attributes and re.search(rb"<(?:\w+:)?f\b", content):
            looks.shown[at] = "=..."
            looks.faults[at] = "a formula without a value"
        elif self._percent and (style := _STYLE.search(attributes)) and int(style[1]) in self._percent:
            looks.percent.add(at)
        if b't="s"' not in attributes or value is None or not value[1].strip().isdigit():
            return 0
        number = int(value[1])
        return self._texts[number] if number < len(self._texts) else 0


def _unpacked(raw: bytes, name: str) -> dict[str, bytes]:
    """The parts of a package: each is unpacked once, within bounds, which also finds what is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            members = package.infolist()
            size = sum(member.file_size for member in members)
            if size > MOST_BYTES or len(members) > _MOST_MEMBERS:
                what = f"comes to {size >> 20:,} MiB in {len(members):,} parts: too large for a list"
                raise ConfigError(what, where=name, hint="copy the list alone into a new workbook")
            if any(member.flag_bits & 1 for member in members):
                raise ConfigError("is encrypted", where=name, hint="save it without a password")
            parts = {_plain_name(member.filename): package.read(member) for member in members}
            if len(parts) < len(members):
                raise _damaged(name, "two of its parts have one name")
            return parts
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        ValueError,
        zlib.error,
    ) as error:
        raise _damaged(name, str(error)) from error


def _plain_name(name: str) -> str:
    return name.replace("\\", "/").casefold()


def _part(target: str) -> str:
    """The name of the part that a link of the workbook names."""
    return _plain_name(posixpath.normpath(posixpath.join("/xl", target)).lstrip("/"))


def _damaged(name: str, why: str) -> ConfigError:
    return ConfigError(
        f"is a damaged workbook: {why[:120]}", where=name, hint="open it in a spreadsheet and save it anew"
    )


def _rows(sheet: "CalamineSheet", looks: _Looks) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows that are not empty, as texts."""
    shown: dict[int, dict[int, str]] = {}
    for (row, column), text in looks.shown.items():
        shown.setdefault(row, {})[column] = text
    percent = looks.percent
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        found = [
            cell.strip() if isinstance(cell, str) else _text(cell, (number, at) in percent)
            for at, cell in enumerate(cells)
        ]
        for at, text in shown.get(number, {}).items():
            if at < len(found):
                found[at] = text
        if any(found):
            yield number, found


def _text(cell: Any, percent: bool) -> str:
    """A cell that is no text as it is shown."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if percent:
            return f"{cell * 100:.12g}%"
        # A spreadsheet keeps 15 digits: of more the last are lost, and it shows 9.13601E+17.
        return f"{cell:.5E}" if abs(cell) >= 1e15 else f"{cell:.15g}"
    if isinstance(cell, datetime):
        if cell.time() == time(0):
            return cell.date().isoformat()
        return cell.isoformat(" ", "seconds" if cell.second else "minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.isoformat("seconds" if cell.second else "minutes")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return str(cell)


@lru_cache(1024)
def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _attributes(xml: bytes, tag: bytes, first: str, second: str) -> Iterator[tuple[str, str]]:
    """Of every element of a tag the values of two attributes, where it has both."""
    for text in re.findall(rb"<(?:\w+:)?" + tag + rb"\b([^>]*)>", xml):
        found = dict(re.findall(r'([\w:]+)="([^"]*)"', text.decode("utf-8", "replace")))
        if first in found and second in found:
            yield _plain(found[first]), _plain(found[second])


def _plain(text: str) -> str:
    for written, sign in _SIGNS.items():
        text = text.replace(written, sign)
    return text
