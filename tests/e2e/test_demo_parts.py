"""What the demo is made of: the workshop, the process of its devices, the broker."""

import asyncio
import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from asyncua import Client
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient
from sqlalchemy import func, select

from ganpo_cloud.province import divisions
from ganpo_cloud.store.registry_tables import target
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_demo.broker import broker
from ganpo_demo.cell import SHOWN
from ganpo_demo.child import Devices
from ganpo_demo.fleet import fleet
from ganpo_demo.fleet_lists import lists
from ganpo_demo.plant import CELL_GATEWAY, METER_GATEWAY
from ganpo_demo.province import SEED
from ganpo_demo.run import registered
from ganpo_demo.simulation import CNC, PRESS, Workshop
from ganpo_model.errors import GanpoError
from ganpo_model.states import State
from support.demo import alive


def test_the_same_seed_gives_the_same_day() -> None:
    days = []
    for seed in (1, 1, 2):
        workshop, day = Workshop(seed), []
        for _ in range(400):
            workshop.advance(0.25)
            states = [machine.state for machine in (*workshop.cnc.values(), workshop.press)]
            day.append((states, workshop.main_meter.counts))
        days.append(day)
    assert days[0] == days[1] != days[2]


def test_most_months_of_most_cities_are_covered_in_the_invented_province_and_some_are_not() -> None:
    """As many declared carriers as a month's energy needs not to be hatched: 90 %, seen all of it or stated."""
    province, last = divisions.load(), date(2026, 11, 27)
    of = fleet(SEED, last, province)
    told = {kind: list(csv.DictReader(io.StringIO(raw.decode()))) for kind, raw in lists(of, province)}
    stated = {(row["enterprise"], row["month"], row["carrier"]) for row in told["statements"]}
    firms = {firm.code: firm for firm in of.firms}
    places: dict[tuple[str, str], list[bool]] = {}
    month = of.first
    while month < last.replace(day=1):
        then = (month + timedelta(days=31)).replace(day=1)
        for row in told["carriers"]:
            if row["year"] == str(month.year):
                firm = firms[row["enterprise"]]
                seen = firm.since is not None and firm.since <= month and then <= firm.until
                known = (firm.code, f"{month:%Y-%m}", row["carrier"]) in stated
                metered = row["carrier"] in [gauge.carrier for gauge in firm.gauges]
                assert not (known and seen and metered), "nobody states what a meter counts"
                here = places.setdefault((province.above(firm.county)[1], f"{month:%Y-%m}"), [])
                here.append(known or (seen and metered))
        month = then
    covered = sum(10 * sum(here) >= 9 * len(here) for here in places.values())
    print(f"\n{covered} of {len(places)} months of cities are covered")
    assert len(places) == 12 * 11
    assert 0.7 * len(places) < covered < 0.95 * len(places)


def test_the_register_integrates_power_and_never_falls() -> None:
    workshop = Workshop(3)
    energy, last = workshop.main_meter.energy_kwh, workshop.main_meter.counts
    for _ in range(4000):
        workshop.advance(0.25)
        energy += workshop.main_meter.power_kw * 0.25 / 3600
        assert workshop.main_meter.counts >= last
        last = workshop.main_meter.counts
    assert last == pytest.approx(energy * 100, abs=1)
    assert workshop.main_meter.power_kw > workshop.press_meter.power_kw


def test_every_state_of_the_programmes_comes_within_an_hour() -> None:
    workshop = Workshop(4)
    seen: dict[str, set[State]] = {}
    for _ in range(4 * 3600):
        workshop.advance(0.25)
        for name, machine in {**workshop.cnc, "press": workshop.press}.items():
            seen.setdefault(name, set()).add(machine.state)
    assert seen == {"VMC850-1": set(CNC), "CK6150-2": set(CNC), "press": set(PRESS)}
    assert set(SHOWN) == set(CNC), "the cell knows how a controller shows each of them"


@pytest.fixture
async def devices() -> AsyncIterator[Devices]:
    running = await asyncio.to_thread(Devices, 5)
    try:
        await running.ready()
        yield running
    finally:
        await running.stop()


