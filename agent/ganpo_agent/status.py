"""The gateway's read-only HTTP: `/health` for people and probes, `/metrics` for Prometheus."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


def pages(health: Callable[[], dict[str, Any]], metrics: Callable[[], str]) -> Starlette:
    """`health` gives the picture (`ok` says whether all is well), `metrics` the text."""

    async def show_health(_request: Request) -> JSONResponse:
        picture = health()
        return JSONResponse(picture, status_code=200 if picture["ok"] else 503)

    async def show_metrics(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(metrics(), media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/health", show_health), Route("/metrics", show_metrics)])
