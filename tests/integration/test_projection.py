"""The time-series store holds what is stored, can be rebuilt at any time, and never disturbs the collector."""

import asyncio
import html
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from ganpo_cloud.days import days, painting, quantities
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.projection import lines, writing
from ganpo_cloud.store import projected
from ganpo_cloud.store.counted_tables import day, register_day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import bounds
from ganpo_cloud.store.runs import packed, unpacked
from ganpo_cloud.store.settings import BrokerSettings, ProjectionSettings
from ganpo_cloud.store.tables import frame, named, reading, states
from ganpo_cloud.web.application import create_app
from ganpo_model.clock import Clock, to_ms
from ganpo_model.facts import MeterItem, Reading
from ganpo_model.states import State
from ganpo_service.supervisor import Supervisor
from support import seeding
from support.inlet import answered
from support.seeding import ENTERPRISE, EXCHANGED, MAIN, MINUTE, ONLINE, Plant
from support.serving import Served
from support.sink import Sink
from support.victoria import Series, Victoria

MIDNIGHT = datetime.combine(datetime.now(UTC) - timedelta(days=3), time(16), UTC)
"""The store takes nothing that lies ahead of its own clock: these days are past ones."""
READING, STATE, DAY = writing.MEASUREMENTS
FACTS = ("reading_raw", "state_code")
DAYS = ("day_producing_ms", "day_unknown_ms", "day_millionths")


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with Victoria(tmp_path_factory.mktemp("victoria")) as store:
        yield store


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = seeding.plant(tmp_path, MIDNIGHT)
    yield plant
    plant.database.close()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The measurements of which there was nothing more to write."""
    found: set[str] = set()
    whole = writing.Measurement.next

    def then(of: writing.Measurement, database: Database, after: int | None) -> writing.Batch:
        batch = whole(of, database, after)
        if batch.until == batch.after:
            found.add(of.name)
        return batch

    monkeypatch.setattr(writing.Measurement, "next", then)
    return found


def settings(store: Victoria) -> ProjectionSettings:
    return ProjectionSettings(url=store.url, bucket="ganpo", org="ganpo")


def labels(subject: str, register: str | None = None) -> tuple[tuple[str, str], ...]:
    found = {"enterprise": ENTERPRISE, "site": "plant-1", "subject": subject}
    return tuple(sorted((found | ({"register": register} if register else {})).items()))


def stored(plant: Plant) -> dict[str, Series]:
    """What has to be in the store, from the facts and the day rows."""
    wanted: dict[str, Series] = {name: {} for name in (*FACTS, *DAYS)}
    with plant.database.read() as connection:
        for row in connection.execute(select(reading)):
            key = labels(row.register.partition("/")[0], row.register)
            wanted["reading_raw"].setdefault(key, {})[row.at] = row.raw
        for row in connection.execute(
            select(states, named.c.name).join(named, named.c.id == states.c.subject)
        ):
            for offset, known in unpacked(row.runs):
                codes = wanted["state_code"].setdefault(labels(row.name), {})
                codes[row.start + offset] = known.code
        for row in connection.execute(select(day)):
            spent = painting.ms_per_state(painting.stored(row.start, row.end, row.spans))
            for state in ("PRODUCING", "UNKNOWN"):
                name = f"day_{state.lower()}_ms"
                wanted[name].setdefault(labels(row.subject), {})[row.start] = spent.get(state, 0)
        for row in connection.execute(select(register_day)):
            start, end = bounds(row.day, "Asia/Shanghai")
            (found,) = quantities.in_parts(connection, ENTERPRISE, row.register, (start, end))
            if found.millionths is not None:
                key = labels(row.register.partition("/")[0], row.register)
                wanted["day_millionths"].setdefault(key, {})[start] = found.millionths
    return wanted


def told(store: Victoria, facts_only: bool = False) -> dict[str, Series]:
    """What the store answers to the questions of docs/collector.md: facts at their times, days at their midnights."""
    found = {name: store.series(name) for name in FACTS}
    return found if facts_only else found | {name: store.newest(name, MIDNIGHT, 3) for name in DAYS}


@pytest.mark.usefixtures("each_database")
def test_series_equal_the_stored_facts_and_a_wiped_store_is_rebuilt_to_the_same(
    plant: Plant, victoria: Victoria
) -> None:
    writing.rebuild(plant.database, settings(victoria))
    wanted = stored(plant)
    assert all(wanted.values())
    assert len(wanted["reading_raw"][labels("DB-0101", MAIN)]) == 158
    assert told(victoria) == wanted
    victoria.wipe()
    assert not any(told(victoria).values())
    writing.rebuild(plant.database, settings(victoria))
    assert told(victoria) == wanted
    writing.rebuild(plant.database, settings(victoria))
    assert told(victoria) == wanted, "repetition is harmless"


def test_an_ended_day_is_written_again_once_the_first_reading_after_midnight_tells_its_end(
    plant: Plant,
) -> None:
    def written(after: int) -> tuple[int, list[str]]:
        batch = DAY.next(plant.database, after)
        return batch.until, [line for line in batch.lines if "register=DB-0101" in line]

    at, first = written(0)
    assert [line.split()[1] for line in first] == ["millionths=2200000000i"]
    later = MIDNIGHT + timedelta(days=1, minutes=10)
    plant.now = later + MINUTE
    plant.send(ONLINE, [Reading("reading", MAIN, later, 5_110_300)])
    plant.settle()
    _, again = written(at)
    wanted = stored(plant)["day_millionths"][labels("DB-0101", MAIN)]
    assert len(wanted) == 2
    assert [line.split()[1] for line in again] == [f"millionths={amount}i" for amount in wanted.values()]
    for line, start in zip(again, wanted, strict=True):
        assert start < int(line.split()[2]) < start + 22 * 3_600_000, (
            "within its day, behind what stands there"
        )
    assert int(again[0].split()[2]) > int(first[0].split()[2])


def test_a_killed_store_misses_nothing_once_it_is_back_and_ingest_is_undisturbed(
    plant: Plant, victoria: Victoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store loses what it took within its last seconds, old facts among them that it was just catching up on."""
    monkeypatch.setattr(writing, "PAUSE_S", 0.05)
    monkeypatch.setattr(writing, "RETRY_S", 0.1)
    victoria.wipe()
    start = plant.now
    clock = seeding.TestClock(start)

    def ingest(number: int) -> float:
        plant.now = clock.now = start + number * timedelta(seconds=1)
        begun = monotonic()
        plant.send(ONLINE, [Reading("reading", MAIN, plant.now, 5_040_400 + number)])
        return monotonic() - begun

    async def kills() -> None:
        task = asyncio.create_task(project(plant.database, settings(victoria), clock))
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
        deadline = monotonic() + 60
        wanted = {name: series for name, series in stored(plant).items() if name in FACTS}
        while await asyncio.to_thread(told, victoria, facts_only=True) != wanted:
            assert monotonic() < deadline, "something is missing"
            await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(kills())
    assert len(victoria.series("reading_raw")[labels("DB-0101", MAIN)]) == 158 + 40
    assert labels("SB-W-01", EXCHANGED) in victoria.series("reading_raw")


