"""Modbus TCP, also inside TLS: every frame has the id of its request (Modbus Messaging on TCP/IP 3.1.3)."""

import struct
from typing import NamedTuple

from ganpo_drivers.lines import ByteLine
from ganpo_drivers.modbus.answers import Answer, WrongAnswer
from ganpo_drivers.modbus.requests import EXCEPTION, Request
from ganpo_drivers.modbus.wire import BrokeOff, Habits, Wire
from ganpo_model.errors import ConnectionLost, UnitSilent, UnsupportedProtocol

NAMELESS = "it answers with transaction id 0: after every error the session is opened anew"
_HEADER = struct.Struct(">HHHB")
_AFTER_LENGTH = 6
_LONGEST = 254
"""Unit id, function code and 252 bytes."""
_IDS = 0xFFFF
"""How many there are: 1 to 65535, then 1 again."""


class _Frame(NamedTuple):
    """One whole frame of `size` bytes."""

    size: int
    transaction: int
    protocol: int
    answer: Answer


class _NoFrameError(Exception):
    """What came is no frame. `foreign`: it has the id of another protocol."""

    def __init__(self, data: bytes, *, foreign: bool) -> None:
        super().__init__(repr(data[:24]))
        self.foreign = foreign


class _Hearing:
    """Finds the frame that answers the request `asked`, the `sent`-th of its session.

    `late`: answers to earlier requests that were passed over; `at`: where what comes after them begins.
    """

    def __init__(self, asked: int, sent: int) -> None:
        self.asked, self._earlier = asked, min(sent - 1, _IDS // 2)
        self.late = self.at = 0
        self.frame: _Frame | None = None

    def __call__(self, data: bytes) -> int | None:
        while (frame := self.next(data)) is not None:
            self.at += frame.size
            if not frame.transaction or not 0 < (self.asked - frame.transaction) % _IDS <= self._earlier:
                self.frame = frame
                return self.at
            self.late += 1
        return None

    def next(self, data: bytes) -> _Frame | None:
        """The frame that begins at `at`, None where it is not whole. Raises _NoFrameError."""
        at = self.at
        if len(data) < at + _HEADER.size:
            return None
        transaction, protocol, length, unit = _HEADER.unpack_from(data, at)
        end = at + _AFTER_LENGTH + length
        if not 2 <= length <= _LONGEST or (protocol and transaction != self.asked):
            raise _NoFrameError(data[at:], foreign=protocol != 0)
        if length == 2 and len(data) == end + 1 and data[at + 7] & EXCEPTION:
            end += 1  # there are devices that do not count the code of their exception
        if len(data) < end:
            return None
        return _Frame(end - at, transaction, protocol, Answer(unit, data[at + 7], data[at + 8 : end]))


class MbapWire(Wire):
    """One TCP session."""

    def __init__(self, line: ByteLine, timeout_s: float, habits: Habits) -> None:
        super().__init__(line, timeout_s, habits)
        self._asked = self._sent = 0
        self._with_ids = False
        self._unanswered = False

    @property
    def blind(self) -> bool:
        """Of a device that says no ids."""
        return self._habits.nameless

    async def ask(self, request: Request) -> Answer:
        """The frame with the id of this request, or of a device that says none the next one while nothing is owed."""
        line = self._line
        self._asked = asked = self._asked % _IDS + 1
        self._sent += 1
        hearing = _Hearing(asked, self._sent)
        try:
            if line.pending:
                self._pass_over(hearing)
            unanswered, self._unanswered = self._unanswered, True
            line.send(_HEADER.pack(asked, 0, 1 + len(request.pdu), request.unit) + request.pdu)
            await line.receive(hearing, self._timeout_s)
        except _NoFrameError as error:
            raise self._no_frame(error) from None
        except TimeoutError as error:
            where = f"{self.where} unit {request.unit}"
            if rest := len(line.pending) - hearing.at:
                raise BrokeOff(f"the answer broke off after {rest} bytes", where=where) from error
            late = "; one to an earlier request came: is `timeout_s` too short?" if hearing.late else ""
            raise UnitSilent(f"no answer within {self._timeout_s:g} s{late}", where=where) from error
        frame = hearing.frame
        assert frame is not None
        if frame.transaction == asked and not frame.protocol:
            self._with_ids = True
        else:
            self._check(frame, asked, unanswered=unanswered)
        self._unanswered = unanswered
        self._habits.known = True
        return frame.answer

    def _pass_over(self, hearing: _Hearing) -> None:
        """What came since the last answer answers nothing that will be asked."""
        while (frame := hearing.next(self._line.pending)) is not None:
            hearing.at += frame.size
            hearing.late += 1
            self._unanswered |= not frame.transaction

    def _check(self, frame: _Frame, asked: int, *, unanswered: bool) -> None:
        """A frame without the id asked, or of another protocol: taken only from a device that says no ids, as long as
        no earlier request of the session is `unanswered`."""
        if frame.protocol:
            raise WrongAnswer("protocol", f"the answer has protocol id {frame.protocol}, Modbus has 0")
        if frame.transaction or self._with_ids:
            raise WrongAnswer(
                "transaction", f"the answer has transaction id {frame.transaction}, {asked} was asked"
            )
        if not self._habits.nameless:
            self._habits.nameless = True
        if unanswered:
            raise ConnectionLost(
                "answers with transaction id 0, and this one may be a late one's", where=self.where
            )

    def _no_frame(self, error: _NoFrameError) -> ConnectionLost | UnsupportedProtocol:
        if self._habits.known or not error.foreign:
            return ConnectionLost(f"what came is no Modbus TCP frame: {error}", where=self.where)
        return UnsupportedProtocol(
            f"what answers here is not Modbus TCP: {error}",
            where=self.where,
            hint="is this the device's Modbus port (mostly 502)?",
        )
