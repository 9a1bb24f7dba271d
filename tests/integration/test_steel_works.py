"""Half a year of a steel works, through everything that is real, with every disturbance at once (Show 3).

What passes through everything is its first 60 days in the suite, in which the register turns over too.
"""

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ganpo_cloud.days.consumed import of_carrier
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_drivers import Point
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.clock import to_ms
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from support.broker import Mosquitto
from support.campaign import rounds
from support.modbus_server import ModbusServer, words
from support.plants import REGISTER, PlantBuilder
from support.replaying import ENTERPRISE, Cloud, Gateway, Repeater, ReplayClock

pytestmark = pytest.mark.slow

START = datetime(2018, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
BEGINS_AT = 90_000_000
MODULUS = 100_000_000
STEPS = rounds(60, 181) * 96
GATEWAY = "gw-steel-0001"


def registers(shared: Path) -> list[int]:
    """What was counted (0.01 kWh) every 15 min from 2018-01-01 00:00; the register turns over."""
    stands = [BEGINS_AT]
    with (shared / "data" / "steel_energy_15min.csv").open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            stands.append(stands[-1] + round(float(row["Usage_kWh"]) * 100))
    assert len(stands) == 17_377
    assert used(stands) == 521_199_760_000
    return stands


def used(stands: list[int]) -> int:
    """In millionths of a kWh, from the first to the last."""
    return (stands[-1] - stands[0]) * 10_000


def consumption(cloud: Cloud, until: datetime) -> int | None:
    with cloud.database.read() as connection:
        found = of_carrier(connection, ENTERPRISE, "DB-1", "electricity", to_ms(START), to_ms(until))
    return found.millionths if found is not None else None


@pytest.mark.campaign
@pytest.mark.timeout(400)
async def test_half_a_year_comes_to_exactly_what_was_used_through_every_disturbance(
    shared: Path, tmp_path: Path
) -> None:
    stands = registers(shared)[: STEPS + 1]
    assert stands[-1] > MODULUS
    rng = random.Random(20180101)
    rebuilt_at = set(rng.sample(range(1, len(stands)), 20))
    clock = ReplayClock(START)
    with Mosquitto(tmp_path) as broker, ModbusServer() as server:
        cloud = Cloud(tmp_path, broker.url, clock, GATEWAY)
        repeater = Repeater(broker.port, 3)
        builder = PlantBuilder(tmp_path / "state", broker.url, GATEWAY, uplink={"repeat_s": 3})
        builder.connection("bus")
        address = ModbusAddress.parse("1:holding:0", type="uint32", order="ABCD")
        builder.meter("bus", "DB-1", address, max_rate=80_000, modulus=MODULUS, interval_s=900, stale_s=2700)
        plant = builder.build()
        points = plant.connections[0].points
        driver = ModbusDriver(ModbusSettings(driver="modbus", url=server.url, addressing="0-based"))
        await driver.open()
        query = driver.prepare([Point(point.name, address) for point in points])
        gateway = Gateway(plant, clock, rng)
        cloud.start()
        for number, stand in enumerate(stands):
            clock.now = START + timedelta(minutes=15 * number)
            if number in rebuilt_at:
                await gateway.rebuild()
            if number % 200 == 0:
                gateway.link() if number % 400 == 0 else await gateway.unlink()
            server.set(1, "holding", 0, words("uint32", stand % MODULUS))
            gateway.observer.feed(points, await driver.read(query), None, to_ms(clock.now))
            await gateway.keeper.flush()
        await driver.close()
        await gateway.drained(120)
        await cloud.settle()
        assert repeater.repeated > len(stands) // 5
        assert consumption(cloud, clock.now) == used(stands)

        # 60 % of the inner readings thrown away, and judged again
        with cloud.database.write() as connection:
            rows = connection.exec_driver_sql("SELECT at, raw FROM reading ORDER BY at").all()
            gone = rng.sample(rows[1:-1], int((len(rows) - 2) * 0.6))
            connection.exec_driver_sql(
                "DELETE FROM reading WHERE at = ? AND raw = ?", [tuple(row) for row in gone]
            )
            mark(connection, Kind.REGISTER, [(key(ENTERPRISE, REGISTER), EVER)])
        await cloud.settle()
        assert consumption(cloud, clock.now) == used(stands)
        await gateway.close()
        await cloud.stop()
        repeater.stop()
        cloud.database.close()


@pytest.mark.timeout(300)
async def test_the_same_facts_in_random_order_come_to_the_same(shared: Path, tmp_path: Path) -> None:
    stands = registers(shared)
    until = START + timedelta(minutes=15 * (len(stands) - 1))
    clock = ReplayClock(until)
    cloud = Cloud(tmp_path, "mqtt://127.0.0.1:1", clock, GATEWAY)
    builder = PlantBuilder(tmp_path / "state", gateway=GATEWAY)
    builder.connection("bus")
    builder.meter("bus", "DB-1", "r", max_rate=80_000, modulus=MODULUS)
    facts = [
        Reading("reading", REGISTER, START + timedelta(minutes=15 * n), stand % MODULUS)
        for n, stand in enumerate(stands)
    ]
    rng = random.Random(7)
    rng.shuffle(facts)
    stream = "01HF7YAT00V3RS3DTR98H6BCFN"
    frames = [(GATEWAY, pack(stream, 1, [builder.build().inventory(until)]))]
    frames += [
        (GATEWAY, pack(stream, n + 2, facts[n * 40 : n * 40 + 40])) for n in range((len(facts) + 39) // 40)
    ]
    rng.shuffle(frames)
    for first in range(0, len(frames), 64):
        ingest(cloud.database, frames[first : first + 64], until)
        if rng.random() < 0.2:
            await cloud.settle()
    await cloud.settle()
    assert consumption(cloud, until) == used(stands)
    cloud.database.close()
