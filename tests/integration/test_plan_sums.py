"""What the lists of the plan come to at the ends of months: what is stored is what is worked out, whatever is imported,
seen or closed meanwhile, and however the days turn."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from ganpo_cloud import computing
from ganpo_cloud.days import alarms, periods
from ganpo_cloud.imports import registry
from ganpo_cloud.province import banned, capacity_use, front_runners, plan, plan_sums, tagged, totals, trees
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.plan_sums import COUNTED, Place
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store.counted_tables import ALL, area_plan
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, waiting
from ganpo_model import credit_code
from ganpo_model.facts import States
from ganpo_model.states import State
from support import databases
from support.province import NOW, PROVINCE, Plant, inventory

pytestmark = pytest.mark.usefixtures("each_database")
CODES = [credit_code.completed(f"91360681DEM{n:05d}") for n in range(6)]
HOME, GATEWAY = "360681", "gw-test-0001"
TODAY = NOW.date()
MONTHS = periods.months(TODAY, 13)[:-1]
LISTS: dict[str, list[str]] = {
    "enterprises": [f"{code},Firm,,{HOME},NONFERROUS,3211,yes,2018-01-01" for code in CODES],
    "sites": [f"{code},plant-1,Plant,{HOME},Asia/Shanghai" for code in CODES],
    "equipment": [f"{CODES[0]},plant-1,SB-1,Furnace,in_use,2018-01-01"],
    "nodes": [f"{code},plant-1,F-1,,factory,Works,2019-01-01," for code in CODES],
    "accreditations": [f"{CODES[0]},F-1,factory,city,Doc,Li,2025-03-01,2026-05-31"],
    "tags": [
        f"green_factory,{CODES[0]},,,2020-01-01,,Doc,Li",
        f"green_factory,{CODES[1]},,,2026-02-01,,Doc,Li",
    ],
    "cloud_moves": [f"{CODES[0]},data_centre,yes,Doc,Li,2025-08-01"],
    "products": ["copper_rod,铜杆,Copper rod,t,NONFERROUS"],
    "carriers": [f"{code},{year},electricity" for code in CODES for year in (2025, 2026)],
    "statements": [
        f"{code},{month},electricity,{1000 * (n + 1)},kWh,Doc,Li,whole"
        for n, code in enumerate(CODES)
        for month in MONTHS
    ],
    "outputs": [f"{code},{month},copper_rod,10,t,,Doc,Li" for code in CODES for month in MONTHS],
    "capacities": [f"{code},copper_rod,2026,150,Doc,Li" for code in CODES],
    "banned": [f"{CODES[0]},SB-1,forbidden,2026-11-01,Doc,,,Li"],
}


def fill(database: Database) -> None:
    plant = Plant(database)
    for kind, rows in LISTS.items():
        plant.take(kind, *rows)
    registry.add(database, GATEWAY, CODES[0], "plant-1")
    plant.send(GATEWAY, [inventory("SB-1", at=NOW - timedelta(days=5))], NOW - timedelta(days=5))
    plant.settle()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill), {GATEWAY: 1})
    yield plant
    plant.database.close()


def told(plant: Plant, part: object, day: date = TODAY) -> dict[str, int | None]:
    """Where the numbers of a module stand in the county."""
    with plant.database.read() as connection:
        of = next(of for of in plan_sums.COUNTED if of is part)
        at = Place(connection, PROVINCE, HOME, ALL).at(of, day)
        return {standing.id: standing.number for standing in of.standings(at)}  # type: ignore[attr-defined]


def stored_is_worked_out(plant: Plant, today: date = TODAY, province: Province = PROVINCE) -> int:
    """Of every month and module what is stored at every place, beside what is worked out. Gives how many numbers."""
    numbers = 0
    with plant.database.read() as connection:
        for month in periods.months(today, periods.MONTHS):
            end = min(periods.span(month)[1], today)
            for part in COUNTED:
                if part.OF_MONTHS and end == today:
                    continue
                names = area_plan.c.name.in_(part.NOTHING)
                query = select(area_plan).where(area_plan.c.month == month, names)
                stored = {(row.area, row.industry, row.name): row.number for row in connection.execute(query)}
                counted = part.counted(connection, province, Filter(province.whole, None, end))
                assert stored == {
                    (*key, name): number
                    for key, row in counted.items()
                    for name, number in row.items()
                    if number
                }, (part, month)
                numbers += len(stored)
    return numbers


def waits(plant: Plant) -> list[str]:
    """The months that are to be worked out again."""
    with plant.database.read() as connection:
        return [periods.month_of(one.day) for one in connection.execute(waiting(Kind.PLAN))]


def test_what_is_stored_is_what_is_worked_out_after_everything_that_changes_it(plant: Plant) -> None:
    assert stored_is_worked_out(plant) > 900
    assert told(plant, tagged)["green_factory"] == 2
    assert told(plant, tagged, date(2026, 1, 31))["green_factory"] == 1
    assert told(plant, trees, date(2026, 5, 31))["nodes_factory"] == 1
    assert told(plant, trees)["nodes_factory"] == 0
    assert told(plant, front_runners) == told(plant, front_runners, date(2026, 10, 31))
    assert told(plant, front_runners)["energy_ranked"] == 6
    assert told(plant, capacity_use) == {"capacity_use": 6 * 10 * 10 * 10**6, "capacity_enterprises": 6}

    months = periods.months(TODAY, periods.MONTHS)
    for kind, row, first in (
        ("cloud_moves", f"{CODES[0]},data_centre,no,Doc,Li,2026-09-01", "2026-09"),
        ("outputs", f"{CODES[0]},2026-08,copper_rod,99,t,,Doc,Li", "2026-08"),
        ("accreditations", f"{CODES[2]},F-1,factory,national,Doc,Li,2026-07-01,", "2026-07"),
        ("nodes", f"{CODES[3]},plant-1,C-1,F-1,workshop,Shop,2026-03-01,", "2026-03"),
        ("tags", f"green_factory,{CODES[1]},,,2026-02-01,2026-06-30,Doc,Li", "2026-02"),
        ("capacities", f"{CODES[5]},copper_rod,2026,99,Doc,Li", "2026-01"),
        ("sites", f"{CODES[4]},plant-1,Plant,360602,Asia/Shanghai", months[0]),
    ):
        plant.take(kind, row)
        assert waits(plant) == months[months.index(first) :], kind
    plant.settle()
    assert not waits(plant)
    stored_is_worked_out(plant)
    plant.take("tags", f"green_factory,{CODES[1]},,,2026-02-01,2026-06-30,Doc,Li")
    assert not waits(plant), "what says nothing new changes nothing"
    assert told(plant, tagged)["green_factory"] == 1
    assert told(plant, trees)["nodes_factory"] == 1

    start = NOW - timedelta(hours=2)
    runs = States("states", "SB-1", start, start + timedelta(minutes=15), ((0, State.PRODUCING),))
    plant.send(GATEWAY, [runs])
    plant.settle()
    assert told(plant, banned) == {"banned": 1, "banned_ran": 1, "banned_alarms": 1}
    alarms.close(plant.database, 1, "sealed", "Li", NOW)
    assert waits(plant) == [periods.month_of(TODAY)]
    plant.settle()
    assert told(plant, banned) == {"banned": 1, "banned_ran": 1, "banned_alarms": 0}


def test_a_day_in_a_month_and_a_month_that_is_not_stored_are_worked_out(plant: Plant) -> None:
    before = [
        told(plant, part, day) for part in COUNTED for day in (TODAY, date(2026, 3, 31), date(2026, 3, 9))
    ]
    with plant.database.write() as connection:
        connection.execute(delete(area_plan))
    assert before == [
        told(plant, part, day) for part in COUNTED for day in (TODAY, date(2026, 3, 31), date(2026, 3, 9))
    ]
    plan_sums.turn_day(plant.database, PROVINCE, NOW)
    assert waits(plant) == periods.months(TODAY, periods.MONTHS)
    plant.settle()
    assert stored_is_worked_out(plant) > 900


def test_a_month_counts_as_over_once_the_next_has_begun(plant: Plant) -> None:
    last, next_day = datetime(2026, 11, 30, 4, tzinfo=UTC), datetime(2026, 12, 1, 4, tzinfo=UTC)
    for code in CODES:
        plant.take("statements", f"{code},2026-11,electricity,1000,kWh,Doc,Li,whole")
        plant.take("outputs", f"{code},2026-11,copper_rod,20,t,,Doc,Li")
    for now, made in ((last, 600), (next_day, 720)):
        totals.turn_day(plant.database, now)
        plant.settle(now)
        stored_is_worked_out(plant, now.date())
        assert told(plant, capacity_use, now.date())["capacity_use"] == made * 10**6
    oldest = periods.months(next_day.date(), periods.MONTHS)[0]
    plan_sums.turn_day(plant.database, PROVINCE, next_day)
    with plant.database.read() as connection:
        assert min(connection.execute(select(area_plan.c.month)).scalars()) == oldest


def test_since_when_a_number_of_the_plan_is_reached_is_told_of_every_month(plant: Plant) -> None:
    plant.take("targets", "green_factory,360000,,>=,2,2025-12-31,,,Doc,Li")
    plant.take("targets", "nodes_factory,360000,,>=,1,2025-12-31,,,Doc,Li")
    plant.settle()
    with plant.database.read() as connection:
        judged = Indicators(snapshot(connection, PROVINCE, None, NOW))
        place = Place(connection, PROVINCE, PROVINCE.whole, ALL)
        found = {
            of.item.definition.id: of.item.passed
            for part in (tagged, trees)
            for of in plan.numbers_of(part, judged, place)
        }
    one, other = found["green_factory"], found["nodes_factory"]
    assert one is not None
    assert (one.checked, one.since, one.ever) == (1, "2026-02", False)
    assert other is not None
    assert (other.checked, other.since, other.ever) == (1, "2026-06", False)


def test_of_two_who_work_it_out_at_once_the_one_who_read_first_writes_nothing(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.take("tags", f"green_factory,{CODES[2]},,,2026-11-01,,Doc,Li")
    other = trees.counted

    def slow(*of: object) -> object:
        monkeypatch.setattr(trees, "counted", other)
        plant.take("tags", f"green_factory,{CODES[3]},,,2026-11-01,,Doc,Li")
        plan_sums.recompute(plant.database, PROVINCE, NOW)
        return other(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(trees, "counted", slow)
    assert plan_sums.recompute(plant.database, PROVINCE, NOW) == 1
    assert told(plant, tagged)["green_factory"] == 4


@pytest.mark.slow
def test_other_files_of_the_province_have_everything_added_up_again(plant: Plant, tmp_path: Path) -> None:
    totals.follow_files(plant.database, PROVINCE, NOW)
    assert not waits(plant)
    moved = [
        replace(row, parent="360700") if row.id == HOME else row for row in chain(*PROVINCE.areas.values())
    ]
    other = Province(moved, PROVINCE.industries.values(), PROVINCE.coefficients.rows, PROVINCE.holidays)
    totals.follow_files(plant.database, other, NOW)
    computing.settle(plant.database, other, NOW)
    assert stored_is_worked_out(plant, province=other) > 900
    totals.follow_files(plant.database, other, NOW)
    with plant.database.read() as connection:
        assert not connection.execute(waiting(Kind.SUMS)).all()
