"""Modbus TCP frames (Modbus Messaging on TCP/IP 3.1.3): whole ones out of bytes, and which may answer the request.

The library's own framer lets transaction id 0 pass for any request, and raises inside the event loop.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import NamedTuple

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from ganpo_drivers.modbus.answers import Answer

_HEADER = struct.Struct(">HHHB")
_AFTER_LENGTH = 6
_LONGEST = 254
"""Unit id, function code and 252 bytes."""


class Frame(NamedTuple):
    """One whole frame of `size` bytes."""

    size: int
    transaction: int
    protocol: int
    answer: Answer


class TcpFrames(FramerSocket):
    """`due`: gets the frame that a request waits for. `late`: answers to earlier requests dropped while it waited;
    `stray`: whether one of them had no id. `rest`: the beginning of a frame. `broken`: the bytes that are no frame,
    else empty; `foreign`: with another protocol's id.
    """

    MAX_SIZE = 65_536  # longer input is dropped by the library in silence

    def __init__(self, on_broken: Callable[[], None]) -> None:
        super().__init__(DecodePDU(False))
        self.due: asyncio.Future[Frame] | None = None
        self.late = 0
        self.stray = False
        self.rest = b""
        self.broken = ""
        self.foreign = False
        self._on_broken = on_broken

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, None]:  # noqa: N802
        """All of `data` is taken. The first frame that is none of an earlier request is the one that is due."""
        left = self.rest + data
        while (frame := self._next(left, exp_tid)) is not None:
            left = left[frame.size :]
            if self.due is not None and not self.due.done() and not 0 < frame.transaction < exp_tid:
                self.due.set_result(frame)
            else:
                self.late += 1
                self.stray |= not frame.transaction
        self.rest = left
        return len(data), None

    def _next(self, data: bytes, expected: int) -> Frame | None:
        """The frame at the beginning of `data`, None where it is not whole."""
        if len(data) < _HEADER.size or self.broken:
            return None
        transaction, protocol, length, unit = _HEADER.unpack_from(data)
        end = _AFTER_LENGTH + length
        if not 2 <= length <= _LONGEST or (protocol and transaction != expected):
            self.foreign = protocol != 0
            self.broken = repr(data[:24])
            self._on_broken()
            return None
        if length == 2 and len(data) == end + 1 and data[7] & 0x80:
            end += 1  # there are devices that do not count the code of their exception
        if len(data) < end:
            return None
        return Frame(end, transaction, protocol, Answer(unit, data[7], data[8:end]))
