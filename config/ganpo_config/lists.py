"""`[lists]`: the rows of `[[equipment]]`, `[[meters]]`, `[[points]]` as CSV files beside `agent.toml`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ganpo_config.document import EquipmentRow, ListsTable, MeterRow, PointRow
from ganpo_config.explain import explain
from ganpo_config.findings import Findings
from ganpo_model import tables

Cells = dict[str, Any]
"""Of a row, as they are written."""
_ROWS: Mapping[str, type[BaseModel]] = {"equipment": EquipmentRow, "meters": MeterRow, "points": PointRow}


class Lists:
    """The lists that a file names, found in its folder."""

    def __init__(self, raw: Mapping[str, Any], folder: Path, findings: Findings) -> None:
        self._folder = folder
        self._findings = findings
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
            raw = (self._folder / file).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a name with a byte of 0 in it
            why = error.strerror if isinstance(error, OSError) else "no name of a file"
            hint = "it is looked for beside agent.toml"
            self._findings.error(f"lists.{name}", f"cannot be read: {why}", hint, value=file)
            yield file, None
            return
        fields = _ROWS[name].model_fields
        required = [column for column, about in fields.items() if about.is_required()]
        found = tables.read(raw, file, list(fields), required)
        self._findings.errors += found.errors
        self._findings.warnings += found.notes
        if found.errors:
            yield file, None
        for row in found.rows:
            yield f"{file} row {row.number}", {column: cell for column, cell in row.cells.items() if cell}
