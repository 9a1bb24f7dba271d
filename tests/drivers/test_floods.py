"""A flood of bytes over TCP, as from a converter whose line goes mad: a fault at once, and memory stays flat."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ganpo_drivers import Driver, Point
from ganpo_drivers.dlt645.address import Dlt645Address
from ganpo_drivers.dlt645.driver import Dlt645Driver
from ganpo_drivers.dlt645.settings import Dlt645Settings
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import GanpoError
from support import modbus_line, rtu_line

FLOOD_BYTES = 40_000_000
FLAT_BYTES = 2_000_000
TOLD = "more than 8192 bytes came, and nobody asked for so many"
LATE = modbus_line.frame(bytes(12), 9, b"\x03\x02\x00\x01", transaction=1)


class Converter:
    """`flood`: what it repeats, from the beginning of a session, or (`when_asked`) from its first request on; without
    one it answers each request with `right`."""

    def __init__(self) -> None:
        self.flood = b""
        self.when_asked = True
        self.right: Any = rtu_line.right
        self.sessions = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        try:
            while self.flood and not self.when_asked:
                await self._pour(writer)
            while request := await reader.read(64):
                if not self.flood:
                    writer.write(self.right(request))
                while self.flood:
                    await self._pour(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _pour(self, writer: asyncio.StreamWriter) -> None:
        for _ in range(FLOOD_BYTES // 50_000):
            writer.write(self.flood * (50_000 // len(self.flood)))
            await writer.drain()
        raise AssertionError("all of it was taken")


@pytest.fixture
async def converter() -> AsyncIterator[Converter]:
    converter = Converter()
    server = await asyncio.start_server(converter.serve, "127.0.0.1", 0)
    converter.port = server.sockets[0].getsockname()[1]
    async with server:
        yield converter


def modbus(scheme: str, port: int) -> tuple[ModbusDriver, Any]:
    url = f"{scheme}://127.0.0.1:{port}"
    driver = ModbusDriver(ModbusSettings(driver="modbus", url=url, addressing="0-based", timeout_s=0.3))
    address = ModbusAddress.parse("1:holding:7", type="uint16")
    return driver, driver.prepare([Point("p", address)])


def dlt645(port: int) -> tuple[Dlt645Driver, Any]:
    driver = Dlt645Driver(Dlt645Settings(driver="dlt645", url=f"tcp://127.0.0.1:{port}"))
    return driver, driver.prepare([Point("p", Dlt645Address.parse("000000000161:00010000"))])


async def flat(driver: Driver[Any, Any], query: Any) -> str:
    """What a read comes to, which takes no memory to speak of."""
    tracemalloc.start()
    try:
        with pytest.raises(GanpoError) as told:
            await driver.read(query)
        assert tracemalloc.get_traced_memory()[1] < FLAT_BYTES
    finally:
        tracemalloc.stop()
    return str(told.value)


@pytest.mark.parametrize(
    ("scheme", "flood"),
    [
        ("rtu+tcp", b"\x00"),
        ("rtu+tcp", b"\x01\x03\x02"),
        ("rtu+tcp", b"\x01"),
        ("tcp", LATE),
    ],
    ids=["zeros", "beginnings of the answer", "the unit", "answers to an earlier request"],
)
async def test_a_flood_instead_of_an_answer_is_told_at_once_and_the_next_poll_is_well(
    converter: Converter, scheme: str, flood: bytes
) -> None:
    converter.right = rtu_line.right if scheme == "rtu+tcp" else modbus_line.right
    driver, query = modbus(scheme, converter.port)
    await driver.open()
    assert (await driver.read(query)).values == [7]
    converter.flood = flood
    assert TOLD in await flat(driver, query)
    assert converter.sessions == 1, "another session would bring the same at once"
    converter.flood = b""
    assert (await driver.read(query)).values == [7]
    assert driver.report().notes == []
    await driver.close()


@pytest.mark.parametrize("scheme", ["rtu+tcp", "tcp"])
async def test_a_flood_between_two_polls_ends_the_session_and_the_next_poll_opens_another(
    converter: Converter, scheme: str
) -> None:
    converter.right = rtu_line.right if scheme == "rtu+tcp" else modbus_line.right
    converter.flood, converter.when_asked = LATE, False
    driver, query = modbus(scheme, converter.port)
    await driver.open()
    tracemalloc.start()
    await asyncio.sleep(0.2)
    assert tracemalloc.get_traced_memory()[1] < FLAT_BYTES
    tracemalloc.stop()
    converter.flood = b""
    assert (await driver.read(query)).values == [7]
    assert converter.sessions == 2
    await driver.close()


@pytest.mark.parametrize("flood", [b"\x68", b"\xfe"], ids=["beginnings of frames", "wake-up bytes"])
async def test_a_flood_instead_of_a_meter_is_told_at_once(converter: Converter, flood: bytes) -> None:
    converter.flood = flood
    driver, query = dlt645(converter.port)
    await driver.open()
    assert TOLD in await flat(driver, query)
    assert converter.sessions == 1
    await driver.close()
