"""A serial line without a wire: a pseudo-terminal, whose far end a test reads and writes."""

import asyncio
import contextlib
import os
import tty
from types import TracebackType
from typing import Self


class PtyLine:
    """`with PtyLine() as line`: the port is at `line.device`, and what is sent to it comes to `heard`."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)

    @property
    def master(self) -> int:
        """The far end, non-blocking."""
        return self._master

    async def heard(self, count: int) -> bytes:
        """The next so many bytes that were sent to the port."""
        found = b""
        async with asyncio.timeout(5):
            while len(found) < count:
                with contextlib.suppress(BlockingIOError):
                    found += os.read(self._master, count - len(found))
                await asyncio.sleep(0.001)
        return found

    def say(self, data: bytes) -> None:
        """Bytes that come out of the port."""
        assert os.write(self._master, data) == len(data)

    def unplug(self) -> None:
        """The port is gone, as an adapter that is pulled out. Safe twice."""
        for end in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()
