"""The HTTP of a process that has other work: a listening socket first, then a server that leaves signals alone."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ganpo_model.errors import ConfigError

CONNECTIONS = 400
"""At most; beyond, the oldest one in which nothing is asked is closed."""
HALF_WRITTEN_S = 10.0
"""A request that is not whole by then is not waited for."""


class Server(uvicorn.Server):
    """Serves `app` with `serve(sockets=[...])` until `end`, or with `run_at` until cancelled; over TLS with a
    `certificate`: its file and that of its private key.

    It wakes for who asks and otherwise not.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        connections: int = CONNECTIONS,
        half_written_s: float = HALF_WRITTEN_S,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        cert, key = certificate or (None, None)
        protocol: Any = partial(_Connection, connections, half_written_s)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",  # "auto" loads a library for them: 2 MB of a small gateway
                lifespan="off",
                log_level="critical",
                access_log=False,
                timeout_graceful_shutdown=1,
                ssl_certfile=cert,
                ssl_keyfile=key,
            )
        )
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Let `serve` end in order."""
        self._ended.set()

    async def main_loop(self) -> None:
        """The library looks ten times a second whether to end, and at the date: the one is told, the other is set by
        who needs it (`_Connection`)."""
        await self._ended.wait()

    async def run_at(self, sock: socket.socket) -> None:
        """Serve at a copy of a bound socket until cancelled, and then end in order."""
        copy = sock.dup()
        try:
            await self.serve(sockets=[copy])
        finally:
            if self.started:
                await self.shutdown(sockets=[copy])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process has one owner of signals, and that is its command."""
        yield


class _Connection(H11Protocol):
    """One connection. The library waits for ever for a request that began, and for one that never does."""

    def __init__(self, most: int, half_written_s: float, **given: Any) -> None:
        super().__init__(**given)
        self._most = most
        self._half_written_s = half_written_s
        self._deadline: asyncio.TimerHandle | None = None
        self.opened = self.loop.time()

    @property
    def is_asked(self) -> bool:
        """A whole request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Another one: where they are too many, the oldest that asks nothing is closed for it."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self._most:
            others = [one for one in self.connections if isinstance(one, _Connection) and not one.is_asked]
            min(others, key=lambda one: one.opened).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Some of a request, or all of it."""
        date = formatdate(usegmt=True).encode()
        self.server_state.default_headers = [(b"date", date), *self.config.encoded_headers]
        super().data_received(data)
        if self.is_asked:
            self._wait_no_more()
        elif self._deadline is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self._half_written_s, self._late)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if not self.is_asked:
            self.transport.abort()


def listen(address: str, setting: str) -> socket.socket:
    """A listening socket for `HOST:PORT`.

    Raises ConfigError, which names the `setting`, where the port is in use or the address is not ours.
    """
    host, _, port = address.rpartition(":")
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host.strip("[]"), int(port)))
    except (OSError, ValueError) as error:
        sock.close()
        hint = "an address of this machine is needed, and a port that this user may take"
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            hint = "another program uses this port: choose a free one"
        raise ConfigError(f"cannot listen: {error}", where=f"{setting} = {address}", hint=hint) from error
    return sock
