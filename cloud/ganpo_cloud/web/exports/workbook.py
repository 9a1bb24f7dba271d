"""A table as a workbook that is sent while it is made: rows as inline strings, in constant memory.

Everything but the rows is made by XlsxWriter in a workbook without them, once for what stands before the rows and once,
when they are known, for what stands behind them: sums, filter, the second sheet. No cell of a row is ever a formula.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import partial
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.web.exports.canonical import Checksum, framed
from ganpo_cloud.web.exports.forms import DEMO, Sheet
from ganpo_cloud.web.exports.people import Column, Look, Names

MARK = "SHA-256"
"""On the second sheet it stands left of the checksum of the rows; below it how many there are, which is the first, how
many rows of sums stand below them, and, behind the same word, the checksum of heads and sums."""
_ROWS = "xl/worksheets/sheet1.xml"
_TYPES = "[Content_Types].xml"
_EPOCH = date(1899, 12, 30)
_MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""The same rows are the same bytes, whenever they are written."""
_LONGEST = 32_767
_FORMATS: Mapping[Look, str] = {
    "text": "@",
    "count": "#,##0",
    "amount": "#,##0.00",
    "rate": "0.0%",
    "date": "yyyy-mm-dd",
}
_WIDTHS: Mapping[Look, int] = {"text": 14, "count": 9, "amount": 16, "rate": 9, "date": 12}
_WIDE = {
    "name": 26,
    "enterprise": 21,
    "code": 21,
    "asset_no": 16,
    "definition": 40,
    "text": 40,
    "command": 40,
}
_SPECIAL = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\s|\s$")
_REMEMBERED = 5_000
_HERE = "\x00"
_LINE = f'<row r="{_HERE}">%b</row>'.encode()


@dataclass(slots=True)
class _Sums:
    """What the columns that add up come to."""

    columns: Sequence[Column]
    of: dict[str, Fraction] = field(default_factory=dict)

    def add(self, cells: Sequence[Sequence[Any]]) -> None:
        for column, values in zip(self.columns, cells, strict=True):
            if column.adds:
                known = filter(None, values)
                total = sum(known if column.look == "count" else map(Fraction, known))
                self.of[column.name] = self.of.get(column.name, Fraction()) + total


def to_xlsx(
    columns: Sequence[Column], chunks: Iterable[Sequence[Sequence[Any]]], sheet: Sheet, names: Names
) -> Iterator[bytes]:
    """Its bytes, chunk by chunk of what stands in each column."""
    first = 2 if sheet.demo else 1
    checksum, sums = Checksum(), _Sums(columns)
    frame = partial(_frame, columns, sheet, names, first)
    before = frame(0, sums, checksum, behind=False)
    head, _, _ = before[_ROWS].partition(b'<row r="%d"' % (first + 1))
    row = _Row(columns, before[_ROWS], first)
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr(_member(_TYPES), before[_TYPES])
        # To compress is half of the work, and needs no interpreter: meanwhile the next rows are made.
        with package.open(_member(_ROWS), "w") as rows, ThreadPoolExecutor(1) as beside:
            written = beside.submit(rows.write, head)
            for cells in chunks:
                number = first + checksum.rows + 1
                checksum.add([*zip(*cells, strict=True)])
                sums.add(cells)
                xml = row.xml(number, cells)
                written.result()
                yield pipe.taken()
                written = beside.submit(rows.write, xml)
            written.result()
            behind = frame(checksum.rows, sums, checksum, behind=True)
            rows.write(_behind(behind[_ROWS], first, checksum.rows))
        for name, content in behind.items():
            if name not in (_ROWS, _TYPES):
                package.writestr(_member(name), content)
    yield pipe.taken()


def _behind(xml: bytes, first: int, number: int) -> bytes:
    """What stands behind the rows: the row of sums, where there is one, and the end of the sheet."""
    last = xml.find(b'<row r="%d"' % (first + number + 1)) if number else -1
    return xml[last if last >= 0 else xml.index(b"</sheetData>") :]


