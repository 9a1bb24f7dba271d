"""The outbox' file while it is used: opened when it is wanted, and where it shows damage, taken over into a new one."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ganpo_agent.keeping import issued, takeover
from ganpo_agent.keeping.outbox_file import OutboxDamaged, connect, log_of, prove, told
from ganpo_model.errors import StorageError

log = logging.getLogger(__name__)

_AGAIN_S = 600.0
"""A takeover that found no room writes as much as there is: it is not tried with every frame."""
_T = TypeVar("_T")


class MendedFile:
    """A file of so many pages at most.

    `stream` and `seq`: the number that was given last, which a takeover must not fall behind; `aside`: damaged files
    that people should look at.
    """

    def __init__(self, path: Path, max_pages: int) -> None:
        self.path = path
        self.stream = ""
        self.seq = 0
        self.aside: list[str] = []
        self._max_pages = max_pages
        self._db: sqlite3.Connection | None = None
        self._refused: StorageError | None = None
        self._again = 0.0

    def open(self) -> None:
        """Open the file or make it. Raises StorageError: not writable, or written by a newer version."""
        self._mended(lambda: None)

    def close(self) -> None:
        """Close the file. Safe twice."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _mended(self, work: Callable[[], _T]) -> _T:
        """Do the work; where the file shows damage, once more on what can be saved of it."""
        try:
            try:
                if self._db is None:
                    self._db = self._opened()
                return work()
            except OutboxDamaged as error:
                self._take_over(error)
            return work()
        except OSError as error:
            self.close()  # what is open may lie there no more: the next looks for it anew
            raise told(self.path, error) from error

    def _opened(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            takeover.finish(self.path)
            given = issued.read(self.path)
            if not (given or self.stream or self.path.exists() or log_of(self.path).exists()):
                takeover.take_over(self.path, {})
            prove(self.path, given)
            self.aside = takeover.aside(self.path)
            if self.aside:
                log.warning("damaged outboxes lie here, look after the disk: %s", self.aside)
        except OSError as error:
            raise told(self.path, error) from error
        return connect(self.path, self._max_pages)

    def _take_over(self, damage: OutboxDamaged) -> None:
        self.close()
        if self._refused is not None and time.monotonic() < self._again:
            raise self._refused from damage
        given = issued.read(self.path)
        if self.stream:
            given[self.stream] = self.seq
        try:
            taken = takeover.take_over(self.path, given, self.stream)
        except StorageError as error:
            self._refused, self._again = error, time.monotonic() + _AGAIN_S
            raise
        self._db = connect(self.path, self._max_pages)
        if self.stream:
            with self._transaction() as db:
                self.seq = db.execute("SELECT seq FROM open").fetchone()[0]
            issued.write(self.path, self.stream, self.seq)
        self.aside = takeover.aside(self.path)
        log.error(
            "outbox damaged why=%r frames_saved=%d numbers_not_held=%d kept_aside=%s",
            damage.what,
            taken.saved,
            taken.lost,
            self.aside,
        )

    def _shorten(self) -> None:
        """What stands in the log goes into the file, and the log begins anew: its damage costs what came since."""
        if self._db is not None:
            try:
                self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            except sqlite3.Error as error:
                # Nothing is lost: the log stays as it is, and whoever writes next is told that the disk is full.
                log.debug("the log stays as it is: %s", error)
            self.aside = takeover.aside(self.path)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._db is None:
            self._db = self._opened()
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise told(self.path, error) from error
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
