"""`ganpo lists`: equipment, meters and points from a spreadsheet and into one."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganpo_agent.cli.common import config_option, json_option
from ganpo_service.commands import say, told

if TYPE_CHECKING:
    from ganpo_agent.listing.merging import Change, Merged, Preview
    from ganpo_agent.listing.tags import Tag

_MOST = 20
"""Lines of one sort; more are counted."""
_file = click.Path(dir_okay=False, path_type=Path)
list_option = click.option(
    "--list", "only", type=click.Choice(["equipment", "meters", "points"]), help="the one list that is meant"
)


@click.group()
def lists() -> None:
    """Equipment, meters and points as CSV files or workbooks."""


@lists.command()
@click.argument("file", type=_file, default="lists.xlsx")
@config_option
def template(file: Path, config: Path | None) -> None:
    """Write a workbook to fill in, with drop-downs, help and examples.

    Profiles and connections to choose from are those of agent.toml, if there is one. [default: lists.xlsx]
    """
    from ganpo_agent.listing import books
    from ganpo_config.load import file_of

    _new(file, books.book(dict.fromkeys(books.SHEETS, ()), books.known(file_of(config))))
    say(f"{file}: fill it in, then: ganpo lists import {file} --preview")


@lists.command()
@click.argument("file", type=_file, default="lists.xlsx")
@list_option
@config_option
def export(file: Path, only: str | None, config: Path | None) -> None:
    """Write the lists of agent.toml into a workbook, or one into a CSV file.

    Importing it again changes nothing. [default: lists.xlsx]
    """
    from ganpo_agent.listing import books, files, merging
    from ganpo_config.lists import list_files
    from ganpo_config.load import file_of
    from ganpo_model.errors import ConfigError

    where = file_of(config)
    named = {name: at for name, at in list_files(where).items() if only in (None, name)}
    if not named:
        hint = (
            "what stands in agent.toml itself is no list; `ganpo lists template` writes a workbook to fill in"
        )
        what = "agent.toml names no lists" if only is None else f"agent.toml names no list of {only}"
        raise ConfigError(what, where=str(where), hint=hint)
    found = {name: merging.current(name, at).rows for name, at in named.items()}
    if file.suffix.lower() == ".csv":
        if len(found) != 1:
            raise click.UsageError("a CSV file holds one list: say which with --list, or write an .xlsx")
        ((name, rows),) = found.items()
        _new(file, files.as_csv(name, rows))
    else:
        cells = {name: [row.cells for row in rows] for name, rows in found.items()}
        _new(file, books.book(cells, books.known(where)))
    say(f"{file}: {', '.join(f'{len(rows)} {name}' for name, rows in found.items())}")


@lists.command("import")
@click.argument("file", type=_file)
@click.option("--preview", "look", is_flag=True, help="show what it would change, and change nothing")
@list_option
@click.option("--connection", help="of tags that another gateway exported: over which they are read")
@click.option("--unit", help="of tags that name none: the Modbus unit")
@click.option("--order", type=click.Choice(["ABCD", "CDAB"]), help="of the words of tags that say none")
@click.option("--prefix", help="of tags that name neither: Channel1.Device1 of Kepware's own OPC UA server")
@click.option("--rest", type=_file, help="workbook to write tags to that name no number or no signal")
@config_option
@json_option
def import_file(
    file: Path,
    look: bool,
    only: str | None,
    rest: Path | None,
    config: Path | None,
    as_json: bool,
    **line: str | None,
) -> None:
    """Take rows from a CSV file or a workbook into the lists of agent.toml.

    A row adds, or corrects the one with its number; what it does not name stays. All of it is taken, or nothing while
    a row is refused. What stood there is kept as NAME.bak. Exports of Kepware (CSV, JSON) and EMQX Neuron (XLSX)
    become points.
    """
    import json
    from functools import lru_cache

    from ganpo_agent.listing import files, merging, tags
    from ganpo_config.load import file_of
    from ganpo_model.errors import not_read
    from ganpo_service import workbooks

    try:
        raw = file.read_bytes()
    except OSError as error:
        raise not_read(file, error) from error
    where = file_of(config)
    opened = lru_cache(1)(workbooks.sheets)  # looked through for tags, then for lists
    exported = tags.read(raw, file.name, opened)
    if exported is None:
        found = merging.preview(where, merging.held(raw, file.name, only or "", opened))
    else:
        found = _tags(exported, where, file.name, rest, line)
    contents = files.contents(where, found.lists) if not found.errors else {}
    if not look:
        files.write(contents)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=1, ensure_ascii=False))
    else:
        for text in _lines(found, file.name, applied=not look):
            say(text)
    sys.exit(1 if found.errors else 0)


def _tags(
    exported: "list[Tag]", config: Path, name: str, rest: Path | None, said: dict[str, str | None]
) -> "Preview":
    """What tags of another gateway would change, and those that a person has to name in a workbook."""
    from dataclasses import replace

    from ganpo_agent.listing import books, merging, tag_points

    line = merging.line(config, {key: value or "" for key, value in said.items()})
    points = tag_points.points(exported, line, merging.numbers(config))
    tag_points.refuse_all(points, name)
    notes = list(points.told)
    if points.open:
        done = "written to the file of --rest" if rest else "--rest FILE.xlsx writes them, to be filled in"
        notes.append(f"{name}: {len(points.open)} tags name no number of the ledger or no signal; {done}")
    if rest is not None and points.open:
        _new(rest, books.book({"points": points.open}, books.known(config)))
    return merging.preview(config, {"points": replace(points.taken, notes=tuple(notes))})


def _new(file: Path, raw: bytes) -> None:
    """Write a file that is not there yet. Raises ConfigError."""
    from ganpo_model.errors import ConfigError

    try:
        with file.open("xb") as out:
            out.write(raw)
    except FileExistsError as error:
        raise ConfigError("is there already", where=str(file), hint="give another name") from error
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(file)) from error


def _lines(found: "Preview", name: str, *, applied: bool) -> Iterator[str]:
    """What was done, of a preview what would be; of a file that is refused what is wrong with it."""
    yield from _most([f"note     {note}" for note in found.notes])
    if found.errors:
        yield from _most([f"rejected {told(error)}" for error in found.errors])
        yield f"{name}: {len(found.errors)} mistakes; nothing was changed"
        return
    to = "" if applied else "to be "
    for one in found.lists:
        for word, changes in ((f"{to}added", one.added), (f"{to}changed", one.changed)):
            yield from _most([f"{word:<13} {_change(change)}" for change in changes])
        added, changed, same = len(one.added), len(one.changed), one.unchanged
        counts = f"{one.name}: {added} to be added, {changed} to be changed, {same} as before"
        if applied:
            counts = f"{one.name}: {added} added, {changed} changed, {same} as before"
        done = f"written to {one.file.name}" if applied and _differs(one) else "nothing was changed"
        yield f"{counts}; {done}"


def _most(lines: list[str]) -> Iterator[str]:
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"... and {len(lines) - _MOST} more"


def _change(change: "Change") -> str:
    source = change.row.source
    at = f"sheet {source.sheet}, row {change.row.number}" if source.sheet else f"row {change.row.number}"
    if change.before is None:
        return f"{at}: {change.key}"
    cells = ", ".join(
        f"{column} {old or '-'} -> {new or '-'}" for column, (old, new) in change.before.items()
    )
    return f"{at}: {change.key}; {cells}"


def _differs(one: "Merged") -> bool:
    return bool(one.added or one.changed)


def _as_json(found: "Preview") -> dict[str, Any]:
    def rows(changes: "tuple[Change, ...]") -> list[dict[str, Any]]:
        return [{"where": c.row.place(), "key": c.key, "before": c.before} for c in changes]

    return {
        "lists": {
            one.name: {
                "file": str(one.file),
                "added": rows(one.added),
                "changed": rows(one.changed),
                "unchanged": one.unchanged,
            }
            for one in found.lists
        },
        "errors": [{"what": e.what, "where": e.where, "hint": e.hint, "code": e.code} for e in found.errors],
        "notes": list(found.notes),
    }
