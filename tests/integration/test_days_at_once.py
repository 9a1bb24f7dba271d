"""Many machines at once: read and painted while others write, stored together, and each gets its turn."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ganpo_cloud.days import days, painting, production
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, key, mark, seen, waiting
from ganpo_model.facts import CalendarItem, EquipmentItem, Fact, Inventory, ShiftItem, SiteItem, States
from ganpo_model.frame import pack
from ganpo_model.states import State
from support import databases

ENTERPRISE, GATEWAY, STREAM = "91360000625912173B", "gw-test-0001", "01HF7YAT00V3RS3DTR98H6BCFN"
START = datetime(2026, 11, 20, 16, tzinfo=UTC)
DAY = date(2026, 11, 21)
NOW = START + timedelta(hours=30)
HOUR = timedelta(hours=1)
NIGHT = CalendarItem((ShiftItem("night", "mon-sun", "20:00", "06:00", ()),), ())


class Shop:
    """Machines of one gateway, each with an hour of a state on the first day."""

    def __init__(self, database: Database, machines: int, calendar: CalendarItem) -> None:
        self.database, self.seq = database, 0
        self.names = [f"SB-{n:03d}" for n in range(machines)]
        items = tuple(
            EquipmentItem(name, name, "test", tuple(State), (), (), "in_use", None, None)
            for name in self.names
        )
        site = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000)
        self.send([Inventory("inventory", START, site, calendar, items, (), ())])
        self.send([slot(name, START, State.PRODUCING) for name in self.names])

    def send(self, facts: list[Fact]) -> None:
        self.seq += 1
        assert ingest(self.database, [(GATEWAY, pack(STREAM, self.seq, facts))], NOW)

    def mark(self, names: list[str]) -> None:
        with self.database.write() as connection:
            mark(connection, Kind.DAY, ((key(ENTERPRISE, name), DAY) for name in names))

    def settle(self) -> None:
        while days.recompute(self.database, NOW):
            pass

    def painted(self, name: str) -> dict[str, int]:
        with self.database.read() as connection:
            row = connection.execute(select(day).where((day.c.subject == name) & (day.c.day == DAY))).one()
            return painting.ms_per_state(painting.stored(row.start, row.end, row.spans))


def slot(name: str, start: datetime, state: State) -> States:
    return States("states", name, start, start + HOUR, ((0, state),))


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    database = databases.database(tmp_path, patience_s=0.5)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    yield database
    database.close()


def while_painting(monkeypatch: pytest.MonkeyPatch, meanwhile: Any) -> None:
    """`meanwhile` happens once, between what a pass reads and what it writes."""
    whole, waits = production.work_out, [meanwhile]

    def work_out(*arguments: Any) -> Any:
        found = whole(*arguments)
        while waits:
            waits.pop()()
        return found

    monkeypatch.setattr(production, "work_out", work_out)


def test_frames_are_stored_while_days_are_painted_and_what_they_change_is_painted_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(database, 2, CalendarItem((), ()))
    while_painting(monkeypatch, lambda: shop.send([slot("SB-000", START + HOUR, State.FAULT)]))
    assert days.recompute(database, NOW) == 2
    assert State.FAULT not in shop.painted("SB-000")
    with database.read() as connection:
        assert [one.key for one in seen(connection, waiting(Kind.DAY))] == [key(ENTERPRISE, "SB-000")]
    shop.settle()
    assert shop.painted("SB-000")[State.FAULT] == 3_600_000


def test_what_another_process_worked_out_meanwhile_is_never_replaced_by_older(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its night shift reaches into the day, and the day before is worked out by the other one."""
    shop = Shop(database, 1, NIGHT)
    shop.send([slot("SB-000", START - 3 * HOUR, State.IDLE)])
    shop.settle()

    def other() -> None:
        shop.send([slot("SB-000", START - HOUR, State.FAULT)])
        shop.settle()

    def stored() -> list[Any]:
        with database.read() as connection:
            question = (
                "SELECT day, planned_ms, producing_ms, fault_ms, unknown_ms FROM production ORDER BY day"
            )
            return sql.rows(connection, question)

    shop.mark(shop.names)
    while_painting(monkeypatch, other)
    assert days.recompute(database, NOW) == 1
    found = stored()
    shop.mark(shop.names)
    shop.settle()
    assert found == stored()
    assert (sum(row[2] for row in found), sum(row[3] for row in found)) == (3_600_000, 3_600_000)


def test_every_machine_gets_its_turn_also_where_the_first_are_marked_all_the_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "BATCH", 3)
    shop = Shop(database, 8, CalendarItem((), ()))
    turn, passes = days.Round(), 0
    while passes < 8 and days.recompute(database, NOW, (), turn):
        shop.mark(shop.names[:3])
        passes += 1
        if not turn.after:
            break
    with database.read() as connection:
        assert set(connection.execute(select(day.c.subject)).scalars()) == set(shop.names)
    assert passes <= 5


def test_thirty_machines_are_worked_out_with_as_many_statements_as_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: None
) -> None:
    """A statement for many values is one: a round trip."""
    databases.choose("postgresql")
    assert statements(tmp_path, monkeypatch, 3) == statements(tmp_path, monkeypatch, 30) <= 20
    databases.choose("sqlite")


def statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machines: int) -> int:
    """How many there are of a day that runs, worked out again."""
    database = databases.database(tmp_path)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    shop = Shop(database, machines, NIGHT)
    shop.send([slot(name, START + 25 * HOUR, State.IDLE) for name in shop.names])
    shop.settle()
    shop.send([slot(name, START + 26 * HOUR, State.HELD) for name in shop.names])
    asked: list[str] = []
    whole = sql._done

    def counted(connection: Any, statement: str, *rest: Any, **how: Any) -> Any:
        asked.append(statement)
        return whole(connection, statement, *rest, **how)

    with monkeypatch.context() as patched:
        patched.setattr(sql, "_done", counted)
        assert days.recompute(database, NOW) == machines
    database.close()
    return len(asked)
