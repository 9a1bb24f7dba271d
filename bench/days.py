"""Recomputing dirty days of 100, 1,000 and 10,000 subjects: milliseconds a subject-day, and growth.

Each subject is a machine with a slot of runs every 15 min of one day; all are dirty and recomputed.
"""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median

from ganpo_cloud.days import days
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, key, mark
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_model.facts import CalendarItem, EquipmentItem, Inventory, SiteItem, States
from ganpo_model.frame import pack
from ganpo_model.states import State
from measure import Figure

_STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
ENTERPRISE = "91360000625912173B"
NOW = datetime(2026, 11, 24, 16, 1, tzinfo=UTC)
DAY = date(2026, 11, 24)
_START = datetime(2026, 11, 23, 16, tzinfo=UTC)
_SLOT = timedelta(minutes=15)
BORDERS = (int(_START.timestamp() * 1000), int((_START + timedelta(days=1)).timestamp() * 1000))
_RUNS = ((0, State.IDLE), (100_000, State.PRODUCING), (700_000, State.HELD))


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    sizes = (20, 200) if short else (100, 1000, 10_000)
    found = {size: _recompute(size, 1 if short else 3) for size in sizes}
    for size, seconds in found.items():
        yield str(Figure(f"{size:,} subject-days", [1000 * s / size for s in seconds], "ms each"))
    for small, large in pairwise(sizes):
        grown = median(found[large]) / median(found[small])
        yield f"  {f'{large:,} / {small:,} subjects':<46} {grown:>9.2f} x          goal <= 13"


def _recompute(subjects: int, runs: int) -> list[float]:
    """Seconds that it takes to recompute every day, run by run, after one run that nobody counts."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(DatabaseSettings(url=f"sqlite:///{folder}/cloud.db"))
        names = fill(database, subjects)
        for _ in range(runs + 1):
            with database.write() as connection:
                mark(connection, Kind.DAY, ((key(ENTERPRISE, name), DAY) for name in names))
            began = time.perf_counter()
            done = 0
            while number := days.recompute(database, NOW):
                done += number
            found.append(time.perf_counter() - began)
            assert done == subjects
        database.close()
    return found[1:]


def fill(database: Database, subjects: int) -> list[str]:
    """A day of slots of each subject; gives their names."""
    names = [f"SB-{n:05d}" for n in range(subjects)]
    site = SiteItem("plant-1", "Bench", "Asia/Shanghai", 900_000)
    equipment = tuple(
        EquipmentItem(name, name, "bench", tuple(State), (), (), "in_use", None, None) for name in names
    )
    # One gateway names 2,000 subjects at most here: an inventory has to fit into a frame.
    frames = []
    for number, first in enumerate(range(0, subjects, 2000)):
        gateway = f"gw-bench-{number:04d}"
        registry.add(database, gateway, ENTERPRISE, "plant-1")
        part = equipment[first : first + 2000]
        frames.append(
            (
                gateway,
                pack(_STREAM, 1, [Inventory("inventory", _START, site, CalendarItem((), ()), part, (), ())]),
            )
        )
    seq = 1
    for slot in range(96):
        start = _START + slot * _SLOT
        for first in range(0, subjects, 100):
            seq += 1
            facts = [
                States("states", name, start, start + _SLOT, _RUNS) for name in names[first : first + 100]
            ]
            frames.append(("gw-bench-0000", pack(_STREAM, seq, facts)))
    for first in range(0, len(frames), 64):
        batch = frames[first : first + 64]
        assert len(ingest(database, batch, NOW)) == len(batch)
    return names
