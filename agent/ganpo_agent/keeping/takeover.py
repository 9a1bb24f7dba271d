"""A damaged outbox is taken over: a new file is filled beside it, synced, and only then put in its place.

    outbox.db.filling      being filled; worth nothing before it is renamed
    outbox.db.next         complete and synced: from here on it only has to be put in place
    outbox.db.damaged-N    what was taken over, kept for people; the last two

Whatever moment the power goes, the next start finds the old file untouched, or the new one complete.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ganpo_agent.keeping import loss, outbox_file
from ganpo_agent.keeping.pages import Log, Raw, sync
from ganpo_agent.keeping.salvage import Salvage, foreign
from ganpo_model.clock import from_ms
from ganpo_model.errors import StorageError
from ganpo_model.frame import pack, stream_ms

_KEPT = 2
_PARTS = ("-wal", "-journal", "")
"""Of one outbox, the file last: while that lies there, it is not aside."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`saved`: frames that wait again; `lost`: numbers that were declared (what the collector stored stays stored)."""

    saved: int
    lost: int


def finish(path: Path) -> None:
    """Put a complete new file in its place, if one waits for it. Harmless at any time. Raises OSError."""
    _beside(path, "filling").unlink(missing_ok=True)
    following = _beside(path, "next")
    if not following.exists():
        return
    older = [int(name[1]) for entry in aside(path) if (name := re.search(r"(\d+)$", entry))]
    number = max(older, default=0) + 1
    for suffix in _PARTS:
        if (old := Path(f"{path}{suffix}")).exists():
            old.replace(f"{_beside(path, f'damaged-{number}')}{suffix}")
    Path(f"{path}-shm").unlink(missing_ok=True)
    sync(path.parent)
    following.replace(path)
    sync(path.parent)
    for old_number in older:
        if old_number <= number - _KEPT:
            for suffix in _PARTS:
                Path(f"{_beside(path, f'damaged-{old_number}')}{suffix}").unlink(missing_ok=True)


def aside(path: Path) -> list[str]:
    """The names of damaged files that lie here for people to look at."""
    return sorted(
        entry.name for entry in path.parent.glob(f"{path.name}.damaged-*") if entry.name[-1].isdecimal()
    )


def take_over(path: Path, issued: Mapping[str, int], running: str = "") -> Taken:
    """Everything that can be read of the file, in a new one in its place; what is not held is declared lost there.

    `issued`: last numbers by stream, as far as they are known; no later one was given of the stream that is `running`.
    Of a file that is not there a new one is made. Raises StorageError: no room for a second file beside the first.
    """
    filling = _beside(path, "filling")
    try:
        filling.unlink(missing_ok=True)
        with (
            Raw(path) as file,
            Log(outbox_file.log_of(path)) as log,
            closing(outbox_file.create(filling)) as db,
        ):
            own = Log(_beside(path, "none")) if foreign(log, issued) else log
            db.execute("BEGIN")
            taken = _fill(db, Salvage(file, own), issued, running)
            db.execute("COMMIT")
        outbox_file.finish(filling)
        sync(filling)
        filling.replace(_beside(path, "next"))
        sync(path.parent)
        finish(path)
    except (sqlite3.Error, OSError) as error:
        filling.unlink(missing_ok=True)
        raise StorageError(
            f"damaged, and cannot be taken over: {error}",
            where=str(path),
            hint="free as much space as the file takes; nothing of it is lost meanwhile",
        ) from error
    return taken


def _fill(db: sqlite3.Connection, found: Salvage, issued: Mapping[str, int], running: str) -> Taken:
    db.executemany("INSERT OR IGNORE INTO frame VALUES (?, ?, ?, ?, NULL)", found.frames())
    tops = {stream: top for stream, top in found.tops.items() if not running or stream < running}
    if running:
        db.execute("DELETE FROM frame WHERE (stream, seq) > (?, ?)", (running, issued[running]))
    for stream, seq in issued.items():
        tops[stream] = max(seq, tops.get(stream, 0))
    saved = db.execute("SELECT count(*) FROM frame").fetchone()[0]
    if not tops:
        return Taken(saved, 0)
    newest = max(tops)
    at = datetime.fromisoformat(found.newest) if found.newest else from_ms(stream_ms(newest))
    lost, top = 0, tops[newest]
    for stream in sorted(tops):
        gaps = list(_gaps(db, stream, tops[stream]))
        lost += sum(last - first + 1 for first, last in gaps)
        for event in loss.declare(stream, gaps, at):
            top += 1
            row = (newest, top, event.type, pack(newest, top, [event]))
            db.execute("INSERT INTO frame VALUES (?, ?, ?, ?, NULL)", row)
    db.execute("INSERT INTO open VALUES (1, ?, ?, ?)", (newest, top, found.runs.get(newest)))
    return Taken(saved, lost)


def _gaps(db: sqlite3.Connection, stream: str, top: int) -> Iterator[tuple[int, int]]:
    expected = 1
    query = "SELECT seq FROM frame WHERE stream = ? AND seq <= ? ORDER BY seq"
    for (seq,) in db.execute(query, (stream, top)).fetchall():
        if seq > expected:
            yield expected, seq - 1
        expected = seq + 1
    if expected <= top:
        yield expected, top


def _beside(path: Path, word: str) -> Path:
    return path.with_name(f"{path.name}.{word}")