def test_a_store_that_hangs_does_not_hold_the_end_of_the_process(plant: Plant, tmp_path: Path) -> None:
    with Victoria(tmp_path) as store:
        store.freeze()
        begun: list[float] = []
        write = writing._Store.write

        def noted(of: writing._Store, batch: list[str]) -> None:
            begun.append(monotonic())
            write(of, batch)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(writing._Store, "write", noted)
            asyncio.run(until(lambda: len(begun) == 3, plant.database, settings(store)))
        assert monotonic() - begun[-1] < 5.0


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("文件太大".encode("gb18030"), "HTTP: "),  # a proxy's page: no UTF-8
        (b"[]", "HTTP 413: "),
        (b'{"message": 5}', "HTTP 413: "),
        (b"", "HTTP 413: "),
    ],
)
def test_an_answer_that_is_no_sentence_is_told_and_ends_nothing(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, answer: bytes, told: str
) -> None:
    monkeypatch.setattr(writing, "RETRY_S", 0.05)
    monkeypatch.setattr(writing, "PAUSE_S", 0.05)
    with Sink(lambda _: (413, answer)) as sink:
        store = ProjectionSettings(url=sink.url)
        asyncio.run(until(lambda: len(sink.requests) > 2 and failing(plant) != [], plant.database, store))
    found = failing(plant)
    assert all(item.problem.startswith(told) for item in found), found


