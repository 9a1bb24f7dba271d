"""The scheme of an assessment (`assessment.toml` in the province's folder, else our sample): read, and every mistake in
it named."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ganpo_model.errors import ConfigError, unread
from ganpo_model.meant import meant
from ganpo_model.scoring import WHOLE, Rule

FILE = "assessment.toml"
TOTAL = "total"
"""The id of the last line of a sheet."""


def _number(given: object) -> object:
    """TOML has numbers: a text or true is none."""
    return None if isinstance(given, bool | str) else given


Exact = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=18), BeforeValidator(_number)]
"""A decimal number."""


def _line(given: str) -> str:
    if not given.strip() or not given.isprintable():
        raise ValueError("no line of text")
    return given


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_line)]
"""What people read, on one line."""


class _Table(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Item(_Table):
    """What is asked for, and how many points it is worth."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="a word of a-z, 0-9 and _")
    zh: Name = Field(description="its name in Chinese, one line of at most 80 characters")
    en: Name = Field(description="its name in English, one line of at most 80 characters")
    max: Exact = Field(
        gt=0, le=WHOLE, description="a number above 0 and up to 100, the points that it is worth"
    )
    measure: str = Field(description="the id of a number as /definitions lists them")
    rule: Rule = Field(
        description="all_or_nothing (all once full is reached) or linear (none at zero, all at full)"
    )
    full: Exact = Field(description="a number, that is worth all points")
    zero: Exact | None = Field(
        default=None, description="a number, that is worth none; beyond full: less is better"
    )
    veto: bool = Field(
        default=False, strict=True, description="true or false; below full the grade is the lowest"
    )


class Scheme(_Table):
    """All of `assessment.toml`."""

    item: tuple[Item, ...] = Field(min_length=1, description="tables [[item]], what is asked for")


def json_schema(measures: Collection[str]) -> dict[str, Any]:
    """The JSON Schema of `assessment.toml`: for editors. `measures`: the ids of numbers that there are."""
    schema = Scheme.model_json_schema()
    schema["title"] = FILE
    item = schema["$defs"]["Item"]
    for about in item["properties"].values():
        about |= next(iter(about.pop("anyOf", ())), {})  # TOML has numbers, and no null
    del item["properties"]["zero"]["default"]
    item["properties"]["measure"]["enum"] = sorted(measures)
    item |= {"if": {"properties": {"rule": {"const": "linear"}}}, "then": {"required": ["zero"]}}
    return schema


def load(folder: Path | None, measures: Mapping[str, bool]) -> Scheme:
    """The scheme in a folder, or ours where it has none. Raises ConfigError: its first mistake."""
    scheme, errors = read(folder, measures)
    if scheme is None:
        raise errors[0]
    return scheme


def read(folder: Path | None, measures: Mapping[str, bool]) -> tuple[Scheme | None, list[ConfigError]]:
    """The same, or every mistake of it with file, item and key. `measures`: the ids of numbers that there are, and
    whether less of each is better."""
    file: Any = files("ganpo_cloud").joinpath("province", FILE)
    if folder is not None and (folder / FILE).is_file():
        file = folder / FILE
    try:
        document = tomllib.loads(file.read_bytes().decode("utf-8-sig"), parse_float=Decimal)
        scheme = Scheme(**document)
    except OSError as error:
        return None, [ConfigError(unread(error), where=str(file))]
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})"
        return None, [ConfigError(what, where=str(file), hint="save it as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [ConfigError(f"not TOML: {error}", where=str(file))]
    except ValidationError as error:
        found = error.errors(include_url=False)
        deep = [
            one for one in found if len(one["loc"]) > 1
        ]  # an item that is wrong is told once, not as too few too
        return None, [_explained(one, document) for one in deep or found]
    wrong = [*_wrong(scheme, measures)]
    return (None, wrong) if wrong else (scheme, [])


def _wrong(scheme: Scheme, measures: Mapping[str, bool]) -> Iterator[ConfigError]:
    """What contradicts another key or item, or names what there is not."""
    seen: set[str] = set()
    for item in scheme.item:
        at = f"{FILE}: item {item.id}"
        if item.id in seen:
            yield ConfigError("stands there twice", where=at, hint="give one of both another id")
        seen.add(item.id)
        if item.id == TOTAL:
            yield ConfigError("is what the sum of all is called", where=at, hint="give it another id")
        if item.measure not in measures:
            near = meant(item.measure, measures)
            hint = f"did you mean {near}?" if near else "GET /api/v1/definitions lists them"
            yield ConfigError("no such number", where=f"{at}, measure = {item.measure}", hint=hint)
        if item.zero == item.full:
            yield ConfigError("is the same as full: no number lies between", where=f"{at}, zero")
        if item.rule == "linear" and item.zero is None:
            yield ConfigError("is missing: linear has no points at it", where=f"{at}, zero")
        falls = measures.get(item.measure, False)
        if falls and item.zero is not None and item.zero < item.full:
            yield ConfigError(
                "lies below full, and less of it is better", where=f"{at}, zero", hint="more than full"
            )
        if not falls and item.zero is None and item.rule != "linear" and item.full <= 0:
            hint = "where less is better, say so by a zero above it"
            yield ConfigError("is reached by every number", where=f"{at}, full", hint=hint)
        if item.max % Decimal("0.1"):
            yield ConfigError(
                "has parts of a tenth: points are told in tenths", where=f"{at}, max = {item.max}"
            )
    if (total := sum(item.max for item in scheme.item)) != WHOLE:
        yield ConfigError(f"all items come to {total} points: grades are of {WHOLE}", where=f"{FILE}: max")


def _explained(found: Any, document: dict[str, Any]) -> ConfigError:
    """One finding of pydantic, for people."""
    keys = [*found["loc"]]
    place, fields = FILE, Scheme.model_fields
    if len(keys) > 1:
        items = document["item"]
        named = items[keys[1]].get("id") if isinstance(items[keys[1]], dict) else None
        place, fields = f"{FILE}: item {named or keys[1] + 1}", Item.model_fields
    key = str(keys[-1])
    about = fields[key].description if key in fields else "a table [[item]]"
    where = f"{place}, {key}" if len(keys) > 2 or (len(keys) == 1 and key != "item") else f"{place}"
    if found["type"] == "extra_forbidden":
        near = meant(key, fields)
        return ConfigError("no such key", where=where, hint=f"did you mean {near}?" if near else "")
    if found["type"] == "missing":
        return ConfigError(f"is missing: {about}", where=where)
    given = document["item"][keys[1]].get(key, "") if len(keys) > 2 else found["input"]
    return ConfigError(f"expected {about}", where=f"{where} = {given}"[:200])
