"""What a file would change in the lists of a gateway: rows added, changed, as before; and what is wrong with it.

A row corrects the one with its number (a point: number and signal), column by column of those that the file has; rows
that it does not name stay. The whole configuration is checked as it would stand then.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganpo_agent.listing import ledgers
from ganpo_agent.listing.tag_points import Line
from ganpo_config import Loaded, load
from ganpo_config.files import PROFILES
from ganpo_config.lists import ASIDE, ROWS, list_files
from ganpo_config.lists import read as read_list
from ganpo_config.profiles import Profiles
from ganpo_model import heads, separated, tables
from ganpo_model.errors import ConfigError, unread
from ganpo_model.tables import List, Opener, Row, Sheet
from ganpo_service import workbooks

Key = tuple[str, ...]
_METERS_ONLY = {"role", "parent", "ct", "pt", "reads", "pulse", "ratio"}
_METER = re.compile("表[号计具]|仪表|电能?表|水表|[燃蒸]?[气汽]表|热表|计量|(?<![a-z])meter", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Change:
    """A row that says something new. `before`: what stood there, column by column, where it differs; None: no row."""

    row: Row
    key: str
    before: Mapping[str, tuple[str, str]] | None


@dataclass(frozen=True, slots=True)
class Merged:
    """One list as it would stand. `file`: where it is written to."""

    name: str
    file: Path
    rows: tuple[Row, ...]
    added: tuple[Change, ...]
    changed: tuple[Change, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file comes to. Nothing is written while there are `errors`."""

    lists: tuple[Merged, ...]
    errors: tuple[ConfigError, ...]
    notes: tuple[str, ...] = field(default=())


def preview(config: Path, found: Mapping[str, List]) -> Preview:
    """Compare lists with those that a configuration names. Raises ConfigError where it names none for one of them, or
    what it names cannot be read."""
    profiles = Profiles(config.parent / PROFILES)
    found = {name: ledgers.taken(name, one, profiles) for name, one in found.items()}
    errors = [error for one in found.values() for error in one.errors]
    notes = tuple(note for one in found.values() for note in one.notes)
    merged = []
    files = list_files(config)
    for name, one in found.items():
        file = files.get(name, config.parent / f"{name}.csv")
        if name not in files and file.exists():
            hint = f'write below [lists]: {name} = "{name}.csv"'
            raise ConfigError(
                f"names no list of {name}, and {file.name} is there", where=str(config), hint=hint
            )
        merged.append(_merge(name, file, one))
    if not errors:
        errors += _new_errors(config, {one.name: one.rows for one in merged})
    return Preview(tuple(merged), tuple(errors), notes)


def held(raw: bytes, file: str, only: str = "", opener: Opener = workbooks.sheets) -> dict[str, List]:
    """The lists that a file holds: those that its sheets are called after, or whose columns stand in their heads.
    `only`: it holds this one. Raises ConfigError where there is none."""
    if tables.is_workbook(raw):
        sheets = [sheet for sheet in opener(raw, file) if sheet.rows]
    else:
        every = tuple(dict.fromkeys(column for row in ROWS.values() for column in row.model_fields))
        sheets = [Sheet("", separated.read(raw, file, every).rows)]
    chosen: dict[str, list[Sheet]] = {}
    others = []
    whole = {sheet.name: only or list_of(sheet) for sheet in sheets}
    for sheet in sheets:
        name = whole[sheet.name] or ("" if any(whole.values()) or sheet.hidden else likely(sheet))
        if name:
            chosen.setdefault(name, []).append(sheet)
        elif not sheet.hidden and not heads.lists_named(sheet.name):
            others.append(sheet)
    if not chosen or (not only and all(sheet.hidden for some in chosen.values() for sheet in some)):
        columns = "; ".join(f"{name} needs {', '.join(_required(name))}" for name in ROWS)
        raise ConfigError("holds none of the lists", where=file, hint=columns)
    found = {}
    for name in ROWS:
        if name in chosen:
            found[name] = read_list(raw, file, name, _giving([*chosen[name], *others]), foreign=True)
            others = []
    return found


def line(config: Path, said: Mapping[str, str]) -> Line:
    """The connection over which tags are read: the one that is said. Raises ConfigError where it is none."""
    connections = _document(config).get("connections", {})
    found = connections.get(said.get("connection", "")) if isinstance(connections, dict) else None
    if not isinstance(found, dict):
        there = ", ".join(connections) if isinstance(connections, dict) else ""
        what = "tags of another gateway: over which connection are they read?"
        raise ConfigError(what, where="--connection", hint=f"there are: {there or 'none'}")
    addressing = str(found.get("addressing", "0-based"))
    return Line(
        said["connection"],
        str(found.get("driver", "")),
        addressing,
        said["unit"],
        said["order"],
        said["prefix"],
    )


