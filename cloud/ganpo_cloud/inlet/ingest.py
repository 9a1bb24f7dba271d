"""The transaction that takes frames in (uplink.md, Delivery): applied or quarantined, then acknowledged.

Nothing is remembered between two calls: any number of collectors may do this on one database.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from ganpo_cloud.inlet import quarantine
from ganpo_cloud.inlet.apply import Came, store, time_of
from ganpo_cloud.inlet.decode import Frame, decode, name_of
from ganpo_cloud.inlet.refusals import Refused, tell
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.owners import registrations
from ganpo_model.clock import from_ms, iso, to_ms
from ganpo_model.errors import FrameError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """A frame that is stored, or quarantined for `reason`: what the acknowledgement names."""

    gateway: str
    stream: str
    seq: int
    reason: str = ""


_Decoded = tuple[str, bytes, Frame | FrameError]


class _Taken(NamedTuple):
    done: list[Committed]
    refused: list[Refused]


def ingest(
    database: Database,
    batch: Sequence[tuple[str, bytes]],
    now: datetime,
    refused: Callable[[Refused], None] = tell,
) -> list[Committed]:
    """Take (gateway, frame bytes) in, in one transaction. Gives the frames that are committed when this returns.

    Frames of an unknown gateway beyond its quarantine, and such that nobody could name, get no answer. What was not
    applied is told to `refused`, after the commit.
    Raises sqlalchemy.exc.OperationalError where the database fails: then nothing is committed.
    """
    decoded = [(gateway, packed, _decoded(packed, now)) for gateway, packed in batch]
    with database.write() as connection:
        done, wrong = _taken(connection, decoded, now)
    for one in wrong:
        refused(one)
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
                        dated = registrations(connection, [row.gateway])[row.gateway]
                        came = Came(row.gateway, dated, decode(row.bytes, row.received_at))
                        if (error := _wrong(came)) is not None:
                            raise error
                        store(connection, [came], to_ms(now))
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


def _taken(connection: Connection, decoded: Sequence[_Decoded], now: datetime) -> _Taken:
    """All of a batch, or else frame by frame."""
    try:
        with connection.begin_nested():
            return _take(connection, decoded, now)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - our bug: frame by frame, so that the one that trips us blocks nobody
        bug = error
    taken = _Taken([], [])
    for one in decoded:
        found = _take_alone(connection, one, now)
        taken.done.extend(found.done)
        taken.refused.extend(found.refused)
    if not any(one.error.reason == "bug" for one in taken.refused):
        log.error("a batch of %d frames failed, and none of them alone", len(decoded), exc_info=bug)
    return taken


def _take_alone(connection: Connection, one: _Decoded, now: datetime) -> _Taken:
    try:
        with connection.begin_nested():
            return _take(connection, [one], now)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - our bug: kept as it came, with its reason
        bug = FrameError(f"{type(error).__name__}: {error}"[:500], reason="bug")
        bug.__cause__ = error
    return _refuse(connection, [quarantine.Kept(one[0], one[1], name_of(one[1]), bug)], now)


def _take(connection: Connection, decoded: Sequence[_Decoded], now: datetime) -> _Taken:
    dated = registrations(connection, (gateway for gateway, *_ in decoded))
    good: list[Came] = []
    wrong = []
    for gateway, packed, found in decoded:
        if isinstance(found, FrameError):
            wrong.append(quarantine.Kept(gateway, packed, name_of(packed), found))
        elif (error := _wrong(came := Came(gateway, dated[gateway], found))) is not None:
            wrong.append(quarantine.Kept(gateway, packed, (found.stream, found.seq), error))
        else:
            good.append(came)
    store(connection, good, to_ms(now))
    done = [Committed(gateway, frame.stream, frame.seq) for gateway, _, frame in good]
    kept = _refuse(connection, wrong, now)
    return _Taken(done + kept.done, kept.refused)


def _refuse(connection: Connection, wrong: Sequence[quarantine.Kept], now: datetime) -> _Taken:
    kept = quarantine.keep(connection, wrong, now)
    return _Taken(
        [
            Committed(one.gateway, *one.name, one.error.reason)
            for one, is_kept in zip(wrong, kept, strict=True)
            if is_kept and one.name
        ],
        [Refused(one.gateway, one.error, is_kept) for one, is_kept in zip(wrong, kept, strict=True)],
    )


def _wrong(came: Came) -> FrameError | None:
    """Why a frame belongs to nobody."""
    gateway, dated, frame = came
    if dated and not dated[0].since:  # ever
        return None
    earliest = min(map(time_of, frame.facts))
    if dated and dated[0].since <= earliest:
        return None
    hint = f"ganpo-cloud gateway add {gateway} --enterprise CREDIT-CODE --site SITE"
    if not dated:
        return FrameError(f"gateway {gateway} is not registered", hint=hint, reason="gateway")
    what = f"gateway {gateway} is not registered for {iso(from_ms(earliest))}"
    return FrameError(what, hint=f"{hint} --since DATE", reason="gateway")
