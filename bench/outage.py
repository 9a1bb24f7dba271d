"""After an outage: how long until the first fresh value; and how late polls are when the disk is slow.

All settings stand at their defaults but slot (2 s) and poll interval (1 s). Broker and collector: until a fact is
stored whose time lies after the return. Modbus and OPC UA server, each a process that is killed: until the agent has
the first Good value. Then a gateway polls every 0.2 s beside an outbox whose disk takes 5 s per sync and a database
that is locked: lateness of polls with and without that.
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganpo_agent import app
from ganpo_agent.app import Agent
from ganpo_agent.keeping.outbox import Outbox
from ganpo_config.plant import Meaning, Plant
from ganpo_config.settings import UplinkSettings
from ganpo_drivers import ConnectionSettings, Home
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import Pin, pin
from ganpo_model.clock import to_ms
from measure import Figure, ratio
from support.broker import Mosquitto
from support.identities import der, identity
from support.modbus_server import ModbusServer
from support.opcua_server import OpcUaServer
from support.plants import PlantBuilder, PlayedDriver
from support.replaying import Cloud, ReplayClock

GATEWAY = "gw-bench-0001"
GOALS = {
    "broker": 4.0,
    "collector": 5.0,
    "Modbus server": 5.5,
    "OPC UA server": 5.5,
    "signed and encrypted OPC UA server": 10.0,
}


class _RealClock(ReplayClock):
    """The machine's own time."""

    def utc(self) -> datetime:
        return datetime.now(UTC)


class _SlowDisk(Outbox):
    """Every append takes five seconds longer."""

    def append(self, facts: Any, now: datetime) -> Any:
        time.sleep(5)
        return super().append(facts, now)


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    for away_s, runs in ((1, 1),) if short else ((6, 5), (20, 5), (60, 5)):
        for who, found in asyncio.run(_outages(away_s, runs)).items():
            figure = Figure(f"{who} away for {away_s} s: first fresh value", found, "s")
            yield f"{figure}   goal worst <= {GOALS[who]:g} s"
    seconds = 3 if short else 35
    calm, disturbed = [], []
    for _ in range(1 if short else 2):
        calm.append(asyncio.run(_lateness(seconds, slow=False)))
        disturbed.append(asyncio.run(_lateness(seconds, slow=True)))
    yield str(Figure("p99 lateness of polls, undisturbed", calm, "ms"))
    yield str(Figure("p99 lateness, 5 s per sync, database locked", disturbed, "ms"))
    yield ratio("disturbed / undisturbed", disturbed, calm, "no poll skipped")


async def _outages(away_s: float, runs: int) -> dict[str, list[float]]:
    """The outages side by side, each `runs` times one after the other."""

    async def some(outage: Callable[[Path, float], Any]) -> list[float]:
        found = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                found.append(await outage(Path(folder), away_s))
        return found

    outages = (_broker, _collector, _modbus, _opcua, _secured)
    found = await asyncio.gather(*map(some, outages))
    return dict(zip(GOALS, found, strict=True))


async def _broker(folder: Path, away_s: float) -> float:
    with Mosquitto(folder) as broker:
        site = _Site(folder, broker)
        await site.begin()
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(away_s)
        await asyncio.to_thread(broker.start)
        seconds = await site.until_stored()
        await site.end()
    return seconds


async def _collector(folder: Path, away_s: float) -> float:
    with Mosquitto(folder) as broker:
        site = _Site(folder, broker)
        await site.begin()
        await site.cloud.stop()
        await asyncio.sleep(away_s)
        site.cloud.collector.problem = "away"
        site.cloud.start()
        while site.cloud.collector.problem:
            await asyncio.sleep(0.01)
        seconds = await site.until_stored()
        await site.end()
    return seconds


async def _modbus(folder: Path, away_s: float) -> float:
    with ExitStack() as open_still:
        server = open_still.enter_context(await asyncio.to_thread(ModbusServer))

        def again() -> None:
            mine = open_still.enter_context(ModbusServer(server.port))
            mine.set(1, "holding", 0, [7])

        await asyncio.to_thread(server.set, 1, "holding", 0, [7])
        settings = ModbusSettings(driver="modbus", url=server.url, addressing="0-based")
        address = ModbusAddress.parse("1:holding:0", type="uint16", addressing="0-based")
        return await _device(folder, away_s, (ModbusDriver, settings, address), server.stop, again)


async def _opcua(folder: Path, away_s: float) -> float:
    with await asyncio.to_thread(OpcUaServer, values={"A": 7.0}) as server:
        settings = OpcUaSettings(driver="opcua", url=server.url, security="None", allow_insecure=True)
        address = OpcUaAddress.parse(server.node("A"))
        return await _device(folder, away_s, (OpcUaDriver, settings, address), server.kill, server.start)


