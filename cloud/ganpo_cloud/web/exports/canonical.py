"""Rows as canonical CSV, which is what the checksum of an export is of: UTF-8, a line feed behind each row, quotes only
where they are needed, numbers as short as they can be written, dates as 2026-11-28, nothing for what nobody knows."""

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any


class Checksum:
    """SHA-256 of rows, added one after the other."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self.rows = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Some more rows, of texts, whole numbers, fractions that are not whole, dates and None."""
        told = io.StringIO(newline="")
        csv.writer(told, lineterminator="\n").writerows(rows)
        self._sha.update(told.getvalue().encode())
        self.rows += len(rows)

    def hex(self) -> str:
        """Of all that were added."""
        return self._sha.hexdigest()


def framed(heads: Sequence[Any], sums: Sequence[Any]) -> str:
    """The checksum of what stands around the rows: heads, and sums with twelve digits: spreadsheets add up anew."""
    found = Checksum()
    rounded = (float(f"{value:.12g}") if isinstance(value, float) else value for value in sums)
    found.add([heads, [plain(value) for value in rounded]])
    return found.hex()


def plain(value: Any) -> Any:
    """A cell of a workbook as it was written: a spreadsheet knows one kind of number only, and dates have a time."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    return value
