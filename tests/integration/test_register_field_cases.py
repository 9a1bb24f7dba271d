"""Registers that did in plants what registers should not, from the readings to what people see (field cases F12, F13,
F15, G09, G14)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ganpo_cloud.days.consumed import of_carrier
from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.inlet.ingest import ingest
from ganpo_model.clock import to_ms
from ganpo_model.facts import Fact, Reading
from ganpo_model.frame import pack
from support.metering import ENTERPRISE, GATEWAY, NOW, OLD, START, MeteredPlant

STREAM = "01HF7YAT00V3RS3DTR98H6BCFP"
DAY = timedelta(days=1)
WRAP = [8386980, 8387112, 8387246, 8387510, 8387644, 8387910, 8388176, 8388442, 98, 364, 498]
WALLBOX = [(0, 312_455), (15, 312_986), (30, 313_514), (90, 307_660), (105, 307_660), (120, 308_190)]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., MeteredPlant]]:
    made: list[MeteredPlant] = []

    def build(**rules: Any) -> MeteredPlant:
        made.append(MeteredPlant(tmp_path, **rules))
        return made[-1]

    yield build
    for plant in made:
        plant.database.close()


def read(plant: MeteredPlant, *readings: tuple[float, int], begin: datetime = START) -> None:
    """At so many minutes."""
    plant.send([Reading("reading", OLD, begin + timedelta(minutes=at), raw) for at, raw in readings])


def test_a_modulus_that_is_filled_in_later_holds_for_the_past(make: Callable[..., MeteredPlant]) -> None:
    """F12: a counter of 23 bits. Without its modulus nothing is negative."""
    plant = make(max_rate=14_400)
    read(plant, *((2.5 * n, raw) for n, raw in enumerate(WRAP)))
    assert plant.consumption() == (1462, 0, 0)
    plant.rules["modulus"] = 8_388_608
    plant.send([plant.inventory(OLD, at=START + DAY)])
    assert plant.consumption() == (2126, 0, 0)


@pytest.mark.parametrize("modulus", [8_388_608, 1_000_000, 60_000, 7_654_321])
def test_a_register_begins_again_at_whatever_number(make: Callable[..., MeteredPlant], modulus: int) -> None:
    plant = make(max_rate=14_400, modulus=modulus)
    raws = [(modulus - 1628 + 132 * n) % modulus for n in range(20)]
    read(plant, *((2.5 * n, raw) for n, raw in enumerate(raws)))
    assert plant.consumption() == (19 * 132, 0, 0)


def test_an_older_total_that_is_restored_is_one_open_step_with_the_command_that_makes_it_a_break(
    make: Callable[..., MeteredPlant],
) -> None:
    """F13: nothing negative, nothing at the moment it passes the old total again, also once it is declared."""
    plant = make(max_rate=2640)
    passing = [(135 + 15 * n, 308_721 + 530 * n) for n in range(14)]
    read(plant, *WALLBOX, *passing)
    used = 1059 + 1061 + 13 * 530
    assert plant.consumption() == (used, 1, 0)
    (item,) = plant.open()
    assert (item.code, item.details["n"]) == ("open", "−5,854")
    assert "313514" in item.command
    assert "307660" in item.command
    assert plant.type(item.command).exit_code == 0
    assert plant.consumption() == (used, 0, 1)
    assert plant.open() == []


@pytest.mark.parametrize(
    ("raws", "used", "opened"),
    [
        ([4225555, 4225567, 4225563, 4225571, 4225580], 25, 0),
        ([4225555, 4225567, 4225567, 4225567, 4225563, 4225563, 4225563, 4225571], 20, 1),
    ],
)
def test_a_small_correction_downwards_is_small(
    make: Callable[..., MeteredPlant], raws: list[int], used: int, opened: int
) -> None:
    """F15."""
    plant = make(max_rate=1000)
    plant.read(OLD, START, *raws)
    assert plant.consumption() == (used, opened, 0)


def shown_once_a_day(days: int) -> list[tuple[float, int]]:
    """130 m3 more from 00:10 of every day, read every 15 minutes."""
    return [(15 * n, 500_000 + 13_000 * ((15 * n - 10) // 1440 + 1)) for n in range(days * 96)]


def test_a_meter_that_shows_a_number_once_a_day_is_asked_about_once_and_counts_all_its_days_once_that_is_said(
    make: Callable[..., MeteredPlant],
) -> None:
    """G09, from the first reading on, which comes ten minutes before the first number."""
    plant = make(unit="m3", max_rate=2545)
    read(plant, *shown_once_a_day(4))
    assert plant.consumption() == (0, 4, 0)
    (item,) = plant.open()
    assert (item.code, item.command) == ("regular", 'update = "24h"')
    plant.rules["update_ms"] = 86_400_000
    plant.send([plant.inventory(OLD, at=START + DAY)])
    assert plant.consumption() == (4 * 13_000, 0, 0)
    assert plant.open() == []


@pytest.mark.parametrize("hours", [2, 6, 12, 24])
def test_a_meter_that_shows_a_number_only_so_often_is_asked_about_once_with_the_interval(
    make: Callable[..., MeteredPlant], hours: int
) -> None:
    """After an exchange at an hour of its own, which stays an item of its own."""
    plant = make(unit="m3", max_rate=2545)
    read(plant, (-700, 900_000), (-690, 900_000))
    rise = 4000 if hours == 2 else 6000
    shown = [(15 * n, 500_000 + rise * ((15 * n - 10) // (60 * hours) + 1)) for n in range(3 * 96 + 4)]
    read(plant, *shown)
    items = plant.open()
    assert [item.code for item in items] == ["open", "regular"]
    assert items[1].command == f'update = "{hours}h"'
    assert items[1].details["n"] == f"{72 // hours * rise:,}", "the first came with the exchange"


def test_it_counts_also_where_that_is_not_said_if_it_stood_before(make: Callable[..., MeteredPlant]) -> None:
    """G09: three readings that agree after a standstill."""
    plant = make(unit="m3", max_rate=2545)
    read(plant, *(pair for pair in shown_once_a_day(4) if pair[0] >= 60))
    assert plant.consumption() == (3 * 13_000, 0, 0)
    assert plant.open() == []


@pytest.mark.parametrize("together", [True, False])
def test_three_ratios_within_a_minute_are_three_registers_that_are_all_described(
    make: Callable[..., MeteredPlant], *, together: bool
) -> None:
    """G14 B: the broker was away while 400/5 was corrected to 500/5 and to 600/5."""
    numbers = [f"DB-1/energy_import#{n:08x}" for n in range(3)]
    plant = make()
    frames: list[list[Fact]] = []
    for n, number in enumerate(numbers):
        plant.rules.update(num=80 + 20 * n, max_rate=360_000)
        at = START + timedelta(seconds=13 * n)
        frames.append([plant.inventory(number, at=at)])
        frames.append([Reading("reading", number, at + timedelta(seconds=s), 1000 + s) for s in range(12)])
    sent = [(GATEWAY, pack(STREAM, n, facts)) for n, facts in enumerate(frames, 1)]
    for batch in [sent] if together else [[frame] for frame in sent]:
        assert len(ingest(plant.database, batch, NOW)) == len(batch)
    plant.settle()
    with plant.database.read() as connection:
        found = of_carrier(connection, ENTERPRISE, "DB-1", "electricity", to_ms(START), to_ms(NOW))
        follows = [item.who for item in open_items(connection, NOW) if item.code == "follows"]
    assert found is not None
    assert found.millionths == 11 * (80 + 100 + 120) * 10_000
    assert follows == numbers[1:]
