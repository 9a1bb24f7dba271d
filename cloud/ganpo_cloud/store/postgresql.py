"""PostgreSQL: writers of all processes one after the other, readers beside them (decision 0009)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError

_LOCK = 0x67616E706F
"""Ours among the advisory locks of this database: of who writes; the next one of who collects."""
_DRIVER = "postgresql+psycopg"
_ARGUMENTS = {"connect_timeout": 5, "application_name": "ganpo-cloud"}
_MISSED = "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
"""A host that is gone is noticed within a minute; by itself a server waits two hours."""

_READING = ("default_transaction_read_only=on", "jit=off", "plan_cache_mode=force_custom_plan")
"""Pages ask the same of other days and places. A statement that was asked ten times would be planned once for all of
them, without their values: that took 750 ms where 5 do."""
_REFUSED = ("42501", "25006")
"""What a server says to a role without rights, and one that only reads, as a standby does."""


class Writer:
    """Writes the database at `url`."""

    def __init__(self, url: URL, patience_s: float) -> None:
        self._closed = False
        self._patience = text(f"SET LOCAL lock_timeout = {round(patience_s * 1000)}")
        driver = url.set(drivername=_DRIVER)
        self._engine = _engine(driver, pool_size=1, connect_args=_ARGUMENTS)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction while no other of ours writes. Raises OperationalError where one does for too long."""
        if self._closed:
            raise OperationalError(None, None, RuntimeError("the database is closed"))
        with self._engine.begin() as connection:
            connection.execute(self._patience)
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Whether nobody else collects. Nobody else will until this ends."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()  # the lock ends with the connection
            connection.exec_driver_sql(_MISSED)
            claim = text("SELECT pg_try_advisory_lock(:lock)")
            yield bool(connection.execute(claim, {"lock": _LOCK + 1}).scalar_one())

    def close(self) -> None:
        """Close every connection that nobody uses; nobody writes after this was called. Safe twice."""
        self._closed = True
        self._engine.dispose()


def reader(url: URL) -> Engine:
    """Reads the database at `url`, and is not let write."""
    return _engine(
        url.set(drivername=_DRIVER),
        pool_size=8,
        max_overflow=8,
        isolation_level="REPEATABLE READ",
        connect_args=_ARGUMENTS | {"options": " ".join(f"-c {setting}" for setting in _READING)},
    )


def _engine(url: URL, **options: Any) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, **options)

    @event.listens_for(engine, "handle_error")
    def _failed(context: ExceptionContext) -> OperationalError | None:
        return refused(context.statement, context.original_exception)

    return engine


def refused(statement: str | None, error: BaseException) -> OperationalError | None:
    """That the server does not let us: as every other failure of a database, and no bug for which anything is set
    apart."""
    return OperationalError(statement, None, error) if getattr(error, "sqlstate", "") in _REFUSED else None
