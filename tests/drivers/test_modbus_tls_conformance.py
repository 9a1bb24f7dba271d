"""The kit over the driver `modbus` inside TLS. What it sends is not to be read on the way: that nothing is written, the
device itself watches (`support.writes`)."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pydantic import SecretStr

from ganpo_demo.loopback import free_port
from ganpo_drivers.api import Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.testing import DriverConformance
from ganpo_drivers.testing.aside import Aside
from support.identities import identity
from support.modbus_line import ModbusLine, exception, frame

pytestmark = pytest.mark.slow


def identified(request: bytes) -> bytes:
    """Vendor "Acm", product "M1" (Modbus Application Protocol 1.1b3, 6.21)."""
    return frame(request, request[6], request[7:10] + b"\x01\x00\x00\x02\x00\x03Acm\x01\x02M1")


@pytest.fixture(scope="module", autouse=True)
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One with a certificate of its own, whose registers hold their own addresses."""
    file = identity(tmp_path_factory.mktemp("device") / "plc.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with ExitStack() as stack:
        aside = Aside("device")
        aside.start()
        stack.callback(aside.stop)
        line = aside.do(lambda: ModbusLine(context))
        line.replies[1, 900] = exception(2)
        line.identity = identified
        aside.run(line.start())
        stack.callback(lambda: aside.run(line.stop()))
        TestModbusTls.port, TestModbusTls.ca = line.port, SecretStr(file.read_text())
        yield


class TestModbusTls(DriverConformance):
    port: int
    ca: SecretStr

    def make(self) -> ModbusDriver:
        return self.at(self.port)

    def make_unreachable(self) -> ModbusDriver:
        return self.at(free_port())

    def at(self, port: int) -> ModbusDriver:
        url = f"tls://127.0.0.1:{port}"
        return ModbusDriver(
            ModbusSettings(driver="modbus", url=url, addressing="0-based", timeout_s=0.5, ca=self.ca)
        )

    def known(self) -> list[ModbusAddress]:
        return [
            ModbusAddress.parse("1:holding:7", type="uint16"),
            ModbusAddress.parse("1:holding:8", type="uint32"),
        ]

    def expected(self) -> list[Value]:
        return [7, 8 << 16 | 9]

    def unknown(self) -> ModbusAddress:
        return ModbusAddress.parse("1:holding:900", type="int16")
