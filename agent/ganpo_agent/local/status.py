"""The gateway's read-only HTTP: `/health` for people and probes, `/points` for people, `/metrics` for Prometheus."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


def pages(
    health: Callable[[], dict[str, Any]],
    points: Callable[[str | None], dict[str, Any]],
    metrics: Callable[[], str],
) -> Starlette:
    """`health` gives the picture (`ok` says whether all is well), `points` the last words of one subject or of all,
    `metrics` the text."""

    async def show_health(_request: Request) -> JSONResponse:
        picture = health()
        return JSONResponse(picture, status_code=200 if picture["ok"] else 503)

    async def show_points(request: Request) -> JSONResponse:
        return JSONResponse(points(request.query_params.get("subject")))

    async def show_metrics(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(metrics(), media_type="text/plain; version=0.0.4")

    return Starlette(
        routes=[
            Route("/health", show_health),
            Route("/points", show_points),
            Route("/metrics", show_metrics),
        ]
    )