def _frame(
    columns: Sequence[Column],
    sheet: Sheet,
    names: Names,
    first: int,
    number: int,
    sums: _Sums,
    of: Checksum,
    *,
    behind: bool,
) -> dict[str, bytes]:
    """The parts of the workbook without its rows; the first stands in it as empty cells in the looks of theirs.

    `behind`: with what is known once all rows are.
    """
    told = io.BytesIO()
    with xlsxwriter.Workbook(told, {"in_memory": True}) as book:
        book.set_properties({"created": _MADE.replace(tzinfo=None)})
        bold = book.add_format({"bold": True})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        looks = {look: book.add_format({"num_format": code}) for look, code in _FORMATS.items()}
        total = {
            look: book.add_format({"num_format": c, "bold": True, "top": 1}) for look, c in _FORMATS.items()
        }
        data = book.add_worksheet(sheet.name[:31])
        if sheet.demo:
            data.write_string(0, 0, DEMO, bold)
        for at, column in enumerate(columns):
            data.write_string(first - 1, at, column.head, head)
            data.write_blank(first, at, None, looks[column.look])
            data.set_column(at, at, _width(column))
        data.freeze_panes(first, 0)
        data.autofilter(first - 1, 0, max(first + number - 1, first), len(columns) - 1)
        data.set_landscape()
        data.set_paper(9)
        data.fit_to_pages(1, 0)
        data.repeat_rows(first - 1)
        totals = _totals(columns, sums.of, names) if number and sums.of else []
        if totals:
            _write_sums(data, columns, totals, first, number, total)
        about = book.add_worksheet(names.t("about"))
        if behind:
            _write_about(about, columns, sheet, names, first, of, totals, bold, head)
    with zipfile.ZipFile(told) as package:
        return {name: package.read(name) for name in package.namelist()}


def _totals(columns: Sequence[Column], sums: Mapping[str, Fraction], names: Names) -> list[Any]:
    """What stands under each column in the row of sums."""
    found: list[Any] = []
    for place, column in enumerate(columns):
        if column.adds:
            found.append(_number(sums[column.name]))
        elif column.of is not None and all(name in sums for name in column.of):
            n, d = (sums[name] for name in column.of)
            found.append(_number(n / d) if d else "")
        else:
            found.append(names.t("Sum") if place == 0 else "")
    return found


def _write_sums(
    data: Any,
    columns: Sequence[Column],
    totals: Sequence[Any],
    first: int,
    number: int,
    looks: Mapping[Look, Any],
) -> None:
    """Formula and value. A filter changes what the formulas come to."""
    last = first + number
    at = {column.name: place for place, column in enumerate(columns) if column.name}
    for place, (column, value) in enumerate(zip(columns, totals, strict=True)):
        if column.adds:
            cells = f"{xl_rowcol_to_cell(first, place)}:{xl_rowcol_to_cell(last - 1, place)}"
            data.write_formula(last, place, f"=SUBTOTAL(9,{cells})", looks[column.look], value)
        elif column.of is not None and all(name in at and columns[at[name]].adds for name in column.of):
            above, below = (xl_rowcol_to_cell(last, at[name]) for name in column.of)
            data.write_formula(last, place, f'=IF({below}=0,"",{above}/{below})', looks["rate"], value)
        else:
            data.write_string(last, place, value, looks["text"])


