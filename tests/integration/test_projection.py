"""The time-series store holds what is stored, can be rebuilt at any time, and never disturbs the collector."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import func, select

from ganpo_cloud import days, projection, quantities
from ganpo_cloud.database import Database
from ganpo_cloud.localdays import bounds
from ganpo_cloud.settings import ProjectionSettings
from ganpo_cloud.tables import day, frame, reading, register_day, states
from ganpo_model.clock import to_ms
from ganpo_model.facts import Reading
from ganpo_model.states import State
from support import seeding
from support.seeding import ENTERPRISE, EXCHANGED, MAIN, MINUTE, ONLINE, Plant
from support.victoria import Series, Victoria

MIDNIGHT = datetime.combine(datetime.now(UTC) - timedelta(days=3), time(16), UTC)
"""The store takes nothing that lies ahead of its own clock: these days are past ones."""
of_one = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
"""It is about the store, whatever the database is."""
FACTS = ("reading_raw", "state_code")
NAMES = (*FACTS, "day_producing_ms", "day_unknown_ms", "day_millionths")


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with Victoria(tmp_path_factory.mktemp("victoria")) as store:
        yield store


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[Plant]:
    plant = seeding.plant(tmp_path, MIDNIGHT)
    yield plant
    plant.database.close()


def settings(store: Victoria) -> ProjectionSettings:
    return ProjectionSettings(url=store.url, bucket="ganpo", org="ganpo")


def labels(subject: str, register: str | None = None) -> tuple[tuple[str, str], ...]:
    found = {"enterprise": ENTERPRISE, "site": "plant-1", "subject": subject}
    return tuple(sorted((found | ({"register": register} if register else {})).items()))


def stored(plant: Plant) -> dict[str, Series]:
    """What has to be in the store, from the facts and the day rows."""
    wanted: dict[str, Series] = {name: {} for name in NAMES}
    with plant.database.read() as connection:
        for row in connection.execute(select(reading)):
            key = labels(row.register.partition("/")[0], row.register)
            wanted["reading_raw"].setdefault(key, {})[row.at] = row.raw
        for row in connection.execute(select(states)):
            for offset, state in json.loads(row.runs):
                codes = wanted["state_code"].setdefault(labels(row.subject), {})
                codes[row.start + offset] = State(state).code
        for row in connection.execute(select(day)):
            spent = json.loads(row.ms)
            for state in ("PRODUCING", "UNKNOWN"):
                name = f"day_{state.lower()}_ms"
                wanted[name].setdefault(labels(row.subject), {})[row.start] = spent.get(state, 0)
        for row in connection.execute(select(register_day)):
            start, end = bounds(row.day, "Asia/Shanghai")
            found = quantities.of_register(connection, ENTERPRISE, row.register, start, end)
            if found is not None and found.millionths is not None:
                key = labels(row.register.partition("/")[0], row.register)
                wanted["day_millionths"].setdefault(key, {})[start] = found.millionths
    return wanted


def told(store: Victoria, names: Sequence[str] = NAMES) -> dict[str, Series]:
    return {name: store.series(name) for name in names}


def test_series_equal_the_stored_facts_and_a_wiped_store_is_rebuilt_to_the_same(
    plant: Plant, victoria: Victoria
) -> None:
    projection.rebuild(plant.database, settings(victoria))
    wanted = stored(plant)
    assert all(wanted.values())
    assert len(wanted["reading_raw"][labels("DB-0101", MAIN)]) == 158
    assert told(victoria) == wanted
    victoria.wipe()
    assert not any(told(victoria).values())
    projection.rebuild(plant.database, settings(victoria))
    assert told(victoria) == wanted
    projection.rebuild(plant.database, settings(victoria))
    assert told(victoria) == wanted, "repetition is harmless"


def test_an_ended_day_is_written_again_once_the_first_reading_after_midnight_tells_its_end(
    plant: Plant,
) -> None:
    def lines(after: projection._Cursor) -> tuple[projection._Cursor, list[str]]:
        with plant.database.read() as connection:
            until = projection._until(connection, after)
            found = [*projection._day_lines(connection, after, until)]
        return until, [line for line in found if "register=DB-0101" in line]

    at, first = lines(projection._Cursor(0, 0))
    assert [line.split()[1] for line in first] == ["millionths=2200000000i"]
    later = MIDNIGHT + timedelta(days=1, minutes=10)
    plant.now = later + MINUTE
    plant.send(ONLINE, [Reading("reading", MAIN, later, 5_110_300)])
    plant.settle()
    _, again = lines(at)
    wanted = stored(plant)["day_millionths"][labels("DB-0101", MAIN)]
    assert len(wanted) == 2
    assert {int(line.split()[2]): line.split()[1] for line in again} == {
        start: f"millionths={amount}i" for start, amount in wanted.items()
    }


def test_a_killed_store_misses_nothing_once_it_is_back_and_ingest_is_undisturbed(
    plant: Plant, victoria: Victoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store loses what it took within its last seconds, old facts among them that it was just catching up on."""
    monkeypatch.setattr(projection, "PAUSE_S", 0.05)
    monkeypatch.setattr(projection, "RETRY_S", 0.1)
    victoria.wipe()
    start = plant.now
    clock = seeding.TestClock(start)

    def ingest(number: int) -> float:
        plant.now = clock.now = start + number * timedelta(seconds=1)
        begun = monotonic()
        plant.send(ONLINE, [Reading("reading", MAIN, plant.now, 5_040_400 + number)])
        return monotonic() - begun

    async def kills() -> None:
        task = asyncio.create_task(projection.run(plant.database, settings(victoria), clock))
        number = 0
        for kill in range(2):
            for _ in range(10):
                number += 1
                await asyncio.to_thread(ingest, number)
                await asyncio.sleep(0.05)
            await asyncio.to_thread(victoria.kill)
            for _ in range(10):
                number += 1
                assert await asyncio.to_thread(ingest, number) < 1.0, "ingest waits for the store"
                await asyncio.sleep(0.05)
            await asyncio.to_thread(victoria.start)
            await asyncio.to_thread(days.recompute, plant.database, clock.now + timedelta(seconds=kill))
        deadline = monotonic() + 20
        wanted = {name: series for name, series in stored(plant).items() if name in FACTS}
        while await asyncio.to_thread(told, victoria, FACTS) != wanted:
            assert monotonic() < deadline, "something is missing"
            await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(kills())
    assert len(victoria.series("reading_raw")[labels("DB-0101", MAIN)]) == 158 + 40
    assert labels("SB-W-01", EXCHANGED) in victoria.series("reading_raw")


