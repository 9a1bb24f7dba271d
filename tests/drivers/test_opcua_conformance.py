"""The kit over the driver `opcua` and asyncua's own server, without security and signed: there the watch over the wire
can still read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from ganpo_demo.loopback import free_port
from ganpo_drivers.api import Home, Value
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import Pin, pin
from ganpo_drivers.testing import DriverConformance
from support.identities import der, identity
from support.opcua_server import NAMESPACES, OpcUaServer
from support.opcua_wire import forbidden

SIGNED = "Basic256Sha256,Sign"


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcUaServer]:
    folder = tmp_path_factory.mktemp("opcua")
    file = identity(folder / "plc.pem")
    TestSigned.home = Home("gw-test-0001", "plc", folder / "state" / "opcua")
    pin(TestSigned.home, Pin(der(file), datetime.now(UTC)))
    with OpcUaServer(
        machines=["VMC850-1"], values={"A": 1, "B": 2.5, "C": "主轴"}, secured=[SIGNED], identity=file
    ) as running:
        TestOpcUa.port = TestSigned.port = running.port
        yield running


class TestOpcUa(DriverConformance):
    port: int
    bad_addresses = ("", "ns=2;s=A", "A", "nsu=urn:a", "i=x", "/", "/nowhere:A")

    def make(self) -> OpcUaDriver:
        return self.at(self.port)

    def make_unreachable(self) -> OpcUaDriver:
        return self.at(free_port())

    def at(self, port: int) -> OpcUaDriver:
        return OpcUaDriver(
            OpcUaSettings(
                driver="opcua",
                url=f"opc.tcp://127.0.0.1:{port}",
                security="None",
                allow_insecure=True,
                timeout_s=0.5,
            )
        )

    def known(self) -> list[OpcUaAddress]:
        path = "/m:Machines/*:VMC850-1/mt:Monitoring/*:Channel1/mt:ChannelState"
        nodes = [OpcUaAddress.parse(OpcUaServer.node(name)) for name in "ABC"]
        return [*nodes, OpcUaAddress.parse(path, namespaces=NAMESPACES)]

    def expected(self) -> list[Value]:
        return [1, 2.5, "主轴", 2]

    def unknown(self) -> OpcUaAddress:
        return OpcUaAddress.parse(OpcUaServer.node("Nowhere"))

    def forbidden(self, sent: bytes) -> list[str]:
        return forbidden(sent)


@pytest.mark.slow
class TestSigned(TestOpcUa):
    home: ClassVar[Home]

    def at(self, port: int) -> OpcUaDriver:
        settings = OpcUaSettings(
            driver="opcua", url=f"opc.tcp://127.0.0.1:{port}", security=SIGNED, timeout_s=0.5
        )
        return OpcUaDriver(settings.at(self.home))
