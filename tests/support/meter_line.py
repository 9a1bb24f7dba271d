"""Simulated meters on a TCP port or a pseudo-terminal, in a thread of their own, and what was sent to them."""

import asyncio
import threading
from types import TracebackType
from typing import Self

from ganpo_demo.lines import Answering, PtyLine, TcpLine


class MeterPort:
    """`with MeterPort(tcp, pty) as port`: serves at `port` and at `path` until the end."""

    def __init__(self, tcp: Answering, pty: Answering) -> None:
        self._line, self._pty = TcpLine(tcp), PtyLine(pty)
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
