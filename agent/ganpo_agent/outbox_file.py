"""The file of the outbox: how it is opened and proved whole, and what SQLite's errors mean."""

import sqlite3
from pathlib import Path

from ganpo_model.errors import StorageError

PAGE = 4096
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS frame (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, bytes BLOB NOT NULL, acked_at INTEGER,
    PRIMARY KEY (stream, seq));
CREATE INDEX IF NOT EXISTS waiting ON frame (stream, seq) WHERE acked_at IS NULL;
CREATE TABLE IF NOT EXISTS open (
    id INTEGER PRIMARY KEY CHECK (id = 1), stream TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB);
"""


class OutboxFull(StorageError):
    """`max_page_count` is reached, or the disk is full."""

    code = "outbox-full"


class OutboxNewer(StorageError):
    """The file was written by a newer version of the agent."""

    code = "outbox-newer"


class OutboxDamaged(StorageError):
    """SQLite, or a frame's own checksum, says that the file is not what was written."""

    code = "outbox-damaged"


def connect(path: Path, max_pages: int) -> sqlite3.Connection:
    """The file, opened and proved whole, or made; at most `max_pages` pages large.

    Raises StorageError, OutboxDamaged, OutboxNewer.
    """
    db: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        stamp = db.execute("PRAGMA user_version").fetchone()[0]
        if stamp and stamp != _stamp(stamp & 0xFFFF):
            raise OutboxDamaged("its version is damaged", where=str(path))
        if stamp & 0xFFFF > _VERSION:
            raise OutboxNewer(
                f"written by a newer version (schema {stamp & 0xFFFF}; this one knows {_VERSION})",
                where=str(path),
                hint="install that version again, or move the file away: its frames stay in it",
            )
        db.execute(f"PRAGMA page_size = {PAGE}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if (verdict := db.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise OutboxDamaged(str(verdict), where=str(path))
        db.execute(f"PRAGMA max_page_count = {max_pages}")
        db.executescript(_SCHEMA)
        if not stamp:
            db.execute(f"PRAGMA user_version = {_stamp(_VERSION)}")
    except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
        if db is not None:
            db.close()
        raise told(path, error) from error
    except StorageError:
        if db is not None:
            db.close()
        raise
    return db


def told(path: Path, error: Exception) -> StorageError:
    """An error of SQLite in our words."""
    where, text = str(path), str(error)
    hint = "free space, or make the folder writable for this user; facts are kept in memory meanwhile"
    if "is full" in text:
        return OutboxFull(f"cannot be written: {text}", where=where, hint=hint)
    if (
        isinstance(error, sqlite3.OperationalError | OSError)
        and "malformed" not in text
        and "decode" not in text
    ):
        return StorageError(f"cannot be written: {text}", where=where, hint=hint)
    return OutboxDamaged(text, where=where)


def _stamp(version: int) -> int:
    """The version beside its complement, so that a flipped bit is not taken for a newer version."""
    return (version ^ 0x7FFF) << 16 | version
