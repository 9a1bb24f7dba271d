"""The database: one writer connection, many readers (architecture.md, SQL).

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

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from ganpo_cloud.tables import VERSION, metadata, schema
from ganpo_model.errors import StorageError

PATIENCE_S = 3.0
"""How long a writer waits for another process; then the caller decides. Short, so that the process can end."""


class Database:
    """Opens the database of `url` (`sqlite:///FILE`), and makes it where there is none.

    `patience_s`: how long `write` waits for another writer. Raises StorageError: cannot be opened, or of another
    version.
    """

    def __init__(self, url: str, patience_s: float = PATIENCE_S) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite" or not parsed.database:
            raise StorageError("only sqlite:///FILE in this version", where=f"database.url = {url}")
        self.path = Path(parsed.database).absolute()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = (self.path.parent / "cloud.lock").open("a")
        except OSError as error:
            raise StorageError(f"cannot be made: {error}", where=str(self.path)) from error
        self._lock = threading.Lock()
        self._patience_s = patience_s
        self._closed = False
        self._writer = _writer(self.path, patience_s)
        try:
            self._prepare()
        except DatabaseError as error:
            self.close()
            raise StorageError(f"cannot be used: {error.orig}", where=str(self.path)) from error
        except StorageError:
            self.close()
            raise
        self.reader = _reader(self.path)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction of the one writer.

        Raises sqlalchemy.exc.OperationalError where the database fails, or another writer holds it for too long.
        """
        with self._alone(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view, read-only. Raises sqlalchemy.exc.OperationalError where the database fails."""
        with self.reader.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection, once the writer is done: nobody writes after this was called. Safe twice."""
        self._closed = True
        with self._lock:
            self._writer.dispose()
            if hasattr(self, "reader"):
                self.reader.dispose()
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

    def _prepare(self) -> None:
        with self.write() as connection:
            if not inspect(connection).has_table("schema"):
                metadata.create_all(connection)
                connection.execute(insert(schema).values(version=VERSION))
            found = connection.execute(select(schema.c.version)).scalar_one()
        if found != VERSION:
            newer = found > VERSION
            raise StorageError(
                f"schema {found}, this version knows {VERSION}: it was written by "
                + ("a newer ganpo-cloud" if newer else "an older ganpo-cloud, before the first release"),
                where=str(self.path),
                hint="install that version again, or give another database.url; nothing was changed",
            )


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
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _reader(path: Path) -> Engine:
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
