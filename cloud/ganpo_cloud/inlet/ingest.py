"""The transaction that takes frames in (uplink.md, Delivery): applied or quarantined, then acknowledged.

Nothing is remembered between two calls.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from ganpo_cloud.inlet import quarantine
from ganpo_cloud.inlet.apply import store
from ganpo_cloud.inlet.came import Came
from ganpo_cloud.inlet.refusals import Refused, tell
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.owners import registrations
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.errors import FrameError

log = logging.getLogger(__name__)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """A batch makes many objects and no ring of them: to look for one takes a fifth of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_nothing_collected()
def ingest(
    database: Database,
    batch: Sequence[tuple[str, bytes]],
    now: datetime,
    refused: Callable[[Refused], None] = tell,
) -> list[Came]:
    """Take (gateway, frame bytes) in, in one transaction. Gives what is committed when this returns: to acknowledge.

    Frames of an unknown gateway beyond its quarantine, and such that nobody could name, get no answer. What was not
    applied is told to `refused`, after the commit.
    Raises sqlalchemy.exc.OperationalError where the database fails: then nothing is committed.
    """
    came = [Came.read(gateway, packed, now) for gateway, packed in batch]
    with database.write() as connection:
        _take(connection, came, now)
    for one in came:
        if one.error is not None:
            refused(Refused(one.gateway, one.error, one.kept))
    return [one for one in came if one.kept and one.stream]


def retry(database: Database, now: datetime, gateway: str | None = None) -> int:
    """Try quarantined frames again, of one gateway or of all: after a registration, after an upgrade.

    Harmless at any time. Gives how many were applied. Their time is judged as of when they came.
    """
    applied = 0
    after = 0
    while True:
        with database.write() as connection:
            rows = quarantine.page(connection, after, gateway)
            for row in rows:
                after = row.id
                try:
                    with connection.begin_nested():
                        came = Came.read(row.gateway, row.bytes, from_ms(row.received_at))
                        _apply(connection, [came], now)
                        if came.error is not None:
                            quarantine.explain(connection, row.id, came.error)
                        else:
                            quarantine.remove(connection, row.id)
                            applied += 1
                except OperationalError:
                    raise
                except Exception:  # our bug still: it stays where it is
                    log.exception("quarantined frame %d failed again", row.id)
        if not rows:
            return applied


def _take(connection: Connection, came: Sequence[Came], now: datetime) -> None:
    """All of a batch, or else frame by frame, so that one that trips us blocks nobody."""
    try:
        with connection.begin_nested():
            if wrong := _apply(connection, came, now):
                quarantine.keep(connection, wrong, now)
            return
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - our bug: the frame is kept as it came, with its reason
        bug = error
    if len(came) == 1:
        came[0].error = FrameError(f"{type(bug).__name__}: {bug}"[:500], reason="bug")
        came[0].error.__cause__ = bug
        quarantine.keep(connection, came, now)
        return
    for one in came:
        _take(connection, [one], now)
    if not any(one.reason == "bug" for one in came):
        log.error("a batch of %d frames failed, and none of them alone", len(came), exc_info=bug)


def _apply(connection: Connection, came: Sequence[Came], now: datetime) -> list[Came]:
    """Store what can be applied. Gives what cannot."""
    registered = registrations(connection, (one.gateway for one in came))
    wrong = [one for one in came if not one.belongs(registered[one.gateway])]
    store(connection, [one for one in came if one.error is None], to_ms(now))
    for one in came:
        one.kept = one.error is None
    return wrong
