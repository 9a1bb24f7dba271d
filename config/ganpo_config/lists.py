"""`[lists]`: the rows of `[[equipment]]`, `[[meters]]`, `[[points]]` as CSV files beside `agent.toml`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ganpo_config.document import EquipmentRow, ListsTable, MeterRow, PointRow
from ganpo_config.explain import explain
from ganpo_config.findings import Findings
from ganpo_model import tables

_ROWS: Mapping[str, type[BaseModel]] = {"equipment": EquipmentRow, "meters": MeterRow, "points": PointRow}


class Lists:
    """The lists that a file names, found in its folder."""

    def __init__(self, raw: Mapping[str, Any], folder: Path, findings: Findings) -> None:
        self._folder = folder
        self._findings = findings
        self._names = ListsTable()
        try:
            self._names = ListsTable.model_validate(raw.get("lists", {}))
        except ValidationError as error:
            explain(error.errors(include_url=False), findings, ListsTable, "lists")

    def rows(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of one list, each with its place; what cannot be read is found and left out."""
        file = getattr(self._names, name)
        if file is None:
            return
        try:
            raw = (self._folder / file).read_bytes()
        except OSError as error:
            hint = "it is looked for beside agent.toml"
            self._findings.error(f"lists.{name}", f"cannot be read: {error.strerror}", hint, value=file)
            return
        fields = _ROWS[name].model_fields
        required = [column for column, about in fields.items() if about.is_required()]
        found = tables.read(raw, file, list(fields), required)
        self._findings.errors += found.errors
        self._findings.warnings += found.notes
        for row in found.rows:
            yield f"{file} row {row.number}", {column: cell for column, cell in row.cells.items() if cell}
