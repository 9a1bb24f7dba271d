"""Day rows are recomputed from facts: late, out of order or twice, they come to the same (I5, I7, I8)."""

import asyncio
import logging
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from ganpo_cloud import computing
from ganpo_cloud.days import chains, days, ended, judging, painting
from ganpo_cloud.days.consumed import of_carrier
from ganpo_cloud.days.quantities import of_subject
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.province import divisions
from ganpo_cloud.store.counted_tables import day, register_day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, seen, waiting
from ganpo_cloud.store.tables import register
from ganpo_model.clock import from_ms, to_ms
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
from ganpo_model.registers import Declaration, Register, StepKind, fold, judge
from ganpo_model.states import State
from ganpo_service.clock import SystemClock
from support import databases
from support.campaign import rounds

ENTERPRISE = "91360000625912173B"
GATEWAY = "gw-test-0001"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
REGISTER = "DB-1/energy_import#0123abcd"
START = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
HOUR = 3_600_000


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    database = databases.database(tmp_path)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    yield database
    database.close()


def inventory(at: datetime, zone: str = "Asia/Shanghai", **changes: Any) -> Inventory:
    about = {"carrier": "electricity", "modulus": None, "max_rate": 80_000, "resets": False} | changes
    item = RegisterItem(REGISTER, "DB-1", "energy_import", unit="kWh", num=1, den=100, **about)
    return Inventory(
        "inventory",
        at,
        SiteItem("plant-1", "Plant", zone, 900_000),
        CalendarItem((), ()),
        (EquipmentItem("SB-1", "Lathe", "test", tuple(State), (), ("main",), "in_use", None, None),),
        (MeterItem("DB-1", "Main meter", "electricity", "boundary_in", None, None),),
        (item,),
    )


