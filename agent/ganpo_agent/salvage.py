"""What can still be read of a damaged outbox: row by row, by table and by index, in either direction."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganpo_model.errors import FrameError
from ganpo_model.frame import unpack

_UNREADABLE = (sqlite3.Error, UnicodeDecodeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Saved:
    """`frames`: (stream, seq, kind, bytes), sorted; `open`: (stream, seq, bytes), the open slots, if readable."""

    frames: list[tuple[str, int, str, bytes]]
    open: tuple[str, int, bytes | None] | None

    def gaps(self, issued: Mapping[str, int]) -> list[tuple[str, int]]:
        """The numbers of the known streams that are not here: acknowledged once, or lost. Declaring the first
        kind lost too is harmless, for what is stored wins."""
        last = dict(issued)
        for stream, seq, _, _ in self.frames:
            last[stream] = max(seq, last.get(stream, 0))
        if self.open is not None:
            last[self.open[0]] = max(self.open[1], last.get(self.open[0], 0))
        here = {(stream, seq) for stream, seq, _, _ in self.frames}
        return [
            (stream, n) for stream, top in last.items() for n in range(1, top + 1) if (stream, n) not in here
        ]


def set_aside(path: Path) -> Path:
    """Rename the file and its write-ahead log; nothing is ever deleted. Gives the new path."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").replace(f"{aside}{suffix}")
    return aside


def read_all(path: Path) -> Saved:
    """Every frame whose row SQLite can still read by any way and whose gzip opens."""
    frames: dict[tuple[str, int], tuple[str, bytes]] = {}
    left = None
    with suppress(*_UNREADABLE), closing(sqlite3.connect(path)) as db:
        db.text_factory = bytes
        for packed in _bytes(db):
            if (frame := _frame(packed)) is not None:
                stream, seq, kind = frame
                frames[stream, seq] = (kind, packed)
        left = _open_row(db)
    return Saved([(*key, *frames[key]) for key in sorted(frames)], left)


def _bytes(db: sqlite3.Connection) -> Iterable[bytes]:
    """The bytes of every row that can be reached; many twice."""
    rowids: set[int] = set()
    keys: set[tuple[bytes, int]] = set()
    for direction in ("ASC", "DESC"):
        rowids.update(_each(db, f"SELECT rowid FROM frame NOT INDEXED ORDER BY rowid {direction}"))
        for index in ("sqlite_autoindex_frame_1", "waiting WHERE acked_at IS NULL"):
            name, _, where = index.partition(" ")
            order = f"ORDER BY stream {direction}, seq {direction}"
            query = f"SELECT stream, seq, rowid FROM frame INDEXED BY {name} {where} {order}"
            for stream, seq, rowid in _rows(db, query):
                keys.add((stream, seq))
                rowids.add(rowid)
    for rowid in rowids:
        yield from _each(db, "SELECT bytes FROM frame NOT INDEXED WHERE rowid = ?", rowid)
    for stream, seq in keys:
        text = stream.decode("utf-8", "replace") if isinstance(stream, bytes) else stream
        yield from _each(db, "SELECT bytes FROM frame WHERE stream = ? AND seq = ?", text, seq)
    for direction in ("ASC", "DESC"):
        yield from _each(db, f"SELECT bytes FROM frame NOT INDEXED ORDER BY rowid {direction}")


def _rows(db: sqlite3.Connection, query: str, *values: object) -> Iterable[tuple[Any, ...]]:
    """The rows up to the first that cannot be read."""
    with suppress(*_UNREADABLE):
        yield from db.execute(query, values)


def _each(db: sqlite3.Connection, query: str, *values: object) -> Iterable[Any]:
    for (value,) in _rows(db, query, *values):
        yield value


def _frame(packed: Any) -> tuple[str, int, str] | None:
    """Stream, number and kind as the bytes themselves say: the columns beside them may be damaged."""
    if not isinstance(packed, bytes):
        return None
    try:
        body = json.loads(unpack(packed))
        return str(body["stream"]), int(body["seq"]), str(body["facts"][0]["type"])
    except (FrameError, ValueError, KeyError, IndexError, TypeError):
        return None


def _open_row(db: sqlite3.Connection) -> tuple[str, int, bytes | None] | None:
    for stream, seq, packed in _rows(db, "SELECT stream, seq, bytes FROM open"):
        if isinstance(stream, bytes) and isinstance(seq, int):
            whole = isinstance(packed, bytes) and _frame(packed) is not None
            with suppress(UnicodeDecodeError):
                return stream.decode(), seq, packed if whole else None
    return None