def test_what_the_store_refuses_of_one_measurement_is_told_in_its_words_and_holds_up_no_other(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another program wrote a field of ours with another type: what stands behind it in the same requests is gone."""
    monkeypatch.setattr(writing, "RETRY_S", 0.05)
    monkeypatch.setattr(writing, "PAUSE_S", 0.05)
    refused = (
        'failure writing points to database: partial write: field type conflict: input field "raw" on measurement'
        ' "reading" is type integer, already exists as type float dropped=3'
    )
    tried: list[tuple[float, bytes]] = []

    def refuse(body: bytes) -> tuple[int, str] | None:
        if b"reading," not in body:
            return None
        tried.append((monotonic(), body))
        return 422, refused

    with Sink(refuse) as sink:
        store = ProjectionSettings(url=sink.url)

        def kinds() -> list[set[bytes]]:
            """The measurements of each request."""
            return [{line.partition(b",")[0] for line in body.splitlines()} for body, _ in sink.requests]

        others = [{b"state"}, {b"day"}]
        asyncio.run(
            until(
                lambda: len(tried) > 4 and failing(plant) != [] and all(kind in kinds() for kind in others),
                plant.database,
                store,
            )
        )
        assert all(len(kind) == 1 for kind in kinds()), "nothing shares a request with what is refused"
        waited = [later - earlier for (earlier, _), (later, _) in pairwise(tried)]
        assert all(s >= 0.05 * 2**n for n, s in enumerate(waited)), "again, and later each time"
        assert len({body for _, body in tried}) == 1, "the same batch: it does not grow"
        (item,) = failing(plant)
        assert (item.measurement, item.problem) == ("reading", f"HTTP 422: {refused}")
        told, page = seen(plant)
        assert not told["ok"]
        assert told["projection"]["waits"]["reading"]["problem"].endswith("dropped=3")
        assert "already exists as type float dropped=3" in html.unescape(page)
        warned = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
        assert warned == [f"projection of reading waits: HTTP 422: {refused}"], "once, whole"
        sink.refuse = lambda _body: None

        def taken() -> int:
            bodies = b"\n".join(body for body, status in sink.requests if status == 204)
            return sum(line.startswith(b"reading,") for line in set(bodies.splitlines()))

        asyncio.run(
            until(lambda: taken() >= readings_stored(plant) and failing(plant) == [], plant.database, store)
        )
        assert taken() == readings_stored(plant)


def test_a_recomputed_day_is_what_the_documented_question_gives_however_its_number_changed(
    plant: Plant, victoria: Victoria
) -> None:
    """VictoriaMetrics keeps the bigger of two values of one time: a day that was corrected downwards stayed wrong."""
    victoria.wipe()
    with plant.database.read() as connection:
        subject = connection.execute(select(func.min(day.c.subject))).scalar_one()
    for producing in (5_000_000, 9_000_000, 7_000_000, 1_000_000, 3_000_000):
        with plant.database.write() as connection:
            newest = connection.execute(select(func.max(day.c.computed_at))).scalar_one()
            connection.execute(
                update(day)
                .where(day.c.subject == subject)
                .values(
                    spans=packed([(0, State.PRODUCING), (producing, State.IDLE)]), computed_at=newest + 500
                )
            )
        writing.rebuild(plant.database, settings(victoria))
        found = victoria.newest("day_producing_ms", MIDNIGHT, 1)[labels(subject)]
        assert found == {to_ms(MIDNIGHT): producing}


def test_a_name_that_no_store_reads_as_it_is_is_named_and_the_others_go_through(
    plant: Plant, victoria: Victoria, written: set[str]
) -> None:
    """A backslash at the end of a tag takes the next one along; a doubled one is one at VictoriaMetrics."""
    victoria.wipe()
    names = ("D:\\", "a\\\\b", "a\\b=c", "x=y", "\\z")
    for name in names:
        plant.send(ONLINE, [Reading("reading", f"{name}/energy_import#1f3a9c02", plant.now, 17)])
    item = MeterItem("D:\\", "Meter", "electricity", "consumer", None, None)
    plant.send(ONLINE, [seeding.inventory(plant.now, [], [item], [])])
    writing.rebuild(plant.database, settings(victoria))
    found = {dict(key)["subject"] for key in victoria.series("reading_raw")}
    assert {"a\\b=c", "x=y", "\\z"} <= found
    assert not [name for name in found if name.startswith(("D:", "a\\\\"))]
    written.clear()
    asyncio.run(until(lambda: len(written) == 3, plant.database, settings(victoria)))
    told, page = seen(plant)
    assert told["projection"] == {"waits": {}, "left_out": ["D:\\"]}
    assert "names as they are: D:\\" in page


def test_the_cursors_that_are_kept_trail_what_is_written_and_a_start_goes_back_ten_minutes(
    plant: Plant, victoria: Victoria, written: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def begins() -> list[int]:
        with plant.database.read() as connection:
            return [one.begin(connection, one.name) for one in writing.MEASUREMENTS]

    monkeypatch.setattr(writing, "PAUSE_S", 0.05)
    asyncio.run(until(lambda: len(written) == 3, plant.database, settings(victoria)))
    assert begins() == [0, 0, 0], "nothing is sure yet"
    monkeypatch.setattr(writing, "SETTLED_S", 0.0)
    written.clear()
    asyncio.run(until(lambda: len(written) == 3, plant.database, settings(victoria)))
    with plant.database.read() as connection:
        old = connection.execute(
            select(func.max(frame.c.id)).where(frame.c.committed_at < to_ms(plant.now - 10 * MINUTE))
        ).scalar_one()
    assert begins() == [old, old, to_ms(plant.now) - 600_000]


async def project(database: Database, to: ProjectionSettings, clock: Clock) -> None:
    """All measurements, for ever."""
    await asyncio.gather(*(work(lambda: None) for work in writing.works(database, to, clock).values()))


async def until(condition: Callable[[], bool], database: Database, to: ProjectionSettings) -> None:
    """The projection until it has come so far."""
    task = asyncio.create_task(project(database, to, seeding.TestClock()))
    while not task.done() and not condition():
        await asyncio.sleep(0.02)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


def failing(plant: Plant) -> Sequence[projected.Failing]:
    with plant.database.read() as connection:
        return projected.failing(connection)


def seen(plant: Plant) -> tuple[dict[str, Any], str]:
    """What `/health` and the page say."""
    clock = seeding.TestClock(plant.now)
    collector = Collector(BrokerSettings(), plant.database, clock, random.Random(1))
    collector.problem = ""
    with Served(answered(plant.database, clock, collector, Supervisor(clock))) as served:
        told = httpx.get(f"{served.url}/health", timeout=10).json()
    with Served(create_app(plant.database, clock)) as served:
        return told, httpx.get(f"{served.url}/?lang=en", timeout=10).text


def readings_stored(plant: Plant) -> int:
    with plant.database.read() as connection:
        return connection.execute(select(func.count()).select_from(reading)).scalar_one()


def test_names_with_blanks_commas_and_equal_signs_stay_whole() -> None:
    escaped = lines._tags("E", "a b,c=d", "x\\y", None)
    assert escaped == "enterprise=E,site=a\\ b\\,c\\=d,subject=x\\y"


def test_a_day_worked_out_later_stands_later_within_the_same_day_for_twenty_years() -> None:
    day_ms = 86_400_000
    ages = [
        0,
        1000,
        60_000,
        day_ms,
        day_ms + 500,
        30 * day_ms,
        366 * day_ms,
        366 * day_ms + 5_000,
        7300 * day_ms,
    ]
    stamps = [lines.stamp(0, age) for age in ages]
    assert stamps == sorted(set(stamps))
    assert stamps[0] > 0
    assert lines.stamp(0, 99_999 * day_ms) < 22 * 3_600_000 + 2
    assert lines.stamp(0, -5) == 1


def test_a_batch_goes_in_requests_that_a_proxy_takes() -> None:
    batch = [f"day,subject=SB-{n} millionths={10**12}i {n}" for n in range(40_000)]
    found = list(writing.bodies(batch))
    assert len(found) > 2
    assert all(len(body) <= 512 * 1024 for body in found)
    assert b"".join(found).decode().splitlines() == batch
    assert list(writing.bodies([])) == []