@of_one
def test_a_store_that_hangs_does_not_hold_the_end_of_the_process(plant: Plant, tmp_path: Path) -> None:
    with Victoria(tmp_path) as store:
        store.freeze()
        begun = monotonic()
        asyncio.run(during(0.5, plant.database, settings(store)))
        assert monotonic() - begun < 5.0


@of_one
def test_a_store_that_refuses_is_told_once_and_tried_again(
    plant: Plant, victoria: Victoria, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(projection, "RETRY_S", 0.05)
    tried: list[projection._Cursor] = []
    write = projection._write

    def counted(database: Database, to: ProjectionSettings, after: projection._Cursor) -> Any:
        tried.append(after)
        return write(database, to, after)

    monkeypatch.setattr(projection, "_write", counted)
    nowhere = ProjectionSettings(url=f"{victoria.url}/nowhere", bucket="ganpo", org="ganpo")
    asyncio.run(during(1.0, plant.database, nowhere))
    assert [record.levelname for record in caplog.records if record.name == projection.__name__] == [
        "WARNING"
    ]
    assert len(tried) > 2
    assert set(tried) == {projection._Cursor(0, 0)}


def test_the_cursor_that_is_kept_trails_what_is_written_and_a_start_goes_back_ten_minutes(
    plant: Plant, victoria: Victoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "PAUSE_S", 0.05)
    asyncio.run(during(1.0, plant.database, settings(victoria)))
    assert projection._begin(plant.database) == (0, 0), "nothing is sure yet"
    monkeypatch.setattr(projection, "SETTLED_S", 0.0)
    asyncio.run(during(1.0, plant.database, settings(victoria)))
    with plant.database.read() as connection:
        old = connection.execute(
            select(func.max(frame.c.id)).where(frame.c.committed_at < to_ms(plant.now - 10 * MINUTE))
        ).scalar_one()
    assert projection._begin(plant.database) == (old, to_ms(plant.now) - 600_000)


async def during(seconds: float, database: Database, to: ProjectionSettings) -> None:
    """The projection for a while."""
    task = asyncio.create_task(projection.run(database, to, seeding.TestClock()))
    await asyncio.sleep(seconds)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


def test_names_with_blanks_commas_and_equal_signs_stay_whole() -> None:
    escaped = projection._tags("E", "a b,c=d", "x\\y", None)
    assert escaped == "enterprise=E,site=a\\ b\\,c\\=d,subject=x\\\\y"
