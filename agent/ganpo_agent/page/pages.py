"""The page as the agent serves it: the answers of the local API are asked in the loop, and rendered beside it."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Protocol

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ganpo_agent.local import answers, subjects
from ganpo_agent.local.answers import VERSION
from ganpo_agent.local.examined import Examined
from ganpo_agent.local.running import Running
from ganpo_agent.page import bundled, exported, shown
from ganpo_service.pages import SHARED
from ganpo_service.pages.spoken import choose
from ganpo_service.release import RELEASED

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing but what is ours, and no script inside the page."""
_OWN = files("ganpo_agent.page").joinpath("static")
STATIC = {
    "page.css": ("text/css", (SHARED.joinpath("base.css"), _OWN.joinpath("page.css"))),
    "page.js": ("text/javascript", (SHARED.joinpath("page.js"),)),
}
"""By name: the type, and what it is made of."""
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


class Shown(bundled.Bundled, Protocol):
    """An agent that has a page."""

    demo: bool


@dataclass(frozen=True, slots=True)
class Place:
    """What the page knows beside the answers. `legible`: others can read it on the wire."""

    zone: str
    demo: bool = False
    legible: bool = False

    @classmethod
    def of(cls, agent: Shown) -> "Place":
        """That of an agent."""
        return cls(agent.plant.site.timezone, agent.demo, agent.plant.gateway.is_legible)


def routes(agent: Shown, examined: Examined) -> list[Route]:
    """`/` and what it needs, with GET alone. No page waits for the doctor: it examines behind the answer."""
    one = asyncio.Lock()

    async def page(request: Request) -> Response:
        asked = asked_of(request)
        told = await _ask(agent) | {"doctor": examined.checks, "examined": examined.at}
        answer = await answered(request, lambda: render(told, Place.of(agent), asked))
        answer.background = BackgroundTask(examined.fresh, agent)
        return answer

    async def static(request: Request) -> Response:
        if (name := request.path_params["name"]) not in STATIC:
            raise HTTPException(404)
        kind, parts = STATIC[name]
        return Response("".join(part.read_text("utf-8") for part in parts), media_type=kind, headers=_KEEP)

    async def bundle(_request: Request) -> Response:
        async with one:
            body = await bundled.packed(agent, await _ask(agent), await examined.fresh(agent))
        headers = {"Content-Disposition": f'attachment; filename="{bundled.name(agent)}"'}
        return Response(body, media_type="application/gzip", headers=_HEADERS | headers)

    async def table(request: Request) -> Response:
        told, asked = await _ask(agent), asked_of(request)
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(_RENDERING, exported.text, told, asked)
        headers = {"Content-Disposition": f'attachment; filename="{exported.name(agent)}"'}
        return Response(body, media_type="text/csv", headers=_HEADERS | headers)

    return [
        Route("/", page),
        Route("/points.csv", table),
        Route("/bundle", bundle),
        Route("/static/{name}", static),
    ]


def asked_of(request: Request) -> shown.Asked:
    """What a request asks of the page, and in which language."""
    lang = choose(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    return shown.Asked.of(lang, request.query_params)


async def answered(request: Request, page: Callable[[], str], status: int = 200) -> Response:
    """A page, rendered beside the loop."""
    body = await asyncio.get_running_loop().run_in_executor(_RENDERING, _packed, page)
    headers = _HEADERS | {"Content-Language": asked_of(request).lang}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return HTMLResponse(body, status, headers | {"Content-Encoding": "gzip"})
    return HTMLResponse(gzip.decompress(body), status, headers)


def _packed(page: Callable[[], str]) -> bytes:
    return gzip.compress(page().encode(), 4)


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
            points=shown.points(told["points"], links, asked),
            machines=shown.machines(told["machines"]),
            meters=shown.meters(told["meters"]),
            checks=shown.checks(told["doctor"]),
            examined=told["examined"],
            hours=hours,
            axis=shown.top(hours),
        )
    )


def render_refused(agent: Shown, asked: shown.Asked, status: int, path: str) -> str:
    """The page that stands where there is none; it asks nothing of the agent that could fail as well."""
    from ganpo_agent.page.templating import environment

    plant, place = agent.plant, Place.of(agent)
    who = {"gateway": plant.gateway.id, "site": {"name": plant.site.name}, "version": VERSION}
    return (
        environment(asked.lang)
        .get_template("refused.html")
        .render(
            asked=asked,
            demo=place.demo,
            legible=place.legible,
            status=who | {"released": f"{RELEASED:%Y-%m-%d}"},
            code=status,
            path=path[:200],
        )
    )
