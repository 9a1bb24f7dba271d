"""The devices of the mixed site, in the child process: three serial lines, and a cell of machines behind signed and
encrypted OPC UA.

    electric   DL/T 645: the hall's main meter (2007), an old one of the compressor (1997)
    water      CJ/T 188: a water meter that shows a new number once a minute, as others do once a day; a heat meter
    bus        Modbus RTU: an SDM630 (unit 1), the drive of the fan (unit 2)
"""

import struct
from collections.abc import Callable

from pymodbus.framer import FramerRTU

from ganpo_demo.addresses import (
    DRIVE_UNIT,
    HEAT_ADDRESS,
    MAIN_ADDRESS,
    METER_UNIT,
    OLD_ADDRESS,
    WATER_ADDRESS,
)
from ganpo_demo.cell import CncCell
from ganpo_demo.lines import PtyLine
from ganpo_demo.register_meters import Cjt188Meter, Dlt645Meter, FramedLine, volume
from ganpo_demo.simulation import COUNTS_PER_KWH, Meter, Workshop
from ganpo_model.states import State

FORWARD, STOP = 1, 3
"""What register 3000H of an Inovance MD says."""
_RATIO = 40
_SHOWN_EVERY_S = 60.0
_M3_S, _KWH_S = 0.005, 0.02
"""Water and heat flow evenly."""


class MixedSite:
    """Runs a workshop of its own: machines in the cell, the press as a fan with a drive."""

    def __init__(self, seed: int) -> None:
        self.workshop = Workshop(seed)
        self.cell = CncCell(self.workshop, secured=True)
        self._ran_s = 0.0
        meters = [Dlt645Meter(MAIN_ADDRESS, self._main), Dlt645Meter(OLD_ADDRESS, self._old)]
        flows = [
            Cjt188Meter(0x10, WATER_ADDRESS, self._water),
            Cjt188Meter(0x20, HEAT_ADDRESS, self._heat),
        ]
        self._lines = {
            "electric": PtyLine(FramedLine(10, meters).answer),
            "water": PtyLine(FramedLine(11, flows).answer),
            "bus": PtyLine(RtuLine(self._registers).answer),
        }

    @property
    def lines(self) -> dict[str, str]:
        """The device file of each line."""
        return {name: line.path for name, line in self._lines.items()}

    async def start(self) -> None:
        """Answer on all lines, and serve the cell. Raises OSError where its port cannot be had."""
        self.workshop.advance(1)
        for line in self._lines.values():
            line.start()
        await self.cell.start()

    async def advance(self, seconds: float) -> None:
        """Everything goes on for so long."""
        self._ran_s += seconds
        self.workshop.advance(seconds)
        await self.cell.show()

    def _main(self, identifier: str) -> str | None:
        """What the secondary side of its transformers takes, 200 A to 5 A."""
        meter = self.workshop.main_meter
        kilowatts = meter.power_kw / _RATIO
        shown = {
            "00010000": f"{meter.counts // _RATIO % 10**8:08d}",
            "00020000": "00000000",
            "02030000": f"{round(kilowatts * 10_000):06d}",
            **dict(zip(("02010100", "02010200", "02010300"), ("2299", "2300", "2301"), strict=True)),
            **dict.fromkeys(
                ("02020100", "02020200", "02020300"), f"{round(kilowatts / 3 / 0.23 * 1000):06d}"
            ),
            "02060000": "0950",
            "02800002": "5000",
        }
        return shown.get(identifier)

    def _old(self, identifier: str) -> str | None:
        kilowatts = self.workshop.cnc["VMC850-1"].power_kw
        shown = {
            "9010": f"{round(self._ran_s * COUNTS_PER_KWH / 360) % 10**8:08d}",
            "B630": f"{round(kilowatts * 10_000):06d}",
            "B611": "0230",
            "B621": f"{round(kilowatts / 0.23 * 100):04d}",
        }
        return shown.get(identifier)

    def _water(self) -> str:
        shown = self._ran_s // _SHOWN_EVERY_S * _SHOWN_EVERY_S
        return volume(1_204.5 + shown * _M3_S) + volume(1_100) + "00" * 9

    def _heat(self) -> str:
        """Of a maker who puts the unit before the number."""
        heat = bytes.fromhex(f"{round((86_400 + self._ran_s * _KWH_S) * 100):08d}")[::-1].hex()
        water = bytes.fromhex(f"{round((310.2 + self._ran_s * _M3_S) * 100):08d}")[::-1].hex()
        values = f"05{heat} 05{heat} 1700720000 3500001800 2c{water}"
        return f"{values} 357500 205100 341200 {'00' * 9}"

    def _registers(self, unit: int, function: int, number: int) -> int | None:
        """One register, or None where there is no such unit or function."""
        press, meter = self.workshop.press, self.workshop.press_meter
        if (unit, function) == (METER_UNIT, 4):
            return _words(_SDM630, meter).get(number, 0)
        if (unit, function) == (DRIVE_UNIT, 3):
            running = press.state is State.PRODUCING
            shown = {0x3000: FORWARD if running else STOP, 0x1001: 4250 if running else 0, 0x1003: 3800}
            return shown.get(number, 0)
        return None


_SDM630: dict[int, Callable[[Meter], float]] = {
    0: lambda _: 230.1,
    2: lambda _: 229.8,
    4: lambda _: 230.4,
    52: lambda meter: meter.power_kw * 1000,
    70: lambda _: 50.0,
    72: lambda meter: meter.energy_kwh,
}
"""Input registers of an Eastron SDM630, float32."""


def _words(layout: dict[int, Callable[[Meter], float]], meter: Meter) -> dict[int, int]:
    found = {}
    for number, value in layout.items():
        found[number], found[number + 1] = struct.unpack(">HH", struct.pack(">f", value(meter)))
    return found


class RtuLine:
    """Modbus RTU slaves that only read: functions 3 and 4; any other is refused with exception 01."""

    def __init__(self, register: Callable[[int, int, int], int | None]) -> None:
        self._register = register
        self._came = b""

    def answer(self, data: bytes) -> bytes:
        """What the units say to it; a request that is broken stays without an answer, as at a unit."""
        self._came = (self._came + data)[-8:]
        for size in (8, 7):
            request = self._came[-size:]
            if (
                len(request) == size
                and FramerRTU.compute_CRC(request[:-2]).to_bytes(2, "big") == request[-2:]
            ):
                self._came = b""
                return self._said(request)
        return b""

    def _said(self, request: bytes) -> bytes:
        unit, function = request[:2]
        if unit not in (METER_UNIT, DRIVE_UNIT):
            return b""
        first, count = struct.unpack(">HH", request[2:6]) if len(request) == 8 else (0, 0)
        words = [self._register(unit, function, number) for number in range(first, first + count)]
        known = [word for word in words if word is not None]
        if not known or len(known) < count:
            pdu = bytes((unit, function | 0x80, 0x01))
        else:
            pdu = bytes((unit, function, 2 * count)) + struct.pack(f">{count}H", *known)
        return pdu + FramerRTU.compute_CRC(pdu).to_bytes(2, "big")