async def _secured(folder: Path, away_s: float) -> float:
    security: Any = "Basic256Sha256,SignAndEncrypt"
    file = identity(folder / "plc.pem")
    home = Home(GATEWAY, "device", folder / "opcua")
    pin(home, Pin(der(file), datetime.now(UTC)))
    with await asyncio.to_thread(OpcUaServer, values={"A": 7.0}, secured=[security], identity=file) as server:
        settings = OpcUaSettings(driver="opcua", url=server.url, security=security).at(home)
        address = OpcUaAddress.parse(server.node("A"))
        return await _device(folder, away_s, (OpcUaDriver, settings, address), server.kill, server.start)


async def _device(
    folder: Path,
    away_s: float,
    device: tuple[Any, ConnectionSettings, Any],
    kill: Callable[[], None],
    start: Callable[[], None],
) -> float:
    driver, settings, address = device
    builder = PlantBuilder(folder / "state", slot_ms=2000)
    builder.connection("device", driver, settings, settings.driver)
    builder.point("device", "SB-1", "power", address, Meaning("number"), interval_s=1.0)
    agent = Agent(_with_defaults(builder))
    stop = asyncio.Event()
    running = asyncio.create_task(agent.run(stop))

    async def good(after: int) -> None:
        while agent.observer is None or agent.observer.seen["SB-1/power"].at <= after:
            await asyncio.sleep(0.01)

    await good(0)
    await asyncio.to_thread(kill)
    await asyncio.sleep(away_s)
    await asyncio.to_thread(start)
    back, now = time.monotonic(), to_ms(datetime.now(UTC))
    await good(now)
    seconds = time.monotonic() - back
    stop.set()
    await running
    return seconds


class _Site:
    """A gateway with a meter, and a collector that stores what it sends."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self._folder = folder
        self.cloud = Cloud(folder, broker.url, _RealClock(datetime.now(UTC)), GATEWAY, back_off_max_s=60)
        builder = _meter(folder, broker.url, interval_s=1.0)
        self._agent = Agent(_with_defaults(builder))
        self._stop = asyncio.Event()

    async def begin(self) -> None:
        self.cloud.start()
        self._running = asyncio.create_task(self._agent.run(self._stop))
        await self.until_stored()

    async def until_stored(self) -> float:
        """Seconds from now until a fact is stored whose time lies after now."""
        back, now = time.monotonic(), to_ms(datetime.now(UTC))
        while _newest(self._folder) <= now:
            await asyncio.sleep(0.02)
        return time.monotonic() - back

    async def end(self) -> None:
        self._stop.set()
        await self._running
        await self.cloud.stop()
        self.cloud.database.close()


def _with_defaults(builder: PlantBuilder) -> Plant:
    plant = builder.build()
    return replace(plant, uplink=UplinkSettings(broker=plant.uplink.broker))


def _meter(folder: Path, broker: str, interval_s: float) -> PlantBuilder:
    PlayedDriver.values = {"r": 1000}
    builder = PlantBuilder(folder / "state", broker, GATEWAY, slot_ms=2000)
    builder.connection("bus")
    builder.meter("bus", "DB-1", "r", interval_s=interval_s)
    return builder


async def _lateness(seconds: float, *, slow: bool) -> float:
    setattr(app, "Outbox", _SlowDisk if slow else Outbox)  # noqa: B010 - the name the agent makes its own by
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker:
        folder = Path(name)
        cloud = Cloud(folder, broker.url, _RealClock(datetime.now(UTC)), GATEWAY)
        cloud.start()
        agent = Agent(_meter(folder, broker.url, interval_s=0.2).build(), rng=random.Random())
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        await asyncio.sleep(2)
        lock = sqlite3.connect(folder / "cloud.db", isolation_level=None)
        if slow:
            lock.execute("BEGIN IMMEDIATE")
        polls = agent.connections[0].polls
        polls.lateness.clear()
        skipped = polls.skipped
        await asyncio.sleep(seconds)
        assert polls.skipped == skipped, "a poll was skipped"
        late = sorted(polls.lateness)[int(len(polls.lateness) * 0.99)] * 1000
        lock.close()
        stop.set()
        await running
        await cloud.stop()
        cloud.database.close()
    setattr(app, "Outbox", Outbox)  # noqa: B010
    return late


def _newest(folder: Path) -> int:
    """The newest time of a fact that is stored, in ms."""
    db = sqlite3.connect(f"file:{folder / 'cloud.db'}?mode=ro", uri=True)
    found = db.execute("SELECT max(at) FROM reading").fetchone()[0]
    db.close()
    return int(found or 0)
