"""What a person declares of a register, and what waits for one: by the commands that the page prints (Show 10)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.counted_tables import consumption
from ganpo_model.clock import to_ms
from ganpo_model.frame import pack
from support.metering import NEW, NOW, OLD, START, MeteredPlant


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[MeteredPlant]:
    plant = MeteredPlant(tmp_path)
    yield plant
    plant.database.close()


def test_an_exchanged_meter_is_open_until_the_printed_command_declares_it_and_again_once_it_is_withdrawn(
    plant: MeteredPlant,
) -> None:
    plant.read(OLD, START, 50_000, 50_100, 50_200)
    plant.read(OLD, START + timedelta(hours=3), 7, 107, 207)
    assert plant.consumption() == (400, 1, 0)
    (item,) = plant.open()
    assert (item.code, item.who, item.details["n"]) == ("open", OLD, "−50,193")
    said = plant.type(item.command)
    print(item.command, said.output)
    assert said.exit_code == 0, said.output
    assert plant.consumption() == (400, 0, 1)
    assert plant.open() == []
    said = plant.type("ganpo-cloud declare --withdraw 1 --why 'wrong meter' --by 'Li Wei'")
    assert (said.exit_code, said.output) == (0, "declaration 1 is withdrawn; its days are judged again\n")
    assert plant.consumption() == (400, 1, 0)
    assert [item.code for item in plant.open()] == ["open"]


def test_what_was_used_between_the_last_reading_and_the_exchange_counts_once_it_is_declared(
    plant: MeteredPlant,
) -> None:
    plant.read(OLD, START, 50_000, 50_100, 50_200)
    plant.read(OLD, START + timedelta(hours=3), 107, 207, 307)
    at = (START + timedelta(hours=2)).isoformat()
    said = plant.type(
        f"ganpo-cloud declare {OLD} --at {at} --final 50900 --first 7 --why exchanged --by 'Li Wei'"
    )
    assert said.exit_code == 0, said.output
    assert plant.consumption() == (900 + 300, 0, 1)


def test_an_open_step_becomes_consumption_when_it_is_confirmed(plant: MeteredPlant) -> None:
    plant.read(OLD, START, 50_000, 50_100)
    plant.read(OLD, START + timedelta(hours=1), 90_000, 90_100, 90_200)
    assert plant.consumption() == (300, 1, 0)
    at = (START + timedelta(hours=1)).isoformat()
    line = f"ganpo-cloud declare {OLD} --at {at} --final 90000 --first 90000 --confirmed --why x --by y"
    assert plant.type(line).exit_code == 0
    assert plant.consumption() == (40_200, 0, 1)


def test_two_registers_that_follow_each_other_undeclared_are_shown_with_the_command(
    plant: MeteredPlant,
) -> None:
    plant.read(OLD, START, 50_000, 50_100, 50_200)
    plant.send([plant.inventory(NEW, at=START + timedelta(days=1))])
    plant.read(NEW, START + timedelta(days=1), 3, 103, 203)
    (item,) = plant.open()
    assert (item.code, item.who) == ("follows", NEW)
    said = plant.type(item.command)
    assert said.exit_code == 0, said.output
    assert plant.open() == []
    assert plant.consumption()[0] == 400
    plant.read(OLD, START + timedelta(days=2), 60_000)
    assert plant.consumption()[0] == 400, "the old one has ended"


def test_counts_between_a_declared_beginning_and_the_first_reading_at_its_instant_are_in_the_day_and_the_whole(
    plant: MeteredPlant,
) -> None:
    plant.read(OLD, START, 50_000, 50_100)
    plant.send([plant.inventory(NEW, at=START + timedelta(days=1))])
    midnight = START + timedelta(days=1)
    said = plant.type(
        f"ganpo-cloud declare {OLD} --at {midnight.isoformat()} --final 50100 --first 100"
        f" --new-register {NEW} --why exchanged --by 'Li Wei'"
    )
    assert said.exit_code == 0, said.output
    plant.read(NEW, midnight, 1000, 1290)
    assert plant.consumption() == (100 + 1190, 0, 0)
    with plant.database.read() as connection:
        rows = connection.execute(select(consumption.c.day, consumption.c.millionths)).all()
    assert sum(row.millionths or 0 for row in rows) == (100 + 1190) * 10_000


def test_readings_that_are_not_believed_for_an_hour_are_shown(plant: MeteredPlant) -> None:
    plant.read(OLD, START, 50_000, 50_100)
    plant.read(OLD, START + timedelta(hours=1), 900_000)
    (item,) = plant.open()
    assert (item.code, item.since) == ("too_fast", to_ms(START + timedelta(hours=1)))
    with plant.database.read() as connection:
        assert open_items(connection, START + timedelta(hours=1, minutes=59)) == []
    plant.read(OLD, START + timedelta(days=2), 51_000, 51_100)
    assert plant.open() == []


def test_an_open_step_that_a_later_day_took_back_is_no_item(plant: MeteredPlant) -> None:
    plant.read(OLD, START, 50_000, 50_100)
    plant.read(OLD, START + timedelta(hours=23), 0, 0, 0, 0)
    assert [item.code for item in plant.open()] == ["open"]
    plant.read(OLD, START + timedelta(hours=25), 51_000, 51_100, 51_200)
    assert plant.open() == []
    assert plant.consumption() == (1200, 0, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "DB-9/x#0123abcd --at 2026-11-21T00:00:00Z --final 1 --first 1",
            "DB-9/x#0123abcd: no such register",
        ),
        (f"{OLD} --at 2026-11-21T00:00:00 --final 1 --first 1", "say the time zone"),
        (f"{OLD} --at yesterday --final 1 --first 1", "not an instant"),
        (f"{OLD} --at 2026-11-21T00:00:00Z --final -1 --first 1", "a register stands at 0 to 2^63 - 1"),
        (f"{OLD} --at 2026-11-21T00:00:00Z --final 1", "REGISTER, --at, --final and --first are needed"),
        (
            f"{OLD} --at 2026-11-20T18:00:00Z --final 1 --first 1",
            "has a declaration at 2026-11-20T18:00:00.000Z",
        ),
        (
            f"{OLD} --at 2026-11-21T00:00:00Z --final 1 --first 1 --by ''",
            "--by: is empty: a declaration says why",
        ),
        (f"{OLD} --at 2026-11-21T00:00:00Z --final 1 --first 1 --why 'a\tb'", "--why: one line of at most"),
        ("--withdraw 9", "--withdraw 9: no such declaration"),
        (f"{OLD} --withdraw 1", "--withdraw ID stands alone"),
        (f"{OLD} --at 2026-11-21T00:00:00Z --final {2**63} --first 1", "0 to 2^63 - 1"),
        (
            f"{OLD} --at 2026-11-21T00:00:00Z --final {2**63 - 1} --first 1",
            "--final: 9223372036854775807 counts of 1/100 are more than a register can show",
        ),
        (f"{OLD} --at 2099-01-01T00:00:00Z --final 1 --first 1", "not ahead of now"),
        (f"{OLD} --at 0001-01-01T00:00:00+08:00 --final 1 --first 1", "not an instant"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_the_reason(
    plant: MeteredPlant, words: str, told: str
) -> None:
    line = f"ganpo-cloud declare {OLD} --at 2026-11-20T18:00:00Z --final 1 --first 1 --why x --by y"
    assert plant.type(line).exit_code == 0
    said = plant.type(f"ganpo-cloud declare --why x --by y {words}")
    print(said.output)
    assert said.exit_code in (1, 2)
    assert told in said.output
    with plant.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM declaration").scalar_one() == 1


def test_a_register_of_two_enterprises_is_told_apart_by_its_enterprise(plant: MeteredPlant) -> None:
    other = "913601000005543370"
    registry.add(plant.database, "gw-test-0002", other, "plant-1")
    facts: list[Any] = [plant.inventory(OLD)]
    assert ingest(plant.database, [("gw-test-0002", pack("01HF7YAT00V3RS3DTR98H6BCFN", 1, facts))], NOW)
    line = f"ganpo-cloud declare {OLD} --at 2026-11-20T18:00:00Z --final 1 --first 1 --why x --by y"
    said = plant.type(line)
    assert "2 enterprises have a register of this id; say --enterprise CODE" in said.output
    assert plant.type(f"{line} --enterprise {other}").exit_code == 0
