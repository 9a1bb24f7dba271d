"""A gateway that is given to another enterprise gets a date: facts belong to the enterprise of their time."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from ganpo_cloud.cli.main import main
from ganpo_cloud.days import ended
from ganpo_cloud.days.quantities import of_subject
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.province.ledger import ledgers
from ganpo_cloud.store.counted_tables import day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.owners import registrations
from ganpo_cloud.store.tables import quarantine, subject
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConfigError
from ganpo_model.facts import (
    CalendarItem,
    EquipmentItem,
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
from support import databases
from support.province import CODES, STREAM, Plant, enterprise

A, B = CODES[:2]
GATEWAY = "gw-test-0001"
REGISTER = "DB-1/energy_import#0123abcd"
HOUR = timedelta(hours=1)
START = datetime(2026, 11, 20, 16, tzinfo=UTC)
BORDER = date(2026, 11, 22)
MIDNIGHT = datetime(2026, 11, 21, 16, tzinfo=UTC)
NOW = START + timedelta(days=3)


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[Plant]:
    plant = Plant(databases.database(tmp_path))
    plant.take("enterprises", enterprise(A), enterprise(B), now=NOW)
    yield plant
    plant.database.close()


def frames() -> list[tuple[str, bytes]]:
    """Two days: 800 counts before the midnight between them, 700 after it; an inventory a day, states all day."""
    found: list[list[Fact]] = []
    for begin in (START, MIDNIGHT):
        item = RegisterItem(
            REGISTER, "DB-1", "energy_import", "electricity", "kWh", 1, 1, None, 9000, resets=False
        )
        meter = MeterItem("DB-1", "Main", "electricity", "boundary_in", None, None)
        machine = EquipmentItem("SB-1", "Lathe", "test", tuple(State), (), ("main",), "in_use", None, None)
        site = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000)
        found.append(
            [Inventory("inventory", begin, site, CalendarItem((), ()), (machine,), (meter,), (item,))]
        )
        slots: list[Fact] = [
            States("states", "SB-1", begin + n * HOUR, begin + (n + 1) * HOUR, ((0, State.IDLE),))
            for n in range(24)
        ]
        found.append(slots)
    raws = [*range(0, 800, 100), 800, 900, 1000, 1100, 1200, 1300, 1400, 1500]
    found.append([Reading("reading", REGISTER, START + 3 * n * HOUR, raw) for n, raw in enumerate(raws)])
    return [(GATEWAY, pack(STREAM, n + 1, facts)) for n, facts in enumerate(found)]


def told(plant: Plant) -> dict[str, tuple[int, list[str], list[tuple[str, bool]]]]:
    """Of each enterprise: counts, painted days, subjects with whether they are withdrawn."""
    plant.settle(NOW)
    ended.mark_ended(plant.database, NOW)
    plant.settle(NOW)
    found = {}
    with plant.database.read() as connection:
        for code in (A, B):
            mine = of_subject(connection, code, "DB-1", to_ms(START), to_ms(NOW))
            counts = sum((one.quantity.millionths or 0) // 10**6 for one in mine)
            painted = select(day.c.day).where(day.c.enterprise == code).order_by(day.c.day)
            named = select(subject.c.asset_no, subject.c.withdrawn).where(subject.c.enterprise == code)
            found[code] = (
                counts,
                [str(one) for one in connection.execute(painted).scalars()],
                sorted((row.asset_no, row.withdrawn) for row in connection.execute(named)),
            )
    return found


DAYS = [f"2026-11-{n}" for n in (21, 22, 23)]
"""From the first on; a machine that says nothing any more is silent until it is gone."""
RIGHT = {
    A: (800, DAYS, [("DB-1", True), ("SB-1", True)]),
    B: (700, DAYS[1:], [("DB-1", False), ("SB-1", False)]),
}


@pytest.mark.parametrize("said", ["before", "between", "after"])
def test_facts_belong_to_the_enterprise_of_their_time_whenever_the_day_is_said(
    plant: Plant, said: str
) -> None:
    registry.add(plant.database, GATEWAY, A, "plant-1")
    sent = frames()
    for when, batch in (("before", sent[:3]), ("between", sent[3:]), ("after", [])):
        if said == when:
            registry.add(plant.database, GATEWAY, B, "plant-1", BORDER, NOW)
        if batch:
            assert len(ingest(plant.database, batch, NOW)) == len(batch)
        plant.settle(NOW)
    assert told(plant) == RIGHT
    with plant.database.read() as connection:
        both = ledgers(connection, [A, B])
        for instant, whose in ((MIDNIGHT - HOUR, {A}), (MIDNIGHT + HOUR, {B})):
            here = {
                code
                for code, one in both.items()
                if any(device.asset_no == "SB-1" for device in one.at(to_ms(instant)))
            }
            assert here == whose


def test_a_mistake_is_corrected_from_the_beginning_and_taken_back(plant: Plant) -> None:
    registry.add(plant.database, GATEWAY, A, "plant-1")
    ingest(plant.database, frames(), NOW)
    before = told(plant)
    assert before[A][0] == 1500
    registry.add(plant.database, GATEWAY, B, "plant-1", date(1970, 1, 1), NOW)
    found = told(plant)
    assert (found[A], found[B]) == (before[B], before[A])
    registry.add(plant.database, GATEWAY, A, "plant-1", BORDER, NOW)
    registry.add(plant.database, GATEWAY, A, "plant-1", date(1970, 1, 1), NOW)
    assert told(plant) == before


def test_what_another_enterprise_used_meanwhile_is_not_counted_when_the_gateway_comes_back(
    plant: Plant,
) -> None:
    back = BORDER + timedelta(days=1)
    later = NOW + timedelta(days=1)
    registry.add(plant.database, GATEWAY, A, "plant-1")
    third = [Reading("reading", REGISTER, MIDNIGHT + (24 + 3 * n) * HOUR, 1600 + 100 * n) for n in range(4)]
    for batch in (frames()[:3], frames()[3:], [(GATEWAY, pack(STREAM, 9, third))]):
        ingest(plant.database, batch, later)
    registry.add(plant.database, GATEWAY, B, "plant-1", BORDER, later)
    registry.add(plant.database, GATEWAY, A, "plant-1", back, later)
    plant.settle(later)
    with plant.database.read() as connection:
        found = {}
        for code in (A, B):
            mine = of_subject(connection, code, "DB-1", to_ms(START), to_ms(later))
            found[code] = sum((one.quantity.millionths or 0) // 10**6 for one in mine)
    assert found == {A: 800 + 300, B: 800}


def test_the_command_wants_a_day_and_none_that_lies_ahead(plant: Plant, tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text(f'[database]\nurl = "{_url(plant.database)}"\n')

    def type_(*words: str) -> str:
        typed = CliRunner().invoke(
            main, ["gateway", "add", GATEWAY, "--site", "plant-1", *words, "--config", str(config)]
        )
        return f"{typed.exit_code} {typed.output}"

    assert type_("--enterprise", A).startswith("0 ")
    assert type_("--enterprise", B).startswith(f"1 --enterprise {B}: {GATEWAY} belongs to {A} since ever")
    assert "--since 2099-01-01: lies ahead" in type_("--enterprise", B, "--since", "2099-01-01")

    assert "--since 9999-12-31: lies ahead" in type_("--enterprise", B, "--since", "9999-12-31")
    assert "does not match the format" in type_("--enterprise", B, "--since", "yesterday")
    ingest(plant.database, frames(), NOW)
    plant.settle(NOW)
    assert type_("--enterprise", B, "--since", str(BORDER)).startswith("0 ")
    assert told(plant) == RIGHT


def test_a_site_that_is_not_listed_is_refused_where_any_are(plant: Plant) -> None:
    registry.add(plant.database, GATEWAY, A, "plant-2")
    area = "360681"
    plant.take("sites", f"{A},plant-1,Plant,{area},Asia/Shanghai", f"{A},plant-3,Plant,{area},Asia/Shanghai")
    with pytest.raises(ConfigError, match=r"'plant-2' is no site of .* listed: plant-1, plant-3"):
        registry.add(plant.database, GATEWAY, A, "plant-2")
    with pytest.raises(ConfigError, match=r"listed: none.*import sites"):
        registry.add(plant.database, GATEWAY, B, "plant-1", BORDER, NOW)
    registry.add(plant.database, GATEWAY, A, "plant-3")
    with plant.database.read() as connection:
        assert [one.site for one in registrations(connection, [GATEWAY])[GATEWAY]] == ["plant-3"]


def test_what_is_older_than_the_registration_waits_with_its_reason(plant: Plant) -> None:
    registry.add(plant.database, GATEWAY, B, "plant-1", BORDER, NOW)
    assert len(ingest(plant.database, frames(), NOW)) == 5
    with plant.database.read() as connection:
        details = [row.detail for row in connection.execute(select(quarantine).order_by(quarantine.c.seq))]
    assert len(details) == 3
    assert details[0].startswith(
        f"gateway {GATEWAY} is not registered for 2026-11-20T16:00:00.000Z; ganpo-cloud"
    )
    with pytest.raises(ConfigError):
        registry.add(plant.database, GATEWAY, A, "plant-1")


def _url(database: Database) -> str:
    return database.where if "://" in database.where else f"sqlite:///{database.where}"
