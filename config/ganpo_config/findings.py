"""What is found while a file is read: errors with their key path, warnings, and notes for `ganpo check`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time

from ganpo_config.lines import line_of, lines_of
from ganpo_model.errors import ConfigError
from ganpo_model.meant import meant

_SECRET = re.compile(r"password|passwd|token|secret", re.IGNORECASE)
_USERINFO = re.compile(r"//[^/\s]*@")
_ROW = re.compile(r"(equipment|meters|points)\[\d+\]|.+ row \d+")
_LIST_ROW = re.compile(r"(.+ row \d+)\.?(.*)")
_LONGEST = 60
_HINTED = 50
"""Mistakes that are told with the name that was perhaps meant: each is a look at thousands of names."""


@dataclass(slots=True)
class Findings:
    """Collects in the order of finding; `file` is the name that stands before every key path."""

    file: str
    errors: list[ConfigError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    letters: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Of the sheets of workbooks, `meters.xlsx, sheet 电表`: the letter of each column."""
    numbers: dict[str, str] = field(default_factory=dict)
    """The asset_no of each row, by its path."""
    text: str = ""
    """What stands in the file, for the line of a key."""
    _lines: dict[str, int] | None = None
    _told: set[tuple[object, ...]] = field(default_factory=set)

    def error(self, path: str, what: str, hint: str = "", *, value: object = None) -> None:
        """One mistake at a key path, told once; `value`: what stands there, told unless it may be a secret."""
        where = printable(self.place(path) + shown(path, value))
        error = ConfigError(printable(without_userinfo(what)), where=where, hint=printable(hint))
        if error.args not in self._told:
            self._told.add(error.args)
            self.errors.append(error)

    def near(self, name: str, subjects: Iterable[str]) -> str:
        """The hint `did you mean X?` of a subject's number, while mistakes are few."""
        return nearest(name, subjects) if len(self.errors) < _HINTED else ""

    def warn(self, path: str, what: str) -> None:
        """Something that is probably meant otherwise, but can be run."""
        self.warnings.append(printable(f"{self.place(path)}: {what}"))

    def note(self, what: str) -> None:
        """What is right, for `check` to tell."""
        self.notes.append(printable(what))

    def place(self, path: str) -> str:
        """`agent.toml line 12 (DB-0101): meters[0].ct`; the row of a list has a file of its own: `meters.csv row 3
        (DB-0101), ct`, or `meters.xlsx, sheet 电表, cell D3 (DB-0101), ct`."""
        row = _ROW.match(path)
        number = self.numbers.get(row[0], "") if row is not None and not path.endswith(".asset_no") else ""
        whose = f" ({number})" if number else ""
        if (match := _LIST_ROW.match(path)) is None:
            line = line_of(path, self._all_lines())
            return f"{self.file}{'' if line is None else f' line {line}'}{whose}: {path}"
        sheet, _, count = match[1].rpartition(", row ")
        letter = self.letters.get(sheet, {}).get(match[2])
        where = f"{sheet}, cell {letter}{count}" if letter else match[1]
        return f"{where}{whose}, {match[2]}" if match[2] else f"{where}{whose}"

    def _all_lines(self) -> dict[str, int]:
        """Looked for once something is found: most files have nothing wrong."""
        if self._lines is None:
            self._lines = lines_of(self.text)
        return self._lines


def readable(path: str) -> str:
    """A key path for people: a column of a list's row stands behind a comma."""
    match = _LIST_ROW.match(path)
    return path if match is None or not match[2] else f"{match[1]}, {match[2]}"


def shown(path: str, value: object) -> str:
    """` = value` behind a key path: scalars alone, cut to 60 characters, no secret (I14)."""
    key = path.rpartition(".")[2]
    if (_SECRET.search(path) and not key.endswith("_file")) or value in (None, ""):
        return ""
    if isinstance(value, bool):
        return f" = {str(value).lower()}"
    if not isinstance(value, str | int | float | date | time):
        return ""
    text = without_userinfo(str(value))
    return f" = {text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}"


def printable(text: str) -> str:
    """The text with everything that would spoil a line of a terminal or a log as `?`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def without_userinfo(text: str) -> str:
    """The text with `user:password@` of a URL hidden."""
    return _USERINFO.sub("//***@", text)


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint `did you mean X?`, or nothing."""
    near = meant(name, known)
    return f"did you mean {near}?" if near else ""
