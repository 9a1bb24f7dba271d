"""The page as the agent serves it: the answers of the local API are asked in the loop, and rendered beside it."""

import asyncio
import gzip
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Protocol

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ganpo_agent.local import answers, subjects
from ganpo_agent.local.examined import Examined
from ganpo_agent.local.running import Running
from ganpo_agent.page import shown
from ganpo_service.pages.spoken import choose

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing but what is ours, and no script inside the page."""
_STATIC = {"page.css": "text/css", "page.js": "text/javascript"}
_KEEP = {"Cache-Control": "max-age=86400"}
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Accept-Encoding",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_RENDERING = ThreadPoolExecutor(1, "page")
"""Beside the loop, one page after the other: every further thread would take memory of its own."""
Answers = Mapping[str, Any]
"""What the local API says, by resource."""


class Shown(Running, Protocol):
    """An agent that has a page."""

    demo: bool


@dataclass(frozen=True, slots=True)
class Place:
    """What the page knows beside the answers. `legible`: others can read it on the wire."""

    zone: str
    demo: bool = False
    legible: bool = False


def routes(agent: Shown, examined: Examined) -> list[Route]:
    """`/` and what it needs, with GET alone. No page waits for the doctor: it examines behind the answer."""

    async def page(request: Request) -> Response:
        lang = choose(request.query_params.get("lang"), request.headers.get("accept-language", ""))
        asked = shown.Asked.of(lang, request.query_params)
        plant = agent.plant
        place = Place(plant.site.timezone, agent.demo, plant.gateway.is_legible)
        told = await _ask(agent) | {"doctor": examined.checks, "examined": examined.at}
        after = BackgroundTask(examined.fresh, agent)
        body = await asyncio.get_running_loop().run_in_executor(_RENDERING, _packed, told, place, asked)
        headers = _HEADERS | {"Content-Language": lang}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return HTMLResponse(body, headers=headers | {"Content-Encoding": "gzip"}, background=after)
        return HTMLResponse(gzip.decompress(body), headers=headers, background=after)

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            return Response(status_code=404)
        text = files("ganpo_agent.page").joinpath("static", name).read_text(encoding="utf-8")
        return Response(text, media_type=_STATIC[name], headers=_KEEP)

    return [Route("/", page), Route("/static/{name}", static)]


async def _ask(agent: Running) -> dict[str, Any]:
    return {
        "status": await answers.status(agent),
        "connections": answers.connections(agent),
        "points": answers.points(agent),
        "machines": subjects.machines(agent),
        "meters": subjects.meters(agent),
    }


def url(agent: Shown, port: int) -> str | None:
    """Where the page can be opened from elsewhere; None where this machine alone reaches it, and where the address that
    others use is not known here. Of a demo always: all of it is one machine."""
    gateway = agent.plant.gateway
    host = gateway.http.rpartition(":")[0]
    if not (gateway.is_exposed or agent.demo) or host in ("0.0.0.0", "[::]"):  # noqa: S104 - compared, not bound
        return None
    return f"{'https' if gateway.http_certificate else 'http'}://{host}:{port}/"


def _packed(told: Answers, place: Place, asked: shown.Asked) -> bytes:
    return gzip.compress(render(told, place, asked).encode(), 4)


def render(told: Answers, place: Place, asked: shown.Asked) -> str:
    """The page. The first call imports Jinja and makes the templates ready."""
    from ganpo_agent.page.templating import environment

    status = told["status"]
    now = shown.ms(status["now"] or status["time"]["seen"])
    links = told["connections"]
    hours = shown.bars(status["outbox"]["waited"], now)
    return (
        environment(asked.lang)
        .get_template("page.html")
        .render(
            asked=asked,
            now=now,
            day=shown.day(now, place.zone),
            zone=place.zone,
            demo=place.demo,
            legible=place.legible,
            status=status,
            connections=shown.connections(links),
            busiest=shown.busiest(links),
            points=shown.points(told["points"], asked),
            machines=shown.machines(told["machines"]),
            meters=shown.meters(told["meters"]),
            checks=shown.checks(told["doctor"]),
            examined=told["examined"],
            hours=hours,
            axis=shown.top(hours),
            bundle="",
        )
    )
