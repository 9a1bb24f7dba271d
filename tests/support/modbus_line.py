"""A Modbus TCP device with several units that answers as a test says, byte for byte, in the test's own loop."""

import asyncio
import ssl
import struct
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from support import modbus_wire, writes

Reply = Callable[[bytes], bytes | None]
"""What is sent for a request of 12 bytes; None: nothing, and the session is closed."""


def frame(request: bytes, unit: int, pdu: bytes, transaction: int | None = None, protocol: int = 0) -> bytes:
    """An answer of these bytes, with the request's transaction id unless another is given."""
    given = int.from_bytes(request[:2], "big") if transaction is None else transaction
    return struct.pack(">HHHB", given, protocol, len(pdu) + 1, unit) + pdu


def registers(request: bytes, more: int = 0) -> bytes:
    """The right PDU: each register holds its own address. `more`: so many registers too many."""
    _, function, first, count = struct.unpack(">BBHH", request[6:])
    values = [(first + n) & 0xFFFF for n in range(count + more)]
    return struct.pack(f">BB{len(values)}H", function, 2 * len(values), *values)


def right(request: bytes) -> bytes:
    """What was asked for."""
    return frame(request, request[6], registers(request))


def exception(code: int) -> Reply:
    """Refuse."""
    return lambda request: frame(request, request[6], bytes((request[7] | 0x80, code)))


def nameless(request: bytes) -> bytes:
    """Right, but with transaction id 0."""
    return frame(request, request[6], registers(request), 0)


WHOLE: dict[str, Reply] = {
    "one register too few": lambda request: frame(request, request[6], registers(request, -1)),
    "one register too many": lambda request: frame(request, request[6], registers(request, 1)),
    "for another unit": lambda request: frame(request, request[6] + 4, registers(request)),
    "to another function": lambda request: frame(request, request[6], b"\x04" + registers(request)[1:]),
    "exception 04": exception(4),
    "another protocol id": lambda request: frame(request, request[6], registers(request), protocol=7),
    "a transaction never asked": lambda request: frame(request, request[6], registers(request), 60_000),
    "no transaction id": nameless,
    "bytes that say another number": lambda request: frame(
        request, request[6], b"\x03\x7f" + registers(request)[2:]
    ),
}
"""Well-framed wrong answers."""
BROKEN: dict[str, Reply] = {
    "half a frame": lambda request: right(request)[:-3],
    "an impossible length": lambda request: right(request)[:4] + b"\x0b\xb8" + right(request)[6:],
    "another protocol": lambda request: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "the end of the session": lambda request: None,
}
"""After these nothing on the session can be believed."""


class ModbusLine:
    """`async with ModbusLine() as line`. `replies`: by unit and first register, `right` for the others.

    `identity`: said to function 43/14. `tls`: spoken inside it. `asked`: how often, by unit and first register;
    `sessions`: opened so far. `delay_s` before each answer.
    """

    port = 0

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.replies: dict[tuple[int, int], Reply] = {}
        self.otherwise: Reply = right
        self.identity: Callable[[bytes], bytes] = lambda request: frame(request, request[6], b"\xab\x01")
        self.asked: Counter[tuple[int, int]] = Counter()
        self.requests: list[tuple[int, int, int, int]] = []
        self.sessions = 0
        self.delay_s = 0.0
        self.requests_per_session = 2**31
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        self._writers.add(writer)
        try:
            for _ in range(self.requests_per_session):
                request = await reader.readexactly(6)
                request += await reader.readexactly(int.from_bytes(request[4:], "big"))
                if request[7:9] == b"\x2b\x0e":
                    writer.write(self.identity(request))
                    continue
                unit, function, first, count = struct.unpack(">BBHH", request[6:])
                self.asked[unit, first] += 1
                if modbus_wire.changes(request[7:]):
                    writes.note(f"Modbus function {function} at unit {unit}")
                self.requests.append((unit, function, first, count))
                answer = self.replies.get((unit, first), self.otherwise)(request)
                if answer is None:
                    return
                if self.delay_s:
                    asyncio.get_running_loop().call_later(self.delay_s, writer.write, answer)
                else:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End what stands and refuse what comes."""
        self._server.close()
        await asyncio.sleep(0.05)  # what was accepted just now has its task
        async with asyncio.timeout(5):
            while self._writers:
                for writer in list(self._writers):
                    writer.transport.abort()
                await asyncio.sleep(0.01)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
