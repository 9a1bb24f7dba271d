"""One import from file to registry, and how a person reads what it came to."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ganpo_cloud.imports import importing
from ganpo_cloud.imports.importing import Change, Preview
from ganpo_cloud.province import divisions
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_model.clock import to_ms
from ganpo_model.errors import not_read

_MOST = 20
"""Lines of one sort; more are counted."""


def take(
    database: Database,
    folder: Path | None,
    kind: str,
    file: Path,
    now: datetime,
    *,
    apply: bool,
    withdraw: bool = False,
) -> Preview:
    """Compare a file with the registry, and apply it where that is meant and no row is refused; or take its rows back.

    `folder`: of the province. Raises ConfigError where a file cannot be read.
    """
    province = divisions.load(folder)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise not_read(file, error) from error
    with database.write() if apply else database.read() as connection, _uncollected():
        read = importing.withdrawal if withdraw else importing.preview
        found = read(connection, kind, raw, file.name, province, now)
        if apply and not found.errors:
            importing.apply(connection, found, day_of(to_ms(now), DEFAULT_ZONE))
    return found


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing of a long list dies while it is read: looking for garbage in it took a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def lines(found: Preview, name: str, *, applied: bool) -> Iterator[str]:
    """For a terminal what was done, of a preview what would be, of a list that is refused what is wrong with it."""
    yield from found.notes
    if found.errors:
        yield from _most(f"rejected {error}" for error in found.errors)
        yield f"{name}: {found.rejected or 'all of it is'} rejected; nothing was changed"
        return
    to = "" if applied else "to be "
    for word, changes in ((f"{to}added", found.added), (f"{to}changed", found.changed)):
        yield from _most(f"{word:<8} {_at(change)}: {change.key}{_told(change)}" for change in changes)
    done = "done" if applied else "nothing was changed"
    if found.withdrawn is not None:
        yield from _most(f"{to}taken back {_at(change)}: {change.key}" for change in found.withdrawn)
        yield f"{name}: {len(found.withdrawn)} {to}taken back, 0 rejected; {done}"
        return
    yield (
        f"{name}: {len(found.added)} {to}added, {len(found.changed)} {to}changed, {found.unchanged} as before,"
        f" 0 rejected; {done}"
    )


def _most(told: Iterable[str]) -> Iterator[str]:
    """The first of many, and how many more there are."""
    every = list(told)
    yield from every[:_MOST]
    if len(every) > _MOST:
        yield f"... and {len(every) - _MOST} more"


def _at(change: Change) -> str:
    """The row, and the sheet of a workbook."""
    row = change.row
    return f"sheet {row.source.sheet}, row {row.number}" if row.source.sheet else f"row {row.number}"


def _told(change: Change) -> str:
    if change.before is None:
        return ""
    return "; " + ", ".join(
        f"{name} {_word(old)} -> {_word(new)}" for name, (old, new) in change.before.items()
    )


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in (None, "") else str(value)
