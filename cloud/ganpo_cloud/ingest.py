"""The transaction that takes frames in (uplink.md, Delivery): applied or quarantined, then acknowledged.

Nothing is remembered between two calls: any number of collectors may do this on one database.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from ganpo_cloud import quarantine
from ganpo_cloud.apply import Batch
from ganpo_cloud.database import Database, driver_sql
from ganpo_cloud.decode import Frame, decode, name_of
from ganpo_model.clock import to_ms
from ganpo_model.errors import FrameError
from ganpo_model.frame import crc32_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """A frame that is stored or quarantined: what the acknowledgement names."""

    gateway: str
    stream: str
    seq: int


def ingest(database: Database, batch: Sequence[tuple[str, bytes]], now: datetime) -> list[Committed]:
    """Take (gateway, frame bytes) in, in one transaction. Gives the frames that are committed when this returns.

    Frames of an unknown gateway beyond its quarantine, and such that nobody could name, get no answer.
    Raises sqlalchemy.exc.OperationalError where the database fails: then nothing is committed.
    """
    decoded = [(gateway, packed, _decoded(packed, now)) for gateway, packed in batch]
    with database.write() as connection:
        try:
            with connection.begin_nested():
                return _take(connection, decoded, now)
        except OperationalError:
            raise
        except Exception:  # our bug: frame by frame, so that the one that trips us blocks nobody
            log.exception("a batch of %d frames failed; they are tried one by one", len(batch))
        done: list[Committed] = []
        for one in decoded:
            try:
                with connection.begin_nested():
                    done += _take(connection, [one], now)
            except OperationalError:
                raise
            except Exception as error:  # our bug: kept as it came, with its reason
                log.exception("frame of gateway %s failed", one[0])
                bug = FrameError(f"{type(error).__name__}: {error}"[:500], reason="bug")
                done += _refuse(connection, one[0], one[1], bug, now)
        return done


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
                        frame = decode(row.bytes, row.received_at)
                        taken = _apply(connection, [(row.gateway, frame)], now)
                        if taken:
                            quarantine.remove(connection, row.id)
                            applied += 1
                except FrameError as error:
                    quarantine.explain(connection, row.id, error)
                except OperationalError:
                    raise
                except Exception:  # our bug still: it stays where it is
                    log.exception("quarantined frame %d failed again", row.id)
        if not rows:
            return applied


def _decoded(packed: bytes, now: datetime) -> Frame | FrameError:
    try:
        return decode(packed, now)
    except FrameError as error:
        return error


def _take(
    connection: Connection, decoded: Sequence[tuple[str, bytes, Frame | FrameError]], now: datetime
) -> list[Committed]:
    good = [(gateway, found) for gateway, _, found in decoded if isinstance(found, Frame)]
    known = _apply(connection, good, now)
    done = [Committed(gateway, frame.stream, frame.seq) for gateway, frame in good if gateway in known]
    for gateway, packed, found in decoded:
        if isinstance(found, FrameError):
            done += _refuse(connection, gateway, packed, found, now)
        elif gateway not in known:
            hint = f"ganpo-cloud gateway add {gateway} --enterprise CREDIT-CODE --site SITE"
            stranger = FrameError(f"gateway {gateway} is not registered", hint=hint, reason="gateway")
            done += _refuse(connection, gateway, packed, stranger, now)
    return done


def _apply(connection: Connection, frames: Sequence[tuple[str, Frame]], now: datetime) -> set[str]:
    """Apply the frames of registered gateways; gives those gateways."""
    registered = partial(_enterprise, connection, {})
    batch = Batch(connection, to_ms(now))
    known = set()
    for gateway, frame in frames:
        if (enterprise := registered(gateway)) is not None:
            known.add(gateway)
            batch.add(gateway, enterprise, frame)
    batch.write()
    return known


def _enterprise(connection: Connection, cache: dict[str, str | None], gateway: str) -> str | None:
    if gateway not in cache:
        found = driver_sql(connection, "SELECT enterprise FROM gateway WHERE id = ?", (gateway,)).first()
        cache[gateway] = found[0] if found else None
    return cache[gateway]


def _refuse(
    connection: Connection, gateway: str, packed: bytes, error: FrameError, now: datetime
) -> list[Committed]:
    name = name_of(packed)
    registered = _enterprise(connection, {}, gateway) is not None
    crc32 = crc32_of(packed) if len(packed) >= 8 else 0
    kept = quarantine.keep(connection, gateway, packed, crc32, name, error, now, registered=registered)
    log.warning("quarantined gateway=%s reason=%s why=%s kept=%s", gateway, error.reason, error, kept)
    return [Committed(gateway, *name)] if kept and name is not None else []
