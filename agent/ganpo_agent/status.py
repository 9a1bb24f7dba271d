"""The gateway's read-only HTTP: `/health` for people and probes, `/metrics` for Prometheus."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from ganpo_model.errors import ConfigError


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process has one owner of signals, and that is the agent."""
        yield


def listen(address: str) -> socket.socket:
    """A listening socket. Raises ConfigError where the port is in use or the address is not ours."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host.strip("[]"), int(port)))
    except (OSError, ValueError) as error:
        sock.close()
        raise ConfigError(
            f"cannot listen: {error}",
            where=f"gateway.http = {address}",
            hint="another program, or another agent, uses this port: choose a free one",
        ) from error
    return sock


def server(health: Callable[[], dict[str, Any]], metrics: Callable[[], str]) -> uvicorn.Server:
    """The HTTP server. `health` gives the picture (`ok` says whether all is well), `metrics` the text."""

    async def show_health(_request: Request) -> JSONResponse:
        picture = health()
        return JSONResponse(picture, status_code=200 if picture["ok"] else 503)

    async def show_metrics(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(metrics(), media_type="text/plain; version=0.0.4")

    app = Starlette(routes=[Route("/health", show_health), Route("/metrics", show_metrics)])
    config = uvicorn.Config(
        app,
        ws="none",  # "auto" loads a library for them: 2 MB of a small gateway
        lifespan="off",
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    return _Server(config)
