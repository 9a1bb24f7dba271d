"""The library's client, with answers that keep their bytes and a session that ends when its peer does."""

import asyncio

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException, ModbusIOException
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from ganpo_model.errors import ConnectionLost, UnitSilent, Unreachable, UnsupportedProtocol

_REQUESTS: dict[str, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "input": ReadInputRegistersRequest,
    "holding": ReadHoldingRegistersRequest,
}


class _Bytes(ModbusPDU):
    """An answer to function codes 1-4 as it came: `payload` without its byte count."""

    rtu_byte_count_pos = 2
    payload = b""

    def decode(self, data: bytes) -> None:
        if data[0] != len(data) - 1:
            raise ModbusIOException(f"byte count {data[0]} in an answer of {len(data) - 1} bytes")
        self.payload = data[1:]

    def __str__(self) -> str:
        return f"{len(self.payload)} bytes"  # the library prints every answer, wanted or not


_ANSWERS = [type(f"_Bytes{code}", (_Bytes,), {"function_code": code}) for code in (1, 2, 3, 4)]


class Wire:
    """One TCP session to `host:port`. Every error names `where`."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.where = f"tcp://{host}:{port}"
        self._timeout_s = timeout_s
        self._foreign = b""
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._seen,
            trace_connect=self._connected,
        )
        # A silent unit must not close the line of the others: whether to go on is decided above.
        self._client.set_max_no_responses(2**31)
        for answer in _ANSWERS:
            self._client.register(answer)

    @property
    def open(self) -> bool:
        """Whether the session stands."""
        return bool(self._client.connected)

    async def connect(self) -> None:
        """Open the session. Raises Unreachable."""
        self._foreign = b""
        if not await self._client.connect():
            raise Unreachable(
                f"no connection within {self._timeout_s:g} s, or refused",
                where=self.where,
                hint="is the device on, is this its address and port, does it take another connection?",
            )

    async def ask(self, area: str, unit: int, first: int, count: int) -> bytes | int:
        """The bytes of an answer, or the code of an exception.

        Raises UnitSilent, ConnectionLost (the peer closed), UnsupportedProtocol (it answers something else).
        """
        request = _REQUESTS[area](address=first, count=count, dev_id=unit)
        where = f"{self.where} unit {unit}"
        try:
            answer = await self._client.execute(False, request)
        except ModbusIOException as error:
            self._check_foreign(error)
            if not self.open:
                raise ConnectionLost("the device closed the connection", where=self.where) from error
            raise UnitSilent(f"no answer within {self._timeout_s:g} s", where=where) from error
        except (ModbusException, OSError) as error:
            self._check_foreign(error)
            raise ConnectionLost(f"the device closed the connection ({error})", where=self.where) from error
        if isinstance(answer, ExceptionResponse):
            return int(answer.exception_code)
        if not isinstance(answer, _Bytes) or answer.function_code != request.function_code:
            raise ConnectionLost(
                f"function {answer.function_code} answers {request.function_code}", where=where
            )
        return answer.payload

    def close(self) -> None:
        """Leave. Safe at any time."""
        self._client.close()

    def _check_foreign(self, error: Exception) -> None:
        if self._foreign:
            raise UnsupportedProtocol(
                f"what answers here is not Modbus TCP: {self._foreign[:24]!r}",
                where=self.where,
                hint="is this the device's Modbus port (mostly 502)?",
            ) from error

    def _seen(self, sending: bool, data: bytes) -> bytes:
        """Bytes on their way. The third and fourth of every Modbus TCP message are zero."""
        if not sending and len(data) >= 4 and data[2:4] != b"\0\0" and not self._foreign:
            self._foreign = bytes(data)
            self._fail("not Modbus")
        return data

    def _connected(self, connected: bool) -> None:
        if not connected:
            self._fail("closed by the device")

    def _fail(self, why: str) -> None:
        """End the request that waits: the library would wait out its timeout."""
        future: asyncio.Future[ModbusPDU] = self._client.ctx.response_future
        if not future.done():
            future.set_exception(ModbusException(why))
            future.exception()
