"""Devices that fail beside one that works: the whole agent reads both."""

import asyncio
import json
import math
import random
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ganpo_agent.app import Agent
from ganpo_config import load
from ganpo_demo.loopback import free_port
from ganpo_drivers.testing import Proxy
from support.modbus_server import ModbusServer, words
from support.opcua_server import OpcUaServer

_AGENT = """
format = 1
[gateway]
id = "gw-test-0001"
state_dir = "{folder}/state"
http = "127.0.0.1:{http}"
[uplink]
broker = "mqtt://127.0.0.1:1"
[site]
id = "plant-1"
name = "Test plant"
timezone = "Asia/Shanghai"
slot = "1s"
[connections.good]
driver = "modbus"
url = "{good}"
addressing = "0-based"
[connections.bad]
{bad}
[[meters]]
asset_no = "DB-1"
name = "Good meter"
carrier = "electricity"
role = "boundary_in"
[[points]]
asset_no = "DB-1"
signal = "energy_import"
connection = "good"
address = "1:holding:0"
type = "uint32"
interval_s = 0.2
max_rate = 100000
"""
_POINT = """
[[points]]
asset_no = "{asset_no}"
signal = "power"
connection = "bad"
address = "{address}"
{columns}
interval_s = 0.2
"""
_MACHINE = """
[[equipment]]
asset_no = "{asset_no}"
name = "Machine"
"""


class Plant:
    """The agent with a good connection and a bad one, and its `/health` as a person asks for it."""

    def __init__(self, agent: Agent, http: int) -> None:
        self.agent = agent
        self._http = http

    async def told(self, find: Callable[[dict[str, Any]], str | None]) -> str:
        """What `find` finds in `/health`, once it does."""
        async with asyncio.timeout(15):
            while not ((health := await asyncio.to_thread(self._health)) and (found := find(health))):
                await asyncio.sleep(0.05)
        return found

    async def error(self) -> str:
        """The error of the bad connection."""
        return await self.told(lambda health: health["connections"]["bad"]["error"])

    async def fault(self, point: str) -> str:
        """Why a point has no value."""
        return await self.told(lambda health: health["faults"].get(point))

    def value(self, point: str) -> object:
        """What a point said last."""
        observer = self.agent.observer
        return None if observer is None else observer.seen[point].value

    def _health(self) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._http}/health", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:  # 503: it is not well, and says so
            found = json.load(error)
        except urllib.error.URLError:  # it does not listen yet
            return None
        return found


@asynccontextmanager
async def beside_a_good_one(folder: Path, bad: str, *addresses: tuple[str, str]) -> AsyncIterator[Plant]:
    """Run the agent: `bad` is a connection's table, `addresses` (address, columns) its points `M-0/power`, ...

    At the end the good meter was read all the time, no poll of it was skipped, and what it said is on disk.
    """
    http = free_port()
    with ModbusServer() as good:
        good.set_value(1, "holding", 0, "uint32", 4711)
        text = _AGENT.format(folder=folder, http=http, good=good.url, bad=bad)
        for n, (address, columns) in enumerate(addresses):
            text += _MACHINE.format(asset_no=f"M-{n}")
            text += _POINT.format(asset_no=f"M-{n}", address=address, columns=columns)
        file = folder / "agent.toml"
        file.write_text(text, encoding="utf-8")
        loaded = load(file, {})
        assert loaded.plant is not None, loaded.errors
        agent = Agent(loaded.plant, rng=random.Random(1))
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        try:
            plant = Plant(agent, http)
            await plant.told(lambda health: health["connections"]["good"]["state"])
            yield plant
            meter = next(link for link in agent.connections if link.bound.name == "good")
            async with asyncio.timeout(10):
                keeper = agent.keeper
                while meter.polls.made < 5 or (await keeper.call(keeper.outbox.counts))[0] < 2:
                    await asyncio.sleep(0.05)
            assert (meter.state, meter.error, meter.polls.skipped) == ("up", "", 0)
            assert plant.value("DB-1/energy_import") == 4711
        finally:
            stop.set()
            await running


@asynccontextmanager
async def _speaking(answer: bytes) -> AsyncIterator[int]:
    """A port on which something else answers whatever it is asked."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(8)
            writer.write(answer)
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.sleep(0.1)


def _modbus(port: int) -> str:
    return f'driver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\naddressing = "0-based"\ntimeout_s = 0.3\n'


def _opcua(port: int) -> str:
    return (
        f'driver = "opcua"\nurl = "opc.tcp://127.0.0.1:{port}"\nsecurity = "None"\n'
        "allow_insecure = true\ntimeout_s = 1\n"
    )


_FLOAT = ("1:holding:0", 'type = "float32"')
_NODE = (OpcUaServer.node("A"), "")


async def another_protocol_for_modbus(folder: Path) -> str:
    """An SSH server where the PLC should be."""
    async with (
        _speaking(b"SSH-2.0-OpenSSH_9.2\r\n") as port,
        beside_a_good_one(folder, _modbus(port), _FLOAT) as plant,
    ):
        return await plant.error()


async def another_protocol_for_opcua(folder: Path) -> str:
    """A web server where the controller should be."""
    async with (
        _speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port,
        beside_a_good_one(folder, _opcua(port), _NODE) as plant,
    ):
        return await plant.error()


async def unreachable(folder: Path) -> str:
    """Nobody listens."""
    async with beside_a_good_one(folder, _modbus(free_port()), _FLOAT) as plant:
        return await plant.error()


async def not_a_number(folder: Path) -> str:
    """NaN in one float, a good one beside it in the same block."""
    with ModbusServer() as server:
        server.set(1, "holding", 0, [*words("float32", math.nan), *words("float32", 1.5)])
        next_to_it = ("1:holding:2", 'type = "float32"')
        async with beside_a_good_one(folder, _modbus(server.port), _FLOAT, next_to_it) as plant:
            told = await plant.fault("M-0/power")
            assert plant.value("M-1/power") == 1.5
            return told


async def no_such_node(folder: Path) -> str:
    """A node that does not exist between two that do."""
    nodes = [(OpcUaServer.node(name), "") for name in ("A", "Nowhere", "B")]
    with OpcUaServer(values={"A": 1.0, "B": 2.0}) as server:
        async with beside_a_good_one(folder, _opcua(server.port), *nodes) as plant:
            told = await plant.fault("M-1/power")
            assert (plant.value("M-0/power"), plant.value("M-2/power")) == (1.0, 2.0)
            return told


async def delayed(folder: Path) -> str:
    """Answers that come after their timeout, while the next question waits: never taken for that one's."""
    with ModbusServer() as server, Proxy("127.0.0.1", server.port) as proxy:
        server.set_value(1, "holding", 0, "float32", 1.0)
        server.set_value(2, "holding", 0, "float32", 2.0)
        units = [(f"{unit}:holding:0", 'type = "float32"') for unit in (1, 2)]
        async with beside_a_good_one(folder, _modbus(proxy.port), *units) as plant:
            await _until(lambda: (plant.value("M-0/power"), plant.value("M-1/power")) == (1.0, 2.0))
            for _ in range(5):
                proxy.delay(0.45)
                await asyncio.sleep(0.35)
                proxy.delay(0)
                await asyncio.sleep(0.25)
                assert (plant.value("M-0/power"), plant.value("M-1/power")) == (1.0, 2.0)
            proxy.delay(0.45)
            return await plant.error()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)
