"""What waits in an outbox, for people."""

import json
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ganpo_model.errors import FrameError
from ganpo_model.frame import unpack


@dataclass(frozen=True, slots=True)
class Backlog:
    """`frames` and their `bytes` without acknowledgement; `oldest`: of what the oldest of them tells. `used`: bytes of
    the file and its log; `disk`: bytes that are free beside it."""

    frames: int
    bytes: int
    oldest: datetime | None
    used: int
    disk: int


def look(db: sqlite3.Connection, path: Path) -> Backlog:
    """As it is now."""
    count = "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM frame WHERE acked_at IS NULL"
    frames, size = db.execute(count).fetchone()
    first = "SELECT bytes FROM frame WHERE acked_at IS NULL ORDER BY stream, seq LIMIT 1"
    found = db.execute(first).fetchone()
    used = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(FileNotFoundError):
            used += file.stat().st_size
    disk = os.statvfs(path)
    return Backlog(frames, size, _begins(found[0]) if found else None, used, disk.f_bavail * disk.f_frsize)


def _begins(packed: bytes) -> datetime | None:
    """When what a frame tells began; None where it cannot be read, which who sends it finds out."""
    try:
        facts = json.loads(unpack(packed))["facts"]
        return min((datetime.fromisoformat(fact.get("start") or fact["at"]) for fact in facts), default=None)
    except (FrameError, ValueError, KeyError, TypeError, AttributeError):
        return None
