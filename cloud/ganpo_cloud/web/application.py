"""The web application: the page and the API, over one database."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from ganpo_cloud.province import divisions
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.database import Reader
from ganpo_cloud.web import problems, routes
from ganpo_cloud.web.heads import Heads
from ganpo_cloud.web.kept import Answers
from ganpo_cloud.web.pages.rendering import Site
from ganpo_cloud.web.timed import Timed, Times
from ganpo_model.clock import Clock
from ganpo_model.errors import ConnectionLost
from ganpo_service import exposition
from ganpo_service.asking import get

_PATIENCE_S = 5.0


def create_app(
    database: Reader,
    clock: Clock,
    *,
    demo: bool = False,
    exposed: bool = False,
    province: Province | None = None,
    inlet: tuple[str, int] | None = None,
) -> FastAPI:
    """Page at `/`, API at `/api/v1`.

    `demo` marks every page DEMO DATA, `exposed` says in red that anybody may read;
    `province`: whose areas and industries, ours where absent; `inlet`: host and port of
    whoever collects, whose `/health` and `/metrics` are answered here too.
    """
    app = FastAPI(
        title="Ganpo", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    static = files("ganpo_cloud.web").joinpath("static")
    app.mount("/static", StaticFiles(directory=str(static), packages=[("ganpo_service.pages", "static")]))
    province = province or divisions.load()
    site = app.state.site = Site(database, clock, province, demo=demo, exposed=exposed)
    # As they are: an included router is worked out anew for every application, a third of a second.
    app.router.routes += [*routes.router().routes, *routes.pages().routes]
    app.add_middleware(Answers, database=database, clock=clock)
    app.add_middleware(Heads)
    problems.install(app, site.refused)
    times = Times()
    app.add_middleware(Timed, times=times)
    if inlet is not None:
        app.add_route("/health", forwarded(inlet))
        app.add_route("/metrics", forwarded(inlet, lambda: exposition.text(times.families())))
    return app


def forwarded(
    inlet: tuple[str, int], more: Callable[[], str] = str
) -> Callable[[Request], Awaitable[Response]]:
    """Answers with what whoever collects says at the same path, and `more` behind it, and with 503 where that process
    says nothing."""

    async def answer(request: Request) -> Response:
        try:
            status, kind, body = await get(inlet, request.url.path, _PATIENCE_S)
        except ConnectionLost as error:
            told = {"ok": False, "problem": f"the process that collects does not answer: {error}"}
            return JSONResponse(told, 503)
        return Response(body + more().encode() if status < 300 else body, status, media_type=kind)

    return answer
