"""I10 on the wire: the driver `opcua` asks for nothing but reading services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncua import Client, ua

from ganpo_drivers.api import Point
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from support.opcua_server import NAMESPACES, OpcUaServer
from support.opcua_wire import forbidden, services


@asynccontextmanager
async def recorded(server: OpcUaServer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A url before the server, and what each connection sent."""
    sent: list[bytes] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: int | None) -> None:
        while data := await reader.read(65536):
            if record is not None:
                sent[record] += data
            writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", server.port)
        sent.append(b"")
        try:
            await asyncio.gather(copy(reader, forth, len(sent) - 1), copy(back, writer, None))
        except ConnectionError:
            pass
        finally:
            forth.close()
            writer.close()

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as listener:
        yield f"opc.tcp://127.0.0.1:{listener.sockets[0].getsockname()[1]}", sent
        await asyncio.sleep(0.05)


async def test_the_driver_writes_nothing_and_the_watch_would_see_it() -> None:
    with OpcUaServer(machines=["VMC850-1"], values={"A": 1}) as server:
        path = "/m:Machines/*:VMC850-1/mt:Monitoring/*:Channel1/mt:ChannelState"
        texts = (server.node("A"), server.node("Nowhere"), path)
        points = [Point(text, OpcUaAddress.parse(text, namespaces=NAMESPACES)) for text in texts]
        async with recorded(server) as (url, sent):
            driver = OpcUaDriver(OpcUaSettings(driver="opcua", url=url, security="None", allow_insecure=True))
            for _ in range(2):
                await driver.open()
                await driver.identify()
                assert (await driver.read(driver.prepare(points))).values[0] == 1
            await driver.close()
            assert len(sent) == 2
            assert [forbidden(one) for one in sent] == [[], []]
            asked = services(sent[0])
            assert asked[:2] == ["CreateSession", "ActivateSession"]
            assert asked[-2:] == ["CloseSession", "CloseSecureChannel"]
            assert {"Read", "Browse", "TranslateBrowsePathsToNodeIds"} <= set(asked)

            async with Client(url) as other:
                await other.register_nodes([])
                await other.get_node("i=2267").read_value()
                await other.uaclient.session.write(ua.WriteParameters(NodesToWrite=[]))
            assert set(forbidden(sent[2])) == {"Write", "service 560"}