class Feeder:
    """Sends facts through the real ingest, one frame each call."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.database, self.now, self.seq = database, now, 0

    def __call__(self, facts: list[Fact]) -> None:
        self.seq += 1
        assert ingest(self.database, [(GATEWAY, pack(STREAM, self.seq, facts))], self.now)

    def settle(self) -> None:
        while days.recompute(self.database, self.now):
            pass

    def consumption(self, start: datetime, end: datetime) -> int | None:
        with self.database.read() as connection:
            found = of_carrier(connection, ENTERPRISE, "DB-1", "electricity", to_ms(start), to_ms(end))
        assert found is not None
        return found.millionths


def reading(at: datetime, raw: int) -> Reading:
    return Reading("reading", REGISTER, at, raw)


def test_a_painted_day_is_as_long_as_the_local_date_also_where_clocks_change(database: Database) -> None:
    # Berlin leaves summer time on 2026-10-25: 25 h; in 2026-03-29 the day has 23 h
    for local, hours in ((date(2026, 10, 25), 25), (date(2026, 3, 29), 23), (date(2026, 7, 1), 24)):
        now = datetime(2026, 11, 25, tzinfo=UTC)
        feeder = Feeder(database, now)
        feeder.seq = local.month * 100
        feeder([inventory(now - timedelta(days=300) + timedelta(days=local.month), "Europe/Berlin")])
        at = datetime(local.year, local.month, local.day, 10, tzinfo=UTC)
        feeder(
            [
                States(
                    "states",
                    "SB-1",
                    at,
                    at + timedelta(hours=2),
                    ((0, State.PRODUCING), (600_000, State.IDLE)),
                )
            ]
        )
        feeder.settle()
        with database.read() as connection:
            row = connection.execute(select(day).where(day.c.day == local)).one()
        assert row.end - row.start == hours * HOUR
        spent = painting.ms_per_state(painting.stored(row.start, row.end, row.spans))
        assert sum(spent.values()) == hours * HOUR
        assert (spent["PRODUCING"], spent["IDLE"]) == (600_000, 6_600_000)
    database.close()


def test_silence_becomes_a_day_of_unknown_and_not_a_gap(database: Database) -> None:
    now = START + timedelta(days=2, hours=1)
    feeder = Feeder(database, now)
    feeder([inventory(START)])
    feeder.settle()
    ended.mark_ended(database, now)
    feeder.settle()
    with database.read() as connection:
        rows = connection.execute(select(day)).all()
    assert [
        (str(row.day), painting.ms_per_state(painting.stored(row.start, row.end, row.spans))) for row in rows
    ] == [
        ("2026-11-21", {"UNKNOWN": 24 * HOUR}),
        ("2026-11-22", {"UNKNOWN": 24 * HOUR}),
    ]
    ended.mark_ended(database, now)
    assert days.recompute(database, now) == 0, "once is enough"
    database.close()


def test_days_on_which_nobody_computed_are_filled_too(database: Database) -> None:
    feeder = Feeder(database, START + timedelta(days=5, hours=1))
    feeder([inventory(START)])
    feeder(
        [
            States("states", "SB-1", at, at + timedelta(hours=1), ((0, State.IDLE),))
            for at in (START + timedelta(days=3),)
        ]
    )
    feeder.settle()
    ended.mark_ended(database, feeder.now)
    feeder.settle()
    with database.read() as connection:
        rows = connection.execute(select(day.c.day).order_by(day.c.day)).scalars().all()
    assert rows == [date(2026, 11, 21) + timedelta(days=n) for n in range(5)]
    database.close()


def test_days_begin_where_the_site_is_also_when_its_time_zone_comes_after_its_states(
    database: Database,
) -> None:
    feeder = Feeder(database, START + timedelta(days=2))
    slot = States(
        "states", "SB-1", START - timedelta(hours=2), START + timedelta(hours=2), ((0, State.HELD),)
    )
    feeder([slot])
    feeder.settle()
    with database.read() as connection:
        assert len(connection.execute(select(day)).all()) == 2, "midnight in Shanghai is in the middle"
    feeder([inventory(START, "Europe/Berlin")])
    feeder.settle()
    with database.read() as connection:
        rows = connection.execute(select(day).order_by(day.c.day)).all()
    held = {
        row.day: painting.ms_per_state(painting.stored(row.start, row.end, row.spans)).get("HELD", 0)
        for row in rows
    }
    assert held == {date(2026, 11, 20): 4 * HOUR, date(2026, 11, 21): 0}
    database.close()


def test_every_transaction_of_days_is_later_than_the_one_before_also_when_the_clock_stands(
    database: Database,
) -> None:
    feeder = Feeder(database, START + timedelta(days=2))
    feeder([inventory(START)])
    stamps = []
    for hours in range(3):
        feeder([reading(START + timedelta(hours=hours), 1000 + hours)])
        feeder.settle()
        with database.read() as connection:
            stamps.append(connection.execute(select(register_day.c.computed_at)).scalar_one())
    assert stamps[0] < stamps[1] < stamps[2]
    database.close()


def test_days_that_wait_for_the_database_say_so_once_and_when_it_is_over(
    tmp_path: Path, each_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, computing.__name__)
    database = databases.database(tmp_path, patience_s=0.05)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    ingest(database, [(GATEWAY, pack(STREAM, 1, [inventory(START)]))], START)
    tries = 0

    def tried() -> None:
        nonlocal tries
        tries += 1

    async def wait() -> None:
        task = asyncio.create_task(computing.run(database, divisions.load(), SystemClock(), tried))
        with databases.held(database):
            while tries < 4:
                await asyncio.sleep(0.02)
        while "no more" not in caplog.text:
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(asyncio.wait_for(wait(), 30))
    told = [record.getMessage() for record in caplog.records if record.name == computing.__name__]
    assert len(told) == 2
    assert told[0].startswith("days wait: the database does not answer: ")
    assert told[1].startswith("days wait no more, after ")
    database.close()


def test_a_long_judgement_is_a_transaction_of_its_own_and_folds_each_day_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[int] = []

    def counted(*arguments: Any) -> Any:
        folded.append(arguments[4])
        return fold(*arguments)

    monkeypatch.setattr(judging, "fold", counted)
    monkeypatch.setattr(days, "BATCH", 20)
    feeder = Feeder(database, START + timedelta(days=50))
    feeder([inventory(START)])
    feeder([reading(START + timedelta(days=n), 1000 + n) for n in range(50)])
    feeder([States("states", "SB-1", START, START + timedelta(hours=1), ((0, State.IDLE),))])
    assert days.recompute(database, feeder.now) == 20
    assert len(folded) == 50, "the first days go on through the others while anything changes"
    with database.read() as connection:
        assert len(seen(connection, waiting(Kind.DAY))) == 31
    feeder.settle()
    assert len(folded) == 50 + 30
    assert feeder.consumption(START, feeder.now) == 49 * 10_000
    database.close()


def test_a_hole_costs_resolution_and_never_quantity(database: Database) -> None:
    feeder = Feeder(database, START + timedelta(days=9))
    feeder([inventory(START)])
    for hours, raw in ((0, 1000), (1, 2000), (75, 200_000), (76, 201_000)):
        feeder([reading(START + timedelta(hours=hours), raw)])
    feeder.settle()
    assert feeder.consumption(START, START + timedelta(hours=76)) == 2_000_000_000
    whole_days = [
        feeder.consumption(START + timedelta(days=n), START + timedelta(days=n + 1)) for n in range(4)
    ]
    assert sum(amount or 0 for amount in whole_days) == 2_000_000_000
    with database.read() as connection:
        (second,) = of_subject(
            connection, ENTERPRISE, "DB-1", to_ms(START + timedelta(days=1)), to_ms(START + timedelta(days=2))
        )
    assert second.quantity.spread_ms == 24 * HOUR
    database.close()


def test_facts_that_no_inventory_names_yet_are_computed_once_it_comes(database: Database) -> None:
    feeder = Feeder(database, START + timedelta(days=1))
    feeder([reading(START, 1000)])
    feeder([reading(START + timedelta(hours=1), 1500)])
    feeder.settle()
    with database.read() as connection:
        assert of_subject(connection, ENTERPRISE, "DB-1", 0, to_ms(START + timedelta(hours=2))) == []
    feeder([inventory(START)])
    feeder.settle()
    assert feeder.consumption(START, START + timedelta(hours=2)) == 5_000_000
    database.close()


def test_a_max_rate_that_is_corrected_judges_the_past_anew(database: Database) -> None:
    feeder = Feeder(database, START + timedelta(days=3))
    feeder([inventory(START, max_rate=100)])
    for hours in range(48):
        feeder([reading(START + timedelta(hours=hours), 1000 + 500 * hours)])
    feeder.settle()
    assert (feeder.consumption(START, START + timedelta(days=2)) or 0) < 47 * 5_000_000
    feeder([inventory(START + timedelta(days=2), max_rate=600)])
    feeder.settle()
    assert feeder.consumption(START, START + timedelta(days=2)) == 47 * 5_000_000
    database.close()


def test_a_carrier_that_is_corrected_is_corrected_for_the_past(database: Database) -> None:
    feeder = Feeder(database, START + timedelta(days=3))
    feeder([inventory(START, carrier="water_fresh")])
    feeder([reading(START, 1000), reading(START + timedelta(hours=1), 1500)])
    feeder([inventory(START + timedelta(days=1))])
    feeder.settle()
    assert feeder.consumption(START, START + timedelta(hours=2)) == 5_000_000
    database.close()


def test_what_an_inventory_no_longer_names_is_withdrawn_and_keeps_its_past(database: Database) -> None:
    feeder = Feeder(database, START + timedelta(days=3))
    feeder([inventory(START)])
    feeder([reading(START, 1000), reading(START + timedelta(hours=1), 1500)])
    feeder(
        [
            Inventory(
                "inventory",
                START + timedelta(days=1),
                inventory(START).site,
                CalendarItem((), ()),
                (),
                (),
                (),
            )
        ]
    )
    feeder.settle()
    assert feeder.consumption(START, START + timedelta(hours=2)) == 5_000_000
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT asset_no, withdrawn FROM subject ORDER BY asset_no").all()
    assert [tuple(row) for row in rows] == [("DB-1", 1), ("SB-1", 1)]
    database.close()


def history(rng: random.Random, kind: str) -> tuple[dict[str, Any], list[tuple[int, int]], list[Declaration]]:
    """A register's life over some days: holes, dips, spikes, resets, wraps, exchanges, repeated values."""
    about: dict[str, Any] = {"max_rate": 4000, "modulus": None, "resets": False}
    raw, at = rng.randrange(1000, 50_000), to_ms(START)
    if kind == "wraps":
        about["modulus"], raw = 65_536, 60_000
    elif kind == "resets":
        about["resets"], raw = True, 100
    found: list[tuple[int, int]] = []
    declarations: list[Declaration] = []
    for _ in range(rng.randrange(20, 90)):
        dt = rng.choice([900_000] * 6 + [10_000, 600_000, HOUR, 6 * HOUR, 30 * HOUR])
        at += dt
        raw += rng.randrange(0, max(int(3000 * dt / HOUR), 1) + 1)
        event = rng.random()
        if kind == "wraps":
            raw %= 65_536
        elif kind == "resets" and event < 0.1:
            raw = rng.randrange(0, 5)
        if event > 0.93:
            found.append((at + 1000, rng.choice([0, raw + 9000, max(raw - 700, 0)])))
        elif event > 0.9:
            for _ in range(1, rng.randrange(2, 6)):
                at += 600_000
                found.append((at, 0))
        elif event > 0.87 and kind == "declared" and not declarations:
            first = rng.randrange(0, 50)
            declarations.append(Declaration(at, raw, first, rng.random() < 0.3))
            raw = first
        elif event > 0.85:
            for _ in range(rng.randrange(3, 12)):
                at += 900_000
                found.append((at, raw))
        else:
            found.append((at, raw))
    return about, found, declarations


