"""The meters of the demo: a Modbus TCP server with a unit per meter."""

import struct
import time
from collections import deque
from functools import partial

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from ganpo_demo.loopback import HOST, free_port
from ganpo_demo.simulation import Meter, Workshop

FIRST, LAYOUT = 0, ">If"
"""The register map: active energy as uint32 hundredths of a kWh, then active power as float32 kW."""


class MeterBus:
    """Serves unit 1, the meter of everything, and unit 2, the meter of the press.

    It remembers what the register of unit 1 stood at whenever it was read, for two hours of polls: that is the
    truth against which a total on the page is held.
    """

    def __init__(self, workshop: Workshop) -> None:
        self.port = 0
        self._units = {1: workshop.main_meter, 2: workshop.press_meter}
        self._served: deque[tuple[int, int]] = deque(maxlen=7200)
        self._server: ModbusTcpServer | None = None

    async def plug(self) -> None:
        """Serve, again on the same port. Raises RuntimeError where that cannot be had."""
        if self._server is not None:
            return
        self.port = self.port or free_port()
        self._server = ModbusTcpServer(
            [
                SimDevice(
                    unit,
                    SimData(FIRST, count=struct.calcsize(LAYOUT) // 2, datatype=DataType.REGISTERS),
                    action=partial(self._answer, unit, meter),
                )
                for unit, meter in self._units.items()
            ],
            address=(HOST, self.port),
        )
        await self._server.serve_forever(background=True)

    async def unplug(self) -> None:
        """Drop every connection and refuse new ones. The meters count on."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None

    def truth(self, at_ms: int) -> int | None:
        """The register of unit 1 as it was last read at or before `at_ms`; None where nothing is known."""
        return next((counts for ms, counts in reversed(self._served) if ms <= at_ms), None)

    async def _answer(
        self,
        unit: int,
        meter: Meter,
        _function: int,
        _start: int,
        _address: int,
        _count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Refresh the registers before they are read; nothing may be written."""
        if written is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        counts = meter.counts
        shown = struct.pack(LAYOUT, counts, meter.power_kw)
        registers[: len(shown) // 2] = struct.unpack(f">{len(shown) // 2}H", shown)
        if unit == 1:
            self._served.append((time.time_ns() // 1_000_000, counts))
        return None
