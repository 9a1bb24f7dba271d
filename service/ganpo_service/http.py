"""The HTTP of a process that has other work: a listening socket first, then a server that leaves signals alone."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from ganpo_model.errors import ConfigError


class Server(uvicorn.Server):
    """Serves `app` with `serve(sockets=[...])` until `should_exit`."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                ws="none",  # "auto" loads a library for them: 2 MB of a small gateway
                lifespan="off",
                log_level="critical",
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process has one owner of signals, and that is its command."""
        yield


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
        raise ConfigError(
            f"cannot listen: {error}",
            where=f"{setting} = {address}",
            hint="another program uses this port: choose a free one",
        ) from error
    return sock
