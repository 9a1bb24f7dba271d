"""Room for one more frame: on the disk, in the file, in its log; and what goes where there is none."""

import os
import resource
import sqlite3
from pathlib import Path

from ganpo_agent.keeping.outbox_file import NO_ROOM, OutboxFull
from ganpo_agent.keeping.pages import PAGE

LOG_PAGES = 256
"""The log is taken into the file when it has so many, or a quarter of what the disk can still take, which is enough.
It stays as large as it was, so that acknowledgements find room on a disk that others have filled."""
SPARE = 8
"""Pages that a frame leaves free, on the disk or in the file: for acknowledgements, and for taking in the log."""
_DROPPED_FIRST = ("states", "reading", "event", "inventory")


def look(db: sqlite3.Connection, path: Path, size: int) -> None:
    """Raises OutboxFull where a frame of `size` would leave less than is spare."""
    left = _left(path) // PAGE
    db.execute(f"PRAGMA wal_autocheckpoint = {max(SPARE, min(LOG_PAGES, left // 4))}")
    if max(left, _free(db)) < size // PAGE + SPARE:
        raise OutboxFull("cannot be written: the disk is full", where=str(path), hint=NO_ROOM)


def make(db: sqlite3.Connection, size: int, max_pages: int) -> dict[str, list[int]]:
    """Free a sixteenth, and pages for a frame of `size`: acknowledged frames first, then by kind, oldest first.

    The numbers given up, by stream. Where it is not this file's size that ends, but the disk, nothing that waits is
    given up: facts stay in memory.
    """
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    wanted, needed = pages * PAGE // 16, size // PAGE + SPARE + 2
    full = pages + needed + SPARE >= max_pages
    lost: dict[str, list[int]] = {}
    for kind in (None, *_DROPPED_FIRST) if full else (None,):
        which = f"kind = '{kind}' AND acked_at IS NULL" if kind else "acked_at IS NOT NULL"
        query = f"SELECT stream, seq, length(bytes) FROM frame WHERE {which} ORDER BY stream, seq"
        for stream, seq, packed in db.execute(query).fetchall():
            # Rows that share their page with others free none: that alone would not make room.
            if wanted <= 0 and _free(db) >= needed:
                return lost
            db.execute("DELETE FROM frame WHERE stream = ? AND seq = ?", (stream, seq))
            wanted -= packed
            if kind:
                lost.setdefault(stream, []).append(seq)
    return lost


def _free(db: sqlite3.Connection) -> int:
    """Pages of the file that hold nothing."""
    return db.execute("PRAGMA freelist_count").fetchone()[0]  # type: ignore[no-any-return]


def _left(path: Path) -> int:
    """Bytes by which the file may grow: what the disk has left, and what this process may give one file.

    Raises OSError where the file lies there no more: SQLite would go on writing where nobody finds it.
    """
    disk = os.statvfs(path)
    left = disk.f_bavail * disk.f_frsize
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return left if largest == resource.RLIM_INFINITY else min(left, largest - path.stat().st_size)
