"""The database: one writer at a time, many readers; SQLite or PostgreSQL behind one face."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Self

from sqlalchemy import URL, Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from ganpo_cloud.store import postgresql, schema, sqlite_file
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_model.errors import StorageError

PATIENCE_S = 3.0
"""How long a writer waits for another process; then the caller decides. Short, so that the process can end."""


class Reader:
    """Opens the database that is set to read it, and nothing else: what pages are made from.

    Raises StorageError: there is none, or it is of another version.
    """

    _watching: Connection | None = None

    def __init__(self, settings: DatabaseSettings) -> None:
        self._open(settings)
        with self._usable("cannot be read", "ganpo-cloud run makes it"), self.read() as connection:
            schema.check(connection, self.where)

    def _open(self, settings: DatabaseSettings) -> None:
        self.where = str(settings.file or _server(settings))
        """The database as errors name it."""
        self._reader = (
            postgresql.reader(_server(settings))
            if settings.file is None
            else sqlite_file.reader(settings.file)
        )

    @contextmanager
    def _usable(self, what: str, hint: str = "") -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            self.close()
            raise StorageError(f"{what}: {error.orig}", where=self.where, hint=hint) from error
        except StorageError:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view, read-only. Raises sqlalchemy.exc.OperationalError where the database fails."""
        with self._reader.begin() as connection:
            yield connection

    def version(self) -> str:
        """Another text whenever somebody wrote into the database since.

        Raises sqlalchemy.exc.DatabaseError where the database fails. One call at a time.
        """
        if self._reader.dialect.name == "postgresql":
            with self.read() as connection:
                return str(connection.exec_driver_sql("SELECT pg_current_snapshot()").scalar_one())
        if self._watching is None:  # the number counts the commits of others, as one connection saw them
            self._watching = self._reader.connect()
        with self._watching.begin():
            return str(self._watching.exec_driver_sql("PRAGMA data_version").scalar_one())

    def close(self) -> None:
        """Close every connection. Safe twice."""
        if self._watching is not None:
            self._watching.close()
        self._reader.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Database(Reader):
    """Opens the database that is set, makes its tables where there are none, and brings older ones to this version.

    `patience_s`: how long `write` waits for another writer. Raises StorageError: cannot be opened, or of a newer
    version.
    """

    def __init__(self, settings: DatabaseSettings, patience_s: float = PATIENCE_S) -> None:
        self._open(settings)
        self._writer = (
            postgresql.Writer(_server(settings), patience_s)
            if settings.file is None
            else sqlite_file.Writer(settings.file, patience_s)
        )
        with self._usable("cannot be used"), self.write() as connection:
            schema.prepare(connection, self.where)

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction while nobody else writes.

        Raises sqlalchemy.exc.OperationalError where the database fails, or another writer holds it for too long.
        """
        return self._writer.write()

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Its only collector meanwhile: two would each drop what the other worked out. Raises StorageError where there
        is one."""
        with self._writer.claimed() as alone:
            if not alone:
                hint = "stop that one first, or give this one another database.url"
                raise StorageError("another ganpo-cloud collects into it", where=self.where, hint=hint)
            yield

    def close(self) -> None:
        """Close every connection: nobody writes after this was called. Safe twice."""
        self._writer.close()
        super().close()


def _server(settings: DatabaseSettings) -> URL:
    url, secret = make_url(settings.url), settings.password
    return url if secret is None else url.set(password=secret.get_secret_value())
