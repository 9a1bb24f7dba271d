"""What is banned and runs raises an alarm: from lists and frames to evidence, alarms and their closing, over both kinds
of database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from ganpo_cloud.cli.main import main
from ganpo_cloud.days import alarms, days
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.province import banned
from ganpo_cloud.province.plan_sums import Place
from ganpo_cloud.store.counted_tables import ALL, evidence
from ganpo_cloud.store.marks import Kind
from ganpo_cloud.store.tables import alarm, dirty
from ganpo_cloud.web.application import create_app
from ganpo_model.errors import ConfigError
from ganpo_model.facts import (
    CalendarItem,
    Fact,
    Inventory,
    MeterItem,
    Reading,
    RegisterItem,
    SiteItem,
    States,
)
from ganpo_model.frame import pack
from ganpo_model.states import State
from support import databases, recounting
from support.plants import TestClock
from support.province import CODES, PROVINCE, STREAM, Plant, enterprise, inventory
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE, GATEWAY = CODES[0], "gw-test-0001"
REGISTER = "DB-1/energy_import#00000001"
NOON = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
MINUTE, SLOT = timedelta(minutes=1), timedelta(minutes=15)
BANNED = f"{CODE},SB-1,forbidden,2026-11-27,赣工信字〔2018〕17号,DB-1,12,Wang"
OFF, SETUP, RUNS = State.OFF, State.SETUP, State.PRODUCING


def steel(database: Any) -> None:
    """A steel works with a furnace behind a meter, and what its gateway tells of both."""
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE))
    plant.take("sites", f"{CODE},plant-1,Plant,360681,Asia/Shanghai")
    plant.take("equipment", f"{CODE},plant-1,SB-1,Furnace,in_use,2018-01-01")
    registry.add(plant.database, GATEWAY, CODE, "plant-1")
    at = NOON - timedelta(days=20)
    told = inventory("SB-1", "SB-2", flags=("main",), at=at)
    meter = MeterItem("DB-1", "Meter", "electricity", "boundary_in", None, None)
    counts = RegisterItem(REGISTER, "DB-1", "energy_import", "electricity", "kWh", 1, 10, None, 60_000, False)
    site, calendar = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000), CalendarItem((), ())
    plant.send(GATEWAY, [Inventory("inventory", at, site, calendar, told.equipment, (meter,), (counts,))], at)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, steel), {GATEWAY: 1})
    yield plant
    plant.database.close()


@pytest.fixture
def clock() -> TestClock:
    return TestClock(wall=NOON + 2 * SLOT)


@pytest.fixture
def http(plant: Plant, clock: TestClock) -> Iterator[httpx.Client]:
    app = create_app(plant.database, clock)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


def slot(start: datetime, *runs: tuple[float, State]) -> Fact:
    return States(
        "states", "SB-1", start, start + SLOT, tuple((round(at * 60_000), state) for at, state in runs)
    )


def read(at: datetime, raw: int) -> Fact:
    return Reading("reading", REGISTER, at, raw)


def rows(plant: Plant, table: Any) -> list[Any]:
    with plant.database.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


def ran(plant: Plant) -> list[tuple[str, int, int, int | None]]:
    return [(row.register, row.at, row.until, row.counts) for row in rows(plant, evidence)]


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def test_running_raises_one_alarm_until_it_is_closed_and_running_after_that_the_next(
    plant: Plant, http: httpx.Client, clock: TestClock
) -> None:
    facts: list[Fact] = []

    def send(now: datetime, *new: Fact) -> None:
        facts.extend(new)
        plant.send(GATEWAY, list(new), now)

    plant.take("banned", BANNED)
    send(NOON - timedelta(hours=14), slot(NOON - timedelta(hours=14.25), (0, RUNS)))  # the day before
    send(NOON + SLOT, slot(NOON, (0, OFF), (5, SETUP), (7, RUNS)))
    (one,) = rows(plant, alarm)
    assert (one.opened_at, one.raised_at) == (ms(NOON + 5 * MINUTE), ms(NOON + SLOT))
    send(NOON + 2 * SLOT, slot(NOON + SLOT, (0, RUNS), (10, OFF)))
    send(NOON + 2 * SLOT, *(read(NOON + n * SLOT, 1000 + 900 * n) for n in range(3)))
    assert sorted(ran(plant)) == sorted(recounting.ran_though_banned([BANNED], facts, {REGISTER: 120}))
    assert sorted(ran(plant)) == [
        ("", ms(NOON + 5 * MINUTE), ms(NOON + 25 * MINUTE), None),
        (REGISTER, ms(NOON), ms(NOON + 2 * SLOT), 1800),
    ]
    assert len(rows(plant, alarm)) == 1, "later evidence is appended"

    plant.settle(clock.wall)
    (row,) = http.get("/api/v1/banned").json()
    assert (row["seen"], row["alarm"], row["closed_at"], row["stretches"]) == ("runs", 1, None, 2)
    (by_states, by_meter) = sorted(
        http.get(f"/api/v1/banned/{CODE}/SB-1").json(), key=lambda e: e["shown_by"] != "states"
    )
    assert by_states["frame"] == f"{GATEWAY}/{STREAM}/3"
    assert (by_meter["millionths"], by_meter["mean"], by_meter["alarm"]) == (180 * 10**6, 360 * 10**6, 1)
    (used,) = http.get("/api/v1/banned/energy").json()
    assert (used["month"], used["millionths"], used["total"]) == ("2026-11", 180 * 10**6, 180 * 10**6)
    page = http.get("/overview", params={"lang": "en"}).text
    asked = page[page.index("To ask about") :]
    assert asked.index("run though banned") < asked.index("</ul>")
    for path in ("/banned", f"/enterprises/{CODE}", f"/enterprises/{CODE}/SB-1"):
        assert "ganpo-cloud alarm close 1" in http.get(path).text
    assert "100.0%" in http.get("/energy", params={"lang": "en"}).text
    assert http.get("/api/v1/banned", params={"format": "csv"}).text.count("\n") == 2
    assert http.get("/api/v1/banned", params={"alarm": "closed"}).json() == []
    assert http.get("/api/v1/banned", params={"as_of": "2026-11-26"}).json() == []
    assert http.get("/api/v1/banned", params={"area": "360100"}).json() == []

    closed_at = NOON + 3 * SLOT
    alarms.close(plant.database, 1, "sealed", "Li", closed_at)
    send(closed_at + SLOT, slot(NOON + 2 * SLOT, (0, OFF)), slot(closed_at, (0, OFF)))
    assert len(rows(plant, alarm)) == 1
    (row,) = http.get("/api/v1/banned").json()
    assert (row["closed_by"], row["why"]) == ("Li", "sealed")
    send(closed_at + 2 * SLOT, slot(closed_at + SLOT, (0, OFF), (3, RUNS)))
    _, two = rows(plant, alarm)
    assert two.opened_at == ms(closed_at + SLOT + 3 * MINUTE)
    clock.wall = closed_at + 2 * SLOT
    newest, *_, oldest = http.get(f"/api/v1/banned/{CODE}/SB-1").json()
    assert (newest["alarm"], oldest["alarm"]) == (2, 1)


def test_it_leaves_every_count_from_its_day_on_and_why_says_by_which_document(
    plant: Plant, http: httpx.Client
) -> None:
    def overview(day: str) -> Any:
        told = http.get("/api/v1/overview", params={"as_of": day}).json()
        return next(item for item in told if item["id"] == "equip_network_rate")["checked"]["denominator"]

    plant.take("banned", BANNED.replace("27,赣", "10,赣"))
    plant.settle(NOON)
    assert (overview("2026-11-09"), overview("2026-11-10")) == (2, 1)
    why = [item for item in http.get(f"/api/v1/why/{CODE}/SB-1").json() if item["code"] == "forbidden"]
    assert "赣工信字〔2018〕17号" in why[0]["what"]
    with plant.database.read() as connection:
        day = NOON.date()
        found = [
            s.number for s in banned.standings(Place(connection, PROVINCE, "360600", ALL).at(banned, day))
        ]
        assert found == [1, 0, 0]
        assert [
            s.number for s in banned.standings(Place(connection, PROVINCE, "360100", ALL).at(banned, day))
        ] == [0, 0, 0]


def test_its_days_are_worked_out_ahead_of_a_backlog(plant: Plant) -> None:
    plant.take("banned", BANNED)
    plant.settle(NOON)
    facts = [slot(NOON, (0, RUNS))]
    others = [
        States("states", "SB-2", NOON - n * SLOT, NOON - (n - 1) * SLOT, ((0, RUNS),)) for n in range(300)
    ]
    assert ingest(
        plant.database, [(GATEWAY, pack(STREAM, 2, others)), (GATEWAY, pack(STREAM, 3, facts))], NOON + SLOT
    )
    assert days.of_banned(plant.database, NOON + SLOT) == 1
    assert len(rows(plant, alarm)) == 1
    left = [row.key for row in rows(plant, dirty) if row.kind == Kind.DAY]
    assert left
    assert not any(key.endswith("/SB-1") for key in left)
    assert days.of_banned(plant.database, NOON + SLOT) == 0


def test_a_corrected_list_and_what_was_kept_back(plant: Plant) -> None:
    entered = [NOON - timedelta(days=1), NOON + SLOT, NOON + 2 * SLOT]
    plant.take("banned", BANNED, now=entered[0])
    plant.send(GATEWAY, [slot(NOON, (0, RUNS))], NOON + SLOT)
    plant.take("banned", BANNED.replace("2026-11-27", "2026-11-28"), now=entered[1])
    plant.settle(NOON + SLOT)
    assert ran(plant) == [], "entered last: it counts"
    assert len(rows(plant, alarm)) == 1, "it stays for a person"
    plant.take("banned", BANNED.replace("2026-11-27", "2026-11-20"), now=entered[2])
    plant.settle(NOON + SLOT)
    assert len(ran(plant)) == 1
    alarms.close(plant.database, 1, "checked on the spot", "Li", NOON + 4 * SLOT)
    plant.send(GATEWAY, [slot(NOON + SLOT, (0, RUNS))], NOON + 4 * SLOT + MINUTE)
    assert len(rows(plant, alarm)) == 1, "it was on its way while somebody closed it"
    plant.send(GATEWAY, [slot(NOON + 2 * SLOT, (0, OFF), (1, RUNS), (2, OFF))], NOON + 8 * SLOT)
    assert len(rows(plant, alarm)) == 2, "kept back: nobody knew of it"


def test_a_closing_says_why_and_by_whom_once(plant: Plant) -> None:
    plant.take("banned", BANNED)
    plant.send(GATEWAY, [slot(NOON, (0, RUNS))], NOON + SLOT)
    wrong = [
        (9, "x", "Li", "no such"),
        (1, " ", "Li", "is empty"),
        (1, "x", "", "empty"),
        (1, "x\n", "Li", "line"),
    ]
    for number, why, by, what in [*wrong, (1, "y", "Li", "closed already, by Wang")]:
        if "already" in what:
            alarms.close(plant.database, 1, "x", "Wang", NOON + SLOT)
        with pytest.raises(ConfigError, match=what):
            alarms.close(plant.database, number, why, by, NOON + SLOT)
    for command, told in (
        (
            ["alarm", "close", "--by", "Li", "--why", "w"],
            "no number of an alarm, as ganpo-cloud alarm list tells it",
        ),
        (["declare", "--withdraw"], "no number of a declaration, as ganpo-cloud declare told it"),
    ):
        for text in ("x", "0", "1.5", "9" * 30, "١"):
            done = CliRunner().invoke(main, [*command, text])
            assert done.exit_code == 2, done.output
            assert f"{text}: {told}" in done.output
