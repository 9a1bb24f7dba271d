"""Workbooks of tests: rows as a spreadsheet keeps them."""

import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import xlsxwriter

Fill = Callable[[Any, Any], None]


def book(sheets: Mapping[str, Iterable[Iterable[Any]] | Fill], **options: Any) -> bytes:
    """The bytes of a workbook. A sheet is its rows, or what writes it: `fill(sheet, workbook)`.

    Texts stay texts and numbers numbers; a date becomes the number of a day that is shown as one, a `Percent` one that
    is shown as a percentage.
    """
    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw, {"in_memory": True, **options}) as made:
        formats = {
            date: made.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: made.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            time: made.add_format({"num_format": "hh:mm"}),
            timedelta: made.add_format({"num_format": "[h]:mm"}),
            Percent: made.add_format({"num_format": "0.0%"}),
        }
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            if callable(rows):
                rows(sheet, made)
                continue
            for number, cells in enumerate(rows):
                for at, cell in enumerate(cells):
                    if type(cell) is str:
                        sheet.write_string(number, at, cell)
                    elif cell is not None:
                        sheet.write(number, at, cell, formats.get(type(cell)))
    return raw.getvalue()


class Percent(float):
    """A number that is shown as a percentage."""
