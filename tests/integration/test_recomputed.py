"""Every number of the overview against plain loops over what gateways saw and lists say, for 30 random filters and
days; and what later facts may change of the past, and what never."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from ganpo_cloud import computing
from ganpo_cloud.days.periods import month_of, span
from ganpo_cloud.imports import registry
from ganpo_cloud.province import ledger_days, lists, totals
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.ledger import ledgers as ledgers_of
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store.counted_tables import ALL, area_day, ledger
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import EVER, Kind, mark
from ganpo_demo.fleet import fleet
from ganpo_demo.seeding import Seeding
from ganpo_model.coverage import MEASURES
from ganpo_model.facts import MeterItem, Reading, RegisterItem
from support import databases
from support.invented import LAST, SEED, province, seed
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory
from support.recounting import Recount

pytestmark = pytest.mark.usefixtures("each_database")
EXACT = ("energy_intensity", "water_intensity")


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[Database]:
    database = databases.filled(tmp_path, seed)
    yield database
    database.close()


def shown(database: Database, area: str, industry: str | None, day: date | None) -> dict[str, Indicator]:
    with database.read() as connection:
        found = snapshot(connection, PROVINCE, day, NOW)
        return {item.definition.id: item for item in Indicators(found).of(area, industry)}


@pytest.mark.campaign
@pytest.mark.timeout(300)
def test_every_number_of_the_overview_is_what_plain_loops_count(seeded: Database) -> None:
    database, by_hand = seeded, Recount(province(), PROVINCE, date(2026, 11, 28))
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    counties = sorted({firm.county for firm in by_hand.fleet.firms})
    places = [PROVINCE.whole, *counties, *{PROVINCE.above(county)[1] for county in counties}]
    compared = 0
    for n in range(30):
        area = rng.choice([PROVINCE.whole, rng.choice(places)])
        industry = rng.choice([None, None, *PROVINCE.industries])
        day = LAST - timedelta(days=rng.randrange((LAST - by_hand.fleet.first).days)) if n else LAST
        found = shown(database, area, industry, day)
        for metric, wanted in by_hand.overview(area, industry, day).items():
            item = found[metric]
            told = [item.declared, item.checked, item.proven, item.denominator]
            if len(set(item.definition.measures)) == 1:
                wanted = [None, wanted[1], None, wanted[3]]  # where evidence has no meaning
            assert told == wanted, (metric, area, industry, day)
            compared += 1
        whole = day if day == span(month_of(day))[1] else day.replace(day=1) - timedelta(days=1)
        tce, water = by_hand.energy(area, industry, by_hand.fleet.first, whole)
        assert (found["comprehensive_energy"].checked or 0) == int(tce * 10**6), (area, industry, day)
        assert (found["water"].checked or 0) == int(water * 10**6), (area, industry, day)
        assert set(found) == {*by_hand.overview(area, industry, day), "comprehensive_energy", "water", *EXACT}
    assert compared == 30 * 13
    with database.read() as connection:
        found_now = snapshot(connection, PROVINCE, LAST, NOW)
        sums = found_now.rows([PROVINCE.whole], [ALL])[PROVINCE.whole, ALL]
        for measure in MEASURES:
            listed = lists.devices(PROVINCE, lists.Filter(PROVINCE.whole, None, LAST), measure)
            assert lists.number(connection, listed) == sums[measure], f"the list behind {measure}"
        every = lists.enterprises(PROVINCE, lists.Filter(PROVINCE.whole, None, LAST))
        firms = connection.execute(lists.with_counts(LAST, lists.Order(), every)).all()
        for name, measure in lists.COUNTS.items():
            assert sum(getattr(firm, name) or 0 for firm in firms) == sums[measure], f"{name} of enterprises"
    item = shown(database, PROVINCE.whole, None, None)["energy_intensity"]
    assert item.behind == 0, "nobody has covered 90 % of a year that is seen for months"
    assert item.checked is None
    declared = {row["enterprise"] for row in by_hand.lists["carriers"] if row["year"] == "2026"}
    assert item.of == len(declared)


def test_a_past_count_and_rate_do_not_change_when_facts_of_later_days_arrive(tmp_path: Path) -> None:
    database = databases.database(tmp_path)
    of = fleet(SEED, LAST, PROVINCE, months=2, enterprises=12, devices=30)
    seeding = Seeding(database, PROVINCE, of)
    seeding.registry(NOW)
    border = LAST - timedelta(days=25)
    for firm in of.firms:
        seeding._firm(firm, of.first, border)
    computing.settle(database, PROVINCE, NOW)
    days = [border - timedelta(days=n) for n in (1, 5, 20)]

    def told() -> list[Any]:
        metrics = [
            metric
            for metric in shown(database, PROVINCE.whole, None, days[0])
            if metric not in ("comprehensive_energy", "water", *EXACT)
        ]
        return [
            (day, metric, item.declared, item.checked, item.proven, item.denominator)
            for day in days
            for metric, item in shown(database, PROVINCE.whole, None, day).items()
            if metric in metrics
        ]

    before = told()
    for firm in of.firms:
        seeding._firm(firm, border + timedelta(days=1), LAST)
    computing.settle(database, PROVINCE, NOW)
    assert told() == before
    assert shown(database, PROVINCE.whole, None, None)["availability"].denominator != before[0][5]
    database.close()


def test_a_past_quantity_changes_only_where_a_border_lay_in_the_step_that_a_later_reading_closes(
    tmp_path: Path,
) -> None:
    plant = Plant(databases.database(tmp_path))
    code, register = CODES[0], "DB-1/energy_import#0123abcd"
    plant.take("enterprises", enterprise(code))
    plant.take("sites", f"{code},plant-1,P,360681,Asia/Shanghai")
    registry.add(plant.database, "gw-test-0001", code, "plant-1")
    told = inventory(at=datetime(2026, 8, 1, tzinfo=UTC))
    item = RegisterItem(
        register, "DB-1", "energy_import", "electricity", "kWh", 1, 1, None, 100_000, resets=False
    )
    meter = MeterItem("DB-1", "Main", "electricity", "boundary_in", None, None)
    plant.send("gw-test-0001", [type(told)(**{**_fields(told), "meters": (meter,), "registers": (item,)})])

    def read(*pairs: tuple[str, int]) -> None:
        plant.send(
            "gw-test-0001",
            [Reading("reading", register, datetime.fromisoformat(f"{at}+08:00"), raw) for at, raw in pairs],
        )
        plant.settle()

    def months() -> dict[str, int | None]:
        with plant.database.read() as connection:
            found = {}
            for month in ("2026-08", "2026-09", "2026-10", "2026-11"):
                every = snapshot(connection, PROVINCE, None, NOW).energy(
                    [PROVINCE.whole], [""], (month, month)
                )
                found[month] = every[PROVINCE.whole, ""].carriers.get("electricity")
        return {month: None if value is None else value // 10**6 for month, value in found.items()}

    read(("2026-08-01T00:00", 1000), ("2026-09-01T00:00", 1310), ("2026-09-21T00:00", 1510))
    assert months() == {"2026-08": 310, "2026-09": 200, "2026-10": None, "2026-11": None}
    read(("2026-10-31T00:00", 1910))
    # The step from 21 September to 31 October holds the border between these months, and no other.
    assert months() == {"2026-08": 310, "2026-09": 300, "2026-10": 300, "2026-11": None}
    read(("2026-11-20T00:00", 2010))
    # The step from 31 October holds the border before November; August and September stand.
    assert months() == {"2026-08": 310, "2026-09": 300, "2026-10": 305, "2026-11": 95}
    assert Fraction(sum(value or 0 for value in months().values())) == 2010 - 1000
    plant.database.close()


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


@pytest.mark.parametrize("let_go", ["a machine's day of then arrives", "the ledger of then is another"])
def test_sums_that_are_not_kept_up_to_date_any_more_are_worked_out_and_the_same(
    seeded: Database, let_go: str
) -> None:
    database = seeded
    day, later = LAST - timedelta(days=40), NOW + timedelta(days=60)

    def shown_then() -> tuple[bool, dict[str, Any]]:
        with database.read() as connection:
            found = snapshot(connection, PROVINCE, day, later)
            items = Indicators(found).of(PROVINCE.whole, None)
            return found.stored is not None, {item.definition.id: item.checked for item in items}

    before = {metric: item.checked for metric, item in shown(database, PROVINCE.whole, None, day).items()}
    totals.turn_day(database, later)
    computing.settle(database, PROVINCE, later)
    assert shown_then() == (True, before)
    with database.write() as connection:
        if let_go.startswith("the ledger"):
            connection.execute(delete(ledger))
            mark(connection, Kind.LEDGER, ((firm.code, EVER) for firm in province().firms))
        else:
            mark(connection, Kind.SUMS, [("", day)])
    computing.settle(database, PROVINCE, later)
    assert shown_then() == (False, before)
    assert len(before) == 17


@pytest.mark.parametrize("added_up", [False, True])
def test_frames_are_stored_while_sums_are_added_up_and_what_they_change_is_added_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, added_up: bool
) -> None:
    """`added_up`: by another process, before this one is done."""
    plant = Plant(databases.database(tmp_path))
    plant.take("enterprises", enterprise(CODES[0]))
    registry.add(plant.database, "gw-one-0001", CODES[0], "plant-1")
    plant.send("gw-one-0001", [inventory("SB-1")])
    plant.settle()
    whole, meanwhile = totals.stocks, [inventory("SB-1", "SB-2", at=NOW + timedelta(seconds=1))]

    def stocks(*arguments: Any) -> Any:
        found = whole(*arguments)
        if meanwhile:
            plant.send("gw-one-0001", [meanwhile.pop()])
            assert ledger_days.recompute(plant.database, NOW) == 1
            if added_up:
                assert totals.recompute(plant.database, PROVINCE, NOW)
        return found

    def units() -> int:
        of = (area_day.c.area == PROVINCE.whole) & (area_day.c.industry == ALL)
        with plant.database.read() as connection:
            query = select(area_day.c.units).where(of & (area_day.c.day == date(2026, 11, 28)))
            return int(connection.execute(query).scalar_one())

    monkeypatch.setattr(totals, "stocks", stocks)
    with plant.database.write() as connection:
        mark(connection, Kind.SUMS, [("", date(2026, 11, 28))])
    assert totals.recompute(plant.database, PROVINCE, NOW) == 1
    assert units() == (2 if added_up else 1)
    plant.settle()
    assert units() == 2
    plant.database.close()


def test_a_ledger_that_is_marked_again_while_it_is_worked_out_is_worked_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(databases.database(tmp_path))
    plant.take("enterprises", enterprise(CODES[0]))
    registry.add(plant.database, "gw-one-0001", CODES[0], "plant-1")
    plant.settle()
    whole, meanwhile = ledgers_of, [inventory("SB-1")]

    def ledgers(*arguments: Any) -> Any:
        found = whole(*arguments)
        if meanwhile:
            plant.send("gw-one-0001", [meanwhile.pop()])
        return found

    def devices() -> int:
        with plant.database.read() as connection:
            return len(connection.execute(select(ledger).where(ledger.c.kind == "equipment")).all())

    monkeypatch.setattr(ledger_days, "ledgers", ledgers)
    with plant.database.write() as connection:
        mark(connection, Kind.LEDGER, [(CODES[0], EVER)])
    assert ledger_days.recompute(plant.database, NOW) == 1
    assert devices() == 0, "what was read before is not answered"
    assert ledger_days.recompute(plant.database, NOW) == 1
    assert devices() == 1
    plant.database.close()
