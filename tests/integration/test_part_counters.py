"""Parts from the device's counter to the collector's number: what the agent sends is enough for the judge (G01)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ganpo_agent.observing.observer import Observer
from ganpo_cloud.days import days, quantities
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.database import Database
from ganpo_config.plant import Register
from ganpo_drivers import Scan
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.facts import Event, EventKind, Fact, RegisterItem
from ganpo_model.frame import pack
from support import databases
from support.plants import START, PlantBuilder

GATEWAY = "gw-test-0001"
ENTERPRISE = "91360000625912173B"
PARTS = "SB-1/parts_total#0123abcd"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
T0 = to_ms(START)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = databases.database(tmp_path)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    yield database
    database.close()


def counted(
    database: Database, folder: Path, shown: Callable[[int], int], seconds: int, max_rate: int
) -> tuple[int | None, list[Fact]]:
    """The collector's number of parts when the counter shows `shown(second)`, and the facts that were sent."""
    builder = PlantBuilder(folder)
    builder.connection("cell")
    item = RegisterItem(PARTS, "SB-1", "parts_total", None, "1", 1, 1, None, max_rate, resets=True)
    builder.machine("cell", "SB-1", {})
    builder.point("cell", "SB-1", "parts_total", "p", Register(item))
    plant = builder.build()
    frames: list[list[Fact]] = []
    observer = Observer(plant, lambda facts: frames.append(list(facts)), T0)
    for second in range(seconds):
        observer.feed(plant.connections[0].points, Scan([shown(second)]), None, T0 + second * 1000)
    now = from_ms(T0) + timedelta(seconds=seconds)
    assert ingest(
        database,
        [(GATEWAY, pack(STREAM, number, facts)) for number, facts in enumerate(frames, 1)],
        now,
    )
    while days.recompute(database, now):
        pass
    with database.read() as connection:
        (found,) = quantities.in_parts(connection, ENTERPRISE, PARTS, (T0, to_ms(now)))
    assert not found.open
    return found.millionths, [fact for facts in frames for fact in facts]


@pytest.mark.parametrize(
    ("top", "each_s", "max_rate"),
    [
        (1, 1, 3600),  # one part per pallet
        (2, 2, 3600),  # 0, 1, 2 for 2 s each
        (2, 2, 1200),  # and a rate that leaves no room
        (4, 1, 3600),  # set back 720 times an hour
    ],
)
def test_every_part_is_counted_however_often_the_counter_is_set_back(
    database: Database, tmp_path: Path, top: int, each_s: int, max_rate: int
) -> None:
    cycle_s = (top + 1) * each_s
    cycles = 3600 // cycle_s
    seconds = cycles * cycle_s + 1
    parts, facts = counted(database, tmp_path, lambda second: second % cycle_s // each_s, seconds, max_rate)
    assert parts == cycles * top * 1_000_000
    assert not [f for f in facts if isinstance(f, Event) and f.kind is EventKind.SUSPECT]
