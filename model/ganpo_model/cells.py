"""What a person or a spreadsheet put into a cell, read as what its column holds (`reference/columns.csv`).

A cell is a text here, also of a workbook. What can be read in one way only is read so, with a note where something else
stood there; what could mean two things, or lost digits, is refused.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache

from ganpo_model import reference
from ganpo_model.heads import plain

NUMBERED = "Excel made a number of it"
AS_TEXT = "format the column as text and enter it again"

_NUMBERED = re.compile(r"\d+(\.\d+)?[Ee]\+\d+", re.ASCII)
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ",
    0x00A0: " ",
    0x2212: "-",
    0x2265: ">=",
    0x2264: "<=",
    0x201C: '"',
    0x201D: '"',
    0x2018: "'",
    0x2019: "'",
    0x200B: None,
    0xFEFF: None,
}
"""What an input method or a word processor writes for a sign of ASCII, and what cannot be seen."""
_PERCENT = re.compile(r"(-?\d{1,15}(?:\.\d{1,9})?)\s*%", re.ASCII)
_DECIMAL_COMMA = re.compile(r"-?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+", re.ASCII)
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_SERIAL = re.compile(r"([2-7]\d{4})(?:\.0+)?", re.ASCII)
"""Days of 1954 to 2119 as a spreadsheet counts them: nobody writes a date like that."""
_DAY = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]0?0:00(?::00(?:\.0+)?)?)?", re.ASCII
)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)", re.ASCII)
_DAY_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d", re.ASCII)
_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?(?:[-/.]0?1)?", re.ASCII)
_COMPACT_MONTH = re.compile(r"(20\d\d)(0[1-9]|1[0-2])", re.ASCII)
_YEAR = re.compile(r"(\d{4})\s*年度?", re.ASCII)
_PLAIN_DAY = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}", re.ASCII)
_YES = {
    "yes": "yes",
    "no": "no",
    "true": "yes",
    "false": "no",
    "是": "yes",
    "否": "no",
    "有": "yes",
    "无": "no",
}
_WHICH_MAIN = (
    "the main meter of what?",
    "of the whole plant: 总进线 (boundary_in); of a workshop or a line below it: 分表 (sub)",
)
_WHAT_FOR = (
    "what is it for?",
    "within the plant: 分表 (sub); of one process or machine: 工序 (process)",
)
_WHICH_GAS = (
    "which gas?",
    "天然气 (natural_gas), 压缩空气 (compressed_air), 焦炉煤气 (coke_oven_gas), 液化石油气 (lpg)",
)
_WHICH_OIL = ("which oil?", "柴油 (diesel), 汽油 (gasoline), 燃料油 (fuel_oil)")
_ASKED = {
    "role": {
        **dict.fromkeys(("总表", "主表", "母表", "总电表", "总水表", "总", "main", "mainmeter"), _WHICH_MAIN),
        **dict.fromkeys(("考核表", "计量表", "考核", "内部考核"), _WHAT_FOR),
    },
    "carrier": {
        **dict.fromkeys(("气", "气体", "煤气", "gas"), _WHICH_GAS),
        **dict.fromkeys(("油", "燃油", "oil"), _WHICH_OIL),
    },
}
"""Words of plants that mean two of ours: which, is asked."""
_EPOCH_1900, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)


class CellError(ValueError):
    """A cell cannot be read: `(what, hint)`."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint


@dataclass(frozen=True, slots=True)
class Read:
    """A cell as it is read. `note`: what stood there, where that is something else; one of few."""

    text: str
    note: str = ""


def numbered(text: str) -> bool:
    """Whether a spreadsheet made a number of what was none: 9.13601E+17."""
    return _NUMBERED.fullmatch(text) is not None


def read(text: str, column: str, *, from_1904: bool = False) -> Read:
    """The cell of a column; `from_1904`: where its workbook counts days from. Raises CellError."""
    kind = kinds().get(column, "word")
    written, note = text, ""
    if kind != "text" and not text.isascii():
        written = text.translate(_FULL_WIDTH).strip()
        note = "" if written == text else "full-width or typographic signs"
    if kind != "number" and "E+" in written.upper() and numbered(written):
        raise CellError(NUMBERED, AS_TEXT)
    if kind == "text":
        return Read(text)
    if kind == "number":
        found = _number(written)
    elif kind == "date":
        found = _date(written, from_1904)
    elif kind == "month":
        found = _month(written, from_1904)
    elif kind == "year" and (match := _YEAR.fullmatch(written)):
        found = Read(match[1], "" if match[1] == written else "a year in another form")
    elif kind == "yes" and (word := _YES.get(written.casefold())) is not None:
        found = Read(word)
    elif kind == "yes" and "," in written:  # the value of a target or a limit
        found = _number(written)
    elif (asked := _ASKED.get(column, {}).get(plain(written))) is not None:
        raise CellError(*asked)
    elif (words := _words().get(column)) is not None and (word := words.get(plain(written))) is not None:
        found = Read(word, "" if word == written else "a word of a plant")
    else:
        return Read(written, note)
    return Read(found.text, found.note or note) if note else found


@cache
def kinds() -> dict[str, str]:
    """What each column holds: text (as it is), word, number, date, month, year or yes."""
    return {row["column"]: row["kind"] for row in reference.rows("columns")}


@cache
def _words() -> dict[str, dict[str, str]]:
    """By column the word of ours for each of a plant's."""
    found: dict[str, dict[str, str]] = {
        "carrier": {plain(about.name_zh): about.id for about in reference.carriers().values()},
        "signal": {plain(about.name_zh): about.id for about in reference.signals().values()},
        "tag": {plain(about.name_zh): about.id for about in reference.tags().values()},
    }
    for row in reference.rows("column_words"):
        words = found.setdefault(row["column"], {})
        words |= {plain(word): row["value"] for word in row["words"].split("|")}
    return found


def _number(text: str) -> Read:
    if match := _PERCENT.fullmatch(text):
        value = Fraction(match[1]) / 100
        return Read(f"{float(value):.15g}", "a percentage")
    if _THOUSANDS.fullmatch(text):
        if "." in text or text.count(",") > 1:
            return Read(text.replace(",", ""), "commas between thousands")
        raise CellError(
            "a decimal comma, or one between thousands?",
            f"write {text.replace(',', '.')} or {text.replace(',', '')}",
        )
    if _DECIMAL_COMMA.fullmatch(text):
        return Read(text.replace(".", "").replace(",", "."), "a decimal comma")
    return Read(text)


def _date(text: str, from_1904: bool) -> Read:
    if _PLAIN_DAY.fullmatch(text):
        return Read(text)
    if match := _SERIAL.fullmatch(text):
        day = (_EPOCH_1904 if from_1904 else _EPOCH_1900) + timedelta(days=int(match[1]))
        since = "1904" if from_1904 else "1900"
        return Read(day.isoformat(), f"the number of a day, counted from {since}")
    if match := _DAY.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day_of = map(int, match.groups())
        iso = f"{year:04}-{month:02}-{day_of:02}"
        return Read(iso, "a day in another form" if iso != text else "")
    if _DAY_LAST.fullmatch(text):
        raise CellError("which is the month?", "write 2025-03-01")
    return Read(text)


def _month(text: str, from_1904: bool) -> Read:
    day = _date(text, from_1904).text if _SERIAL.fullmatch(text) else text
    if (match := _MONTH.fullmatch(day) or _COMPACT_MONTH.fullmatch(day)) is None:
        return Read(text)
    month = f"{match[1]}-{int(match[2]):02}"
    return Read(month, "a month in another form" if month != text else "")
