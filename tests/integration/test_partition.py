"""The same facts come to the same tables: whatever transactions they arrive in, in any order, twice, from quarantine or
not, from any number of gateways in any time zone, with what people declare meanwhile (I5)."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ganpo_cloud.days.consumed import of_carrier
from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_model.clock import to_ms
from ganpo_model.facts import CalendarItem, Fact, Inventory, MeterItem, Reading, RegisterItem, SiteItem
from ganpo_model.frame import pack
from support import databases
from support.campaign import rounds
from support.partitions import delivered, difference, world
from support.province import CODES, STREAM, Plant

CODE, GATEWAY, SECOND = CODES[0], "gw-test-0001", "gw-test-0002"
OLD, NEW = "DB-1/energy_import#0123abcd", "DB-1/energy_import#89ef4567"
OCTOBER = datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 10, 31, 16, tzinfo=UTC)
EXCHANGE = datetime(2026, 10, 16, 4, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
DIFFERED = (62,)
"""Worlds that came to other tables once: a declaration where nothing was read."""


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.campaign
def test_any_partition_of_a_set_of_frames_comes_to_the_same_tables(
    tmp_path: Path, each_database: str
) -> None:
    worlds, partitions, frames = rounds(3, 200), rounds(3, 6), 0
    seeds = [*range(worlds), *DIFFERED]
    if each_database == "postgresql":
        seeds = seeds[: worlds // 3]
    for seed in seeds:
        of = world(seed)
        frames += len(of.frames)
        wanted = None
        for number in range(partitions + 1):
            folder = tmp_path / f"{seed}-{number}"
            folder.mkdir()
            database = databases.database(folder)
            found = delivered(database, of, random.Random(f"{seed} {number}") if number else None)
            database.close()
            wanted = wanted or found
            assert not (lines := difference(wanted, found)), "\n".join(
                [f"world {seed}, partition {number}", *lines]
            )
    print(f"{len(seeds)} worlds, {frames} frames, {len(seeds) * partitions} partitions")


def inventory(at: datetime, number: str, num: int, den: int, zone: str = "Asia/Shanghai") -> Inventory:
    item = RegisterItem(
        number, "DB-1", "energy_import", "electricity", "kWh", num, den, None, 9000, resets=False
    )
    meter = MeterItem("DB-1", "Main meter", "electricity", "boundary_in", None, None)
    site = SiteItem("plant-1", "Plant", zone, 900_000)
    return Inventory("inventory", at, site, CalendarItem((), ()), (), (meter,), (item,))


@pytest.mark.parametrize("together", [True, False])
def test_a_ratio_that_is_corrected_in_one_batch_keeps_both_periods(
    tmp_path: Path, each_database: str, *, together: bool
) -> None:
    """400/5 until 16 October, then new transformers of 600/5: 240 kWh a day throughout but for the half hour."""
    plant = Plant(databases.database(tmp_path))
    registry.add(plant.database, GATEWAY, CODE, "plant-1")
    before: list[Fact] = []
    after: list[Fact] = []
    for n in range(31 * 96 + 1):
        at = OCTOBER[0] + n * QUARTER
        tenths = 25 * n  # of a kWh
        if at <= EXCHANGE:
            before.append(Reading("reading", OLD, at, 1000 + tenths * 10 // 80))
        elif at > EXCHANGE + QUARTER:
            after.append(Reading("reading", NEW, at, tenths * 10 // 120))
    told = (inventory(OCTOBER[0], OLD, 80, 100), inventory(EXCHANGE + QUARTER, NEW, 120, 100))
    sent: list[list[Fact]] = [[told[0]], before, [told[1]], after]
    frames = [(GATEWAY, pack(STREAM, n + 1, facts)) for n, facts in enumerate(sent)]
    now = OCTOBER[1] + timedelta(days=1)
    for batch in [frames] if together else [[frame] for frame in frames]:
        assert len(ingest(plant.database, batch, now)) == len(batch)
        plant.settle(now)
    with plant.database.read() as connection:
        found = of_carrier(connection, CODE, "DB-1", "electricity", to_ms(OCTOBER[0]), to_ms(OCTOBER[1]))
        follows = [item.code for item in open_items(connection, now)]
    plant.database.close()
    assert found is not None
    assert found.millionths == pytest.approx(7_435_000_000, abs=3_000_000)
    assert follows == ["follows"]


def test_what_a_second_gateway_sends_first_is_counted_on_the_days_of_its_site(
    tmp_path: Path, each_database: str
) -> None:
    """In the afternoon of New York it is the next day in Shanghai."""
    plant = Plant(databases.database(tmp_path))
    for gateway in (GATEWAY, SECOND):
        registry.add(plant.database, gateway, CODE, "plant-1")
    start = datetime(2026, 11, 21, 17, tzinfo=UTC)
    plant.send(GATEWAY, [inventory(start, OLD, 1, 1, "America/New_York")])
    plant.send(GATEWAY, [Reading("reading", OLD, start, 0)])
    plant.send(SECOND, [Reading("reading", OLD, start + n * QUARTER, 2000 * n) for n in range(1, 20)])
    plant.settle()
    with plant.database.read() as connection:
        day = to_ms(start - timedelta(hours=17)), to_ms(start + timedelta(hours=7))
        found = of_carrier(connection, CODE, "DB-1", "electricity", *day)
    plant.database.close()
    assert found is not None
    assert found.millionths == 38_000 * 10**6
