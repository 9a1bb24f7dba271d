"""SQLite: one writer connection, many readers (architecture.md, SQL).

Every writer, also a command beside a running collector, holds a lock on `cloud.lock` from BEGIN to the return of
COMMIT: SQLite 3.40 has a WAL-reset fault with several writers.
"""

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from ganpo_model.errors import StorageError

_CACHE_KIB = 65_536
"""Of the writer: days of a province are read and written far apart."""


class SqliteFile:
    """Writes the file at `path`, made where there is none. Raises StorageError."""

    def __init__(self, path: Path, patience_s: float) -> None:
        self._patience_s = patience_s
        self._closed = False
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = (path.parent / "cloud.lock").open("a")
        except OSError as error:
            raise StorageError(f"cannot be made: {error}", where=str(path)) from error
        self._writer = _writer(path, patience_s)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction of the one writer. Raises OperationalError where another holds it for too long."""
        with self._alone(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection, once the writer is done: nobody writes after this was called. Safe twice."""
        self._closed = True
        with self._lock:
            self._writer.dispose()
            self._lock_file.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only writer of this process, and of this machine."""
        deadline = time.monotonic() + self._patience_s
        if not self._lock.acquire(timeout=self._patience_s):
            raise _held("another thread writes")
        try:
            if self._closed:
                raise _held("it is closed")
            while True:
                try:
                    fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise _held("another process writes") from error
                    time.sleep(0.005)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        finally:
            self._lock.release()


def _held(why: str) -> OperationalError:
    return OperationalError(None, None, TimeoutError(f"database is locked: {why}"))


def _writer(path: Path, patience_s: float) -> Engine:
    engine = create_engine(
        f"sqlite:///file:{quote(str(path))}?uri=true",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": patience_s},
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reader(path: Path) -> Engine:
    """Reads the file beside whoever writes it, and never makes one."""
    engine = create_engine(
        f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true",
        connect_args={"check_same_thread": False, "timeout": 5},
        pool_size=8,
        max_overflow=8,
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
