"""One import from file to registry, and how a person reads what it came to."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ganpo_cloud.imports import importing
from ganpo_cloud.imports.importing import Change, Preview
from ganpo_cloud.province import divisions
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConfigError

_MOST = 20
"""Lines of one sort; more are counted."""


def take(
    database: Database, folder: Path | None, kind: str, file: Path, now: datetime, *, apply: bool
) -> Preview:
    """Compare a file with the registry, and apply it where that is meant and no row is refused.

    `folder`: of the province. Raises ConfigError where a file cannot be read.
    """
    province = divisions.load(folder)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file)) from error
    with database.write() if apply else database.read() as connection:
        found = importing.preview(connection, kind, raw, file.name, province, now)
        if apply and not found.errors:
            importing.apply(connection, found, day_of(to_ms(now), DEFAULT_ZONE))
    return found


def lines(found: Preview, name: str, *, applied: bool) -> Iterator[str]:
    """What was found, for a terminal."""
    yield from found.notes
    for error in found.errors[:_MOST]:
        yield f"rejected {error}"
    if len(found.errors) > _MOST:
        yield f"... and {len(found.errors) - _MOST} more"
    for word, changes in (("added", found.added), ("changed", found.changed)):
        for change in changes[:_MOST]:
            yield f"{word:<8} row {change.row}: {change.key}{_told(change)}"
        if len(changes) > _MOST:
            yield f"... and {len(changes) - _MOST} more"
    done = "nothing was changed" if found.errors or not applied else "done"
    yield (
        f"{name}: {len(found.added)} added, {len(found.changed)} changed, {found.unchanged} as before, "
        f"{found.rejected} rejected; {done}"
    )


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
