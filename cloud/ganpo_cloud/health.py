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

    async def metrics(_request: Request) -> Response:
        counts = await run_in_threadpool(_counts, database) | {
            "ganpo_cloud_collecting": int(not collector.problem and "collector" not in supervisor.problems()),
            "ganpo_cloud_frames_unanswered": collector.unanswered,
            "ganpo_cloud_messages_dropped": collector.dropped,
            "ganpo_cloud_tasks_failing": len(supervisor.problems()),
        }
        text = "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name, value in counts.items())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


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


def _counts(database: Reader) -> dict[str, int]:
    with database.read() as connection:
        return {name: connection.execute(question).scalar_one() for name, question in _COUNTS.items()}
