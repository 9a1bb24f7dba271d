"""`/health` and `/metrics`: how the process that collects is, served by itself."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.store import apart, projected
from ganpo_cloud.store.database import Reader
from ganpo_cloud.store.marks import Kind, waiting
from ganpo_model.clock import from_ms, iso
from ganpo_service.exposition import CONTENT_TYPE
from ganpo_service.supervisor import Supervisor

_DIRTY = select(func.count()).select_from(waiting(Kind.DAY).subquery())


def create_app(
    database: Reader,
    collector: Collector,
    supervisor: Supervisor,
    pages: Callable[[], object],
    metrics: Callable[[], str],
) -> Starlette:
    """`/health`: 503 with the first `problem` while anything is wrong, 200 else. `/metrics` for Prometheus.

    `pages`: how their process is; `metrics`: their text, from a thread of its own.
    """

    async def health(_request: Request) -> Response:
        problems = [collector.problem]
        problems += [f"task {name}: {why}" for name, why in supervisor.problems().items()]
        stored: dict[str, Any] = {"dirty_days": None, "set_apart": None, "projection": None}
        try:
            stored = await run_in_threadpool(_stored, database)
        except OperationalError as error:
            problems.append(f"the database does not answer: {error.orig}")
        else:
            waits = stored["projection"]["waits"]
            problems += [f"projection of {name}: {one['problem']}" for name, one in waits.items()]
            problems += [
                f"set apart: {one['enterprise']} {one['subject']}: {one['reason']}"
                for one in stored["set_apart"]
            ]
        problem = next(filter(None, problems), None)
        tasks = {
            name: {"problem": task.problem or None, "restarts": task.restarts}
            for name, task in supervisor.tasks.items()
        }
        body = {"ok": problem is None, "problem": problem, **stored, "pages": pages(), "tasks": tasks}
        return JSONResponse(body, 503 if problem else 200)

    async def show_metrics(_request: Request) -> Response:
        return PlainTextResponse(await run_in_threadpool(metrics), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/health", health), Route("/metrics", show_metrics)])


def _stored(database: Reader) -> dict[str, Any]:
    """Days that wait; what cannot be computed, with an empty subject the ledger of the enterprise; and what the
    time-series store does not take, and what it could not read."""
    with database.read() as connection:
        return {
            "dirty_days": connection.execute(_DIRTY).scalar_one(),
            "set_apart": [
                {"enterprise": of, "subject": name, "since": iso(from_ms(since)), "reason": reason}
                for of, name, since, reason, _ in apart.found(connection)[:100]
            ],
            "projection": {
                "waits": {
                    name: {"since": iso(from_ms(since)), "problem": problem}
                    for name, since, problem in projected.failing(connection)
                },
                "left_out": projected.left_out(connection),
            },
        }
