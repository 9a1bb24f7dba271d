"""A gateway that runs for years reconnects for years: nothing is left of a thousand sessions, good or broken."""

import asyncio
import contextlib
import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ganpo_demo.register_meters import Dlt645Meter, FramedLine
from ganpo_drivers.api import Address, Driver, Point
from ganpo_drivers.dlt645.address import Dlt645Address
from ganpo_drivers.dlt645.driver import Dlt645Driver
from ganpo_drivers.dlt645.settings import Dlt645Settings
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.testing import Proxy, SerialProxy
from ganpo_model.errors import GanpoError
from support import leaks
from support.campaign import rounds
from support.meter_line import MeterPort
from support.modbus_server import ModbusServer
from support.opcua_server import OpcUaServer

METER = "000000000161"
GROWTH_BYTES = 65_536
"""In all, however many sessions: what is in flight, here and in the proxy beside, is of that size."""

Served = tuple[Driver[Any, Any], Address, Proxy | SerialProxy]
"""A driver that reaches its device through a proxy, and an address that reads 48203 there."""


@contextmanager
def modbus() -> Iterator[Served]:
    with ModbusServer() as server, Proxy("127.0.0.1", server.port) as proxy:
        server.set_value(1, "holding", 0, "uint32", 48203)
        settings = ModbusSettings(
            driver="modbus", url=f"tcp://127.0.0.1:{proxy.port}", addressing="0-based", timeout_s=1
        )
        yield ModbusDriver(settings), ModbusAddress.parse("1:holding:0", type="uint32"), proxy


@contextmanager
def opcua() -> Iterator[Served]:
    with OpcUaServer(values={"A": 48203}) as server, Proxy("127.0.0.1", server.port) as proxy:
        url = f"opc.tcp://127.0.0.1:{proxy.port}"
        settings = OpcUaSettings(driver="opcua", url=url, security="None", allow_insecure=True, timeout_s=2)
        yield OpcUaDriver(settings), OpcUaAddress.parse(OpcUaServer.node("A")), proxy


@contextmanager
def serial() -> Iterator[Served]:
    """A DL/T 645 meter at a port that vanishes and comes back under another number."""
    answering = FramedLine(10, [Dlt645Meter(METER, {"00010000": "04820300"}.get)]).answer
    with MeterPort(answering, answering) as meter, SerialProxy(meter.path, 115_200) as proxy:
        settings = Dlt645Settings(driver="dlt645", url=f"serial://{proxy.path}", baud=115_200, timeout_s=1)
        yield Dlt645Driver(settings), Dlt645Address.parse(f"{METER}:00010000"), proxy


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.parametrize("served", [modbus, opcua, serial])
async def test_of_many_sessions_to_a_server_nothing_is_left(served: Any) -> None:
    sessions = rounds(60, 1000)
    with served() as (driver, address, proxy):

        async def session(n: int) -> None:
            """Every other one is cut off in mid-session, as a server that is killed does it."""
            await driver.open()
            points = [Point("a", address)]
            assert (await driver.read(driver.prepare(points))).values == [48203]
            if n % 2:
                proxy.reset()
                await asyncio.sleep(0.002)
                with contextlib.suppress(GanpoError):  # some open again within the read
                    await driver.read(driver.prepare(points))
            await driver.close()

        for n in range(sessions):  # as many again, so that every table has its size
            await session(n)
        proxy.forget()
        before = await _standing(), asyncio.all_tasks()
        tracemalloc.start()
        try:
            for n in range(sessions):
                await session(n)
            proxy.forget()
            after = await _standing(), asyncio.all_tasks()
            grown = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert after == before
        assert grown <= GROWTH_BYTES, f"{grown:,} bytes more after {sessions} sessions"
        print(
            f"{sessions} sessions: {grown:,} bytes more, {before[0]} sockets and {len(before[1])} task as before"
        )


async def _standing() -> int:
    """Sockets of this process, once what was closed has had its turns of the loop."""
    for _ in range(20):
        await asyncio.sleep(0.01)
    gc.collect()
    return len(leaks.sockets())
