"""A gateway that runs for years reconnects for years: nothing is left of a thousand sessions, good or broken."""

import asyncio
import contextlib
import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ganpo_drivers.api import Driver, Point
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.testing import Proxy
from ganpo_model.errors import GanpoError
from support import leaks
from support.campaign import rounds
from support.modbus_server import ModbusServer
from support.opcua_server import OpcUaServer

WARM_UP = 20
GROWTH_BYTES = 65_536
"""In all, however many sessions: caches of interpreter and libraries fill up to some 35 kB, and then it stays so."""


@contextmanager
def modbus() -> Iterator[tuple[Any, int, Any]]:
    with ModbusServer() as server:
        server.set_value(1, "holding", 0, "uint32", 48203)
        yield _modbus_at, server.port, ModbusAddress.parse("1:holding:0", type="uint32", addressing="0-based")


def _modbus_at(port: int) -> Driver[Any, Any]:
    url = f"tcp://127.0.0.1:{port}"
    return ModbusDriver(ModbusSettings(driver="modbus", url=url, addressing="0-based", timeout_s=1))


@contextmanager
def opcua() -> Iterator[tuple[Any, int, Any]]:
    with OpcUaServer(values={"A": 48203}) as server:
        yield _opcua_at, server.port, OpcUaAddress.parse(OpcUaServer.node("A"))


def _opcua_at(port: int) -> Driver[Any, Any]:
    url = f"opc.tcp://127.0.0.1:{port}"
    return OpcUaDriver(
        OpcUaSettings(driver="opcua", url=url, security="None", allow_insecure=True, timeout_s=2)
    )


@pytest.mark.campaign
@pytest.mark.parametrize("served", [modbus, opcua])
async def test_of_many_sessions_to_a_server_nothing_is_left(served: Any) -> None:
    sessions = rounds(60, 1000)
    with served() as (at, port, address), Proxy("127.0.0.1", port) as proxy:
        driver = at(proxy.port)

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

        for n in range(WARM_UP):
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
