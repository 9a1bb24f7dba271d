"""SQLite: one writer connection, many readers (architecture.md, SQL).

Every writer, also a command beside a running collector, holds a lock on `cloud.lock` from BEGIN to the return of
COMMIT: SQLite 3.40 has a WAL-reset fault with several writers. Who collects holds one on a file of the database's name.
"""

import errno
import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from ganpo_model.errors import StorageError

sqlite3.register_adapter(date, date.isoformat)  # days are text there, also where no column's type says so
_CACHE_KIB = 65_536
"""Of the writer: days of a province are read and written far apart."""
_DURABLE = ("journal_mode = WAL", "synchronous = FULL", f"cache_size = -{_CACHE_KIB}")


class Writer:
    """Writes the file at `path`, made where there is none. Raises StorageError."""

    def __init__(self, path: Path, patience_s: float) -> None:
        self._patience_s = patience_s
        self._closed = False
        self._thread = threading.Lock()
        self._claim = path.with_name(f"{path.name}.collector")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = (path.parent / "cloud.lock").open("a")
        except OSError as error:
            raise not_written(path.parent / "cloud.lock", error) from error
        self._engine = _engine(path, "rwc", "BEGIN IMMEDIATE", _DURABLE, patience_s, poolclass=StaticPool)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction of the one writer. Raises OperationalError where another holds it for too long."""
        if not self._thread.acquire(timeout=self._patience_s):
            raise _held("another thread writes")
        try:
            if self._closed:
                raise _held("it is closed")
            if not _locked(self._lock, self._patience_s):
                raise _held("another process writes")
            try:
                with self._engine.begin() as connection:
                    yield connection
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        finally:
            self._thread.release()

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Whether nobody else collects. Nobody else will until this ends."""
        with self._claim.open("a") as claim:
            yield _locked(claim, 0)

    def close(self) -> None:
        """Close every connection, once the writer is done: nobody writes after this was called. Safe twice."""
        self._closed = True
        with self._thread:
            self._engine.dispose()
            self._lock.close()


def not_written(path: Path, error: OSError) -> StorageError:
    """What whoever calls cannot write, or not even see."""
    hint = "run it as the user that collects: sudo -u ganpo-cloud ..." if error.errno == errno.EACCES else ""
    return StorageError(f"cannot be written: {error.strerror}", where=str(path), hint=hint)


def reader(path: Path) -> Engine:
    """Reads the file beside whoever writes it, and never makes one."""
    return _engine(path, "ro", "BEGIN", (), 5, pool_size=8, max_overflow=8)


def _locked(file: IO[str], patience_s: float) -> bool:
    """Lock a file, until it is closed at the latest; False where another process holds it for so long."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        else:
            return True


def _held(why: str) -> OperationalError:
    return OperationalError(None, None, TimeoutError(f"database is locked: {why}"))


def _engine(
    path: Path, mode: str, begin: str, pragmas: tuple[str, ...], timeout_s: float, **pool: Any
) -> Engine:
    engine = create_engine(
        f"sqlite:///file:{quote(str(path))}?mode={mode}&uri=true",
        connect_args={"check_same_thread": False, "timeout": timeout_s},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
