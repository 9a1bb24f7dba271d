"""PostgreSQL: writers of all processes one after the other, readers beside them (decision 0009)."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import OperationalError

_LOCK = 0x67616E706F
"""Ours among the advisory locks of this database."""
_CONNECT_S = 5


class Postgresql:
    """The database at `url`. `where` names it in errors, without a password."""

    def __init__(self, url: URL, patience_s: float) -> None:
        self.where = url.render_as_string(hide_password=True)
        self._closed = False
        self._patience = text(f"SET LOCAL lock_timeout = {round(patience_s * 1000)}")
        driver = url.set(drivername="postgresql+psycopg")
        arguments = {"connect_timeout": _CONNECT_S, "application_name": "ganpo-cloud"}
        self._writer = create_engine(driver, pool_size=1, pool_pre_ping=True, connect_args=arguments)
        self.reader = create_engine(
            driver,
            pool_size=8,
            max_overflow=8,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            connect_args=arguments | {"options": "-c default_transaction_read_only=on"},
        )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction while no other of ours writes. Raises OperationalError where one does for too long."""
        if self._closed:
            raise OperationalError(None, None, RuntimeError("the database is closed"))
        with self._writer.begin() as connection:
            connection.execute(self._patience)
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection

    def close(self) -> None:
        """Close every connection that nobody uses; nobody writes after this was called. Safe twice."""
        self._closed = True
        self._writer.dispose()
        self.reader.dispose()
