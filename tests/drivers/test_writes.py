"""I10 in the whole suite: a write that arrives at one of its devices fails the test, whoever sent it, however late."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua

from ganpo_drivers.api import Home, Point, Query, Scan
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.opcua import certificate
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import Pin, pin
from support import modbus_wire, writes
from support.identities import der, identity
from support.modbus_server import ModbusServer
from support.opcua_server import OpcUaServer

SECURED = "Basic256Sha256,SignAndEncrypt"
THIRD = 3


class WritingModbus(ModbusDriver):
    """As the right one, but its third read is followed by a write."""

    reads = 0

    async def read(self, query: Query) -> Scan:
        self.reads += 1
        if self.reads == THIRD:
            await _write_a_register(self.connection.url)
        return await super().read(query)


class WritingOpcUa(OpcUaDriver):
    """As the right one, but its third read is followed by a write in its own session."""

    reads = 0

    async def read(self, query: Query) -> Scan:
        self.reads += 1
        if self.reads == THIRD:
            assert self._session is not None
            nothing = ua.WriteParameters(NodesToWrite=[])
            await self._session._client.uaclient.session.write(nothing)
        return await super().read(query)


async def _write_a_register(url: str) -> None:
    from pymodbus.client import AsyncModbusTcpClient

    host, _, port = url.removeprefix("tcp://").partition(":")
    client = AsyncModbusTcpClient(host, port=int(port), retries=0)
    await client.connect()
    await client.write_register(0, 1, device_id=1)
    client.close()


async def _read_three_times(driver: Any, address: Any) -> None:
    await driver.open()
    query = driver.prepare([Point("a", address)])
    for _ in range(THIRD):
        assert (await driver.read(query)).values == [48203]
    await driver.close()


async def test_a_modbus_driver_that_writes_in_its_third_read_is_seen_by_the_device() -> None:
    with ModbusServer() as server:
        server.set_value(1, "holding", 0, "uint32", 48203)
        address = ModbusAddress.parse("1:holding:0", type="uint32", addressing="0-based")
        settings = ModbusSettings(driver="modbus", url=server.url, addressing="0-based")
        await _read_three_times(ModbusDriver(settings), address)
        assert writes.noted() == []
        await _read_three_times(WritingModbus(settings), address)
        assert writes.noted() == ["Modbus function 6 at unit 1"]


@pytest.mark.parametrize("security", ["None", SECURED])
async def test_an_opcua_driver_that_writes_in_its_third_read_is_seen_by_the_device(
    tmp_path: Path, security: str
) -> None:
    plc = identity(tmp_path / "plc.pem")
    with OpcUaServer(values={"A": 48203}, secured=[SECURED], identity=plc) as server:
        address = OpcUaAddress.parse(OpcUaServer.node("A"))
        home = Home("gw-test-0001", "plc", tmp_path / "state" / "opcua")
        certificate.own(home, datetime.now(UTC))
        pin(home, Pin(der(plc), datetime.now(UTC)))
        settings = OpcUaSettings.model_validate(
            {"driver": "opcua", "url": server.url, "security": security, "allow_insecure": security == "None"}
        ).at(home)
        await _read_three_times(OpcUaDriver(settings), address)
        assert writes.noted() == []
        await _read_three_times(WritingOpcUa(settings), address)
        assert writes.noted() == ["OPC UA Write"]


def with_checksum(frame: bytes) -> bytes:
    return frame + modbus_wire.crc(frame).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("pdu", "told"),
    [
        (b"\x03\x00\x00\x00\x02", []),
        (b"\x2b\x0e\x01\x00", []),
        (b"\x2b\x0d\x01\x00", ["function code 43"]),
        (b"\x06\x00\x00\x00\x02", ["function code 6"]),
        (b"\x10\x00\x00\x00\x01\x02\x00\x07", ["function code 16"]),
        (b"\x08\x00\x01\x00\x00", ["function code 8"]),
    ],
)
def test_the_watch_over_a_serial_line_tells_reads_from_all_else(pdu: bytes, told: list[str]) -> None:
    read = with_checksum(b"\x0b\x04\x00\x0a\x00\x01")
    assert modbus_wire.forbidden_rtu(read + with_checksum(b"\x0b" + pdu) + read) == told
    assert modbus_wire.forbidden_rtu(read + with_checksum(b"\x0b" + pdu) + read[:5]) == told
    tcp = b"\x00\x01\x00\x00" + (len(pdu) + 1).to_bytes(2, "big") + b"\x0b" + pdu
    assert modbus_wire.forbidden(tcp + tcp[:7]) == told
