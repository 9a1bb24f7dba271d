"""Whether the rows of an export are those that were written: the checksum on its second sheet, worked out anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganpo_cloud.web.exports.canonical import Checksum, framed, plain
from ganpo_cloud.web.exports.workbook import MARK
from ganpo_model.errors import ConfigError

_HINT = "give an .xlsx as it was downloaded from a page or the API of ganpo-cloud"


@dataclass(frozen=True, slots=True)
class Verified:
    """`told`, `found`: the checksum that was written, and that of the rows that are there; `rows`: so many were
    written; `around`: whether heads and sums are those that were written, too, None where the file does not say."""

    told: str
    found: str
    rows: int
    around: bool | None

    @property
    def unchanged(self) -> bool:
        """Whether nobody changed, added, took out or moved a row."""
        return self.told == self.found


def verify(file: Path) -> Verified:
    """Raises ConfigError for what is no workbook, or none of ours. What is left of a damaged one is compared."""
    from python_calamine import CalamineError, CalamineWorkbook

    if not file.is_file():
        raise ConfigError("there is no such file", where=str(file))
    try:
        with CalamineWorkbook.from_path(str(file)) as book:
            number = len(book.sheet_names)
            sheets = [
                book.get_sheet_by_index(at).to_python(skip_empty_area=False) for at in range(min(number, 2))
            ]
    except (CalamineError, OSError) as error:
        what = "is no workbook, or a damaged one"
        raise ConfigError(what, where=str(file), hint=_HINT) from error
    if number < 2:
        raise ConfigError("is no export of ganpo-cloud: it has no second sheet", where=str(file), hint=_HINT)
    rows, about = sheets
    marks = {str(line[0]): at for at, line in enumerate(about) if line}
    try:
        at = marks[MARK]
        told = str(about[at][1])
        number, first, sums = (int(str(about[at + below][1]).partition(".")[0]) for below in (1, 2, 3))
        around = next(
            (str(line[1]) for line in about[at + 4 : at + 5] if str(line[0]).startswith(MARK)), None
        )
        if number < 0 or first < 2 or sums not in (0, 1):
            raise ValueError(number, first, sums)
    except (KeyError, IndexError, ValueError) as error:
        what = f"is no export of ganpo-cloud: its second sheet has no {MARK}"
        raise ConfigError(what, where=str(file), hint=_HINT) from error
    heads, *_ = rows[first - 2 : first - 1] or [[]]
    width = max((at for at, head in enumerate(heads, 1) if head != ""), default=0)
    found = Checksum()
    found.add([[plain(cell) for cell in row[:width]] for row in _of(rows, first - 1, number, sums)])
    below = rows[first - 1 + number : first - 1 + number + sums]
    framing = framed(heads[:width], below[0][:width] if below else [])
    return Verified(told, found.hex(), number, None if around is None else around == framing)


def _of(rows: list[list[Any]], first: int, number: int, sums: int) -> list[list[Any]]:
    """The rows that were written, and whatever stands below them and their sums."""
    below = [row for row in rows[first + number + sums :] if any(cell != "" for cell in row)]
    return rows[first : first + number] + below
