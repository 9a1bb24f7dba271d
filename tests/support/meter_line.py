"""Simulated meters on a TCP port or a pseudo-terminal, in a thread of their own, and what was sent to them."""

import asyncio
import threading
from types import TracebackType
from typing import Self

from ganpo_demo.lines import Answering, PtyLine
from ganpo_demo.loopback import HOST
from support import writes

READS_ELECTRICITY = frozenset({0x11, 0x12, 0x13, 0x01, 0x02})
"""DL/T 645-2007: read, what follows, address; DL/T 645-1997: read, what follows."""
READS_WATER = frozenset({0x01, 0x03})
"""CJ/T 188: read, address."""
_SHORTEST = 12


class TcpLine:
    """A TCP port, as of a converter: `port` on loopback, once it is started."""

    port = 0

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen, on the port of before where there was one. Raises OSError where it cannot be had."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop every session and refuse new ones."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(4096):
                writer.write(self._answering(data))
        except ConnectionError:
            return
        finally:
            self._writers.discard(writer)
            writer.close()


class MeterPort:
    """`with MeterPort(tcp, pty) as port`: serves at `port` and at `path` until the end."""

    def __init__(self, tcp: Answering, pty: Answering) -> None:
        self._line, self._pty = TcpLine(noted(tcp)), PtyLine(noted(pty))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="meters", daemon=True)

    @property
    def port(self) -> int:
        """On loopback."""
        return self._line.port

    @property
    def path(self) -> str:
        """The device file."""
        return self._pty.path

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _begin(self) -> None:
        await self._line.start()
        self._pty.start()

    async def _end(self) -> None:
        await self._line.stop()
        self._pty.stop()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*rest, return_exceptions=True)


def noted(answering: Answering) -> Answering:
    """The same, where a whole frame with a control code that could change something is noted."""
    left = bytearray()

    def answer(data: bytes) -> bytes:
        left.extend(data)
        while (at := left.find(0x68)) >= 0:
            del left[:at]
            if len(left) < _SHORTEST:
                break
            water = left[7] != 0x68  # DL/T 645 has a second 68H behind its shorter address
            code, length = left[8 + water : 10 + water]
            end = 10 + water + length + 2
            if len(left) < end:
                break
            whole = left[end - 1] == 0x16 and sum(left[: end - 2]) & 0xFF == left[end - 2]
            if whole and code not in (READS_WATER if water else READS_ELECTRICITY):
                writes.note(f"{'CJ/T 188' if water else 'DL/T 645'} control {code:02X}")
            del left[: end if whole else 1]
        return answering(data)

    return answer


def controls(sent: bytes, header: int) -> list[int]:
    """The control codes of all that was sent, read apart from the drivers: FE, then 68H to 16H by the length; the last
    frame may be cut off."""
    found: list[int] = []
    while sent := sent.lstrip(b"\xfe"):
        assert sent[0] == 0x68, f"sent what is no frame: {sent[:20].hex(' ')}"
        found += sent[header - 2 : header - 1]
        end = header + int.from_bytes(sent[header - 1 : header]) + 2
        assert sent[end - 1 : end] in (b"\x16", b"")
        sent = sent[end:]
    return found
