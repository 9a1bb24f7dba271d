"""The web application: the page and the API, over one database."""

from collections.abc import Callable
from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import func, select

from ganpo_cloud import divisions
from ganpo_cloud.api import lists as listed
from ganpo_cloud.api import numbers, observed, problems
from ganpo_cloud.api.etag import Etags
from ganpo_cloud.database import Database
from ganpo_cloud.divisions import Province
from ganpo_cloud.pages import device, enterprise, lists, overview, plant, reports
from ganpo_cloud.pages.frame import Site
from ganpo_cloud.tables import dirty, frame, gateway, quarantine
from ganpo_model.clock import Clock


def create_app(
    database: Database,
    clock: Clock,
    *,
    demo: bool = False,
    exposed: bool = False,
    province: Province | None = None,
    problem: Callable[[], str] | None = None,
) -> FastAPI:
    """Page at `/`, API at `/api/v1`, `/health` and `/metrics`.

    `demo` marks every page DEMO DATA, `exposed` says in red that anybody may read;
    `province`: whose areas and industries, ours where absent; `problem` says why nothing is collected, if so.
    """
    app = FastAPI(
        title="Ganpo", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.mount("/static", StaticFiles(directory=str(files("ganpo_cloud").joinpath("static"))), name="static")
    province = province or divisions.load()
    app.include_router(observed.router(database, clock, province))
    app.include_router(numbers.router(database, clock, province, demo=demo))
    app.include_router(listed.router(database, clock, province, demo=demo))
    app.add_middleware(Etags)
    templates = plant.templates(exposed=exposed)
    app.include_router(plant.router(database, clock, templates, demo=demo))
    site = Site(database, clock, province, templates, demo=demo)
    for pages in (overview, lists, enterprise, device, reports):
        app.include_router(pages.router(site))
    problems.install(app)
    trouble = problem or (lambda: "")

    @app.get("/health", include_in_schema=False)
    def health() -> JSONResponse:
        with database.read() as connection:
            waiting = connection.execute(select(func.count()).select_from(dirty)).scalar_one()
        told = trouble()
        return JSONResponse(
            {"ok": not told, "problem": told or None, "dirty_days": waiting}, 503 if told else 200
        )

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> PlainTextResponse:
        with database.read() as connection:
            counts = {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in (
                    ("ganpo_cloud_frames_stored", frame),
                    ("ganpo_cloud_frames_quarantined", quarantine),
                    ("ganpo_cloud_days_dirty", dirty),
                    ("ganpo_cloud_gateways", gateway),
                )
            }
        counts["ganpo_cloud_collecting"] = int(not trouble())
        text = "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name, value in counts.items())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return app
