"""The kit over the driver `modbus` on a serial line and behind a converter: between it and the units stands the kit's
own line, with its faults."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from ganpo_demo.loopback import free_port
from ganpo_drivers.api import Point, Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.testing import DriverConformance, SerialProxy
from ganpo_drivers.testing.aside import Aside
from support.modbus_wire import forbidden_rtu
from support.rtu_line import RtuLine, checked, exception

BAUD = 57_600


def identified(request: bytes) -> bytes:
    """Vendor "Acm", product "M1" (Modbus Application Protocol 1.1b3, 6.21)."""
    return checked(request[:4] + b"\x01\x00\x00\x02\x00\x03Acm\x01\x02M1")


@contextmanager
def units(place: Callable[[RtuLine], AbstractAsyncContextManager[RtuLine]]) -> Iterator[RtuLine]:
    """Units whose registers hold their own addresses, at a port or behind a converter."""
    with ExitStack() as stack:
        aside = Aside("units")
        aside.start()
        stack.callback(aside.stop)
        line = aside.do(RtuLine)
        line.replies[1, 900] = exception(2)
        line.other = identified
        standing = place(line)
        aside.run(standing.__aenter__())
        stack.callback(lambda: aside.run(standing.__aexit__(None, None, None)))
        yield line


@pytest.fixture(scope="module", autouse=True)
def line() -> Iterator[RtuLine]:
    with units(RtuLine.at_a_port) as line:
        TestModbusRtu.url = line.url
        yield line


@pytest.fixture(scope="module", autouse=True)
def converter() -> Iterator[RtuLine]:
    with units(RtuLine.behind_a_converter) as line:
        TestModbusBehindAConverter.url = line.url
        yield line


class TestModbusRtu(DriverConformance):
    url: str
    bad_addresses = ("", "1:holding", "0:holding:1", "1:holding:65536", "1:coil:3.1")

    def make(self) -> ModbusDriver:
        return self.at(self.url)

    def make_unreachable(self) -> ModbusDriver:
        return self.at(f"rtu://{Path('/dev/serial/by-id/usb-none')}")

    def at(self, url: str) -> ModbusDriver:
        return ModbusDriver(
            ModbusSettings(driver="modbus", url=url, addressing="0-based", timeout_s=0.3, baud=BAUD)
        )

    def known(self) -> list[ModbusAddress]:
        return [
            ModbusAddress.parse("1:holding:7", type="uint16"),
            ModbusAddress.parse("1:holding:8", type="uint32"),
            ModbusAddress.parse("1:coil:3"),
        ]

    def expected(self) -> list[Value]:
        return [7, 8 << 16 | 9, True]

    def unknown(self) -> ModbusAddress:
        return ModbusAddress.parse("1:holding:900", type="int16")

    def forbidden(self, sent: bytes) -> list[str]:
        return forbidden_rtu(sent)


class TestModbusBehindAConverter(TestModbusRtu):
    def make_unreachable(self) -> ModbusDriver:
        return self.at(f"rtu+tcp://127.0.0.1:{free_port()}")


async def test_a_line_that_turns_around_noisily_or_echoes_or_answers_in_pieces_loses_nothing(
    line: RtuLine,
) -> None:
    kit = TestModbusRtu()
    known = [Point(str(address), address) for address in kit.known()]
    with SerialProxy(line.url.removeprefix("rtu://"), BAUD) as proxy:
        driver = kit.at(f"rtu://{proxy.path}")
        query = driver.prepare(known)
        await driver.open()
        for noise in (b"", b"\x00", b"\x01\x03"):
            for disturb in (proxy.restore, proxy.echo, proxy.split):
                disturb()
                proxy.noise(noise)
                assert (await driver.read(query)).values == kit.expected()
            proxy.restore()
        await driver.close()
