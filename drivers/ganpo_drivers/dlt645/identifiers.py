"""Data identifiers of DL/T 645 that are known here: what they are called, and the format of what they name.

Read off `identifiers.csv` beside this file; eight hexadecimal digits are of the edition of 2007, four of 1997.
`source`: two independent public ones where there are two; `unproven` where there is none.
"""

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple


class Identifier(NamedTuple):
    """One row: `di` most significant byte first, as tables print it; `unit` of its numbers."""

    di: str
    name: str
    format: str
    unit: str
    zh: str
    en: str
    source: str


@cache
def identifiers() -> dict[str, Identifier]:
    """By name and by di."""
    text = resources.files(__package__).joinpath("identifiers.csv").read_text(encoding="utf-8")
    rows = [Identifier(**row) for row in csv.DictReader(text.splitlines())]
    return {row.name: row for row in rows} | {row.di: row for row in rows}
