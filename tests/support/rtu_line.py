"""Units on a Modbus RTU line that answer as a test says, byte for byte: at a pseudo-terminal, or behind a converter."""

import asyncio
import contextlib
import os
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from support import modbus_wire, writes
from support.pty_line import PtyLine

Reply = Callable[[bytes], bytes | None]
"""What is sent for a request of 8 bytes; None: nothing."""


def checked(body: bytes) -> bytes:
    """The bytes with their checksum."""
    return body + modbus_wire.crc(body).to_bytes(2, "little")


def registers(request: bytes, more: int = 0) -> bytes:
    """The right body: each register holds its own address. `more`: so many registers too many."""
    unit, function = request[:2]
    first, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
    if function in (1, 2):
        bits = sum(((first + n) % 3 == 0) << n for n in range(count))
        data = bits.to_bytes((count + 7) // 8, "little")
        return bytes((unit, function, len(data))) + data
    values = [(first + n) & 0xFFFF for n in range(count + more)]
    return struct.pack(f">BBB{len(values)}H", unit, function, 2 * len(values), *values)


def right(request: bytes) -> bytes:
    """What was asked for."""
    return checked(registers(request))


def exception(code: int) -> Reply:
    """Refuse."""
    return lambda request: checked(bytes((request[0], request[1] | 0x80, code)))


WRONG: dict[str, Reply] = {
    "one register too few": lambda request: checked(registers(request, -1)),
    "one register too many": lambda request: checked(registers(request, 1)),
    "for another unit": lambda request: checked(bytes((request[0] + 4,)) + registers(request)[1:]),
    "to another function": lambda request: checked(request[:1] + b"\x04" + registers(request)[2:]),
    "exception 04": exception(4),
    "bytes that say another number": lambda request: checked(request[:2] + b"\x7f" + registers(request)[3:]),
    "half a frame": lambda request: right(request)[:-3],
    "a wrong checksum": lambda request: right(request)[:-1] + bytes((right(request)[-1] ^ 1,)),
    "one bit that fell over": lambda request: (
        right(request)[:3] + bytes((right(request)[3] ^ 4,)) + right(request)[4:]
    ),
    "another protocol": lambda request: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "only its echo": lambda request: request,
}
"""What costs a block."""


class RtuLine:
    """`replies`: by unit and first register, `otherwise` for the others, `other` for function 43. `asked`, `requests`:
    what came so far; `sessions`: connections to the converter. `delay_s` before each answer, which are given in the
    order asked unless `in_order` is false. `echo`: the requests come back, as on two wires.
    """

    def __init__(self) -> None:
        self.replies: dict[tuple[int, int], Reply] = {}
        self.otherwise: Reply = right
        self.other: Reply = exception(1)
        self.asked: Counter[tuple[int, int]] = Counter()
        self.requests: list[bytes] = []
        self.sessions = 0
        self.delay_s = 0.0
        self.in_order = True
        self.echo = False
        self.url = ""
        self._left = b""
        self._queue: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()
        self._write: Callable[[bytes], object] = lambda _data: None

    def say(self, data: bytes) -> None:
        """Bytes that nobody asked for."""
        self._write(data)

    def hear(self, data: bytes) -> None:
        """Bytes of the master."""
        if self.echo:
            self._write(data)
        self._left += data
        while len(self._left) >= (size := 7 if self._left[1:2] == b"\x2b" else 8):
            request, self._left = self._left[:size], self._left[size:]
            if checked(request[:-2]) != request:
                self._left = b""  # as a unit does: it waits for the line to be silent
                raise AssertionError(request.hex(" "))
            self.requests.append(request)
            if modbus_wire.changes(request[1:-2]):
                writes.note(f"Modbus RTU function {request[1]} at unit {request[0]}")
            self.asked[request[0], int.from_bytes(request[2:4], "big")] += 1
            if self.in_order:
                self._queue.put_nowait((request, self.delay_s))
            else:
                asyncio.get_running_loop().call_later(self.delay_s, self._answer, request)

    def _answer(self, request: bytes) -> None:
        reply = self.replies.get((request[0], int.from_bytes(request[2:4], "big")), self.otherwise)
        if request[1] == 0x2B:
            reply = self.other
        if (answer := reply(request)) is not None:
            self._write(answer)

    async def _work(self) -> None:
        while True:
            request, delay_s = await self._queue.get()
            if delay_s:
                await asyncio.sleep(delay_s)
            self._answer(request)

    @asynccontextmanager
    async def at_a_port(self) -> "AsyncIterator[RtuLine]":
        """At a pseudo-terminal, `url` says which."""
        loop = asyncio.get_running_loop()
        with PtyLine() as pty:

            def read() -> None:
                with contextlib.suppress(BlockingIOError):
                    self.hear(os.read(pty.master, 4096))

            self._write = pty.say
            self.url = f"rtu://{pty.device}"
            loop.add_reader(pty.master, read)
            worker = loop.create_task(self._work())
            try:
                yield self
            finally:
                worker.cancel()
                loop.remove_reader(pty.master)

    @asynccontextmanager
    async def behind_a_converter(self) -> "AsyncIterator[RtuLine]":
        """Behind a converter, which says to whoever is connected now what comes from the line."""
        writers: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.sessions += 1
            writers.append(writer)
            self._write = lambda data: writers[-1].write(data) if writers else None
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(4096):
                    self.hear(data)
            writers.remove(writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.url = f"rtu+tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        worker = asyncio.get_running_loop().create_task(self._work())
        try:
            yield self
        finally:
            worker.cancel()
            server.close()
            async with asyncio.timeout(5):
                while writers:
                    for writer in list(writers):
                        writer.transport.abort()
                    await asyncio.sleep(0.01)