def _write_about(
    about: Any,
    columns: Sequence[Column],
    sheet: Sheet,
    names: Names,
    first: int,
    of: Checksum,
    totals: Sequence[Any],
    bold: Any,
    head: Any,
) -> None:
    """The second sheet: conditions, checksum, what columns and numbers mean."""
    t = names.t
    lines: list[tuple[Sequence[Any], Any]] = [((DEMO,), bold)] if sheet.demo else []
    lines += [((word, text), None) for word, text in sheet.conditions]
    lines += [((MARK, of.hex()), None), ((t("rows"), of.rows), None), ((t("first row"), first + 1), None)]
    lines += [((t("rows of sums below them"), int(bool(totals))), None)]
    around = framed([column.head for column in columns], totals)
    lines += [((" · ".join((MARK, t("heads and sums"))), around), None)]
    lines += [
        ((t("of the rows as canonical CSV; to check it: ganpo-cloud verify-export FILE"),), None),
        ((), None),
    ]
    lines += [((t("column"), t("for programs"), t("what it says")), head)]
    lines += [
        ((column.head, column.name, t(column.about) if column.about else ""), None) for column in columns
    ]
    lines += [
        ((), None),
        ((t("number"), t("for programs"), t("what is counted"), t("unit"), t("source")), head),
    ]
    for item in DEFINITIONS.values():
        lines.append(
            ((t(item.word), item.id, t(item.text), t(item.unit.replace("m3", "m³")), t(item.source)), None)
        )
    for line, (cells, look) in enumerate(lines):
        for at, cell in enumerate(cells):
            (about.write_number if isinstance(cell, int) else about.write_string)(line, at, cell, look)
    for at, width in enumerate((30, 30, 70, 16, 40)):
        about.set_column(at, at, width)


def _width(column: Column) -> float:
    written = sum(2 if ord(letter) > 0x2E80 else 1 for letter in column.head)
    return max(_WIDE.get(column.name.rpartition(".")[2], _WIDTHS[column.look]), min(written, 20) + 3)


def _number(value: Fraction) -> float | int:
    return int(value) if value.denominator == 1 else float(value)


class _Row:
    """Rows as XML."""

    def __init__(self, columns: Sequence[Column], frame: bytes, first: int) -> None:
        styles = dict(re.findall(rf'<c r="([A-Z]+){first + 1}" s="(\d+)"', frame.decode()))
        letters = [xl_col_to_name(at) for at in range(len(columns))]
        self._cells = [_Cells(of.look, at, styles[at]) for of, at in zip(columns, letters, strict=True)]

    def xml(self, number: int, cells: Sequence[Sequence[Any]]) -> bytes:
        """Some rows, the first of this number, of what stands in each column."""
        told = [map(known.__getitem__, values) for known, values in zip(self._cells, cells, strict=True)]
        rows = enumerate(zip(*told, strict=True), start=number)
        here = _HERE.encode()
        return b"".join([(_LINE % b"".join(row)).replace(here, b"%d" % at) for at, row in rows])


class _Cells(dict[Any, bytes]):
    """Values of a column as XML, those of before remembered; for the number of the row stands a sign that no value has.
    Numbers beyond what a spreadsheet can keep stand as text: it would round them silently."""

    def __init__(self, look: Look, column: str, style: str) -> None:
        super().__init__()
        self._text = look == "text"
        self._begin = f'<c r="{column}{_HERE}" s="{style}"'

    def __missing__(self, value: Any) -> bytes:
        if len(self) > _REMEMBERED:
            self.clear()
        found = self[value] = self._xml(value).encode()
        return found

    def _xml(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, date):
            value = (value - _EPOCH).days
        if self._text or not -(10**15) < value < 10**15:
            return f'{self._begin} t="inlineStr"><is>{_inline(str(value))}</is></c>'
        return f"{self._begin}><v>{value!r}</v></c>"


def _inline(value: str) -> str:
    if _SPECIAL.search(value) is None:
        return f"<t>{value[:_LONGEST]}</t>"
    value = value.replace("\r\n", "\n")[:_LONGEST]
    value = re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", value)
    value = re.sub("[\x00-\x08\x0b-\x1f\ufffe\uffff]", "\ufffd", value)
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<t xml:space="preserve">{value}</t>'


def _member(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    found.compress_type = zipfile.ZIP_DEFLATED
    return found


class _Pipe(io.RawIOBase):
    """What a ZIP is written to, taken out as it comes."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since."""
        found = bytes(self._held)
        self._held.clear()
        return found
