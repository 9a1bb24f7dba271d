"""What pydantic found, in our words: `file: key path = value: what is wrong (what is allowed); hint`."""

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ganpo_config.findings import Findings, nearest

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "no such key",
    "string_type": "not a text: put it in quotes",
    "int_type": "not a whole number",
    "int_parsing": "not a whole number",
    "int_from_float": "not a whole number",
    "float_type": "not a number",
    "float_parsing": "not a number",
    "finite_number": "not a finite number",
    "bool_type": "not true or false",
    "bool_parsing": "not true or false",
    "model_type": "not a table",
    "dict_type": "not a table",
    "tuple_type": "not a list",
    "list_type": "not a list",
    "date_type": "no date (2025-03-01)",
    "date_parsing": "no date (2025-03-01)",
    "date_from_datetime_parsing": "no date (2025-03-01)",
    "date_from_datetime_inexact": "no date (2025-03-01): without a time",
    "string_too_short": "is empty",
}
Loc = tuple[int | str, ...]


def explain(
    found: Iterable[ErrorDetails], findings: Findings, model: type[BaseModel], prefix: str = ""
) -> None:
    """Every error of a validation of `model`, once per key; `prefix` is the key path above it."""
    told: set[str] = set()
    for item in found:
        loc = _without_branches(item["loc"], model)
        path = path_of(loc, prefix)
        if path in told:  # the branches of a union fail one by one
            continue
        told.add(path)
        missing = item["type"] in ("missing", "extra_forbidden")
        hint = _hint(item, loc, model)
        findings.error(path, said(item, loc, model), hint, value=None if missing else item["input"])


def said(item: ErrorDetails, loc: Loc, model: type[BaseModel]) -> str:
    """What is wrong, and what is allowed."""
    kind = item["type"]
    if kind == "value_error":
        return item["msg"].removeprefix("Value error, ")
    if kind == "literal_error":
        return f"none of {item['ctx']['expected'].replace(' or ', ', ')}"
    about = field_at(model, loc)
    meant = f" ({about.description})" if about is not None and about.description else ""
    if kind == "string_pattern_mismatch":
        return f"is not like {item['ctx']['pattern'].strip('^$')}{meant}"
    if kind == "missing":
        return f"is missing{meant}"
    return _WORDS.get(kind) or item["msg"].replace("Input should be", "should be")


def path_of(loc: Loc, prefix: str = "") -> str:
    """`meters[0].ct` of `("meters", 0, "ct")`, below `prefix`."""
    text = prefix
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def field_at(model: type[BaseModel], loc: Loc) -> FieldInfo | None:
    """The field of `model` at a location, through tables, lists and named tables."""
    found: FieldInfo | None = None
    inside: type[BaseModel] | None = model
    for part in loc:
        if inside is None:
            return found if isinstance(part, int) else None
        fields = {about.alias or name: about for name, about in inside.model_fields.items()}
        if part in fields:
            found = fields[str(part)]
            inside = _model_in(found.annotation)
    return found


def _hint(item: ErrorDetails, loc: Loc, model: type[BaseModel]) -> str:
    if item["type"] == "extra_forbidden":
        above = field_at(model, loc[:-1]) if len(loc) > 1 else None
        beside = _model_in(above.annotation) if above is not None else model
        names = {} if beside is None else beside.model_fields
        return nearest(str(loc[-1]), [about.alias or name for name, about in names.items()])
    if item["type"] == "literal_error":
        return nearest(
            str(item["input"]), item["ctx"]["expected"].replace("'", "").split(" or ")[0].split(", ")
        )
    if item["type"] in ("value_error", "missing", "string_pattern_mismatch", "string_type"):
        return ""  # what is allowed stands in what is said
    about = field_at(model, loc)
    return (about.description or "") if about is not None else ""


def _without_branches(loc: Loc, model: type[BaseModel]) -> Loc:
    """A location without what pydantic adds for the branches of a union: everything below a field of no model."""
    for length in range(1, len(loc) + 1):
        about = field_at(model, loc[:length])
        if about is not None and _model_in(about.annotation) is None:
            rest = loc[length : length + 1]
            return loc[:length] + (rest if rest and isinstance(rest[0], int) else ())
    return loc


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside a tuple, a dict or an optional; None for anything else."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
