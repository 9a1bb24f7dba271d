"""Frames of 30 readings through the collector's transaction, against a bare insert of the same rows.

Both sides commit the same number of times (64 frames each), on SQLite with synchronous=FULL, on the PostgreSQL of tests
without fsync. Ours decodes, checks, stores frame and facts, and marks what they touch dirty; the limit inserts rows
that lie ready, sorted by key, into the same tables: `executemany` on SQLite, `unnest` on PostgreSQL.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Table, select

from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store import tables
from ganpo_model.clock import to_ms
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from measure import Figure, pairs, ratio
from support import databases

FACTS = 30
BATCH = 64
_GOALS = {"sqlite": ("executemany", ">= 0.5"), "postgresql": ("unnest", ">= 0.7")}
_STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
_GATEWAY = "gw-bench-0001"
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
    for kind, (bare_name, goal) in _GOALS.items():
        databases.choose(kind)
        ours, bare = pairs(1 if short else 5, partial(_ours, packed), partial(_bare, facts))
        yield str(Figure(f"{kind}: collector's transaction", ours, "facts/s"))
        yield str(Figure(f"{kind}: bare {bare_name}, same rows, same commits", bare, "facts/s"))
        yield ratio("  collector / bare", ours, bare, goal)
    databases.choose("sqlite")


def _ours(packed: list[bytes]) -> float:
    with TemporaryDirectory() as folder, databases.database(Path(folder)) as database:
        registry.add(database, _GATEWAY, _ENTERPRISE, "plant-1")
        began = time.perf_counter()
        for first in range(0, len(packed), BATCH):
            batch = [(_GATEWAY, frame) for frame in packed[first : first + BATCH]]
            assert len(ingest(database, batch, _NOW)) == len(batch)
        found = len(packed) * FACTS / (time.perf_counter() - began)
        with database.read() as connection:
            assert len(connection.execute(select(tables.reading)).all()) == len(packed) * FACTS
        return found


def _bare(facts: list[list[Reading]]) -> float:
    frames = [
        {"id": s, "gateway": _GATEWAY, "stream": _STREAM, "seq": s, "crc32": 0, "committed_at": 0}
        for s in range(len(facts))
    ]
    readings = [
        [
            {
                "enterprise": _ENTERPRISE,
                "register": fact.register,
                "at": to_ms(fact.at),
                "raw": fact.raw,
                "frame": s,
            }
            for fact in batch
        ]
        for s, batch in enumerate(facts)
    ]
    frame_rows = [_row(tables.frame, frame) for frame in frames]
    rows = [
        sorted(
            _row(tables.reading, reading) for batch in readings[first : first + BATCH] for reading in batch
        )
        for first in range(0, len(readings), BATCH)
    ]
    with TemporaryDirectory() as folder, databases.database(Path(folder)) as database:
        began = time.perf_counter()
        for first in range(0, len(facts), BATCH):
            with database.write() as connection:
                _insert(connection, tables.frame, frame_rows[first : first + BATCH])
                _insert(connection, tables.reading, rows[first // BATCH])
        return len(facts) * FACTS / (time.perf_counter() - began)


def _row(table: Table, values: dict[str, Any]) -> tuple[Any, ...]:
    """The values of a row in the order of its columns."""
    return tuple(values[column.name] for column in table.columns)


def _insert(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Straight to the driver: `executemany`, or an array a column."""
    driver = connection.connection.driver_connection
    assert driver is not None
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        driver.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
        return
    arrays = ", ".join(f"%s::{column.type.compile(connection.dialect)}[]" for column in table.columns)
    columns = [list(column) for column in zip(*rows, strict=True)]
    driver.execute(f"INSERT INTO {table.name} SELECT * FROM unnest({arrays})", columns)
