"""A table as CSV: UTF-8 with BOM, as spreadsheets expect it. No cell is ever a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ganpo_cloud.web.exports.forms import DEMO, Sheet
from ganpo_service.csv_cells import BOM, harmless


def to_csv(heads: Sequence[str], chunks: Iterable[Iterable[Sequence[Any]]], sheet: Sheet) -> Iterator[bytes]:
    """Its bytes, chunk by chunk of rows."""
    yield _lines([[*heads, DEMO] if sheet.demo else heads], BOM)
    for rows in chunks:
        yield _lines([[harmless(value) for value in row] for row in rows])


def _lines(rows: Iterable[Sequence[Any]], before: str = "") -> bytes:
    told = io.StringIO(newline="")
    csv.writer(told, lineterminator="\r\n").writerows(rows)
    return (before + told.getvalue()).encode()
