"""I10 on the wire: what the driver `opcua` asks a server for, and that the watch over it would see a write."""

import asyncio

from asyncua import Client, ua

from ganpo_drivers.api import Point
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.testing import Proxy
from support import writes
from support.opcua_server import NAMESPACES, OpcUaServer
from support.opcua_wire import forbidden, services

PATH = "/m:Machines/*:VMC850-1/mt:Monitoring/*:Channel1/mt:ChannelState"


async def test_the_driver_asks_for_reading_services_only_and_the_watch_would_see_others() -> None:
    with (
        OpcUaServer(machines=["VMC850-1"], values={"A": 1}) as server,
        Proxy("127.0.0.1", server.port) as proxy,
    ):
        url = f"opc.tcp://127.0.0.1:{proxy.port}"
        texts = (server.node("A"), server.node("Nowhere"), PATH)
        points = [Point(text, OpcUaAddress.parse(text, namespaces=NAMESPACES)) for text in texts]
        driver = OpcUaDriver(OpcUaSettings(driver="opcua", url=url, security="None", allow_insecure=True))
        await driver.open()
        assert (await driver.read(driver.prepare(points))).values[0] == 1
        await driver.close()
        async with Client(url) as other:
            await other.register_nodes([])
            await other.get_node("i=2267").read_value()
            await other.uaclient.session.write(ua.WriteParameters(NodesToWrite=[]))
        await asyncio.sleep(0.05)
        ours, others = proxy.sent
    assert writes.noted() == ["OPC UA Write"], "the server saw it as well"
    assert services(ours) == [
        "CreateSession",
        "ActivateSession",
        "Read",
        "TranslateBrowsePathsToNodeIds",
        "Browse",
        "TranslateBrowsePathsToNodeIds",
        "Browse",
        "TranslateBrowsePathsToNodeIds",
        "Read",
        "CloseSession",
        "CloseSecureChannel",
    ]
    assert forbidden(ours) == []
    assert set(forbidden(others)) == {"Write", "service 560"}
