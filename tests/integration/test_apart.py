"""What cannot be computed is set apart with its reason and shown, costs nobody else anything, and is tried again."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from ganpo_cloud import computing
from ganpo_cloud.days import days
from ganpo_cloud.days.quantities import of_subject
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.province import ledger_days
from ganpo_cloud.province.why import why
from ganpo_cloud.store import apart
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.marks import EVER, Kind, mark
from ganpo_cloud.store.settings import BrokerSettings
from ganpo_cloud.web.pages.needs import needs
from ganpo_model.clock import to_ms
from ganpo_model.facts import CalendarItem, Inventory, MeterItem, Reading, RegisterItem, SiteItem
from ganpo_model.frame import pack
from ganpo_service.supervisor import Supervisor
from support import databases, seeding
from support.inlet import answered
from support.province import CODES, NOW, PROVINCE, STREAM, Plant, enterprise
from support.serving import Served

GATEWAY = "gw-test-0001"
REGISTERS = ("DB-1/energy_import#00000001", "DB-2/energy_import#00000002", "DB-3/energy_import#00000003")
START = NOW - timedelta(hours=6)


def inventory(num: int = 1, minutes: int = 0) -> Inventory:
    items = tuple(
        RegisterItem(n, n[:4], "energy_import", "electricity", "kWh", num, 1, None, 10**6, False)
        for n in REGISTERS
    )
    meters = tuple(MeterItem(n[:4], n[:4], "electricity", "sub", None, None) for n in REGISTERS)
    site = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000)
    at = START + timedelta(minutes=minutes)
    return Inventory("inventory", at, site, CalendarItem((), ()), (), meters, items)


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[Plant]:
    """Three meters; the second has a count of 10^9 kWh, as an older version stored it."""
    plant = Plant(databases.database(tmp_path))
    for code in CODES[:2]:
        plant.take("enterprises", enterprise(code))
    registry.add(plant.database, GATEWAY, CODES[0], "plant-1")
    plant.send(GATEWAY, [inventory()])
    with plant.database.write() as connection:
        wrong = "UPDATE register SET num = 1000000000, max_rate = 1000000000 WHERE id = :id"
        connection.execute(text(wrong), {"id": REGISTERS[1]})
    for seq, number in enumerate(REGISTERS, 10):
        facts = [Reading("reading", number, START + timedelta(hours=n), n * 10**6) for n in range(3)]
        assert ingest(plant.database, [(GATEWAY, pack(STREAM, seq, facts))], NOW)
    yield plant
    plant.database.close()


def used(plant: Plant) -> list[Any]:
    """kWh of each meter; None where nothing is known."""
    found = []
    with plant.database.read() as connection:
        for number in REGISTERS:
            mine = of_subject(connection, CODES[0], number[:4], to_ms(START), to_ms(NOW))
            found.append(mine[0].quantity.millionths if mine else None)
    return [None if amount is None else amount // 10**6 for amount in found]


def test_a_subject_that_cannot_be_computed_is_set_apart_and_the_others_are_counted(plant: Plant) -> None:
    plant.settle()
    assert used(plant) == [2_000_000, None, 2_000_000]
    assert days.recompute(plant.database, NOW) == 0, "nobody tries it for ever"
    with plant.database.read() as connection:
        (row,) = apart.found(connection)
        reasons = why(connection, CODES[0], "DB-2", NOW)
        others = why(connection, CODES[0], "DB-1", NOW)
        shown = needs(connection, NOW, [], [], CODES[0])
    assert (row.enterprise, row.subject, row.since) == (CODES[0], "DB-2", to_ms(NOW))
    assert row.reason.startswith(("OverflowError: ", "NumericValueOutOfRange: "))
    assert [reason.details["reason"] for reason in reasons if reason.code == "apart"] == [row.reason]
    assert not [reason for reason in others if reason.code == "apart"]
    assert [need.who for need in shown if need.code == "apart"] == ["DB-2"]
    plant.send(GATEWAY, [Reading("reading", REGISTERS[0], START + timedelta(hours=3), 3 * 10**6)])
    assert used(plant) == [3_000_000, None, 2_000_000], "what comes later is counted too"


def test_what_is_set_apart_stands_in_health(plant: Plant) -> None:
    plant.settle()
    clock = seeding.TestClock()
    collector = Collector(BrokerSettings(), plant.database, clock, random.Random(1))
    collector.problem = ""
    about = answered(plant.database, clock, collector, Supervisor(clock))
    with Served(about) as served, httpx.Client(base_url=served.url) as client:
        body = client.get("/health").json()
        counted = client.get("/metrics").text
    assert [(one["enterprise"], one["subject"]) for one in body["set_apart"]] == [(CODES[0], "DB-2")]
    assert body["problem"].startswith(f"set apart: {CODES[0]} DB-2: ")
    assert body["dirty_days"] == 0, "nobody waits for it"
    assert "ganpo_cloud_set_apart 1" in counted


def test_it_is_tried_again_after_an_upgrade(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.settle()
    apart.forgive_others(plant.database)
    assert days.recompute(plant.database, NOW) == 0, "the same version would fail again"
    monkeypatch.setattr(apart, "version", lambda _name: "another")
    apart.forgive_others(plant.database)
    assert days.recompute(plant.database, NOW) == 1
    with plant.database.read() as connection:
        assert [row.version for row in apart.found(connection)] == ["another"], "it cannot either"
    with plant.database.write() as connection:
        connection.execute(text("UPDATE register SET num = 1, max_rate = 1000000"))
    monkeypatch.setattr(apart, "version", lambda _name: "a better one")
    apart.forgive_others(plant.database)
    plant.settle()
    assert used(plant) == [2_000_000] * 3
    with plant.database.read() as connection:
        assert apart.found(connection) == []


def test_it_is_tried_again_once_it_is_described_anew(plant: Plant) -> None:
    plant.settle()
    plant.send(GATEWAY, [inventory(minutes=10)])
    plant.settle()
    assert used(plant) == [2_000_000] * 3
    with plant.database.read() as connection:
        assert apart.found(connection) == []


def test_a_ledger_that_cannot_be_worked_out_holds_no_other(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ledger_days.rows_of

    def tripping(of: Any) -> Any:
        if of.code == CODES[1]:
            raise ZeroDivisionError("ours")
        return whole(of)

    monkeypatch.setattr(ledger_days, "rows_of", tripping)
    with plant.database.write() as connection:
        connection.execute(text("DELETE FROM ledger"))
        for code in CODES[:2]:
            mark(connection, Kind.LEDGER, [(code, EVER)])
    computing.settle(plant.database, PROVINCE, NOW)
    assert ledger_days.recompute(plant.database, NOW) == 0, "nobody tries it for ever"
    with plant.database.read() as connection:
        there = set(connection.execute(select(ledger.c.enterprise)).scalars())
        told = [(row.subject, row.reason) for row in apart.found(connection, CODES[1])]
    assert there == {CODES[0]}
    assert told == [("", "ZeroDivisionError: ours")]
    monkeypatch.undo()
    monkeypatch.setattr(apart, "version", lambda _name: "another")
    apart.forgive_others(plant.database)
    computing.settle(plant.database, PROVINCE, NOW)
    with plant.database.read() as connection:
        assert set(connection.execute(select(ledger.c.enterprise)).scalars()) == set(CODES[:2])