def test_the_live_plant_leaves_the_targets_of_the_province_that_was_kept(tmp_path: Path) -> None:
    settings = DatabaseSettings(url=f"sqlite:///{tmp_path}/cloud.db")
    for alone, known in ((False, 0), (True, 3)):
        database = registered(settings, gateways=[METER_GATEWAY, CELL_GATEWAY], alone=alone)
        with database.read() as connection:
            assert connection.execute(select(func.count()).select_from(target)).scalar_one() == known
        database.close()


async def test_a_pulled_plug_refuses_and_the_register_moves_on(devices: Devices) -> None:
    before = await _register(devices.ports["meter"])
    assert before is not None
    assert await devices.truth(time.time_ns() // 1_000_000) == before, "what was read is the truth"
    await devices.unplug("meter")
    assert await _register(devices.ports["meter"]) is None
    await asyncio.sleep(1.2)
    await devices.plug("meter")
    after = await _register(devices.ports["meter"])
    assert after is not None
    assert after > before


async def test_the_cell_comes_back_on_its_port(devices: Devices) -> None:
    url = f"opc.tcp://127.0.0.1:{devices.ports['cell']}"
    path = ["Machines", "VMC850-1", "Monitoring", "Channel1", "ChannelState"]
    async with Client(url, timeout=4) as client:
        assert await _value(client, path) in (0, 1, 2)
    await devices.unplug("cell")
    with pytest.raises(OSError, match=r"refused|failed"):
        await Client(url, timeout=4).connect()
    await devices.plug("cell")
    async with Client(url, timeout=4) as client:
        assert await _value(client, path) in (0, 1, 2)


async def test_a_frozen_process_is_ended_all_the_same(devices: Devices) -> None:
    os.kill(devices.pid, signal.SIGSTOP)
    began = time.monotonic()
    await devices.stop()
    assert time.monotonic() - began < 2
    assert not alive(devices.pid)
    with pytest.raises(GanpoError, match="ended"):
        await devices.truth(0)


def test_the_devices_end_with_their_parent() -> None:
    parent = (
        "from ganpo_demo.child import Devices; devices = Devices(1); print(devices.pid, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert alive(child)
        process.kill()
    deadline = time.monotonic() + 30  # it may still import
    while alive(child):
        assert time.monotonic() < deadline, "the devices outlive their parent"
        time.sleep(0.05)


async def test_the_broker_delivers_and_forgets() -> None:
    async with broker() as url:
        port = int(url.rpartition(":")[2])
        got: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gw-demo-test")
        client.user_data_set(lambda text: loop.call_soon_threadsafe(got.put_nowait, text))
        client.on_message = _on_message
        client.on_subscribe = _on_subscribe
        await asyncio.to_thread(client.connect, "127.0.0.1", port)
        client.loop_start()
        before = client.publish("ganpo/v1/gw-demo-test/facts", "before", qos=1)
        await asyncio.to_thread(before.wait_for_publish, 5)
        client.subscribe("ganpo/v1/+/facts", qos=1)
        async with asyncio.timeout(5):
            assert await got.get() == "subscribed"
            client.publish("ganpo/v1/gw-demo-test/facts", "after", qos=1)
            assert await got.get() == "after", "nothing is kept for those who come later"
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


def _on_message(_client: mqtt.Client, tell: Any, message: mqtt.MQTTMessage) -> None:
    tell(message.payload.decode())


def _on_subscribe(_client: mqtt.Client, tell: Any, *_granted: Any) -> None:
    tell("subscribed")


async def _register(port: int) -> int | None:
    """The energy register of unit 1, None where nobody answers."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1, retries=0, reconnect_delay=0)
    try:
        if not await client.connect():
            return None
        answer = await client.read_holding_registers(0, count=2, device_id=1)
        high, low = answer.registers
        return int(high << 16 | low)
    finally:
        client.close()


async def _value(client: Client, path: list[str]) -> int:
    node = client.nodes.objects
    for name in path:
        children = {(await child.read_browse_name()).Name: child for child in await node.get_children()}
        node = children[name]
    return int(await node.read_value())
