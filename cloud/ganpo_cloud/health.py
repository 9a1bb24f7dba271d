"""`/health` and `/metrics`: how the process that collects is, served by itself."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, func, select
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
from ganpo_cloud.store.tables import apart as set_apart
from ganpo_cloud.store.tables import frame, gateway, quarantine_total
from ganpo_cloud.store.tables import projection as cursors
from ganpo_model.clock import from_ms, iso
from ganpo_service.supervisor import Supervisor

_DIRTY = select(func.count()).select_from(waiting(Kind.DAY).subquery())
_COUNTS: dict[str, Select[Any]] = {
    "ganpo_cloud_frames_stored": select(func.count()).select_from(frame),
    "ganpo_cloud_frames_quarantined": select(func.coalesce(func.sum(quarantine_total.c.frames), 0)),
    "ganpo_cloud_days_dirty": _DIRTY,
    "ganpo_cloud_set_apart": select(func.count()).select_from(set_apart),
    "ganpo_cloud_projection_failing": select(func.count()).where(cursors.c.problem.is_not(None)),
    "ganpo_cloud_gateways": select(func.count()).select_from(gateway),
}


def create_app(
    database: Reader, collector: Collector, supervisor: Supervisor, pages: Callable[[], object]
) -> Starlette:
    """`/health`: 503 with the first `problem` while anything is wrong, 200 else. `/metrics` for Prometheus.

    `pages`: how their process is.
    """

    async def health(_request: Request) -> Response:
        problem = collector.problem
        for name, why in supervisor.problems().items():
            problem = problem or f"task {name}: {why}"
        waiting, projection, waits = None, None, None
        try:
            waiting = (await run_in_threadpool(_count, database, _DIRTY))[0]
            projection = await run_in_threadpool(_projection, database)
            waits = await run_in_threadpool(_apart, database)
        except OperationalError as error:
            problem = problem or f"the database does not answer: {error.orig}"
        for name, one in (projection or {}).get("waits", {}).items():
            problem = problem or f"projection of {name}: {one['problem']}"
        for one in (waits or [])[:1]:
            problem = problem or f"set apart: {one['enterprise']} {one['subject']}: {one['reason']}"
        tasks = {
            name: {"problem": task.problem or None, "restarts": task.restarts}
            for name, task in supervisor.tasks.items()
        }
        body = {
            "ok": not problem,
            "problem": problem or None,
            "dirty_days": waiting,
            "set_apart": waits,
            "pages": pages(),
            "tasks": tasks,
            "projection": projection,
        }
        return JSONResponse(body, 503 if problem else 200)

    async def metrics(_request: Request) -> Response:
        counted = await run_in_threadpool(_count, database, *_COUNTS.values())
        counts = dict(zip(_COUNTS, counted, strict=True)) | {
            "ganpo_cloud_collecting": int(not collector.problem and "collector" not in supervisor.problems()),
            "ganpo_cloud_frames_unanswered": collector.unanswered,
            "ganpo_cloud_messages_dropped": collector.dropped,
            "ganpo_cloud_tasks_failing": len(supervisor.problems()),
        }
        text = "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name, value in counts.items())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


def _apart(database: Reader) -> list[dict[str, str]]:
    """What cannot be computed, since when and why; an empty subject is the ledger of the enterprise."""
    with database.read() as connection:
        return [
            {
                "enterprise": row.enterprise,
                "subject": row.subject,
                "since": iso(from_ms(row.since)),
                "reason": row.reason,
            }
            for row in apart.found(connection)[:100]
        ]


def _projection(database: Reader) -> dict[str, Any]:
    """What the time-series store does not take, since when and why; and what it could not read."""
    with database.read() as connection:
        waits = {
            one.measurement: {"since": iso(from_ms(one.since)), "problem": one.problem}
            for one in projected.failing(connection)
        }
        return {"waits": waits, "left_out": projected.left_out(connection)}


def _count(database: Reader, *questions: Select[Any]) -> list[int]:
    with database.read() as connection:
        return [connection.execute(question).scalar_one() for question in questions]
