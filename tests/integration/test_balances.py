"""What of a carrier counts, and once: meters and statements, meters below meters, enterprises that move (section 5)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ganpo_cloud.imports import registry
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.province.why import why
from ganpo_cloud.store.counted_tables import ALL, QUANTITIES, area_carrier
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from ganpo_model.facts import Inventory, MeterItem, Reading, RegisterItem
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE, OTHER = CODES[0], CODES[1]
GATEWAY = "gw-test-0001"
BEGIN = datetime.fromisoformat("2026-10-01T00:00:00+08:00")
KWH = 10**6


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE))
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    registry.add(plant.database, GATEWAY, CODE, "plant-1")


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill))
    yield plant
    plant.database.close()


def meters(
    roles: Mapping[str, tuple[str, str | None]], at: datetime = BEGIN, since: str | None = None
) -> Inventory:
    """An inventory of electricity meters by number: (role, parent)."""
    day = None if since is None else datetime.fromisoformat(since).date()
    return replace(
        inventory(at=at),
        meters=tuple(
            MeterItem(no, no, "electricity", role, above, day) for no, (role, above) in roles.items()
        ),
        registers=tuple(
            RegisterItem(
                register(no), no, "energy_import", "electricity", "kWh", 1, 1, None, 10**6, resets=False
            )
            for no in roles
        ),
    )


def register(number: str) -> str:
    return f"{number}/energy_import#0123abcd"


def read(
    plant: Plant, number: str, daily: int, days: int = 31, begin: datetime = BEGIN, gateway: str = GATEWAY
) -> None:
    """So many kWh a day from midnight to midnight."""
    readings = [
        Reading("reading", register(number), begin + timedelta(days=n), 5000 + daily * n)
        for n in range(days + 1)
    ]
    plant.send(gateway, [*readings])


def october(plant: Plant, area: str = "360000", carrier: str = "electricity") -> Any:
    """The row of a place."""
    plant.settle()
    mine = (
        (area_carrier.c.area == area) & (area_carrier.c.industry == ALL) & (area_carrier.c.carrier == carrier)
    )
    with plant.database.read() as connection:
        return connection.execute(
            select(area_carrier).where(mine & (area_carrier.c.month == "2026-10"))
        ).first()


def quantities(row: Any) -> dict[str, int | None]:
    return {name: None if row[name] is None else row[name] // KWH for name in QUANTITIES}


def statement(quantity: int, part: str = "", month: str = "2026-10", code: str = CODE) -> str:
    return f"{code},{month},electricity,{quantity},kWh,bill,Li,{part}"


@pytest.mark.parametrize("part", ["", "whole"])
def test_a_meter_stands_before_a_statement_of_the_whole_and_the_difference_is_told(
    plant: Plant, part: str
) -> None:
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None)})])
    read(plant, "IN", 100)
    plant.take("carriers", f"{CODE},2026,electricity")
    plant.take("statements", statement(3150, part))
    row = october(plant)
    assert quantities(row._mapping) == {
        "millionths": 3100, "by_statement": None, "metered": 3100, "stated": 3150, "difference": 50,
    }  # fmt: skip
    assert (row.enterprises, row.declared, row.covered) == (1, 1, 1)
    with Served(create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)) as served:
        (told,) = httpx.get(f"{served.url}/api/v1/energy", params={"from": "2026-10", "to": "2026-10"}).json()
        page = httpx.get(f"{served.url}/energy", params={"lang": "zh"}).text
    assert {name: told[name] for name in QUANTITIES} == {name: row._mapping[name] for name in QUANTITIES}
    shown = re.sub(r"<[^>]+>|\s", " ", page.partition("<h2>对账</h2>")[2])
    assert re.search(r"电力\s+kWh\s+3,100.00\s+3,150.00\s+50.00\s+3,100.00\s+计量", shown), shown[:600]


def test_where_the_meter_covers_less_than_nine_tenths_of_the_month_the_statement_of_the_whole_stands(
    plant: Plant,
) -> None:
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None)})])
    read(plant, "IN", 100, days=27)
    plant.take("carriers", f"{CODE},2026,electricity")
    assert october(plant).covered == 0
    plant.take("statements", statement(3150))
    row = october(plant)
    assert quantities(row._mapping) == {
        "millionths": 3150, "by_statement": 3150, "metered": 2700, "stated": 3150, "difference": 450,
    }  # fmt: skip
    assert (row.enterprises, row.declared, row.covered) == (1, 1, 1)
    read(plant, "IN", 100, days=28)
    assert quantities(october(plant)._mapping)["millionths"] == 2800, "28 of 31 days are more than 90 %"


def test_a_statement_of_what_is_unmetered_is_added(plant: Plant) -> None:
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None)})])
    read(plant, "IN", 100, days=20)
    plant.take("carriers", f"{CODE},2026,electricity")
    plant.take("statements", statement(500, "unmetered"))
    row = october(plant)
    assert quantities(row._mapping) == {
        "millionths": 2500, "by_statement": 500, "metered": 2000, "stated": 500, "difference": None,
    }  # fmt: skip
    assert row.covered == 0, "the meter has seen 20 days of it, and no paper speaks for the others"


def test_a_list_of_statements_without_the_column_speaks_of_the_whole(plant: Plant) -> None:
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None)})])
    read(plant, "IN", 100)
    plant.take_text(
        "statements", f"enterprise,month,carrier,quantity,unit,document,by\n{statement(3100)[:-1]}"
    )
    assert quantities(october(plant)._mapping)["millionths"] == 3100


def test_one_of_two_boundary_meters_that_falls_silent_leaves_its_days_uncovered(plant: Plant) -> None:
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None), "IN-2": ("boundary_in", None)})])
    read(plant, "IN", 100)
    read(plant, "IN-2", 10, days=9)
    plant.take("carriers", f"{CODE},2026,electricity")
    row = october(plant)
    assert quantities(row._mapping)["millionths"] == 3190
    assert (row.declared, row.covered) == (1, 0)
    # One that was taken away is waited for no longer than it stood.
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None)}, at=BEGIN + timedelta(days=9))])
    assert october(plant).covered == 1


def test_a_meter_below_one_that_counts_is_a_sub_meter_until_that_one_is_taken_away(plant: Plant) -> None:
    """3,100 of the grid and 1,240 of the roof are 4,340, whatever is metered again below."""
    roles = {
        "IN": ("boundary_in", None),
        "IN-2": ("boundary_in", "HALL"),
        "HALL": ("sub", "IN"),
        "PV": ("generation", "IN"),
        "PV-1": ("generation", "PV"),
        "PV-2": ("generation", "PV"),
    }
    plant.send(GATEWAY, [meters(roles)])
    for number, daily in {"IN": 100, "IN-2": 60, "HALL": 70, "PV": 40, "PV-1": 20, "PV-2": 20}.items():
        read(plant, number, daily)
    assert quantities(october(plant)._mapping)["millionths"] == 4340
    with plant.database.read() as connection:
        reasons = why(connection, CODE, "IN-2", NOW)
    assert [reason.details for reason in reasons if reason.code == "inside"] == [{"outer": "IN"}]
    without = {number: role for number, role in roles.items() if number not in ("IN", "HALL")}
    plant.send(GATEWAY, [meters(without, at=BEGIN + timedelta(days=40))])
    with plant.database.read() as connection:
        assert "inside" not in [reason.code for reason in why(connection, CODE, "IN-2", NOW)]
    assert quantities(october(plant)._mapping)["millionths"] == 4340, "the month before stands"


@pytest.mark.parametrize(("each", "told"), [(90, True), (72, False), (70, False)])
def test_meters_that_measure_more_than_the_one_above_them_are_told_and_change_nothing(
    plant: Plant, each: int, told: bool
) -> None:
    """Field case G12: 100 of the grid and 40 of the roof a day, and two halls."""
    roles: dict[str, tuple[str, str | None]] = {"IN": ("boundary_in", None), "PV": ("generation", "IN")}
    roles |= {"PV-1": ("generation", "PV"), "PV-2": ("generation", "PV")}
    roles |= {"SUB-1": ("sub", "IN"), "SUB-2": ("sub", "IN")}
    plant.send(GATEWAY, [meters(roles)])
    for number, daily in {"IN": 100, "PV": 40, "PV-1": 20, "PV-2": 20, "SUB-1": each, "SUB-2": each}.items():
        read(plant, number, daily)
    assert quantities(october(plant)._mapping)["millionths"] == 4340
    end = BEGIN + timedelta(days=30, hours=12)
    with plant.database.read() as connection:
        found = {no: [r for r in why(connection, CODE, no, end) if r.code == "below"] for no in roles}
    assert [no for no, reasons in found.items() if reasons] == (["IN"] if told else [])
    if told:
        assert found["IN"][0].details == {"days": "30", "below": "5,400 kWh", "through": "4,200 kWh"}


def test_what_comes_in_below_what_goes_out_is_not_ours_and_what_goes_out_below_what_comes_in_is_subtracted(
    plant: Plant,
) -> None:
    plant.send(
        GATEWAY,
        [
            meters(
                {"IN": ("boundary_in", None), "OUT": ("boundary_out", "IN"), "THEIRS": ("boundary_in", "OUT")}
            )
        ],
    )
    for number, daily in {"IN": 100, "OUT": 30, "THEIRS": 20}.items():
        read(plant, number, daily)
    assert quantities(october(plant)._mapping)["millionths"] == 3100 - 930


def test_an_enterprise_with_sites_in_two_counties_is_one_enterprise_above_them(plant: Plant) -> None:
    plant.take("sites", f"{CODE},plant-2,Q,360121,Asia/Shanghai")
    registry.add(plant.database, "gw-test-0002", CODE, "plant-2")
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None)})])
    there = meters({"IN-2": ("boundary_in", None)})
    plant.send("gw-test-0002", [replace(there, site=replace(there.site, id="plant-2"))])
    read(plant, "IN", 100)
    read(plant, "IN-2", 10, gateway="gw-test-0002")
    plant.take("carriers", f"{CODE},2026,electricity")
    found = {area: october(plant, area) for area in ("360681", "360121", "360000")}
    assert {area: row.millionths // KWH for area, row in found.items()} == {
        "360681": 3100, "360121": 310, "360000": 3410,
    }  # fmt: skip
    assert {(row.enterprises, row.declared, row.covered) for row in found.values()} == {(1, 1, 1)}


def test_an_enterprise_that_moves_county_and_industry_within_a_year_has_its_intensity_in_its_new_home(
    plant: Plant,
) -> None:
    now = datetime(2027, 1, 2, tzinfo=UTC)
    plant.take("carriers", f"{CODE},2026,electricity")
    plant.take("value_added", f"{CODE},2026,1000000,2020,statistics", now=now)
    plant.take("statements", *(statement(1000, month=f"2026-{month:02d}") for month in range(1, 13)), now=now)
    moved = enterprise(CODE, "360121", "1310", "FOOD").replace("2018-01-01", "2026-07-15")
    plant.take("enterprises", moved, now=now)
    plant.settle(now)
    with plant.database.read() as connection:
        indicators = Indicators(snapshot(connection, PROVINCE, date(2026, 12, 31), now))
        found = {
            area: next(i for i in indicators.of(area, None) if i.definition.id == "energy_intensity")
            for area in ("360681", "360121", "360000")
        }
    assert {area: (item.checked, item.denominator, item.behind, item.of) for area, item in found.items()} == {
        "360681": (None, 0, 0, 0),
        "360121": (12 * 122_900, 100_000_000, 1, 1),
        "360000": (12 * 122_900, 100_000_000, 1, 1),
    }


def test_an_enterprise_that_changes_industry_within_a_month_keeps_what_it_took_before(plant: Plant) -> None:
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None)})])
    read(plant, "IN", 100)
    plant.take("enterprises", enterprise(CODE, "360681", "1310", "FOOD").replace("2018-01-01", "2026-10-11"))
    assert quantities(october(plant)._mapping)["millionths"] == 3100


def test_energy_is_of_the_year_of_the_last_month_that_was_over(plant: Plant) -> None:
    plant.take("carriers", *(f"{CODE},{year},electricity" for year in (2025, 2026)))
    plant.take("statements", statement(1000, month="2025-12"), statement(500, month="2026-01"))
    plant.settle()
    for day, months in (
        (date(2026, 1, 15), ("2025-01", "2025-12")),
        (date(2026, 1, 31), ("2026-01", "2026-01")),
        (date(2026, 2, 1), ("2026-01", "2026-01")),
        (date(2026, 10, 30), ("2026-01", "2026-09")),
    ):
        with plant.database.read() as connection:
            found = snapshot(connection, PROVINCE, day, NOW)
            every = Indicators(found).of("360000", None)
        item = next(item for item in every if item.definition.id == "comprehensive_energy")
        assert found.months == months, day
        assert item.period == "/".join(months), day
        assert item.checked == 122_900 * (2 if months[0] == "2025-01" else 1) // 2, day


def test_energy_says_how_many_declared_carriers_are_covered_and_nothing_where_nobody_measured(
    plant: Plant,
) -> None:
    plant.take("carriers", f"{CODE},2026,electricity", f"{CODE},2026,raw_coal")
    plant.take("statements", *(statement(1000, month=f"2026-{month:02d}") for month in range(1, 11)))
    plant.settle()

    def indicator(name: str) -> Any:
        with plant.database.read() as connection:
            of = Indicators(snapshot(connection, PROVINCE, date(2026, 10, 31), NOW))
            return next(item for item in of.of("360000", None) if item.definition.id == name)

    item = indicator("comprehensive_energy")
    assert (item.checked, item.completeness) == (10 * 122_900, (10, 20))
    assert (item.behind, item.of) == (None, None), "no enterprise is said to stand behind it"
    assert item.missing == ("raw_coal",)
    plant.take("carriers", f"{CODE},2026,water_fresh")
    plant.settle()
    water = indicator("water")
    assert (water.checked, water.value, water.completeness) == (None, None, (0, 10))


def test_a_meter_with_one_reading_or_none_that_is_believed_has_no_quantity(plant: Plant) -> None:
    plant.send(GATEWAY, [meters({"IN": ("boundary_in", None), "BAD": ("boundary_in", None)})])
    plant.send(GATEWAY, [Reading("reading", register("IN"), BEGIN + timedelta(hours=5), 5000)])
    jumps = [5000, 90_000_000, 3, 80_000_000, 7]
    plant.send(
        GATEWAY,
        [Reading("reading", register("BAD"), BEGIN + timedelta(hours=n), raw) for n, raw in enumerate(jumps)],
    )
    row = october(plant)
    assert row is None or row.millionths is None


def test_more_than_can_be_stored_is_nothing_that_anybody_took_and_stops_nobody_else(plant: Plant) -> None:
    plant.take("enterprises", enterprise(OTHER, "360121", "1310", "FOOD"))
    plant.take(
        "statements",
        f"{CODE},2026-10,electricity,9000000000000,kWh,bill,Li,",
        f"{OTHER},2026-10,electricity,9000000000000,kWh,bill,Li,",
        f"{OTHER},2026-10,raw_coal,1000,kg,W-1,Li,",
    )
    assert october(plant, "360121").millionths == 9 * 10**18
    assert october(plant).millionths is None
    assert october(plant, carrier="raw_coal").millionths == 1000 * KWH
