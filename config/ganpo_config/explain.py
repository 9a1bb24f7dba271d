"""What pydantic found, in our words: `file: key path = value: what is wrong; hint`."""

import difflib
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ganpo_model.errors import ConfigError

_SECRET = ("password", "token", "secret", "key")


def explained(item: ErrorDetails, where: str, model: type[BaseModel], prefix: str = "") -> ConfigError:
    """One error of a validation of `model`; `prefix` is the key path above it."""
    path = prefix + _path(item["loc"])
    name = str(item["loc"][-1]) if item["loc"] else ""
    what = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, _keys(model, item["loc"][:-1]), 1)
        return ConfigError(
            "no such key", where=f"{where}: {path}", hint=f"did you mean {near[0]}?" if near else ""
        )
    if item["type"] == "missing":
        return ConfigError("is missing", where=f"{where}: {path}")
    shown = "" if any(word in name for word in _SECRET) else f" = {_short(item['input'])}"
    return ConfigError(what, where=f"{where}: {path}{shown}")


def _path(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that stand beside the unknown one."""
    found: Any = model
    for part in loc:
        if isinstance(part, str) and isinstance(found, type) and issubclass(found, BaseModel):
            fields: Mapping[str, Any] = found.model_fields
            found = _inner(fields[part].annotation) if part in fields else found
    if isinstance(found, type) and issubclass(found, BaseModel):
        return [field.alias or name for name, field in found.model_fields.items()]
    return []


def _inner(annotation: Any) -> Any:
    """The model inside a tuple, a dict or an optional."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _inner(argument)) is not None), None)
