"""What is served by GET, on loopback and on the socket alike: `/api/v1/...`, `/health`, `/metrics`."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ganpo_agent.local import API, answers, metrics, subjects
from ganpo_agent.local.examined import Examined
from ganpo_agent.local.health import health
from ganpo_agent.local.running import Running
from ganpo_model.errors import AccessRefused, ConfigError, GanpoError, UnitBusy
from ganpo_service.exposition import CONTENT_TYPE

REFUSED = (HTTPException, Exception)
"""What `refused` answers."""
log = logging.getLogger(__name__)
_STATUS: tuple[tuple[type[GanpoError], int], ...] = (
    (ConfigError, 400),
    (AccessRefused, 403),
    (UnitBusy, 503),
)
"""The status of an error; of any other of ours 502: the device's."""


def routes(agent: Running, examined: Examined) -> list[Route]:
    """Of one agent."""

    async def show_health(_request: Request) -> Response:
        picture = health(agent)
        return JSONResponse(picture, status_code=200 if picture["ok"] else 503)

    async def show_metrics(_request: Request) -> Response:
        backlog = await agent.keeper.backlog()
        return PlainTextResponse(metrics.of(agent, backlog), media_type=CONTENT_TYPE)

    async def show_status(_request: Request) -> Any:
        return await answers.status(agent)

    async def show_connections(_request: Request) -> Any:
        return answers.connections(agent)

    async def show_points(request: Request) -> Any:
        asked = request.query_params
        return answers.points(agent, asked.get("subject"), faulty=asked.get("faulty") not in (None, "", "0"))

    async def show_machines(_request: Request) -> Any:
        return subjects.machines(agent)

    async def show_meters(_request: Request) -> Any:
        return subjects.meters(agent)

    async def show_doctor(_request: Request) -> Any:
        return await examined.fresh(agent)

    shown = {
        "status": show_status,
        "connections": show_connections,
        "points": show_points,
        "machines": show_machines,
        "meters": show_meters,
        "doctor": show_doctor,
    }
    return [
        Route("/health", show_health),
        Route("/metrics", show_metrics),
        *(Route(API + name, told(answer)) for name, answer in shown.items()),
    ]


class OnlyFor:
    """Answers who asks for this gateway by its id: with two of them on a machine none is taken for the other."""

    def __init__(self, app: ASGIApp, gateway: str) -> None:
        self._app, self._gateway = app, gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        app = self._app
        if host not in (self._gateway, "localhost"):
            what = f"the agent of gateway {self._gateway} listens here, not that of {host}"
            error = ConfigError(
                what, hint="gateway.socket gives each its own; after a new gateway.id: restart it"
            )
            app = JSONResponse(as_json(error), status_code=421)
        await app(scope, receive, send)


def told(answer: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """An answer as JSON, or the error of ours that it raised."""

    async def tell(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request), headers={"cache-control": "no-store"})
        except GanpoError as error:
            status = next((number for kind, number in _STATUS if isinstance(error, kind)), 502)
            return JSONResponse(as_json(error), status_code=status)

    return tell


async def refused(request: Request, error: Exception) -> Response:
    """What is not there, is asked in another way, or failed by a bug of ours, as the API gives errors."""
    path = request.url.path[:200]
    if isinstance(error, HTTPException):
        what = "no such resource" if error.status_code == 404 else f"{request.method} is not answered here"
        hint = "docs/gateway-api.md has them; are command and agent of the same version? `ganpo --version`"
        told = as_json(ConfigError(what, where=path, hint=hint))
        return JSONResponse(told, error.status_code, error.headers)
    log.error("the local API failed path=%s", path, exc_info=error)
    what = f"the gateway could not answer: {type(error).__name__}"
    return JSONResponse(as_json(GanpoError(what, where=path, hint="journalctl -u ganpo-agent")), 500)


def as_json(error: GanpoError) -> dict[str, str]:
    """An error as the API gives it."""
    return {"code": error.code, "what": error.what, "where": error.where, "hint": error.hint}
