"""What identifier 901FH holds (CJ/T 188-2004 table 11 and its answers): the items of each kind of meter, and the units.

Read off `items.csv` and `units.csv` beside this file.
"""

import csv
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import NamedTuple

from ganpo_drivers.readout.formats import Piece, pieces

KINDS = {
    "10": "cold water",
    "11": "hot water",
    "12": "drinking water",
    "13": "reclaimed water",
    "20": "heat",
    "21": "cooling",
    "30": "gas",
    "40": "electricity",
}
"""Meter type T; 2018 keeps 10-19 for water, 20-29 for heat, 30-39 for gas, 40-49 for others."""


class Item(NamedTuple):
    """One value of an answer: `at` its first byte behind identifier and number, `size` with the byte of its unit, where
    it is of a `quantity`."""

    name: str
    piece: Piece
    quantity: str
    at: int
    size: int


class Unit(NamedTuple):
    """One row of the units."""

    code: int
    name: str
    quantity: str


@cache
def items(kind: str) -> dict[str, Item]:
    """By name, in the order of their bytes; of the family of the meter type `kind`, empty where there is none."""
    rows = [row for row in _rows("items.csv") if row["family"] == kind[0]]
    found = [(row, pieces(row["format"])[0]) for row in rows]
    sizes = [piece.size + bool(row["quantity"]) for row, piece in found]
    starts = [0, *accumulate(sizes)]
    return {
        row["name"]: Item(row["name"], piece, row["quantity"], at, size)
        for (row, piece), at, size in zip(found, starts, sizes, strict=False)
    }


def length(kind: str) -> int:
    """The bytes of all items together."""
    return sum(item.size for item in items(kind).values())


@cache
def units() -> tuple[Unit, ...]:
    """All that are known."""
    return tuple(Unit(int(row["code"], 16), row["unit"], row["quantity"]) for row in _rows("units.csv"))


def unit_of(code: int) -> str:
    """What a person calls it."""
    return next(
        (unit.name for unit in units() if unit.code == code),
        f"a unit of code {code:02X}, which is not known here",
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
