"""Frames of 30 facts through the collector's transaction into SQLite, against bare `executemany` of the same rows.

Both sides commit the same number of times (64 frames each) with synchronous=FULL. Ours decodes, checks, stores frame
and facts, and marks what they touch dirty; the limit inserts rows that lie ready.
"""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_model.clock import to_ms
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from measure import Figure, pairs, ratio

FACTS = 30
BATCH = 64
_STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
_NOW = datetime(2026, 11, 25, tzinfo=UTC)
_ENTERPRISE = "91360000625912173B"


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    frames = 128 if short else 1280
    facts = [
        [
            Reading(
                "reading", f"M-{n}/energy_import#{n:08x}", _NOW - timedelta(hours=6) + timedelta(seconds=s), s
            )
            for n in range(FACTS)
        ]
        for s in range(frames)
    ]
    packed = [pack(_STREAM, s + 1, batch) for s, batch in enumerate(facts)]
    ours, bare = pairs(1 if short else 7, lambda: _ours(packed), lambda: _bare(facts))
    yield str(Figure("collector's transaction", ours, "facts/s"))
    yield str(Figure("bare executemany, same rows, same commits", bare, "facts/s"))
    yield ratio("collector / bare", ours, bare, ">= 0.25")


def _ours(packed: list[bytes]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(DatabaseSettings(url=f"sqlite:///{folder}/cloud.db"))
        registry.add(database, "gw-bench-0001", _ENTERPRISE, "plant-1")
        began = time.perf_counter()
        for first in range(0, len(packed), BATCH):
            batch = [("gw-bench-0001", frame) for frame in packed[first : first + BATCH]]
            assert len(ingest(database, batch, _NOW)) == len(batch)
        seconds = time.perf_counter() - began
        database.close()
    return len(packed) * FACTS / seconds


def _bare(facts: list[list[Reading]]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE frame (id INTEGER PRIMARY KEY, gateway, stream, seq, crc32, committed_at)")
        db.execute("CREATE UNIQUE INDEX frame_key ON frame (gateway, stream, seq, crc32)")
        db.execute(
            "CREATE TABLE reading (enterprise, register, at, raw, frame, PRIMARY KEY (enterprise, register, at, raw))"
            " WITHOUT ROWID"
        )
        db.execute("CREATE INDEX reading_frame ON reading (frame)")
        rows = [
            [(_ENTERPRISE, fact.register, to_ms(fact.at), fact.raw, s) for fact in batch]
            for s, batch in enumerate(facts)
        ]
        began = time.perf_counter()
        for first in range(0, len(rows), BATCH):
            db.execute("BEGIN IMMEDIATE")
            numbers = range(first, min(first + BATCH, len(rows)))
            db.executemany(
                "INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?)",
                [(s, "gw-bench-0001", _STREAM, s, 0, 0) for s in numbers],
            )
            db.executemany(
                "INSERT INTO reading VALUES (?, ?, ?, ?, ?)", [row for s in numbers for row in rows[s]]
            )
            db.execute("COMMIT")
        seconds = time.perf_counter() - began
        db.close()
    return len(facts) * FACTS / seconds
