"""Lists in memory: the sheets that a file holds, and their rows, each with its place."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ganpo_model.errors import ConfigError
from ganpo_model.heads import Merged, Rows


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook, its cells as texts: numbers as they are shown, days as 2025-03-01.

    `faults`: what a cell of (row, column) has instead of a value; `from_1904`: where the workbook counts days from;
    `unseen`: rows that it hides.
    """

    name: str
    rows: Rows
    hidden: bool = False
    merged: Sequence[Merged] = ()
    faults: Mapping[tuple[int, int], str] = field(default_factory=dict)
    from_1904: bool = False
    unseen: Collection[int] = ()


Opener = Callable[[bytes, str], Sequence[Sheet]]
"""Opens the bytes of a workbook; its name stands in the ConfigError that it raises where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a file, and of a workbook its sheet with the letter of each column."""

    file: str
    sheet: str = ""
    letters: Mapping[str, str] = field(default_factory=dict)

    def row(self, number: int) -> str:
        """`meters.csv row 3`, or `meters.xlsx, sheet 电表, row 3`."""
        return f"{self.file}, sheet {self.sheet}, row {number}" if self.sheet else f"{self.file} row {number}"

    def cell(self, number: int, column: str, value: str = "") -> str:
        """`meters.csv row 3, ct = 400`, or `meters.xlsx, sheet 电表, cell D3, ct = 400`; a long value is cut short."""
        shown = value if len(value) <= 60 else value[:57] + "..."
        shown = "".join(sign if sign.isprintable() else "?" for sign in shown)
        letter = self.letters.get(column)
        where = f"{self.file}, sheet {self.sheet}, cell {letter}{number}" if letter else self.row(number)
        return f"{where}, {column}" + (f" = {shown}" if shown else "")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` as a spreadsheet counts. Every column has a cell, stripped, maybe empty."""

    number: int
    cells: Mapping[str, str]
    source: Source

    def place(self, column: str = "") -> str:
        """Where it stands, or its cell of a column, with what stands there."""
        if not column:
            return self.source.row(self.number)
        return self.source.cell(self.number, column, self.cells[column])


@dataclass(frozen=True, slots=True)
class List:
    """The rows that can be read, and what cannot. `refused`: rows with errors; `notes`: what was read otherwise than
    it stands, and of the file as a whole; `columns`: those that it has."""

    rows: tuple[Row, ...]
    errors: tuple[ConfigError, ...]
    notes: tuple[str, ...] = ()
    refused: int = 0
    columns: frozenset[str] = frozenset()
