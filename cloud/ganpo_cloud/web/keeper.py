"""Keeps the pages' process: starts it, hears whether it lives, ends it (process.py)."""

import asyncio
import socket
import sys
from collections.abc import Callable

from ganpo_cloud.web import process
from ganpo_cloud.web.process import Serving
from ganpo_model.errors import ConnectionLost

PATIENCE_S = 30.0
"""A process that said nothing for so long hangs ..."""
_STARTS = 6
"""... but it may take so many times as long to start: killed for being slow it would only begin anew."""
_ENDS_S = 2.0


class WebKeeper:
    """`pid` of the process while there is one; `answers` is set while it does. `sock`: bound, and ours to the end.

    The socket listens here already: who asks while the process is started again waits for it.
    """

    def __init__(
        self,
        serving: Serving,
        sock: socket.socket,
        log_settings: tuple[str, str],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.pid: int | None = None
        self.answers = asyncio.Event()
        self._serving = serving
        self._sock = sock
        self._log_settings = log_settings
        self._patience_s = patience_s

    def told(self) -> dict[str, object]:
        """What `/health` says of it."""
        return {"pid": self.pid, "answers": self.answers.is_set()}

    async def run(self, beat: Callable[[], None]) -> None:
        """Start the process and hear it, until cancelled. Raises ConnectionLost once it ended or hangs."""
        self._sock.listen(512)
        ours, its = socket.socketpair()
        with its:
            reader, writer = await asyncio.open_connection(sock=ours)
            try:
                child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-P", "-m", process.__name__),
                    stdin=its.fileno(),
                    pass_fds=[self._sock.fileno()],
                    process_group=0,  # Ctrl-C is for us alone
                )
                its.close()
                writer.write(process.line(self._serving, self._sock.fileno(), self._log_settings))
                await self._hear(child, reader, beat)
            finally:
                writer.close()  # its end, also where we were stopped while it started

    async def _hear(
        self, child: asyncio.subprocess.Process, reader: asyncio.StreamReader, beat: Callable[[], None]
    ) -> None:
        self.pid = child.pid
        try:
            patience_s = _STARTS * self._patience_s
            while await self._word(reader, patience_s):
                self.answers.set()
                beat()
                patience_s = self._patience_s
            code = await asyncio.wait_for(child.wait(), self._patience_s)
            why = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            raise ConnectionLost(f"the pages' process ended: {why}")
        except TimeoutError as error:
            child.kill()
            raise ConnectionLost(f"the pages' process said nothing for {patience_s:g} s") from error
        finally:
            self.answers.clear()
            self.pid = None
            await _end(child)

    async def _word(self, reader: asyncio.StreamReader, patience_s: float) -> bytes:
        """The next it says; nothing once it ended. Raises TimeoutError."""
        async with asyncio.timeout(patience_s):
            try:
                return await reader.readline()
            except ConnectionResetError:  # killed before it read what we said
                return b""


async def _end(child: asyncio.subprocess.Process) -> None:
    """Asked to end it does so at once; one that hangs is killed."""
    if child.returncode is None:
        child.terminate()
        try:
            await asyncio.wait_for(child.wait(), _ENDS_S)
        except TimeoutError:
            child.kill()
            await child.wait()
