"""A forbidden furnace runs: a simulated meter, agent, broker, collector; the alarm, its evidence, its closing (Show 3).

`pytest -s` prints what a person sees. First twenty minutes of the plant's own time, which a clock of the test makes
short; then the two commands as processes, in slots of two seconds.
"""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ganpo_cloud import computing
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.store.counted_tables import evidence
from ganpo_cloud.store.tables import alarm, dirty, inventory
from ganpo_config.plant import Meaning
from ganpo_drivers import Point
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.clock import to_ms
from support import cloud as commands
from support.broker import Mosquitto
from support.gateways import wait_for
from support.modbus_server import ModbusServer, words
from support.plants import REGISTER, PlantBuilder
from support.province import PROVINCE, Plant, enterprise
from support.replaying import ENTERPRISE, Cloud, Gateway, ReplayClock
from support.running import Run

pytestmark = pytest.mark.slow
GATEWAY = "gw-test-0001"
MINUTE, SLOT = timedelta(minutes=1), timedelta(minutes=15)
METER, STATE = "1:holding:0", "1:holding:10"
BEGINS, ENDS = 22, 42
"""Minutes after the start in which the furnace is on."""
RUNNING, STANDBY = 200, 1
"""Counts of 0.1 kWh a minute: 1,200 kW and 6 kW."""


def lists(database: Any, since: datetime) -> None:
    """What people say of it."""
    plant = Plant(database)
    plant.take("enterprises", enterprise(ENTERPRISE, "360502", "3130", "STEEL"))
    plant.take("sites", f"{ENTERPRISE},plant-1,Plant,360502,Asia/Shanghai")
    plant.take("equipment", f"{ENTERPRISE},plant-1,ZP-1,中频炉,in_use,2018-01-01")
    plant.take("banned", f"{ENTERPRISE},ZP-1,forbidden,{since:%Y-%m-%d},赣工信字〔2018〕17号,DB-1,12,Wang")


async def until(condition: Any) -> float:
    """Wait until that holds; how many seconds it took."""
    began = time.monotonic()
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.timeout(120)
async def test_twenty_minutes_of_a_forbidden_furnace_raise_an_alarm_within_a_slot(tmp_path: Path) -> None:
    start = (datetime.now(UTC) - timedelta(days=2)).replace(hour=4, minute=0, second=0, microsecond=0)
    clock = ReplayClock(start)
    with Mosquitto(tmp_path) as broker, ModbusServer() as server:
        cloud = Cloud(tmp_path, broker.url, clock, GATEWAY)
        lists(cloud.database, start)
        builder = PlantBuilder(tmp_path / "state", broker.url, GATEWAY)
        builder.connection("bus")
        counts = ModbusAddress.parse(METER, type="uint32", order="ABCD")
        builder.meter("bus", "DB-1", counts, max_rate=20_000, den=10, interval_s=60, stale_s=180)
        works = ModbusAddress.parse(STATE, type="uint16")
        meaning = {"execution": Meaning("enum", {1: "ACTIVE", 0: "READY"})}
        builder.machine("bus", "ZP-1", {"execution": works}, meanings=meaning, interval_s=60, stale_s=180)
        plant = builder.build()
        points = plant.connections[0].points
        driver = ModbusDriver(ModbusSettings(driver="modbus", url=server.url, addressing="0-based"))
        await driver.open()
        query = driver.prepare(
            [Point(point.name, address) for point, address in zip(points, (counts, works), strict=True)]
        )
        gateway = Gateway(plant, clock, random.Random(1))
        gateway.link()
        cloud.start()
        task = asyncio.create_task(computing.run(cloud.database, PROVINCE, clock))

        def found(table: Any) -> list[Any]:
            with cloud.database.read() as connection:
                return list(connection.execute(select(table).order_by(*table.primary_key)))

        raw = 1000
        for minute in range(61):
            clock.now = start + minute * MINUTE
            on = BEGINS <= minute < ENDS
            server.set_many([(1, "holding", 0, words("uint32", raw)), (1, "holding", 10, [int(on)])])
            gateway.observer.feed(points, await driver.read(query), None, to_ms(clock.now))
            await gateway.keeper.flush()
            raw += RUNNING if on else STANDBY
            if minute % 15 == 0:
                await gateway.drained()
                took = await until(
                    lambda: found(inventory) and not any(row.kind == "day" for row in found(dirty))
                )
                print(f"{clock.now:%H:%M} worked out after {took:.2f} s, alarms: {len(found(alarm))}")
        (one,) = found(alarm)
        began = to_ms(start + BEGINS * MINUTE)
        assert one.raised_at - began <= (SLOT + 2 * MINUTE) / timedelta(milliseconds=1)
        by_states, by_meter = (
            [row for row in found(evidence) if bool(row.register) is metered] for metered in (False, True)
        )
        assert [(row.at, row.until) for row in by_states] == [(began, to_ms(start + ENDS * MINUTE))]
        (metered,) = by_meter
        assert (metered.register, metered.at) == (REGISTER, to_ms(start + SLOT))
        assert metered.counts == (ENDS - BEGINS) * RUNNING + 10 * STANDBY

        person = commands.Cloud(tmp_path, broker.url)
        for typed in (
            ["alarm", "list"],
            ["alarm", "close", str(one.id), "--why", "断电、封存，现场复核", "--by", "李某"],
            ["alarm", "list", "--all"],
        ):
            answer = person.type(*typed)
            print(f"$ ganpo-cloud {' '.join(typed)}\n{answer.output}")
            assert answer.exit_code == 0
        await driver.close()
        await gateway.close()
        task.cancel()
        await asyncio.wait([task])
        await cloud.stop()
        cloud.database.close()


