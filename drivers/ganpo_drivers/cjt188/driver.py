"""CJ/T 188 over a serial line or TCP: reads data and addresses, nothing else exists here (I10)."""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

from ganpo_drivers.api import Address, ConnectionSettings, FaultKind, PointFault, Value
from ganpo_drivers.cjt188.address import WILDCARD, Cjt188Address
from ganpo_drivers.cjt188.frame import (
    ANSWER,
    FUNCTION,
    READ,
    READ_ADDRESS,
    REFUSED,
    Frame,
    encoded,
    frames,
    size,
)
from ganpo_drivers.cjt188.layout import items, length, unit_of, units
from ganpo_drivers.cjt188.settings import Cjt188Settings
from ganpo_drivers.readout.driver import ReadoutDriver, Refused, Unusable
from ganpo_model.errors import UnitBusy

_DATA, _ADDRESS = bytes.fromhex("1F90"), bytes.fromhex("0A81")
"""Identifiers, low byte first."""
_HEAD = 3
"""Identifier and number before what was asked for."""
_WAKES = 4
"""Wake-up bytes that meters send before an answer, at most."""
_VALVE = {0b01: "valve closed", 0b10: "valve state 10", 0b11: "valve faulty"}
_BATTERY_LOW = 0b100


class Cjt188Driver(ReadoutDriver[Cjt188Settings, Cjt188Address]):
    """Water, heat and gas meters on one line, each known by type and address."""

    connection_type: ClassVar[type[ConnectionSettings]] = Cjt188Settings
    address_type: ClassVar[type[Address]] = Cjt188Address

    def __init__(self, connection: Cjt188Settings) -> None:
        super().__init__(connection)
        self._number = 0
        self._notes: dict[str, str] = {}

    def item(self, address: Cjt188Address) -> str:
        """The meter: one answer has everything."""
        return f"{address.key} 901F"

    def sizes(self, address: Cjt188Address) -> tuple[int, int]:
        """Of a read of everything."""
        return self.connection.wake_up + size(_HEAD), _WAKES + size(_HEAD + length(address.kind))

    async def fetch(self, address: Cjt188Address) -> bytes:
        """All items of the meter."""
        identifier = _DATA if address.low_first else _DATA[::-1]
        expected = _HEAD + length(address.kind)
        frame = await self._answer(address.kind, address.meter, READ, identifier, expected)
        if len(frame.data) != expected:
            raise Unusable(
                "length",
                f"a meter of type {address.kind} answers with {expected} bytes, {len(frame.data)} came: "
                "its maker lays them out in another way",
                self.where(address.key),
            )
        data = frame.data[_HEAD:]
        self._note(address, frame, data)
        return data

    def value(self, address: Cjt188Address, data: bytes) -> Value | PointFault:
        """The value of a point; a fault where the meter counts in another unit than the point says."""
        item, wanted = address.layout, address.unit_code
        part = data[item.at : item.at + item.size]
        if wanted is None:
            return item.piece.value(part)
        first, last = part[0], part[-1]
        said, other = (first, last) if address.unit_first else (last, first)
        if said != wanted:
            return PointFault(FaultKind.BAD, _wrong_unit(address, said, other, wanted))
        return item.piece.value(part[1:] if address.unit_first else part[:-1])

    def notes(self) -> Sequence[str]:
        """What status words say, and who answered to the wildcard."""
        return tuple(self._notes.values())

    async def browse(self, start: str) -> AsyncIterator[str]:
        """What a meter gives, with the units in which it counts. `start`: its type and address, `10:78330011223344`;
        empty: of the only meter of the line, which is asked for its address first.

        Raises ValueError (no address), UnitSilent, UnitBusy (it refuses).
        """
        try:
            if not start:
                frame = await self._answer("AA", WILDCARD, READ_ADDRESS, _ADDRESS[::-1], _HEAD)
                start = f"{frame.kind}:{frame.meter}"
            probe = Cjt188Address.parse(f"{start}:status", **self.connection.columns())
            data = await self.fetch(probe)
        except Refused as refused:
            raise UnitBusy(str(refused), where=self.where(start)) from refused
        for item in items(probe.kind).values():
            part = data[item.at : item.at + item.size]
            code = part[0] if probe.unit_first else part[-1]
            unit = next((u.name for u in units() if (u.code, u.quantity) == (code, item.quantity)), "")
            if unit or not item.quantity:
                yield str(probe.model_copy(update={"item": item.name, "unit": unit}))

    async def _answer(self, kind: str, meter: str, control: int, identifier: bytes, expected: int) -> Frame:
        """The answer to one request. Raises Refused where the meter says no."""
        self._number = self._number % 0xFF + 1
        number = self._number

        def due(frame: Frame) -> bool:
            if meter not in (frame.meter, WILDCARD) or kind not in (frame.kind, "AA"):
                return False
            if frame.control & (ANSWER | FUNCTION) != ANSWER | control:
                return False
            if frame.control & REFUSED:
                return True
            # There are meters that always say number 0, and such that turn the identifier round.
            said = frame.data[:2], frame.data[2:3]
            return said[0] in (identifier, identifier[::-1]) and said[1] in (bytes((number,)), b"\0")

        request = encoded(Frame(kind, meter, control, identifier + bytes((number,))), self.connection.wake_up)
        answer = await self.exchange(f"{kind}:{meter}", request, frames, due, size(expected))
        if answer.control & REFUSED:
            raise Refused(
                f"the meter refuses (error answer with {answer.data.hex(' ').upper() or 'no data'})"
            )
        return answer

    def _note(self, address: Cjt188Address, frame: Frame, data: bytes) -> None:
        """Valve and battery by the status word (first byte; the second is the maker's)."""
        status = data[-2]
        said = [
            text
            for text in (_VALVE.get(status & 0b11), "battery low" if status & _BATTERY_LOW else "")
            if text
        ]
        key = f"{frame.kind}:{frame.meter}"
        if address.meter == WILDCARD:
            said.append(f"it answered to {WILDCARD}: write that address into the list")
        self._notes.pop(key, None)
        if said:
            self._notes[key] = f"{key}: {', '.join(said)} (status {data[-2:].hex(' ').upper()})"


def _wrong_unit(address: Cjt188Address, said: int, other: int, wanted: int) -> str:
    if other == wanted:
        place = "unit_last" if address.unit_first else "unit_first"
        return f"the byte of the unit stands on the other side of the number: write {place} into the column order"
    return f"the meter counts {address.item} in {unit_of(said)}, this point in {address.unit}"
