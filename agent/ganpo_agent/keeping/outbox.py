"""The durable queue of frames (architecture.md): on disk before anything else, bounded, loss declared.

Synchronous, used from one thread. Methods raise StorageError where disk or file refuse; a file found damaged is mended
(`mended_file.py`), and the call is answered from that.
"""

import logging
import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from ganpo_agent.keeping import backlog, history, issued, loss, room
from ganpo_agent.keeping.backlog import Backlog
from ganpo_agent.keeping.mended_file import MendedFile
from ganpo_agent.keeping.outbox_file import OutboxDamaged, OutboxFull
from ganpo_agent.keeping.pages import PAGE
from ganpo_model.clock import DAY_MS, to_ms
from ganpo_model.errors import FrameError, StorageError
from ganpo_model.facts import Event, EventKind, Fact, Inventory, States
from ganpo_model.frame import MAX_PACKED, new_stream, pack, renumber, unpack

log = logging.getLogger(__name__)

KEEP_ACKED_MS = 7 * DAY_MS
_T = TypeVar("_T")
Key = tuple[str, int]
Lost = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Row:
    """A frame that waits for its acknowledgement."""

    stream: str
    seq: int
    kind: str
    packed: bytes

    @property
    def key(self) -> Key:
        """What acknowledgements name."""
        return self.stream, self.seq


