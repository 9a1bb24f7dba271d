"""A production day from facts to the API: planned time, states within it, KPIs; the calendar as it is told now."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.imports import registry
from ganpo_cloud.web.application import create_app
from ganpo_model.facts import (
    CalendarItem,
    ExceptionItem,
    Inventory,
    Reading,
    RegisterItem,
    ShiftItem,
    States,
)
from ganpo_model.states import State
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, Plant, inventory
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
GATEWAY = "gw-test-0001"
PARTS = "SB-1/parts_total#0123abcd"
MONDAY = datetime.fromisoformat("2026-11-23T06:00:00+08:00")
SHIFTS = (
    ShiftItem("early", "mon-fri", "06:00", "14:00", ("10:00-10:30",)),
    ShiftItem("night", "mon-thu", "22:00", "06:00", ()),
)
HOUR = 3_600_000


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.database(tmp_path))
    registry.add(plant.database, GATEWAY, CODES[0], "plant-1")
    yield plant
    plant.database.close()


def told(*exceptions: ExceptionItem, at: datetime = NOW - timedelta(days=6)) -> Inventory:
    """The inventory with a calendar: a machine that may take 90 s a part."""
    found = inventory("SB-1", at=at)
    (machine,) = found.equipment
    item = RegisterItem(PARTS, "SB-1", "parts_total", None, "1", 1, 1, None, 1200, resets=True)
    return replace(
        found,
        calendar=CalendarItem(SHIFTS, exceptions),
        equipment=(replace(machine, planned_run_time_s=90),),
        registers=(item,),
    )


def day(plant: Plant, of: str = "2026-11-23") -> Any:
    app = create_app(plant.database, TestClock(wall=NOW))
    with Served(app) as served, httpx.Client(base_url=f"{served.url}/api/v1") as http:
        answer = http.get(f"/subjects/{CODES[0]}/SB-1/day", params={"date": of})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_production_day_holds_its_shifts_and_what_was_done_in_them(plant: Plant) -> None:
    plant.send(GATEWAY, [told()])
    hours = timedelta(hours=1)
    runs = ((0, State.PRODUCING), (4 * HOUR, State.IDLE), (5 * HOUR, State.SETUP), (6 * HOUR, State.FAULT))
    plant.send(GATEWAY, [States("states", "SB-1", MONDAY, MONDAY + 8 * hours, runs)])
    plant.send(
        GATEWAY,
        [Reading("reading", PARTS, MONDAY + n * hours, made) for n, made in ((0, 500), (8, 640), (24, 640))],
    )
    found = day(plant)
    # early 06-14 without half an hour, night 22-06 of Tuesday, of which nobody saw anything
    assert found["planned"]["ms"] == 15.5 * HOUR
    assert found["planned"]["states"] == {
        "PRODUCING": 4 * HOUR,
        "IDLE": HOUR / 2,
        "SETUP": HOUR,
        "FAULT": 2 * HOUR,
        "UNKNOWN": 8 * HOUR,
    }
    kpis = found["kpis"]
    assert kpis["availability"] == {"numerator": 4 * HOUR, "denominator": 7.5 * HOUR}
    assert kpis["completeness"] == {"numerator": 7.5 * HOUR, "denominator": 15.5 * HOUR}
    assert kpis["effectiveness"] == {"numerator": 140 * 90_000, "denominator": 4 * HOUR}
    assert kpis["quality_ratio"] is None
    assert kpis["oee"] is None


def test_a_holiday_told_later_holds_for_the_past_and_nothing_planned_is_null(plant: Plant) -> None:
    plant.send(GATEWAY, [told()])
    assert day(plant)["planned"] is not None
    off = ExceptionItem(date(2026, 11, 23), date(2026, 11, 23), "off", "holiday")
    plant.send(GATEWAY, [told(off, at=NOW - timedelta(days=1))])
    found = day(plant)
    assert found["planned"] is None
    assert found["kpis"] is None
    assert sum(found["ms"].values()) == 24 * HOUR, "the painted day is as long as ever"


def test_the_day_of_today_is_planned_until_now(plant: Plant) -> None:
    plant.send(GATEWAY, [told()])
    # NOW is Saturday 10:00; Friday's early shift is over, and there is no other
    assert day(plant, "2026-11-27")["planned"]["ms"] == 7.5 * HOUR
    assert day(plant, "2026-11-28")["planned"] is None
