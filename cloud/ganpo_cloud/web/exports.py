"""One table as JSON, CSV or XLSX: by `Accept`, or `format` in the address. No cell of an export is ever a formula."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_service.csv_cells import harmless

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Format = Literal["json", "csv", "xlsx"]
DEMO = "DEMO DATA / 演示数据"
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the same table in three forms",
        "content": {
            CSV: {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""What every table may be answered as."""
_NAMES: Mapping[str, Format] = {CSV: "csv", XLSX: "xlsx"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an export is called, and whether its data are invented."""

    name: str
    demo: bool


def columns(kind: Any, name: str = "") -> list[str]:
    """The columns of a row: nested fields as `outer.inner`."""
    parts = get_args(kind)
    if get_origin(kind) is Annotated:
        return columns(parts[0], name)
    if get_origin(kind) is dict and get_origin(parts[0]) is Literal:
        return [f"{name}.{key}" for key in get_args(parts[0])]
    if NoneType in parts:
        return [column for part in parts if part is not NoneType for column in columns(part, name)]
    if not is_dataclass(kind):
        return [name]
    said = [field for field in fields(kind) if not field.metadata.get("exclude")]
    inner = ((field.metadata.get("serialization_alias") or field.name, field.type) for field in said)
    return [column for called, of in inner for column in columns(of, f"{name}.{called}".lstrip("."))]


def cell(row: Mapping[str, Any], column: str) -> Any:
    """What stands under a column in a row as it travels; lists as text."""
    found: Any = row
    for part in column.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return " ".join(found)
    return json.dumps(found, ensure_ascii=False) if isinstance(found, list | dict) else found


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], sheet: Sheet) -> bytes:
    """UTF-8 with BOM, as spreadsheets expect it."""
    told = io.StringIO(newline="")
    writer = csv.writer(told, lineterminator="\r\n")
    writer.writerow([*columns, DEMO] if sheet.demo else columns)
    for row in rows:
        writer.writerow([harmless(cell(row, column)) for column in columns])
    return told.getvalue().encode("utf-8-sig")


def to_xlsx(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], sheet: Sheet) -> bytes:
    """One sheet with the rows, one with the definitions."""
    import xlsxwriter

    told = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(told, options) as book:
        head = book.add_format({"bold": True})
        data = book.add_worksheet(sheet.name[:31] if sheet.name != "definitions" else "numbers")
        first = 0
        if sheet.demo:
            data.write_string(0, 0, DEMO, head)
            first = 1
        for at, column in enumerate(columns):
            data.write_string(first, at, column, head)
        for line, row in enumerate(rows, start=first + 1):
            for at, column in enumerate(columns):
                _write(data, line, at, cell(row, column))
        data.freeze_panes(first + 1, 0)
        about = book.add_worksheet("definitions")
        for at, column in enumerate(("id", "name", "definition", "unit", "source")):
            about.write_string(0, at, column, head)
        for line, item in enumerate(DEFINITIONS.values(), start=1):
            for at, text in enumerate((item.id, item.word, item.text, item.unit, item.source)):
                about.write_string(line, at, text)
        if sheet.demo:
            about.write_string(len(DEFINITIONS) + 2, 0, DEMO, head)
    return told.getvalue()


def _write(sheet: Any, line: int, column: int, value: Any) -> None:
    """Numbers beyond what a spreadsheet can keep stand as text: it would round them silently."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, column, value)
    elif isinstance(value, int | float) and abs(value) < 10**15:
        sheet.write_number(line, column, value)
    else:
        sheet.write_string(line, column, str(value)[:32_767])


def wanted(accept: str) -> Format:
    for part in accept.split(","):
        if (form := _NAMES.get(part.partition(";")[0].strip())) is not None:
            return form
    return "json"
