"""One TCP session over the library's client: it ends when its peer does, and takes no answer but the one due."""

import asyncio

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from ganpo_drivers.modbus.answers import Answer, WrongAnswer
from ganpo_drivers.modbus.framing import TcpFrames, Whole
from ganpo_model.errors import ConnectionLost, UnitSilent, Unreachable, UnsupportedProtocol

_REQUESTS: dict[str, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "input": ReadInputRegistersRequest,
    "holding": ReadHoldingRegistersRequest,
}


class BrokeOff(ConnectionLost):
    """The rest of an answer did not come in time."""


class Wire:
    """One TCP session to `host:port`. Every error names `where`.

    `known`: Modbus was spoken here, in this session or before. `nameless`: the device answers with transaction id 0,
    so that after an unanswered request no later answer of the session can be believed.
    """

    def __init__(self, host: str, port: int, timeout_s: float, *, known: bool) -> None:
        self.where = f"tcp://{host}:{port}"
        self.known = known
        self.nameless = False
        self._timeout_s = timeout_s
        self._with_ids = False
        self._unanswered = False
        self._client = AsyncModbusTcpClient(
            host, port=port, timeout=timeout_s, retries=0, reconnect_delay=0, trace_connect=self._connected
        )
        # A silent unit must not close the line of the others: whether to go on is decided above.
        self._client.set_max_no_responses(2**31)
        self._frames = TcpFrames(lambda: self._fail("not Modbus"))
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
        request = _REQUESTS[area](address=first, count=count, dev_id=unit)
        frames = self._frames
        if frames.broken:
            raise self._lost()
        unanswered, self._unanswered = self._unanswered or frames.stray, True
        frames.due, frames.late = True, 0
        try:
            found = await self._client.execute(False, request)
        except ModbusIOException as error:
            if frames.rest:
                raise BrokeOff(
                    f"the answer broke off after {len(frames.rest)} bytes", where=f"{self.where} unit {unit}"
                ) from error
            late = "; one to an earlier request came: is `timeout_s` too short?" if frames.late else ""
            raise UnitSilent(
                f"no answer within {self._timeout_s:g} s{late}", where=f"{self.where} unit {unit}"
            ) from error
        except (ModbusException, OSError) as error:
            raise self._lost() from error
        finally:
            frames.due = False
        assert isinstance(found, Whole)
        self._check(found, unanswered)
        self._unanswered = unanswered
        self.known = True
        return found.frame.answer

    def close(self) -> None:
        """Leave. Safe at any time."""
        self._client.close()

    def _check(self, found: Whole, unanswered: bool) -> None:
        """Whether the frame belongs to the request. `unanswered`: an earlier one of this session still may get one."""
        frame, asked = found.frame, found.transaction_id
        if frame.protocol:
            raise WrongAnswer("protocol", f"the answer has protocol id {frame.protocol}, Modbus has 0")
        if frame.transaction == asked:
            self._with_ids = True
        elif frame.transaction or self._with_ids:
            raise WrongAnswer(
                "transaction", f"the answer has transaction id {frame.transaction}, {asked} was asked"
            )
        else:
            self.nameless = True
            if unanswered:
                raise ConnectionLost(
                    "answers with transaction id 0, and this one may be a late one's", where=self.where
                )

    def _lost(self) -> ConnectionLost | UnsupportedProtocol:
        if not self._frames.broken:
            return ConnectionLost("the device closed the connection", where=self.where)
        if self.known or not self._frames.foreign:
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
            self._fail("closed by the device")

    def _fail(self, why: str) -> None:
        """End the request that waits: the library would wait out its timeout."""
        future: asyncio.Future[ModbusPDU] = self._client.ctx.response_future
        if not future.done():
            future.set_exception(ModbusException(why))
            future.exception()