class Outbox(MendedFile):
    """`outbox.db` in `folder`, at most `max_mib` large.

    `dropped`: frames given up unacknowledged, declared lost; `limit`: bytes of the file at most; `largest`: bytes of a
    frame that the broker takes, as far as is known; what cannot be divided may be larger.
    """

    def __init__(self, folder: Path, max_mib: int) -> None:
        self.limit = max_mib * 1024 * 1024
        super().__init__(folder / "outbox.db", self.limit // PAGE)
        self.dropped = 0
        self.largest = MAX_PACKED

    def newest(self) -> bytes | None:
        """The frame that was put here last, packed."""

        def read() -> bytes | None:
            with self._transaction() as db:
                query = "SELECT bytes FROM frame ORDER BY stream DESC, seq DESC LIMIT 1"
                found = db.execute(query).fetchone()
            return found[0] if found else None

        return self._mended(read)

    def begin(self, now: datetime, rng: random.Random) -> None:
        """A stream begins: the runs that the last one left open become its next frame, then `begun` is told."""

        def write(db: sqlite3.Connection, lost: Lost) -> tuple[str, int, dict[str, int]]:
            previous, last_seq = self._finish_last(db)
            newest = db.execute("SELECT max(stream) FROM frame").fetchone()[0]
            known = [stream for stream in (previous, newest) if stream is not None]
            stream = new_stream(to_ms(now), max(known, default=None), rng)
            lasts = issued.read(self.path)
            if previous is not None and last_seq is not None:
                lasts[previous] = last_seq
            waiting = {
                name for (name,) in db.execute("SELECT DISTINCT stream FROM frame WHERE acked_at IS NULL")
            }
            db.execute("INSERT OR REPLACE INTO open VALUES (1, ?, 0, NULL)", (stream,))
            data = {"previous": previous, "last_seq": last_seq}
            self._insert(db, stream, 1, [Event("event", now, EventKind.BEGUN, None, data)])
            seq = self._declare(db, stream, 1, lost, now)
            return stream, seq, {name: last for name, last in lasts.items() if name in waiting}

        self.stream, self.seq, older = self._fitted(write, ())
        issued.begin(self.path, self.stream, self.seq, older)

    def append(self, facts: Sequence[Fact], now: datetime) -> Row:
        """One frame of facts of one type. Once this returns, the frame is kept until it is acknowledged.

        A full outbox makes room by its policy and declares the loss. A number is given by success alone.
        Raises FrameError where facts are too large for one frame.
        """

        def write(db: sqlite3.Connection, lost: Lost) -> Row:
            seq = self._declare(db, self.stream, self.seq, lost, now)
            return self._insert(db, self.stream, seq + 1, facts)

        row = self._fitted(write, facts)
        self.seq = row.seq
        issued.write(self.path, self.stream, self.seq)
        return row

    def keep_open(self, facts: Sequence[States]) -> None:
        """The runs of the open slots, so that a power cut costs no more than what came since."""
        packed = pack(self.stream, 0, facts) if facts else None

        def write() -> None:
            with self._transaction() as db:
                db.execute("UPDATE open SET bytes = ?", (packed,))

        self._mended(write)
        self._shorten()

    def waiting(self, limit: int) -> list[Row]:
        """The oldest frames without acknowledgement, oldest first, each with its checksum verified."""

        def read() -> list[Row]:
            with self._transaction() as db:
                query = "SELECT stream, seq, kind, bytes FROM frame WHERE acked_at IS NULL ORDER BY stream, seq LIMIT ?"
                rows = [Row(*found) for found in db.execute(query, (limit,))]
            for row in rows:
                try:
                    unpack(row.packed)
                except (FrameError, TypeError) as error:
                    raise OutboxDamaged(
                        f"frame {row.seq} of {row.stream}: {error}", where=str(self.path)
                    ) from error
            return rows

        return self._mended(read)

    def acknowledge(self, stream: str, ranges: Iterable[tuple[int, int]], now: datetime) -> None:
        """The collector has committed these numbers (ends included): kept for a week, then gone."""
        ranges = list(ranges)
        try:
            self._mended(partial(self._acknowledge, stream, ranges, now))
        except OutboxFull:
            # The log may have no room for every page that these numbers touch: then a few at a time.
            self._shorten()
            for first, last in ranges:
                for seqs in self._mended(partial(self._waiting_within, stream, first, last)):
                    self._mended(partial(self._acknowledge, stream, [(seqs[0], seqs[-1])], now))

    def backlog(self) -> Backlog:
        """What waits, for people."""

        def read() -> Backlog:
            with self._transaction() as db:
                return backlog.look(db, self.path)

        return self._mended(read)

    def since(self, start: int) -> list[Key]:
        """The frames that may tell states and readings of `start` (ms) or later."""

        def read() -> list[Key]:
            with self._transaction() as db:
                return history.since(db, start)

        return self._mended(read)

    def facts(self, keys: Sequence[Key]) -> list[Fact]:
        """What these frames tell."""

        def read() -> list[Fact]:
            with self._transaction() as db:
                return history.facts(db, keys)

        return self._mended(read)

    def counts(self) -> tuple[int, Key | None]:
        """How many frames wait, and the oldest of them."""

        def read() -> tuple[int, Key | None]:
            with self._transaction() as db:
                number = db.execute("SELECT count(*) FROM frame WHERE acked_at IS NULL").fetchone()[0]
                query = "SELECT stream, seq FROM frame WHERE acked_at IS NULL ORDER BY stream, seq LIMIT 1"
                return number, db.execute(query).fetchone()

        return self._mended(read)

    def _acknowledge(self, stream: str, ranges: Sequence[tuple[int, int]], now: datetime) -> None:
        with self._transaction() as db:
            db.executemany(
                "UPDATE frame SET acked_at = ? WHERE stream = ? AND seq BETWEEN ? AND ? AND acked_at IS NULL",
                [(to_ms(now), stream, first, last) for first, last in ranges],
            )
            db.execute("DELETE FROM frame WHERE acked_at < ?", (to_ms(now) - KEEP_ACKED_MS,))

    def _waiting_within(self, stream: str, first: int, last: int) -> list[list[int]]:
        """The numbers of a range that wait, eight by eight."""
        with self._transaction() as db:
            query = "SELECT seq FROM frame WHERE acked_at IS NULL AND stream = ? AND seq BETWEEN ? AND ? ORDER BY seq"
            seqs = [seq for (seq,) in db.execute(query, (stream, first, last))]
        return [seqs[begin : begin + 8] for begin in range(0, len(seqs), 8)]

    def _finish_last(self, db: sqlite3.Connection) -> tuple[str | None, int | None]:
        """The last stream and its last number, once its open runs have become a frame of it."""
        left = db.execute("SELECT stream, seq, bytes FROM open").fetchone()
        if left is None:
            query = "SELECT stream, seq, NULL FROM frame ORDER BY stream DESC, seq DESC LIMIT 1"
            left = db.execute(query).fetchone()
        if left is None:
            return None, None
        stream, seq, runs = left
        highest = db.execute("SELECT max(seq) FROM frame WHERE stream = ?", (stream,)).fetchone()[0]
        seq = max(seq, highest or 0)
        if runs is not None:
            with suppress(FrameError):
                packed = renumber(runs, seq + 1)
                db.execute("INSERT INTO frame VALUES (?, ?, 'states', ?, NULL)", (stream, seq + 1, packed))
                seq += 1
        return stream, seq

    def _insert(self, db: sqlite3.Connection, stream: str, seq: int, facts: Sequence[Fact]) -> Row:
        packed = pack(stream, seq, facts, self.largest if _divisible(facts) else MAX_PACKED)
        row = Row(stream, seq, facts[0].type, packed)
        room.look(db, self.path, len(packed))
        db.execute("INSERT INTO frame VALUES (?, ?, ?, ?, NULL)", (stream, seq, row.kind, row.packed))
        db.execute("UPDATE open SET seq = ?", (seq,))
        return row

    def _declare(self, db: sqlite3.Connection, stream: str, seq: int, lost: Lost, now: datetime) -> int:
        """The frames that declare these numbers lost, after number `seq` of the stream: its last number then."""
        for other, gone in lost.items():
            for event in loss.declare(other, ((number, number) for number in gone), now):
                seq = self._insert(db, stream, seq + 1, [event]).seq
        return seq

    def _fitted(self, write: Callable[[sqlite3.Connection, Lost], _T], facts: Sequence[Fact]) -> _T:
        """Write; refused, once more with the log taken into the file; then with room made, which `write` declares."""

        def plainly() -> _T:
            with self._transaction() as db:
                return write(db, {})

        def with_room_made() -> _T:
            with self._transaction() as db:
                size = len(pack(self.stream, self.seq, facts)) if facts else 0
                lost = room.make(db, size, self._max_pages)
                done = write(db, lost)
            if dropped := sum(map(len, lost.values())):
                self.dropped += dropped
                log.error("outbox full frames_dropped=%d", dropped)
            return done

        try:
            return self._mended(plainly)
        except StorageError:
            self._shorten()
        try:
            return self._mended(plainly)
        except OutboxFull:
            return self._mended(with_room_made)


def _divisible(facts: Sequence[Fact]) -> bool:
    """Whether they may travel in several frames."""
    return len(facts) > 1 or (isinstance(facts[0], Inventory) and facts[0].part is None)
