"""In which forms a table is answered: by `Accept`, or `format` in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Format = Literal["json", "csv", "xlsx"]
DEMO = "DEMO DATA / 演示数据"
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the same table in three forms",
        "content": {
            CSV: {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""What every table may be answered as."""
_NAMES: Mapping[str, Format] = {CSV: "csv", XLSX: "xlsx"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an export is called, whether its data are invented, and in words under which conditions it was made."""

    name: str
    demo: bool = False
    conditions: Sequence[tuple[str, str]] = ()


def wanted(accept: str) -> Format:
    """The form that a client accepts first."""
    for part in accept.split(","):
        if (form := _NAMES.get(part.partition(";")[0].strip())) is not None:
            return form
    return "json"
