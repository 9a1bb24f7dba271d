"""The kit over the driver `modbus` and pymodbus' own server."""

import asyncio
from collections.abc import Iterator

import pytest
from pymodbus.client import AsyncModbusTcpClient

from ganpo_demo.loopback import free_port
from ganpo_drivers.api import Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.testing import DriverConformance, Proxy
from support import writes
from support.modbus_server import ModbusServer, words
from support.modbus_wire import codes, forbidden

URL = "tcp://127.0.0.1:{}"


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        running.set(1, "holding", 0, words("float32", 1.5) + words("uint32", 48203, "CDAB"))
        running.set(1, "holding", 4, [9999, 48, 2])
        running.set(1, "coil", 7, [1])
        TestModbus.port = running.port
        yield running


class TestModbus(DriverConformance):
    port: int
    bad_addresses = ("", "1:holding", "0:holding:1", "1:holding:65536", "1:coil:3.1", "1:holding:0 +")

    def make(self) -> ModbusDriver:
        return self.at(self.port)

    def make_unreachable(self) -> ModbusDriver:
        return self.at(free_port())

    def at(self, port: int) -> ModbusDriver:
        return ModbusDriver(
            ModbusSettings(driver="modbus", url=URL.format(port), addressing="0-based", timeout_s=0.3)
        )

    def known(self) -> list[ModbusAddress]:
        return [
            ModbusAddress.parse("1:holding:0", type="float32"),
            ModbusAddress.parse("1:coil:7"),
            ModbusAddress.parse("1:holding:2", type="uint32", order="CDAB"),
            ModbusAddress.parse("1:holding:4*1 + 1:holding:5:int16*10000 e 1:holding:6", type="uint16"),
        ]

    def expected(self) -> list[Value]:
        return [1.5, True, 48203, 48_999_900]

    def unknown(self) -> ModbusAddress:
        return ModbusAddress.parse("1:holding:9", type="int16")

    def forbidden(self, sent: bytes) -> list[str]:
        return forbidden(sent)


def test_the_watch_over_the_wire_would_see_a_write(server: ModbusServer) -> None:
    async def write(port: int) -> None:
        client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
        await client.connect()
        await client.read_coils(7, device_id=1)
        await client.write_register(0, 1, device_id=1)
        await client.write_coils(7, [False], device_id=1)
        client.close()

    with Proxy("127.0.0.1", server.port) as proxy:
        asyncio.run(write(proxy.port))
        (sent,) = proxy.sent
    assert codes(sent) == [1, 6, 15]
    assert forbidden(sent) == ["function code 6", "function code 15"]
    assert writes.noted() == ["Modbus function 6 at unit 1", "Modbus function 15 at unit 1"]
