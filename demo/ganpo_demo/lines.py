"""Simulated devices on a line: a pseudo terminal, as a serial port is to the agent, or a TCP port as of a converter."""

import asyncio
import os
import tty
from collections.abc import Callable

from ganpo_demo.loopback import HOST

Answering = Callable[[bytes], bytes]
"""What the devices of a line answer to the bytes that came since they last answered or gave up; empty: nothing yet."""
_LONGEST = 4096


class PtyLine:
    """`path`: the device file to open."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        # Open here too: without anybody at the other end ours would report an error all the time.
        self.path = os.ttyname(self._theirs)

    def start(self) -> None:
        """Answer from now on, in the running loop."""
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self._came)

    def stop(self) -> None:
        """The port is gone."""
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    def _came(self) -> None:
        answer = self._answering(os.read(self._ours, _LONGEST))
        if answer:
            os.write(self._ours, answer)


class TcpLine:
    """`port`: on loopback, once it is started."""

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
            while data := await reader.read(_LONGEST):
                writer.write(self._answering(data))
        except ConnectionError:
            return
        finally:
            self._writers.discard(writer)
            writer.close()
