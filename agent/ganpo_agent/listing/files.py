"""Writing lists: all of them or none, what stood there kept beside it."""

import contextlib
import csv
import io
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ganpo_agent.listing import books
from ganpo_agent.listing.merging import Merged, current
from ganpo_config.lists import ROWS, list_files
from ganpo_model.errors import ConfigError, StorageError
from ganpo_model.tables import Row, is_workbook
from ganpo_service import workbooks

BACKUP = ".bak"


def contents(config: Path, lists: Sequence[Merged]) -> dict[Path, bytes]:
    """What has to be written so that the lists stand as they are merged; those that stand so already are left alone.
    Raises ConfigError where a workbook is the plant's own: what else is in it would be lost."""
    changed = [one for one in lists if one.added or one.changed]
    found: dict[Path, bytes] = {}
    for file in dict.fromkeys(one.file for one in changed):
        mine = {one.name: one.rows for one in changed if one.file == file}
        if file.suffix.lower() not in (".xlsx", ".xlsm") and not _holds_workbook(file):
            ((name, rows),) = mine.items()
            found[file] = as_csv(name, rows)
            continue
        _ours(file)
        beside = [name for name, other in list_files(config).items() if other == file]
        whole = {name: [row.cells for row in mine.get(name) or current(name, file).rows] for name in beside}
        found[file] = books.book(whole, books.known(config))
    if unnamed := {one.name: one.file.name for one in changed if one.name not in list_files(config)}:
        found[config] = _naming(config, unnamed)
    return found


def _naming(config: Path, names: Mapping[str, str]) -> bytes:
    """agent.toml with these lists named in it, and otherwise as it is. Raises ConfigError where a line does not do."""
    text = config.read_bytes().decode("utf-8-sig")
    lines = "".join(f'{name} = "{file}"\n' for name, file in names.items())
    if (head := re.search(r"^[ \t]*\[lists\][^\n]*\n", text, re.MULTILINE)) is not None:
        told = text[: head.end()] + lines + text[head.end() :]
    else:
        told = text.rstrip("\n") + f"\n\n[lists]\n{lines}"
    before, after = tomllib.loads(text), None
    with contextlib.suppress(tomllib.TOMLDecodeError):
        after = tomllib.loads(told)
    if after != {**before, "lists": {**before.get("lists", {}), **names}}:
        hint = f"write below [lists]: {lines.strip()}"
        raise ConfigError("names no such list", where=str(config), hint=hint)
    return told.encode()


def as_csv(name: str, rows: Sequence[Row]) -> bytes:
    """Rows as CSV, with the columns that are required or used. With a BOM: without one Excel takes it for GBK."""
    fields = ROWS[name].model_fields
    columns = [c for c, about in fields.items() if about.is_required() or any(row.cells[c] for row in rows)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([row.cells[column] for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def write(files: Mapping[Path, bytes]) -> None:
    """Write all of these or none; what stood there is kept as `NAME.bak`. Raises StorageError."""
    new = {file: file.with_name(f".{file.name}.new") for file in files}
    done: list[Path] = []
    try:
        for file, raw in files.items():
            with new[file].open("wb") as out:
                out.write(raw)
                out.flush()
                os.fsync(out.fileno())
            if file.exists():
                new[file].chmod(file.stat().st_mode & 0o777)
                _keep(file)
        for file in files:
            new[file].replace(file)
            done.append(file)
    except OSError as error:
        for file in done:
            backup = file.with_name(file.name + BACKUP)
            with contextlib.suppress(OSError):
                backup.replace(file)
        for file in new.values():
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        where, hint = str(error.filename or next(iter(files))), "nothing was changed"
        raise StorageError(f"cannot be written: {error.strerror}", where=where, hint=hint) from error


def _keep(file: Path) -> None:
    """A copy beside a file. It appears whole or not at all."""
    copy = file.with_name(f".{file.name}.old")
    copy.write_bytes(file.read_bytes())
    copy.replace(file.with_name(file.name + BACKUP))


def _holds_workbook(file: Path) -> bool:
    return file.exists() and is_workbook(file.read_bytes()[:8])


def _ours(file: Path) -> None:
    if file.exists() and books.HELP not in {
        sheet.name for sheet in workbooks.sheets(file.read_bytes(), file.name)
    }:
        what = "is the plant's own workbook: what else is in it would be lost"
        hint = "change it there, or let [lists] name a CSV file"
        raise ConfigError(what, where=file.name, hint=hint)
