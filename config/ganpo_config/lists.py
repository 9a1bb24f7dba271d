"""`[lists]`: the rows of `[[equipment]]`, `[[meters]]`, `[[points]]` as CSV files or workbooks beside `agent.toml`."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ganpo_config.document import EquipmentRow, ListsTable, MeterRow, PointRow
from ganpo_config.explain import explain
from ganpo_config.files import Files
from ganpo_config.findings import Findings
from ganpo_model import tables

Cells = dict[str, Any]
"""Of a row, as they are written."""
ROWS: Mapping[str, type[BaseModel]] = {"equipment": EquipmentRow, "meters": MeterRow, "points": PointRow}
"""What a row of each list is."""


def read(
    raw: bytes, file: str, name: str, opener: tables.Opener | None, *, foreign: bool = False
) -> tables.List:
    """The rows of the list of this name; `file` stands in every error, `foreign` columns may stand beside ours."""
    fields = ROWS[name].model_fields
    required = [column for column, about in fields.items() if about.is_required()]
    return tables.read(raw, file, list(fields), required, opener=opener, kind=name, foreign=foreign)


class Lists:
    """The lists that a file names. `opener`: of those that are workbooks."""

    def __init__(
        self, raw: Mapping[str, Any], files: Files, findings: Findings, opener: tables.Opener | None = None
    ) -> None:
        self._files = files
        self._findings = findings
        self._opener = opener
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
        file = getattr(self._names, name)
        if file is None:
            return
        try:
            raw = self._files.read(file)
        except (OSError, ValueError) as error:  # ValueError: a name with a byte of 0 in it
            why = error.strerror if isinstance(error, OSError) else "no name of a file"
            hint = "it is looked for beside agent.toml"
            self._findings.error(f"lists.{name}", f"cannot be read: {why}", hint, value=file)
            yield file, None
            return
        found = read(raw, file, name, self._opener)
        self._findings.errors += found.errors
        self._findings.warnings += found.notes
        if found.errors:
            yield file, None
        for row in found.rows:
            source = row.source
            if source.sheet:
                self._findings.letters[f"{source.file}, sheet {source.sheet}"] = source.letters
            yield row.place(), {column: cell for column, cell in row.cells.items() if cell}
