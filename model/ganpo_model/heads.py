"""Which row of a sheet is its head, and which column of a list each of its cells names, in Chinese or English.

The words of the columns are `reference/columns.csv`, those of the lists `reference/lists.csv`.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from ganpo_model import reference

_LOOKED_AT = 10
"""Rows among which the head is looked for: what stands above it is a title."""
_SIGNS = re.compile(r"[\s_\-*:.#]+")
_BRACKETS = re.compile(r"[(\[](.*?)[)\]]")
_KINDS_OF_LIST = re.compile(r"(?:台账|清单|一览表?|明细表?|登记表|统计表|汇总表?|列表|目录)$")
_RUNS = re.compile(r"[\u4e00-\u9fff]+|[^\u4e00-\u9fff]+")

Merged = tuple[int, int, int, int]
"""Cells merged into one: first row and column, last row and column, counted from 1 and from 0."""
Rows = Sequence[tuple[int, Sequence[str]]]
"""The rows of a sheet that are not empty, each with its number from 1."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a sheet. `row`: its number; `end`: of its last row, where it has two; `above`: of a title, or 0;
    `named`: the column of the list by that of the sheet; `strange`: what names none; `twice`: what names one that
    another names already; `texts`: what stands in the cells."""

    row: int
    end: int
    above: int
    named: Mapping[int, str]
    strange: Mapping[int, str]
    twice: Mapping[int, str]
    texts: Mapping[int, str] = field(default_factory=dict)

    def has(self, columns: Collection[str]) -> bool:
        """Whether it names all of them."""
        return set(columns) <= set(self.named.values())


def plain(text: str) -> str:
    """A word without what makes no difference: width, case, spaces, signs."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold())


def letters(number: int) -> str:
    """The name of a column of a sheet: 0 is A, 26 is AA."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


@cache
def titles() -> dict[str, str]:
    """The Chinese name of each column, as a template has it."""
    return {row["column"]: row["zh"] for row in reference.rows("columns")}


def lists_named(name: str) -> set[str]:
    """The lists that the name of a sheet is a word for: `电表 meters`."""
    found = set()
    for row in reference.rows("lists"):
        words = {plain(word) for word in (row["list"], *row["words"].split("|"))}
        parts = [name, *_RUNS.findall(name)]
        if any(plain(part) in words or plain(_KINDS_OF_LIST.sub("", part)) in words for part in parts):
            found.add(row["list"])
    return found


def column_of(cell: str, columns: tuple[str, ...]) -> str:
    """The column that a cell of the head names; empty: none, or two."""
    words = _words(columns)
    text = unicodedata.normalize("NFKC", cell)
    for parts in (
        [text],
        [_BRACKETS.sub("", text)],
        text.split("\n"),
        [*_RUNS.findall(text), *_BRACKETS.findall(text)],
    ):
        found = {words[part] for part in map(plain, parts) if part in words}
        if len(found) == 1:
            return found.pop()
    return ""


def find(rows: Rows, columns: tuple[str, ...], merged: Collection[Merged]) -> Head | None:
    """The head of a sheet of these rows: the row among the first ten that names the most columns, or two rows where
    cells of the upper one are merged. None: there are no rows."""
    best: Head | None = None
    shown = rows[:_LOOKED_AT]
    for at, (number, cells) in enumerate(shown):
        one = spread(number, cells, merged)
        found = [_head(rows, number, number, one, columns)]
        if at + 1 < len(shown) and any(m[0] <= number <= m[2] and m[:2] != m[2:] for m in merged):
            below, lower = shown[at + 1]
            two = [*spread(below, lower, merged), *[""] * max(0, len(one) - len(lower))]
            upper = [*one, *[""] * (len(two) - len(one))]
            both = [low if column_of(low, columns) else up for up, low in zip(upper, two, strict=True)]
            found.append(_head(rows, number, below, both, columns))
        for head in found:
            if best is None or len(head.named) > len(best.named):
                best = head
    return best


def spread(number: int, cells: Sequence[str], merged: Collection[Merged]) -> list[str]:
    """The cells of a row of the head: what stands first in merged cells of the row stands in all of them."""
    found = list(cells)
    for top, left, _, right in merged:
        if top == number and left < len(found):
            found += [""] * (right + 1 - len(found))
            found[left : right + 1] = [found[left]] * (right + 1 - left)
    return found


def _head(rows: Rows, row: int, end: int, cells: Sequence[str], columns: tuple[str, ...]) -> Head:
    named: dict[int, str] = {}
    strange: dict[int, str] = {}
    twice: dict[int, str] = {}
    for at, cell in enumerate(cells):
        if not cell.strip():
            continue
        column = column_of(cell, columns)
        if not column:
            strange[at] = cell.strip()
        elif column in named.values():
            twice[at] = column
        else:
            named[at] = column
    above = rows[0][0] if rows[0][0] != row else 0
    texts = {at: cell.strip() for at, cell in enumerate(cells) if cell.strip()}
    return Head(row, end, above, named, strange, twice, texts)


def settled(head: Head, aside: Collection[str]) -> Head:
    """The head of a ledger that is a plant's own. Of cells that name one column the one with our word for it is it; of
    the columns `aside` the first. What is left over is strange."""
    named, strange, twice = dict(head.named), dict(head.strange), dict(head.twice)
    at_of = {column: at for at, column in named.items()}
    for at, column in head.twice.items():
        first = at_of[column]
        ours = [place for place in (first, at) if plain(head.texts[place]) in _own(column)]
        if column not in aside and len(ours) != 1:
            continue
        kept = ours[0] if len(ours) == 1 else first
        left = at if kept == first else first
        named.pop(left, None)
        twice.pop(at)
        named[kept], strange[left], at_of[column] = column, head.texts[left], kept
    return replace(head, named=named, strange=dict(sorted(strange.items())), twice=twice)


def _own(column: str) -> set[str]:
    return {plain(column), plain(titles().get(column, ""))}


@cache
def _words(columns: tuple[str, ...]) -> dict[str, str]:
    """The column of a list by each of its words; its own name stands above all others."""
    about = {row["column"]: row for row in reference.rows("columns")}
    found: dict[str, str] = {}
    for column in columns:
        if column in about:
            for word in (about[column]["zh"], *about[column]["words"].split("|")):
                found.setdefault(plain(word), column)
    return found | {plain(column): column for column in columns}
