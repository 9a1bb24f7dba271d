"""The child process of `modbus_server`: pymodbus' own server over registers that the parent sets line by line."""

import asyncio
import json
import sys
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from support import watched

AREAS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}


class Memory:
    """The server's datastore: registers by (unit, area, address); what is not there is an illegal address."""

    def __init__(self) -> None:
        self.values: dict[tuple[int, str, int], int] = {}
        self.exceptions: dict[int, int] = {}
        self.silent: set[int] = set()
        self.delay = 0.0
        self.requests: list[tuple[int, int, int, int]] = []
        self.unit = 0

    def device_ids(self) -> list[int]:
        return list(range(256))

    async def async_getValues(self, unit: int, code: int, address: int, count: int = 1) -> Any:  # noqa: N802
        self.requests.append((unit, code, address, count))
        if self.delay:
            await asyncio.sleep(self.delay)
        if unit in self.exceptions:
            return ExcCodes(self.exceptions[unit])
        if code not in AREAS:
            return ExcCodes.ILLEGAL_FUNCTION
        found = [self.values.get((unit, AREAS[code], address + n)) for n in range(count)]
        if None in found:
            return ExcCodes.ILLEGAL_ADDRESS
        return [bool(value) for value in found] if code in (1, 2) else found

    async def async_setValues(self, *_: Any) -> Any:  # noqa: N802
        return ExcCodes.ILLEGAL_FUNCTION

    def drop_silent(self, sending: bool, pdu: ModbusPDU) -> Any:
        if sending:
            self.unit = pdu.dev_id
        return watched.modbus_pdu(sending, pdu)

    def packet(self, sending: bool, data: bytes) -> bytes:
        return b"" if sending and self.unit in self.silent else data

    def command(self, name: str, arguments: list[Any]) -> Any:
        if name == "set":
            for unit, area, address, values in arguments:
                for n, value in enumerate(values):
                    self.values[unit, area, address + n] = value
        elif name == "remove":
            unit, area, address = arguments
            del self.values[unit, area, address]
        elif name == "exception":
            unit, code = arguments
            self.exceptions.pop(unit, None)
            if code:
                self.exceptions[unit] = code
        elif name == "silent":
            self.silent = set(arguments)
        elif name == "delay":
            (self.delay,) = arguments
        elif name == "requests":
            seen, self.requests = self.requests, []
            return seen
        return None


async def main() -> None:
    memory = Memory()
    device = SimDevice(0, simdata=[SimData(0, 1, datatype=DataType.REGISTERS)])
    server = ModbusTcpServer(
        device,
        framer=FramerType(sys.argv[2]),
        address=(sys.argv[3], int(sys.argv[1])),
        identity=ModbusDeviceIdentification(  # type: ignore[no-untyped-call]
            info={0: "Ganpo", 1: "simulation", 2: "1.0"}  # vendor, product code, revision
        ),
        trace_pdu=memory.drop_silent,
        trace_packet=memory.packet,
    )
    server.context = memory  # type: ignore[assignment]
    await server.serve_forever(background=True)
    listening: Any = server.transport
    print(json.dumps(listening.sockets[0].getsockname()[1]), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name, *arguments = json.loads(line)
        print(json.dumps(memory.command(name, arguments)), flush=True)
    await server.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(main())