SITE = """
slot = "2s"
[connections.bus]
driver = "modbus"
url = "{url}"
addressing = "0-based"
[[meters]]
asset_no = "DB-1"
name = "Meter"
carrier = "electricity"
role = "boundary_in"
[[points]]
asset_no = "DB-1"
signal = "energy_import"
connection = "bus"
address = "1:holding:0"
type = "uint32"
scale = "0.1"
max_rate = "20000"
interval_s = "0.5"
stale_s = "3"
"""


@pytest.mark.timeout(120)
def test_the_commands_raise_it_show_it_and_close_it(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, ModbusServer() as server:
        server.set(1, "holding", 0, words("uint32", 1000))
        cloud = commands.Cloud(tmp_path, broker.url)
        gateway = Run(tmp_path)
        gateway.head = gateway.head.replace("mqtt://127.0.0.1:1883", broker.url)
        said = cloud.type("gateway", "add", GATEWAY, "--enterprise", ENTERPRISE, "--site", "plant-1")
        assert said.exit_code == 0, said.output
        rows = {
            "enterprises": enterprise(ENTERPRISE, "360502", "3130", "STEEL"),
            "sites": f"{ENTERPRISE},plant-1,Plant,360502,Asia/Shanghai",
            "equipment": f"{ENTERPRISE},plant-1,ZP-1,中频炉,in_use,2018-01-01",
            "banned": f"{ENTERPRISE},ZP-1,forbidden,2018-01-01,17号,DB-1,12,Wang",
        }
        cloud.start()
        gateway.start(SITE.format(url=server.url))
        try:
            cloud.ready()
            for kind, row in rows.items():
                file = tmp_path / f"{kind}.csv"
                file.write_text(",".join(KINDS[kind].columns) + f"\n{row}\n", encoding="utf-8")
                said = cloud.type("import", kind, str(file))
                assert said.exit_code == 0, said.output

            def banned() -> Any:
                return httpx.get(f"{cloud.url}/api/v1/banned", timeout=10).json()

            wait_for(lambda: banned()[0]["seen"] == "still", 30)
            assert banned()[0]["alarm"] is None
            raw, began = 1000, time.monotonic()
            while banned()[0]["alarm"] is None:
                raw += 2
                server.set(1, "holding", 0, words("uint32", raw))
                time.sleep(0.2)
                assert time.monotonic() - began < 30
            print(f"an alarm {time.monotonic() - began:.1f} s after the furnace began, in slots of 2 s")
            assert "alarm close 1" in httpx.get(f"{cloud.url}/enterprises/{ENTERPRISE}", timeout=10).text
            print(cloud.type("alarm", "list").output)
            said = cloud.type("alarm", "close", "1", "--why", "sealed", "--by", "Li")
            assert said.exit_code == 0, said.output
            wait_for(lambda: banned()[0]["closed_by"] == "Li", 10)
        finally:
            gateway.stop()
            cloud.end()
