"""Cells of a CSV that a spreadsheet opens and leaves as they are."""

import re
from typing import Any

BOM = "\ufeff"
"""Before the first cell: without it Excel takes Chinese for something else."""
_CUT = re.compile(r"\d{16,}|0\d+|\d+(\.\d+)?[Ee][+-]?\d+", re.ASCII)
_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: Any) -> Any:
    """What a spreadsheet leaves as it is: an apostrophe stands before what it would take for a formula; before what it
    would take for a number and cut (it keeps 15 digits, and no zeros in front) a tab, which our imports strip."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_STARTS):
        return "'" + value
    if isinstance(value, str) and _CUT.fullmatch(value):
        return "\t" + value
    return "" if value is None else value
