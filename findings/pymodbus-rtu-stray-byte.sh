#!/bin/sh
# pymodbus 3.16.1 loses a whole RTU answer behind one stray byte (a line that turns around) where the unit id is also a
# function code: 1 to 7, 11, 12, 15 to 17, 20 to 24, the ids that everybody gives first. Behind the same byte the answer of
# unit 8 is read. The answer that is due (unit, function, length, checksum) has to be looked for.
#
# Installs pymodbus from the package registry into a temporary folder, runs it against a device of 30 lines on loopback, and
# fails where it behaves otherwise than is written here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pymodbus==3.16.1"
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import logging

import pymodbus
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerRTU, FramerType

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
LOST = {*range(1, 8), 11, 12, 15, 16, 17, *range(20, 25)}


async def device(reader, writer):
    """Register n holds n; one byte 00 before every answer."""
    try:
        while True:
            request = await reader.readexactly(8)
            body = request[:2] + b"\x02" + request[2:4]
            writer.write(b"\x00" + body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))
    except asyncio.IncompleteReadError:
        writer.close()


async def main():
    server = await asyncio.start_server(device, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lost = set()
    for unit in range(1, 26):
        client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU, timeout=0.3, retries=0)
        await client.connect()
        try:
            answer = await client.read_holding_registers(100, count=1, device_id=unit)
            assert answer.registers == [100]
        except ModbusIOException:
            lost.add(unit)
        client.close()
    await asyncio.sleep(0.1)
    server.close()
    print(f"pymodbus {pymodbus.__version__}: behind a stray byte the answers of these units are lost: {sorted(lost)}")
    if lost != LOST:
        raise SystemExit(f"this has changed: it was {sorted(LOST)}")


asyncio.run(main())
PYTHON
