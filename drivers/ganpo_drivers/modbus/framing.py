"""Modbus TCP frames (Modbus Messaging on TCP/IP 3.1.3): whole ones out of bytes, and which may answer the request.

The library's own framer lets transaction id 0 pass for any request, and raises inside the event loop.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

from ganpo_drivers.modbus.answers import Answer

_HEADER = struct.Struct(">HHHB")
_AFTER_LENGTH = 6
_LONGEST = 254
"""Unit id, function code and 252 bytes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame."""

    transaction: int
    protocol: int
    answer: Answer


class Whole(ModbusPDU):
    """What the library hands on: the frame as it came."""

    def __init__(self, frame: Frame, dev_id: int, transaction_id: int) -> None:
        """The two ids are those asked for: what came instead is judged by us, with words."""
        super().__init__(dev_id=dev_id, transaction_id=transaction_id)
        self.frame = frame


class TcpFrames(FramerSocket):
    """`due`: a request waits. `late`: answers to earlier requests dropped while it waited; `stray`: whether one of
    them had no id. `rest`: the beginning of a frame. `broken`: the bytes that are no frame, else empty.
    """

    MAX_SIZE = 65_536  # longer input is dropped by the library in silence

    def __init__(self, on_broken: Callable[[], None]) -> None:
        super().__init__(DecodePDU(False))
        self.due = False
        self.late = 0
        self.stray = False
        self.rest = b""
        self.broken = ""
        self.foreign = False
        self._on_broken = on_broken

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """All of `data` is taken. The first frame that is none of an earlier request is handed on."""
        self.rest += data
        found = None
        for frame in self._whole(exp_tid):
            if self.due and not 0 < frame.transaction < exp_tid:
                self.due = False
                found = Whole(frame, exp_devid, exp_tid)
            else:
                self.late += 1
                self.stray |= not frame.transaction
        return len(data), found

    def _whole(self, expected: int) -> Iterator[Frame]:
        at, data = 0, self.rest
        while not self.broken and len(data) - at >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(data, at)
            end = at + _AFTER_LENGTH + length
            if not 2 <= length <= _LONGEST or (protocol and transaction != expected):
                self.foreign = protocol != 0
                self.broken = repr(data[at : at + 24])
                self._on_broken()
                break
            if length == 2 and len(data) == end + 1 and data[at + 7] & 0x80:
                end += 1  # there are devices that do not count the code of their exception
            if len(data) < end:
                break
            yield Frame(transaction, protocol, Answer(unit, data[at + 7], data[at + 8 : end]))
            at = end
        self.rest = data[at:]
