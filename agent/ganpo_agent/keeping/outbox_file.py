"""The file of the outbox: how it is made, proved whole and opened, and what SQLite's errors mean."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from ganpo_agent.keeping.pages import PAGE, Log, Raw
from ganpo_agent.keeping.salvage import foreign
from ganpo_model.errors import StorageError

NO_ROOM = "free space, or make the folder writable for this user; facts are kept in memory meanwhile"
_VERSION = 1
_MAGIC = b"SQLite format 3\0"
_SCHEMA = """
CREATE TABLE frame (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, bytes BLOB NOT NULL, acked_at INTEGER,
    PRIMARY KEY (stream, seq));
CREATE INDEX waiting ON frame (stream, seq) WHERE acked_at IS NULL;
CREATE TABLE open (
    id INTEGER PRIMARY KEY CHECK (id = 1), stream TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB);
"""


class OutboxFull(StorageError):
    """`max_page_count` is reached, or the disk is full."""

    code = "outbox-full"


class OutboxNewer(StorageError):
    """The file was written by a newer version of the agent."""

    code = "outbox-newer"


class OutboxDamaged(StorageError):
    """SQLite, the log, or a frame's own checksum says that the file is not what was written."""

    code = "outbox-damaged"


def create(path: Path) -> sqlite3.Connection:
    """A new file with our tables. It is not synced, and nobody may see it yet; `finish` it once it is closed."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size = {PAGE}")
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(_SCHEMA)
    db.execute(f"PRAGMA user_version = {_twice(_VERSION)}")
    return db


def finish(path: Path) -> None:
    """Say in the head of a new, closed file that it has a write-ahead log ("Database File Format", 1.3.3).

    SQLite would say it with a rollback journal: a kill in between left one, and no reader may roll back.
    """
    with path.open("r+b") as file:
        file.seek(18)
        file.write(b"\2\2")


def prove(path: Path, issued: Mapping[str, int]) -> None:
    """Look at file and log without changing them: SQLite itself would write what a wrong log says into the file.

    Raises OutboxDamaged, OutboxNewer, StorageError, OSError. `issued`: last numbers by stream, as
    far as they are known.
    """
    if (journal := journal_of(path)).exists() and journal.stat().st_size:
        raise OutboxDamaged("a journal lies beside it, of which we make none", where=str(path))
    with Raw(path) as file, Log(log_of(path)) as log:
        _prove_head(file, log, path)
        if log.torn or (log.cut and not issued):
            raise OutboxDamaged("its log is damaged", where=str(path))
        if foreign(log, issued):
            raise OutboxDamaged("the log beside it belongs to another file", where=str(path))
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            if (verdict := db.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise OutboxDamaged(str(verdict), where=str(path))
            _prove_numbers(db, issued, path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise told(path, error) from error


def readable(path: Path) -> None:
    """Raises OutboxNewer where a newer version wrote it; what else is wrong with it is mended at the start."""
    with Raw(path) as file, Log(log_of(path)) as log, suppress(OutboxDamaged):
        _prove_head(file, log, path)


def connect(path: Path, max_pages: int) -> sqlite3.Connection:
    """A proven file, opened; at most `max_pages` pages large. Raises StorageError, OutboxDamaged."""
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA max_page_count = {max_pages}")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if db is not None:
            db.close()
        raise told(path, error) from error
    return db


def log_of(path: Path) -> Path:
    """The write-ahead log beside the file."""
    return path.with_name(f"{path.name}-wal")


def journal_of(path: Path) -> Path:
    """The rollback journal that may lie beside the file: SQLite would play it into the file."""
    return path.with_name(f"{path.name}-journal")


def told(path: Path, error: Exception) -> StorageError:
    """An error of SQLite in our words."""
    where, text = str(path), str(error)
    if "is full" in text:
        return OutboxFull(f"cannot be written: {text}", where=where, hint=NO_ROOM)
    if (
        isinstance(error, sqlite3.OperationalError | OSError)
        and "malformed" not in text
        and "decode" not in text
    ):
        return StorageError(f"cannot be written: {text}", where=where, hint=NO_ROOM)
    return OutboxDamaged(text, where=where)


def _prove_head(file: Raw, log: Log, path: Path) -> None:
    if file.size == 0:
        raise OutboxDamaged("it is gone, or empty", where=str(path))
    head = (not log.torn and not log.cut and log.newest(1)) or file.page(1)
    stamp = int.from_bytes(head[60:64])
    if not head.startswith(_MAGIC) or stamp != _twice(stamp & 0xFFFF):
        raise OutboxDamaged("its head is damaged", where=str(path))
    if stamp & 0xFFFF > _VERSION:
        raise OutboxNewer(
            f"written by a newer version (schema {stamp & 0xFFFF}; this one knows {_VERSION})",
            where=str(path),
            hint="install that version again, or move the file away: its frames stay in it",
        )


def _prove_numbers(db: sqlite3.Connection, issued: Mapping[str, int], path: Path) -> None:
    """The last number of the last stream: no smaller than what was given, and known from more than one place."""
    newest = "SELECT stream, seq FROM frame ORDER BY stream DESC, seq DESC LIMIT 1"
    last, newest_frame = (
        db.execute(q).fetchone() or ("", 0) for q in ("SELECT stream, seq FROM open", newest)
    )
    known = max([newest_frame, *issued.items()])
    # A file of an earlier version has nothing beside it.
    if last < known or (issued and last != known):
        raise OutboxDamaged(f"its last number is {last}, {known} was given", where=str(path))


def _twice(number: int) -> int:
    """A number beside its complement, so that a flipped bit is not taken for another number."""
    return (number ^ 0x7FFF) << 16 | number
