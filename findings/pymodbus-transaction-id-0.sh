#!/bin/sh
# pymodbus 3.16.1 takes an answer with transaction id 0 for any request: a device that answers with id 0 and is late once
# gives the next request the value of the one before. The caller has to look at the id.
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
import struct

import pymodbus
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
LATE_S = 0.4


async def device(reader, writer):
    """Register n holds n; transaction id 0 in every answer; the first answer is late."""
    late = LATE_S
    try:
        while True:
            request = await reader.readexactly(12)
            unit, function, first, count = struct.unpack(">BBHH", request[6:])
            answer = struct.pack(">HHHBBBH", 0, 0, 5, unit, function, 2, first)
            asyncio.get_running_loop().call_later(late, writer.write, answer)
            late = 0.2
    except asyncio.IncompleteReadError:
        writer.close()


async def main():
    server = await asyncio.start_server(device, "127.0.0.1", 0)
    client = AsyncModbusTcpClient("127.0.0.1", port=server.sockets[0].getsockname()[1], timeout=0.3, retries=0)
    await client.connect()
    try:
        await client.read_holding_registers(100, count=1, device_id=1)
        raise SystemExit("register 100 was answered in time: this machine is too slow to show it, run it again")
    except ModbusIOException:
        print(f"pymodbus {pymodbus.__version__}: the read of register 100 times out after 0.3 s")
    answer = await client.read_holding_registers(200, count=1, device_id=1)
    client.close()
    await asyncio.sleep(0.5)  # the device sees the end
    server.close()
    print(f"the read of register 200 is given {answer.registers[0]}, an answer with transaction id 0")
    if answer.registers != [100]:
        raise SystemExit("this has changed: the late answer of register 100 is no longer taken for register 200")


asyncio.run(main())
PYTHON
