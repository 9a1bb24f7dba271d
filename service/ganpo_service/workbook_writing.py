"""Workbooks out: sheets of texts with a head, drop-downs, and columns that a spreadsheet leaves alone.

Every column is formatted as text, so that nothing becomes a number or a date that is none (10/5, 007, 9.13601E+17).
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_ROWS = 20_000
"""Rows that have drop-downs."""
_HEAD = {
    "bold": True,
    "text_wrap": True,
    "valign": "top",
    "bg_color": "#E2EFDA",
    "border": 1,
    "num_format": "@",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet. `head`: a cell per column; `choices`: what a column may hold by its number, other values are warned
    of; `wide`: columns that hold sentences."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]] = ()
    choices: Mapping[int, Sequence[str]] = field(default_factory=dict)
    wide: bool = False


def workbook(pages: Sequence[Page]) -> bytes:
    """The bytes of a workbook of these pages. What there is to choose stands in a hidden sheet."""
    import xlsxwriter

    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw, {"in_memory": True, "strings_to_numbers": False}) as book:
        text = book.add_format({"num_format": "@", "text_wrap": any(page.wide for page in pages[-1:])})
        plain = book.add_format({"num_format": "@"})
        head = book.add_format(_HEAD)
        sheets = [book.add_worksheet(page.name) for page in pages]
        words = book.add_worksheet("words")
        words.hide()
        used = 0
        for page, sheet in zip(pages, sheets, strict=True):
            sheet.set_column(
                0, max(len(page.head) - 1, 0), 40 if page.wide else 16, text if page.wide else plain
            )
            for at, cell in enumerate(page.head):
                sheet.write_string(0, at, cell, head)
            for number, row in enumerate(page.rows, start=1):
                for at, cell in enumerate(row):
                    if cell:
                        sheet.write_string(number, at, cell, text if page.wide else plain)
            sheet.freeze_panes(1, 0 if page.wide else 1)
            for at, choices in page.choices.items():
                for number, choice in enumerate(choices):
                    words.write_string(number, used, choice)
                column = _absolute(used)
                sheet.data_validation(
                    1,
                    at,
                    _ROWS,
                    at,
                    {
                        "validate": "list",
                        "source": f"=words!{column}$1:{column}${len(choices)}",
                        "error_type": "warning",
                    },
                )
                used += 1
    return raw.getvalue()


def _absolute(column: int) -> str:
    from ganpo_model.heads import letters

    return f"${letters(column)}"
