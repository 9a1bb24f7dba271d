"""What people see of registers: what is not believed, what comes day by day, the largest first; over both databases."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ganpo_cloud.store.counted_tables import consumption
from ganpo_cloud.web.application import create_app
from ganpo_model.clock import to_ms
from ganpo_model.facts import Reading
from support.metering import ENTERPRISE, NEW, NOW, OLD, QUARTER, START, MeteredPlant
from support.plants import TestClock
from support.serving import Served

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAGE = f"/enterprises/{ENTERPRISE}/DB-1"


@pytest.fixture
def make(tmp_path: Path, each_database: str) -> Iterator[Callable[..., MeteredPlant]]:
    made: list[MeteredPlant] = []

    def build(**rules: Any) -> MeteredPlant:
        made.append(MeteredPlant(tmp_path, **rules))
        return made[-1]

    yield build
    for plant in made:
        plant.database.close()


def ask(plant: MeteredPlant, path: str, now: datetime = NOW, **params: Any) -> httpx.Response:
    plant.settle()
    app = create_app(plant.database, TestClock(wall=now))
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        answer = http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer


def quantity(plant: MeteredPlant, start: datetime, end: datetime) -> Any:
    span: dict[str, Any] = {"subject": f"{ENTERPRISE}/DB-1", "from": f"{start:%FT%TZ}", "to": f"{end:%FT%TZ}"}
    return ask(plant, "/api/v1/quantities", **span).json()


def rows(plant: MeteredPlant) -> list[tuple[Any, ...]]:
    plant.settle()
    with plant.database.read() as connection:
        found = connection.execute(select(consumption).order_by(consumption.c.register, consumption.c.day))
        return [tuple(row) for row in found]


def test_a_register_that_is_not_believed_is_shown_within_the_hour_with_both_rates_and_never_as_zero(
    make: Callable[..., MeteredPlant],
) -> None:
    plant = make(num=1, den=1, max_rate=332)
    plant.read(OLD, START, 1000, 1050, 1100)
    wild = START + 3 * QUARTER
    # 8,640 an hour, read every quarter of an hour for three days: no reading fits the one before
    plant.read(OLD, wild, *(1100 + 2160 * n for n in range(1, 289)))
    (item,) = plant.open()
    assert (item.code, item.since) == ("too_fast", to_ms(wild))
    assert (item.details["asked"], item.details["allowed"]) == ("8,640 kWh", "332 kWh")
    assert quantity(plant, START + DAY, START + 2 * DAY)["millionths"] is None
    first = quantity(plant, START, START + DAY)
    assert (first["millionths"], first["unknown_ms"]) == (100_000_000, 24 * 3_600_000 - 1_800_000)
    for page in (PAGE, "/", f"/enterprises/{ENTERPRISE}"):
        told = ask(plant, page, lang="en").text
        assert "it rises by 8,640 kWh an hour, at most 332 kWh are allowed: check max_rate, CT, unit" in told
        assert "0.00 kWh" not in told
    assert "读数不可信：每小时增加8,640 kWh" in ask(plant, PAGE, lang="zh").text
    plant.send([plant.inventory(OLD, at=START + DAY)])
    plant.rules["max_rate"] = 9000
    plant.send([plant.inventory(OLD, at=START + 2 * DAY)])
    assert plant.open() == []
    assert quantity(plant, START + DAY, START + 2 * DAY)["millionths"] == 96 * 2160 * 1_000_000


def test_a_register_is_told_one_hour_after_the_first_reading_that_did_not_fit(
    make: Callable[..., MeteredPlant],
) -> None:
    plant = make(num=1, den=1, max_rate=332)
    plant.read(OLD, START, 1000, 1050, 5000, 9000, 13_000, 17_000, 21_000)
    wild = START + 2 * QUARTER
    text = "not believed, it rises by"
    assert text not in ask(plant, PAGE, wild + timedelta(minutes=59), lang="en").text
    assert text in ask(plant, PAGE, wild + HOUR, lang="en").text
    assert text in ask(plant, "/", wild + HOUR, lang="en").text


def test_readings_that_contradict_one_another_have_no_rate(make: Callable[..., MeteredPlant]) -> None:
    plant = make(num=1, den=1, max_rate=10_000)
    plant.read(OLD, START, 50_000)
    plant.send(
        [
            Reading("reading", OLD, START + n * HOUR, raw)
            for n, raw in ((1, 900), (2, 300), (3, 200), (4, 100))
        ]
    )
    (item,) = plant.open()
    assert item.code == "not_believed"
    assert "its readings contradict one another" in ask(plant, PAGE, lang="en").text


def test_the_same_days_stand_there_whether_the_doubt_came_with_them_or_later(
    tmp_path: Path, each_database: str
) -> None:
    def facts() -> list[Reading]:
        good = [(n * QUARTER, 1000 + 50 * n) for n in range(90)] + [(40 * HOUR, 5600), (41 * HOUR, 5700)]
        doubtful = [((49 + n) * HOUR, 900_000 * (n + 1)) for n in range(5)]
        return [Reading("reading", OLD, START + at, raw) for at, raw in good + doubtful]

    found = []
    for order in ("at once", "one after the other", "backwards"):
        folder = tmp_path / order
        folder.mkdir()
        plant = MeteredPlant(folder)
        readings = facts() if order != "backwards" else facts()[::-1]
        for first in range(0, len(readings), 5):
            plant.send(list(readings[first : first + 5]))
            if order != "at once":
                plant.settle()
        found.append(rows(plant))
        plant.database.close()
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2


def test_what_is_open_every_day_is_one_item_that_proposes_update_and_ends_with_it(
    make: Callable[..., MeteredPlant],
) -> None:
    # 130 m3 a day all at once, 0.01 m3 a count, a pipe that lets 25.45 m3 an hour through; an open step before that
    plant = make(unit="m3", max_rate=2545)
    plant.read(OLD, START, 900_000, 900_000)
    shown = [500_000 + 13_000 * (max(n - 4, 0) // 24 + (n >= 4)) for n in range(1, 90)]
    plant.send([Reading("reading", OLD, START + (n + 1) * HOUR, raw) for n, raw in enumerate(shown)])
    assert [item.code for item in plant.open()] == ["open", "regular"], "the largest first"
    (item,) = [item for item in plant.open() if item.code == "regular"]
    assert (item.details["n"], item.command) == (f"{4 * 13_000:,}", 'update = "24h"')
    assert "say so if it shows a new number only so often" in ask(plant, PAGE, lang="en").text
    plant.rules["update_ms"] = 86_400_000
    plant.send([plant.inventory(OLD, at=START + DAY)])
    assert [item.details["n"] for item in plant.open()] == ["−400,000"]
    assert plant.consumption()[0] == 4 * 13_000


def test_a_meter_that_shows_a_number_once_a_day_counts_from_its_first_day(
    make: Callable[..., MeteredPlant],
) -> None:
    """G09."""
    plant = make(unit="m3", max_rate=2545, update_ms=86_400_000)
    quarters = range(3 * 96 + 50)
    plant.read(OLD, START, *(500_000 + 13_000 * ((n + 95) // 96) for n in quarters))
    assert plant.consumption() == (4 * 13_000, 0, 0)


def test_a_meter_that_shows_a_number_once_a_day_asks_for_nothing_even_where_that_is_not_said(
    make: Callable[..., MeteredPlant],
) -> None:
    """G09."""
    plant = make(unit="m3", max_rate=2545)
    plant.read(OLD, START, *(500_000 + 13_000 * ((n + 70) // 96) for n in range(3 * 96 + 50)))
    assert plant.consumption() == (4 * 13_000, 0, 0)


def test_a_modulus_that_is_corrected_below_what_stands_there_makes_no_negative_amount(
    make: Callable[..., MeteredPlant],
) -> None:
    plant = make()
    plant.read(OLD, START, 123_400, 123_500, 123_600, 200, 300, 400, 500)
    plant.rules["modulus"] = 100_000
    plant.send([plant.inventory(OLD, at=START + DAY)])
    assert plant.consumption() == (500, 1, 0)
    (item,) = plant.open()
    assert item.details["n"] == "−123,400"


def test_fifty_small_open_steps_never_hide_the_large_one(make: Callable[..., MeteredPlant]) -> None:
    """F15."""
    plant = make()
    small = [f"DB-1/energy_import#{n:08x}" for n in range(50)]
    plant.send([plant.inventory(*small, NEW, at=START + HOUR)])
    for number in small:
        plant.read(number, START, 50_000, 50_012, 50_008, 50_008, 50_008)
    plant.read(NEW, START + DAY, 80_000, 80_100, 7, 107, 207)
    items = [item for item in plant.open() if item.code == "open"]
    assert items[0].who == NEW
    assert [item.details["n"] for item in items] == ["−80,093"]
