"""Planned time through the whole way: what a gateway tells, what the registry corrects, holidays, downtime, and clocks
that change; corrected, it holds for the past."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.days import ended, production
from ganpo_cloud.imports import registry
from ganpo_cloud.imports.importing import preview
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem, SiteItem, States
from ganpo_model.states import State
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE, OTHER = CODES[:2]
HOUR = 3_600_000
WEEK = (
    ShiftItem("early", "mon-fri", "06:00", "14:00", ("10:00-10:30",)),
    ShiftItem("night", "mon-thu", "22:00", "06:00", ("02:00-02:30",)),
)
FESTIVAL = ExceptionItem(date(2026, 11, 16), date(2026, 11, 17), "off", "厂庆")
MAKE_UP = ExceptionItem(date(2026, 11, 21), date(2026, 11, 21), "like mon", "调休")
NIGHTS = (ShiftItem("night", "mon-sun", "22:00", "06:00", ()),)


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE), enterprise(OTHER))
    plant.take(
        "sites", f"{CODE},plant-1,P,360681,Asia/Shanghai", f"{OTHER},plant-1,P,360681,America/New_York"
    )
    begin = datetime.fromisoformat("2026-09-01T00:00:00+08:00")
    for n, (code, zone, shifts, exceptions) in enumerate(
        ((CODE, "Asia/Shanghai", WEEK, (FESTIVAL, MAKE_UP)), (OTHER, "America/New_York", NIGHTS, ()))
    ):
        registry.add(plant.database, f"gw-test-000{n}", code, "plant-1")
        told = inventory("SB-1", at=begin)
        told = replace(
            told,
            site=SiteItem("plant-1", "P", zone, 900_000),
            calendar=CalendarItem(shifts, exceptions),
        )
        plant.send(f"gw-test-000{n}", [told])
    ended.mark_ended(plant.database, NOW)
    plant.settle()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill), {"gw-test-0000": 1, "gw-test-0001": 1})
    yield plant
    plant.database.close()


def planned(plant: Plant, day: str, code: str = CODE) -> float:
    """Hours of the stored production day, and the same of the API."""
    with plant.database.read() as connection:
        (row,) = production.rows(connection, code, "SB-1", date.fromisoformat(day), date.fromisoformat(day))
    return float(row.planned_ms / HOUR)


def told(plant: Plant, day: str) -> Any:
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        return http.get(f"/subjects/{CODE}/SB-1/day", params={"date": day}).json()["planned"]


TABLE = {
    "2026-11-02": 15.0,  # Monday: early, and the night until Tuesday
    "2026-11-03": 15.0,
    "2026-11-05": 15.0,  # Thursday: the last night of the week
    "2026-11-06": 7.5,  # Friday: no night
    "2026-11-07": 0.0,
    "2026-11-08": 0.0,
    "2026-11-15": 0.0,
    "2026-11-16": 0.0,  # the plant's own day off, a Monday
    "2026-11-17": 0.0,
    "2026-11-18": 15.0,
    "2026-11-21": 15.0,  # a Saturday worked like a Monday
    "2026-11-22": 0.0,
    "2026-09-20": 15.0,  # a Sunday that the province works, told by its holidays
    "2026-09-25": 0.0,  # Mid-Autumn, a Friday
    "2026-10-01": 0.0,  # the first of the national holidays, a Thursday
    "2026-10-08": 15.0,  # the first day after them
}
CLOCKS = {
    "2026-10-30": 8.0,
    "2026-10-31": 9.0,  # clocks go back in the night to 1 November: an hour more
    "2026-11-01": 8.0,
    "2026-11-02": 8.0,
}


def test_a_table_of_twenty_days(plant: Plant) -> None:
    assert len(TABLE) + len(CLOCKS) == 20
    assert {day: planned(plant, day) for day in TABLE} == TABLE
    assert {day: planned(plant, day, OTHER) for day in CLOCKS} == CLOCKS
    assert told(plant, "2026-11-03")["ms"] == 15 * HOUR
    assert told(plant, "2026-11-03")["confirmed"] is True


def test_a_shift_plan_corrected_on_the_20th_holds_for_the_3rd_and_not_before(plant: Plant) -> None:
    plant.take(
        "calendars",
        f"{CODE},plant-1,2026-11-03,2026-11-30,day,mon-fri,08:00,18:00,12:00-13:00",
        f"{CODE},plant-1,2026-11-03,2026-11-30,late,sat,18:00,23:00,",
    )
    plant.settle()
    found = {day: planned(plant, day) for day in ("2026-11-02", "2026-11-03", "2026-11-06", "2026-11-07")}
    assert found == {"2026-11-02": 15.0, "2026-11-03": 9.0, "2026-11-06": 9.0, "2026-11-07": 5.0}
    assert planned(plant, "2026-11-16") == 0.0, "the gateway's day off still holds"
    plant.take("exceptions", f"{CODE},plant-1,2026-11-16,like mon,worked after all")
    plant.settle()
    assert planned(plant, "2026-11-16") == 9.0


def test_planned_downtime_counts_from_before_and_what_has_begun_is_refused(plant: Plant) -> None:
    with plant.database.read() as connection:
        text = "\n".join(
            [
                ",".join(KINDS["downtime"].columns),
                f"{CODE},SB-1,2026-11-30 06:00,2026-11-30 12:00,overhaul",
                f"{CODE},SB-1,2026-11-27 06:00,2026-11-27 12:00,overhaul",
                f"{CODE},SB-1,2026-12-01 08:00,2026-12-01 07:00,turned round",
            ]
        )
        found = preview(connection, "downtime", text.encode(), "downtime.csv", PROVINCE, NOW)
    reasons = sorted(str(error) for error in found.errors)
    assert reasons == [
        "downtime.csv row 3: has begun: planned downtime is recorded before it begins",
        "downtime.csv row 4, to = 2026-12-01 07:00: does not lie after from",
    ]
    assert (len(found.added), len(found.changed), found.unchanged, found.rejected) == (1, 0, 0, 2), "3 rows"
    plant.take("downtime", f"{CODE},SB-1,2026-11-30 06:00,2026-11-30 12:00,overhaul")
    later = datetime.fromisoformat("2026-12-01T06:00:00+00:00")
    monday = datetime.fromisoformat("2026-11-30T06:00:00+08:00")
    runs = ((0, State.PRODUCING),)
    plant.send("gw-test-0000", [States("states", "SB-1", monday, monday + timedelta(hours=8), runs)], later)
    plant.settle(later)
    with plant.database.read() as connection:
        (row,) = production.rows(connection, CODE, "SB-1", date(2026, 11, 30), date(2026, 11, 30))
    # 06-14 without half an hour and without 06-12 (the break lies in it): 2 h; the night 7.5 h.
    assert row.planned_ms == 9.5 * HOUR
    assert row.producing_ms == 2 * HOUR
    assert row.outside_ms == 6 * HOUR, "what ran all the same is printed, and enters no rate"


def test_planned_stops_that_overlap_each_other_and_a_break_are_taken_off_once(plant: Plant) -> None:
    """G21: tool change and maintenance of two people; their hours taken off twice would be an availability below 0."""
    plant.take("calendars", f"{CODE},plant-1,2026-12-03,2026-12-04,day,thu-fri,08:00,16:00,11:30-12:00")
    day = "2026-12-03"
    stops = [("12:00", "15:00"), ("13:00", "16:30"), ("11:00", "11:45")]
    plant.take("downtime", *(f"{CODE},SB-1,{day} {start},{day} {end},x" for start, end in stops))
    later = datetime.fromisoformat("2026-12-05T06:00:00+08:00")
    for n in (3, 4):
        start = datetime.fromisoformat(f"2026-12-0{n}T08:00:00+08:00")
        runs = ((0, State.PRODUCING), (4 * HOUR, State.OFF))
        plant.send("gw-test-0000", [States("states", "SB-1", start, start + timedelta(hours=8), runs)], later)
    plant.settle(later)
    with plant.database.read() as connection:
        rows = production.rows(connection, CODE, "SB-1", date(2026, 12, 3), date(2026, 12, 4))
    assert [(row.planned_ms / HOUR, row.producing_ms / HOUR) for row in rows] == [(3.0, 3.0), (7.5, 3.5)]


WRONG = [
    ("calendars", "2026-11-03,,day,mon-fry,08:00,18:00,", "days = mon-fry: no days (mon, tue"),
    ("calendars", "2026-11-03,,day,mon-fri,8:00,18:00,", "from = 8:00: not HH:MM"),
    (
        "calendars",
        "2026-11-03,,day,mon-fri,04:00,22:00,",
        "18 h from 04:00 to 22:00; a shift has at most 16 h",
    ),
    ("calendars", "2026-11-03,2026-11-01,day,mon-fri,08:00,18:00,", "lies before valid_from"),
    ("calendars", "2026-11-03,,day,mon-fri,08:00,18:00,07:00-07:30", "not within the shift"),
    ("exceptions", "2026-11-31,off,why", "no date, nor first..last in order"),
    ("exceptions", "2026-11-30,closed,why", "off, or like and a weekday (like mon)"),
    ("exceptions", "2026-11-30,like monday,why", "off, or like and a weekday (like mon)"),
]


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_what_is_wrong_with_a_calendar_is_told_with_its_cell(plant: Plant) -> None:
    for kind, row, what in WRONG:
        text = f"{','.join(KINDS[kind].columns)}\n{CODE},plant-1,{row}\n"
        with plant.database.read() as connection:
            found = preview(connection, kind, text.encode(), f"{kind}.csv", PROVINCE, NOW)
        assert what in str(found.errors[0]), row
        assert found.errors[0].where.startswith(f"{kind}.csv row 2"), row


def test_two_exceptions_on_one_day_are_refused_with_both(plant: Plant) -> None:
    plant.take("exceptions", f"{CODE},plant-1,2026-12-24..2026-12-26,off,stock-taking")
    text = f"{','.join(KINDS['exceptions'].columns)}\n{CODE},plant-1,2026-12-26..2026-12-28,like mon,no\n"
    with plant.database.read() as connection:
        found = preview(connection, "exceptions", text.encode(), "exceptions.csv", PROVINCE, NOW)
    (error,) = found.errors
    assert "2026-12-24" in str(error)
    assert "2026-12-26" in str(error)
    assert "say something of the same day" in str(error)


def test_without_holiday_data_the_weekly_pattern_holds_and_says_so(plant: Plant) -> None:
    later = datetime.fromisoformat("2027-02-10T00:00:00+00:00")
    app = create_app(plant.database, TestClock(wall=later), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        found = http.get(f"/subjects/{CODE}/SB-1/day", params={"date": "2027-02-08"}).json()["planned"]
    assert found["ms"] == 15 * HOUR
    assert found["confirmed"] is False
