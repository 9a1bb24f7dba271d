"""One TCP session over the library's client: it ends when its peer does, and takes no answer but the one due."""

import asyncio
import logging
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from ganpo_drivers.modbus.answers import Answer, WrongAnswer
from ganpo_drivers.modbus.framing import Frame, TcpFrames
from ganpo_model.errors import ConnectionLost, UnitSilent, Unreachable, UnsupportedProtocol

log = logging.getLogger(__name__)

NAMELESS = "it answers with transaction id 0: after every error the session is opened anew"
_REQUESTS: dict[str, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "input": ReadInputRegistersRequest,
    "holding": ReadHoldingRegistersRequest,
}


class BrokeOff(ConnectionLost):
    """The rest of an answer did not come in time."""


@dataclass(slots=True)
class Habits:
    """What a device has shown of itself; it outlives the session.

    `known`: it has spoken Modbus. `nameless`: it answers with transaction id 0, so that after an unanswered request
    no later answer of the session can be believed.
    """

    known: bool = False
    nameless: bool = False


class Wire:
    """One TCP session to `host:port`. Every error names `where`."""

    def __init__(self, host: str, port: int, timeout_s: float, habits: Habits) -> None:
        self.where = f"tcp://{host}:{port}"
        self._habits = habits
        self._timeout_s = timeout_s
        self._with_ids = False
        self._unanswered = False
        self._client = AsyncModbusTcpClient(
            host, port=port, timeout=timeout_s, retries=0, reconnect_delay=0, trace_connect=self._connected
        )
        self._frames = TcpFrames(self._fail)
        self._client.ctx.framer = self._frames
        self._client.ctx.max_buffer_size = self._frames.MAX_SIZE

    @property
    def open(self) -> bool:
        """Whether the session stands."""
        return bool(self._client.connected)

    async def connect(self) -> None:
        """Open the session. Raises Unreachable."""
        if not await self._client.connect():
            raise Unreachable(
                f"no connection within {self._timeout_s:g} s, or refused",
                where=self.where,
                hint="is the device on, is this its address and port, does it take another connection?",
            )

    async def ask(self, area: str, unit: int, first: int, count: int) -> Answer:
        """The answer to this request and no other.

        Raises WrongAnswer (another transaction or protocol id), UnitSilent, ConnectionLost (the peer closed; what
        came is no frame, or cannot be told from a late answer: close), BrokeOff, UnsupportedProtocol (it never spoke
        Modbus).
        """
        frames, sending = self._frames, self._client.ctx
        if frames.broken or not self.open:
            raise self._lost()
        request = _REQUESTS[area](address=first, count=count, dev_id=unit)
        request.transaction_id = asked = sending.getNextTID()
        unanswered, self._unanswered = self._unanswered or frames.stray, True
        frames.due, frames.late = asyncio.get_running_loop().create_future(), 0
        try:
            async with asyncio.timeout(self._timeout_s):
                # Its own `execute` lets every answer pass that has no id, and knows "no answer" alone.
                sending.pdu_send(request)
                frame = await frames.due
        except TimeoutError as error:
            where = f"{self.where} unit {unit}"
            if frames.rest:
                raise BrokeOff(f"the answer broke off after {len(frames.rest)} bytes", where=where) from error
            late = "; one to an earlier request came: is `timeout_s` too short?" if frames.late else ""
            raise UnitSilent(f"no answer within {self._timeout_s:g} s{late}", where=where) from error
        finally:
            frames.due = None
        if frame.transaction == asked and not frame.protocol:
            self._with_ids = True
        else:
            self._check(frame, asked, unanswered)
        self._unanswered = unanswered
        self._habits.known = True
        return frame.answer

    def close(self) -> None:
        """Leave. Safe at any time."""
        self._client.close()

    def _check(self, frame: Frame, asked: int, unanswered: bool) -> None:
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
            log.warning("%s: %s", self.where, NAMELESS)
        if unanswered:
            raise ConnectionLost(
                "answers with transaction id 0, and this one may be a late one's", where=self.where
            )

    def _lost(self) -> ConnectionLost | UnsupportedProtocol:
        if not self._frames.broken:
            return ConnectionLost("the device closed the connection", where=self.where)
        if self._habits.known or not self._frames.foreign:
            return ConnectionLost(
                f"what came is no Modbus TCP frame: {self._frames.broken}", where=self.where
            )
        return UnsupportedProtocol(
            f"what answers here is not Modbus TCP: {self._frames.broken}",
            where=self.where,
            hint="is this the device's Modbus port (mostly 502)?",
        )

    def _connected(self, connected: bool) -> None:
        if not connected:
            self._fail()

    def _fail(self) -> None:
        """End the request that waits: nothing will come any more."""
        due = self._frames.due
        if due is not None and not due.done():
            due.set_exception(self._lost())