def numbers(config: Path) -> set[str]:
    """The numbers of equipment and meters, of the lists and of the configuration itself."""
    found = {
        row.cells["asset_no"] for name, file in list_files(config).items() for row in current(name, file).rows
    }
    document = _document(config)
    tables_of = [table for name in ("equipment", "meters") if isinstance(table := document.get(name), list)]
    inline = (row.get("asset_no") for table in tables_of for row in table if isinstance(row, dict))
    return found | {str(number) for number in inline if number is not None}


def list_of(sheet: Sheet) -> str:
    """The list of a sheet, after which it is called or all required columns of which it has; empty: none."""
    if named := heads.lists_named(sheet.name):
        return next((name for name in ROWS if name in named), "")
    found = {
        name: head for name in ROWS if (head := _head(sheet, name)) is not None and head.has(_required(name))
    }
    if "equipment" in found and "meters" not in found and _of_meters(sheet):
        return "meters"
    return max(found, key=lambda name: len(found[name].named), default="")


def likely(sheet: Sheet) -> str:
    """The list that a sheet is meant for, of which it lacks something; empty: none."""
    if _of_meters(sheet):
        return "meters"
    found = {name: len(head.named) for name in ROWS if (head := _head(sheet, name)) is not None}
    best = max(found, key=lambda name: found[name], default="")
    return best if found.get(best, 0) > 1 else ""


def _of_meters(sheet: Sheet) -> bool:
    """Whether its head speaks of meters: of transformers, of a place in the balance, of the number of a meter."""
    head = _head(sheet, "meters")
    return head is not None and (
        not _METERS_ONLY.isdisjoint(head.named.values())
        or (len(head.named) > 1 and any(_METER.search(text) for text in head.texts.values()))
    )


def _head(sheet: Sheet, name: str) -> heads.Head | None:
    return heads.find(sheet.rows, (*ROWS[name].model_fields, *ASIDE[name]), sheet.merged)


def _document(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError("cannot be read", where=str(config), hint="`ganpo check` says why") from error


def _giving(sheets: list[Sheet]) -> Opener:
    return lambda _raw, _name: sheets


def current(name: str, file: Path) -> List:
    """A list as it stands; one that is not there yet is empty. Raises ConfigError where it cannot be read whole."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return List((), ())
    except OSError as error:
        raise ConfigError(unread(error), where=str(file)) from error
    found = read_list(raw, file.name, name, workbooks.sheets)
    if found.errors:
        raise found.errors[0]
    return found


def _merge(name: str, file: Path, found: List) -> Merged:
    rows = list(current(name, file).rows)
    there: dict[Key, int] = {}
    for at, row in enumerate(rows):
        there.setdefault(_key(name, row.cells), at)
    said: set[Key] = set()
    added, changed, unchanged = [], [], 0
    for row in found.rows:
        key = _key(name, row.cells)
        if key in said or key not in there:
            rows.append(row)  # of two of the same the check of the whole says where they stand
            added.append(Change(row, " ".join(key), None))
        else:
            old = rows[there[key]].cells
            cells = {**old, **{column: row.cells[column] for column in found.columns}}
            differs = {column: (old[column], cell) for column, cell in cells.items() if old[column] != cell}
            if differs:
                rows[there[key]] = Row(row.number, cells, row.source)
                changed.append(Change(row, " ".join(key), differs))
            else:
                unchanged += 1
        said.add(key)
    return Merged(name, file, tuple(rows), tuple(added), tuple(changed), unchanged)


def _new_errors(config: Path, instead: Mapping[str, Sequence[Row]]) -> list[ConfigError]:
    """What is wrong with a configuration with these rows and was not before."""
    after: Loaded = load(config, opener=workbooks.sheets, instead=instead)
    if not after.errors:
        return []
    before = {error.args for error in load(config, opener=workbooks.sheets).errors}
    return [error for error in after.errors if error.args not in before]


def _key(name: str, cells: Mapping[str, str]) -> Key:
    return (cells["asset_no"], cells["signal"]) if name == "points" else (cells["asset_no"],)


def _required(name: str) -> list[str]:
    return [column for column, about in ROWS[name].model_fields.items() if about.is_required()]