@pytest.mark.parametrize("kind", ["plain", "wraps", "resets", "declared"])
@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(rounds(3, 6)))
def test_readings_fed_late_and_out_of_order_through_the_stored_states_come_to_judging_the_whole_set(
    database: Database, kind: str, seed: int
) -> None:
    rng = random.Random(f"{kind}{seed}")
    about, readings, declarations = history(rng, kind)
    whole = judge(Register(**about), readings, declarations)
    feeder = Feeder(database, from_ms(max(at for at, _ in readings)) + timedelta(minutes=1))
    feeder([inventory(START, **about)])
    with database.write() as connection:
        from ganpo_cloud.store.tables import declaration

        for d in declarations:
            connection.execute(
                insert(declaration).values(
                    enterprise=ENTERPRISE,
                    register=REGISTER,
                    at=d.at,
                    final=d.final,
                    first=d.first,
                    confirmed=d.confirmed,
                    why="x",
                    by="x",
                    declared_at=0,
                )
            )
    rng.shuffle(readings)
    while readings:
        batch = [readings.pop() for _ in range(min(rng.randrange(1, 15), len(readings)))]
        feeder([reading(from_ms(at), raw) for at, raw in batch])
        if rng.random() < 0.6:
            feeder.settle()
    feeder.settle()
    with database.read() as connection:
        steps = chains.steps_between(connection, ENTERPRISE, REGISTER, 0, 2**62, "Asia/Shanghai")
        assert not seen(connection, waiting(Kind.DAY))
        assert connection.execute(select(register.c.id)).scalar_one() == REGISTER
    assert steps == whole.steps
    used = sum(step.amount for step in whole.steps if step.kind is StepKind.USED)
    if whole.first and whole.last:
        low, high = from_ms(whole.first.at), from_ms(whole.last.at)
        expect = (whole.first.raw + used) * 10_000 - whole.first.raw * 10_000
        assert feeder.consumption(low, high) == expect
    database.close()
