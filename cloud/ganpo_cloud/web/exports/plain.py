"""A table for programs: the columns of its JSON, nested fields as `outer.inner`."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin


def columns(kind: Any, name: str = "") -> list[str]:
    """The columns of a row."""
    parts = get_args(kind)
    if get_origin(kind) is Annotated:
        return columns(parts[0], name)
    if get_origin(kind) is dict and get_origin(parts[0]) is Literal:
        return [f"{name}.{key}" for key in get_args(parts[0])]
    if NoneType in parts:
        return [column for part in parts if part is not NoneType for column in columns(part, name)]
    if not is_dataclass(kind):
        return [name]
    said = [field for field in fields(kind) if not field.metadata.get("exclude")]
    inner = ((field.metadata.get("serialization_alias") or field.name, field.type) for field in said)
    return [column for called, of in inner for column in columns(of, f"{name}.{called}".lstrip("."))]


def cell(row: Mapping[str, Any], column: str) -> Any:
    """What stands under a column in a row as it travels; lists as text."""
    found: Any = row
    for part in column.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return " ".join(found)
    return json.dumps(found, ensure_ascii=False) if isinstance(found, list | dict) else found
