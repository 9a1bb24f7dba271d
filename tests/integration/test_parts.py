"""An inventory too large for a frame travels in parts: applied once all are stored, and not before (uplink.md)."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.keeping.outbox import Outbox, Row
from ganpo_agent.timekeeper import Timekeeper
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.decode import decode
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import inventory, inventory_part, quarantine, register, subject
from ganpo_model.errors import FrameError
from ganpo_model.facts import CalendarItem, EquipmentItem, Inventory, MeterItem, RegisterItem, SiteItem
from ganpo_model.frame import pack, unpack
from ganpo_model.states import State
from support import databases
from support.plants import START, TestClock
from support.province import CODES, NOW, STREAM

GATEWAY = "gw-test-0001"


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    database = databases.database(tmp_path)
    registry.add(database, GATEWAY, CODES[0], "plant-1")
    yield database
    database.close()


def plant(machines: int, meters: int, at: datetime = NOW, name: str = "Lathe") -> Inventory:
    equipment = tuple(
        EquipmentItem(f"SB-{n}", name, "test", tuple(State), (), ("main",), "in_use", None, None)
        for n in range(machines)
    )
    told = tuple(MeterItem(f"DB-{n}", name, "electricity", "sub", None, None) for n in range(meters))
    registers = tuple(
        RegisterItem(f"DB-{n}/x#{n:08x}", f"DB-{n}", "x", "electricity", "kWh", 1, 100, None, 80_000, False)
        for n in range(meters)
    )
    site = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000)
    return Inventory("inventory", at, site, CalendarItem((), ()), equipment, told, registers)


def tables(database: Database) -> tuple[Any, ...]:
    """What is known of subjects and registers, and of what inventories."""
    with database.read() as connection:
        return (
            connection.execute(
                select(subject.c.asset_no, subject.c.name, subject.c.withdrawn).order_by(subject.c.asset_no)
            ).all(),
            connection.execute(select(register.c.id).order_by(register.c.id)).all(),
            [json.loads(body) for body in connection.execute(select(inventory.c.body)).scalars()],
        )


def send(database: Database, seq: int, *facts: Inventory) -> None:
    assert ingest(database, [(GATEWAY, pack(STREAM, seq + n, [fact])) for n, fact in enumerate(facts)], NOW)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_nothing_of_it_is_applied_until_all_parts_are_stored_in_whatever_order_they_come(
    database: Database, order: tuple[int, ...]
) -> None:
    send(database, 1, plant(2, 0, NOW - timedelta(days=1), "Old"))
    before = tables(database)
    new = plant(3, 4)
    first, second, last = (new.parts(3)[place] for place in order)
    send(database, 2, first)
    send(database, 3, second)
    assert tables(database) == before, "nothing applied, nothing withdrawn"
    send(database, 3, second)
    assert tables(database) == before, "a repetition is no other part"
    send(database, 4, last)
    known, registers, bodies = tables(database)
    assert [row.asset_no for row in known] == [*(f"DB-{n}" for n in range(4)), *(f"SB-{n}" for n in range(3))]
    assert {row.name for row in known} == {"Lathe"}
    assert len(registers) == 4
    (whole,) = [body for body in bodies if body["meters"]]
    assert whole["equipment"] == json.loads(unpack(pack(STREAM, 1, [new])))["facts"][0]["equipment"]
    assert whole["part"] is None
    with database.read() as connection:
        assert connection.execute(select(inventory_part)).all() == []


def test_parts_of_one_transaction_come_to_the_same_and_a_newer_complete_one_wins(database: Database) -> None:
    old, new = plant(4, 4, NOW - timedelta(hours=2), "Old"), plant(3, 3, NOW, "New")
    send(database, 1, *old.parts(4)[:3])
    send(database, 10, *new.parts(2))
    assert {(row.name, row.withdrawn) for row in tables(database)[0]} == {("New", False)}
    send(database, 20, old.parts(4)[3])
    found = {row.asset_no: (row.name, bool(row.withdrawn)) for row in tables(database)[0]}
    assert {found.pop("SB-3", ("", True))[1], found.pop("DB-3", ("", True))[1]} == {True}
    assert set(found.values()) == {("New", False)}, "the older one came later"


def test_a_part_that_is_none_is_quarantined_with_its_reason(database: Database) -> None:
    frame = json.loads(unpack(pack(STREAM, 1, [plant(1, 1)])))
    for part in ([0, 2], [3, 2], [1, 1001]):
        frame["facts"][0]["part"] = part
        with pytest.raises(FrameError, match="i from 1 to n, n at most 1000"):
            decode(_packed(frame), NOW)
    send(database, 1, plant(1, 1).parts(1)[0])
    with database.read() as connection:
        assert connection.execute(select(quarantine)).all() == []
    assert len(tables(database)[0]) == 2, "one of one is whole"


def _packed(frame: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(frame).encode(), mtime=0)


async def test_a_gateway_with_ten_thousand_subjects_tells_them_in_parts(tmp_path: Path) -> None:
    rows: list[Row] = []
    keeper = Keeper(Outbox(tmp_path / "state", 64), Timekeeper(TestClock()), random.Random(1), rows.append)
    large = plant(4000, 7000, START)
    keeper.put([large])
    await keeper.flush()
    keeper.close()
    facts = [json.loads(unpack(row.packed))["facts"][0] for row in rows]
    assert (keeper.dropped, keeper.problem) == (0, None)
    assert [fact["part"] for fact in facts] == [[n + 1, len(rows)] for n in range(len(rows))]
    assert len(rows) > 1
    assert {fact["at"] for fact in facts} == {"2026-11-25T01:00:00.000Z"}
    assert all(fact["site"]["id"] == "plant-1" and "calendar" in fact for fact in facts)
    assert sum(len(fact["equipment"]) + len(fact["meters"]) for fact in facts) == 11_000
