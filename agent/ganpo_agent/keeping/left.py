"""What an outbox has, looked at from outside: for commands, beside a gateway that may run or be no more."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from ganpo_agent.keeping import issued, outbox_file

NAME = "outbox.db"


@dataclass(frozen=True, slots=True)
class Left:
    """The last numbers that were given, by stream, as far as they are known; how many frames wait, None: unknown."""

    issued: Mapping[str, int]
    waiting: int | None


def look(state_dir: Path) -> Left | None:
    """As it is now; None where there is none, or where this user may not look. Raises OutboxNewer."""
    path = state_dir / NAME
    try:
        if not path.exists():
            return None
        outbox_file.readable(path)
        given = issued.read(path)
    except OSError:
        return None
    waiting = None
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db,
    ):
        waiting = db.execute("SELECT count(*) FROM frame WHERE acked_at IS NULL").fetchone()[0]
    return Left(given, waiting)
