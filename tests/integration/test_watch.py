"""I10: the watch over the suite would see a write at servers that know nothing of it."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from ganpo_demo.child import Devices
from ganpo_demo.loopback import HOST
from support import opcua_nodes, rtu_line, writes


async def _opcua(url: str) -> None:
    async with Client(url) as client:
        await client.uaclient.session.write(ua.WriteParameters(NodesToWrite=[]))


async def _modbus(port: int) -> None:
    client = AsyncModbusTcpClient(HOST, port=port, retries=0)
    await client.connect()
    await client.read_input_registers(0, device_id=1)
    await client.write_register(0, 1, device_id=1)
    client.close()


def _serial(device: str, request: bytes) -> None:
    port = os.open(device, os.O_RDWR | os.O_NOCTTY)
    os.write(port, request)
    os.close(port)


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[Devices]:
    monkeypatch.setenv("PYTHONPATH", writes.environment()["PYTHONPATH"])
    devices = Devices(1, "mixed")
    yield devices
    devices.end()


async def test_a_write_to_a_device_of_the_demo_is_noted(devices: Devices) -> None:
    try:
        await devices.ready()
        await _modbus(devices.ports["meter"])
        await _opcua(f"opc.tcp://{HOST}:{devices.ports['cell']}")
        _serial(devices.lines["bus"], rtu_line.checked(bytes((1, 4, 0, 0, 0, 2))))
        _serial(devices.lines["bus"], rtu_line.checked(bytes((2, 6, 0x20, 0, 0, 1))))
        for line, frame in (
            ("electric", "68 999999999999 68 08 06 333333333333"),
            ("water", "6810 AAAAAAAAAAAAAA 04 01 00"),
        ):
            body = bytes.fromhex(frame)
            _serial(devices.lines[line], body + bytes((sum(body) & 0xFF, 0x16)))
        found: list[str] = []
        async with asyncio.timeout(5):
            while len(found) < 5:
                await asyncio.sleep(0.05)
                found += writes.noted()
    finally:
        await devices.stop()
    assert sorted(found) == [
        "CJ/T 188 control 04",
        "DL/T 645 control 08",
        "Modbus RTU function code 6",
        "Modbus function 6 at unit 1",
        "OPC UA Write",
    ]


async def test_a_write_to_a_tree_of_nodes_is_noted() -> None:
    with opcua_nodes.OpcUaNodes([("nsu=urn:y;s=Count", "UInt32", 7)]) as server:
        await _opcua(server.url)
        assert writes.noted() == ["OPC UA Write"]
