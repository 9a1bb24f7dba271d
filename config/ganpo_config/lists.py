"""`[lists]`: the rows of `[[equipment]]`, `[[meters]]`, `[[points]]` as CSV files or workbooks beside `agent.toml`."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from ganpo_config.document import EquipmentRow, ListsTable, MeterRow, PointRow
from ganpo_config.explain import explain
from ganpo_config.files import Files
from ganpo_config.findings import Findings
from ganpo_model import tables
from ganpo_model.errors import ConfigError, unread

Cells = dict[str, Any]
"""Of a row, as they are written."""
ROWS: Mapping[str, type[BaseModel]] = {"equipment": EquipmentRow, "meters": MeterRow, "points": PointRow}
"""What a row of each list is."""
_SAID_OTHERWISE = ("model", "protocol", "station")
ASIDE: Mapping[str, Sequence[str]] = {
    "equipment": _SAID_OTHERWISE,
    "meters": (*_SAID_OTHERWISE, "ratio"),
    "points": (),
}
"""Columns of plants' own ledgers that say in another way what ours say: they are read beside those of a row."""


def read(
    raw: bytes, file: str, name: str, opener: tables.Opener | None, *, foreign: bool = False
) -> tables.List:
    """The rows of the list of this name; `file` stands in every error, `foreign` columns may stand beside ours, and
    those `ASIDE` are in the rows too."""
    fields = ROWS[name].model_fields
    required = [column for column, about in fields.items() if about.is_required()]
    return tables.read(
        raw,
        file,
        list(fields),
        required,
        opener=opener,
        kind=name,
        foreign=foreign,
        aside=ASIDE[name] if foreign else (),
        about={column: field.description or "" for column, field in fields.items()},
    )


def list_files(config: Path) -> dict[str, Path]:
    """The file of each list that a configuration names. Raises ConfigError where it cannot be read."""
    try:
        named = tomllib.loads(config.read_bytes().decode("utf-8-sig")).get("lists", {})
        return {
            name: config.parent / file
            for name in ROWS
            if (file := getattr(ListsTable.model_validate(named), name))
        }
    except (OSError, ValueError) as error:
        what = "its [lists] cannot be read"
        raise ConfigError(what, where=str(config), hint="`ganpo check` says why") from error


class Lists:
    """The lists that a file names. `opener`: of those that are workbooks; `instead`: rows of a list as it would stand,
    in place of those of its file."""

    def __init__(
        self,
        raw: Mapping[str, Any],
        files: Files,
        findings: Findings,
        opener: tables.Opener | None = None,
        instead: Mapping[str, Sequence[tables.Row]] = MappingProxyType({}),
    ) -> None:
        self._files = files
        self._findings = findings
        self._opener = opener
        self._instead = instead
        self._names = ListsTable()
        self._wrong = False
        try:
            self._names = ListsTable.model_validate(raw.get("lists", {}))
        except ValidationError as error:
            self._wrong = True
            explain(error.errors(include_url=False), findings, ListsTable, "lists")

    def rows(self, name: str) -> Iterator[tuple[str, Cells | None]]:
        """The rows of one list, each with its place. What cannot be read is found, and None comes for it once."""
        if self._wrong:
            yield "lists", None
        if name in self._instead:
            yield from map(self._placed, self._instead[name])
            return
        file = getattr(self._names, name)
        if file is None:
            return
        try:
            raw = self._files.read(file)
        except (OSError, ValueError) as error:  # ValueError: a name with a byte of 0 in it
            what = unread(error) if isinstance(error, OSError) else "cannot be read: no name of a file"
            hint = "it is looked for beside agent.toml"
            self._findings.error(f"lists.{name}", what, hint, value=file)
            yield file, None
            return
        found = read(raw, file, name, self._opener)
        self._findings.errors += found.errors
        self._findings.warnings += found.notes
        if found.errors:
            yield file, None
        yield from map(self._placed, found.rows)

    def _placed(self, row: tables.Row) -> tuple[str, Cells]:
        source = row.source
        if source.sheet:
            self._findings.letters[f"{source.file}, sheet {source.sheet}"] = source.letters
        return row.place(), {column: cell for column, cell in row.cells.items() if cell}
