"""The database: one writer connection, many readers (architecture.md, SQL).

Every writer, also a command beside a running collector, holds a lock on `cloud.lock` from BEGIN to the return of
COMMIT: SQLite 3.40 has a WAL-reset fault with several writers.
"""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from ganpo_cloud.tables import VERSION, metadata, schema
from ganpo_model.errors import StorageError

BUSY_MS = 60_000


class Database:
    """Opens the database of `url` (`sqlite:///FILE`), and makes it where there is none.

    Raises StorageError: cannot be opened, or of another version.
    """

    def __init__(self, url: str) -> None:
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
        self._writer = _writer(self.path)
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
        """A transaction of the one writer."""
        with self._lock:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                with self._writer.begin() as connection:
                    yield connection
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view, read-only."""
        with self.reader.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection. Safe twice."""
        self._writer.dispose()
        if hasattr(self, "reader"):
            self.reader.dispose()
        self._lock_file.close()

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


def _writer(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
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
        f"sqlite:///file:{path}?mode=ro&uri=true",
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
