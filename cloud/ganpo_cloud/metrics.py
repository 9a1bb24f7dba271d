"""The text of `/metrics` of the process that collects. Every name stands in docs/metrics.md."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select
from sqlalchemy.exc import DatabaseError

from ganpo_cloud.days.banned import CLOSING
from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.store.database import Reader
from ganpo_cloud.store.marks import Kind, waiting
from ganpo_cloud.store.tables import alarm, apart, frame, gateway, live, quarantine_total
from ganpo_cloud.store.tables import projection as cursors
from ganpo_model.clock import Clock, to_ms
from ganpo_service.exposition import Family, Sample, build, counter, each, gauge, process, text
from ganpo_service.supervisor import Supervisor

_COUNTS: tuple[tuple[str, str, Select[Any]], ...] = (
    ("ganpo_cloud_frames_stored", "Frames in the database.", select(func.count()).select_from(frame)),
    (
        "ganpo_cloud_frames_quarantined",
        "Frames kept as they came because they could not be applied.",
        select(func.coalesce(func.sum(quarantine_total.c.frames), 0)),
    ),
    (
        "ganpo_cloud_dirty_marks",
        "Days of subjects that wait to be computed again.",
        select(func.count()).select_from(waiting(Kind.DAY).subquery()),
    ),
    (
        "ganpo_cloud_set_apart",
        "Subjects and ledgers that cannot be worked out; /health has their reasons.",
        select(func.count()).select_from(apart),
    ),
    (
        "ganpo_cloud_alarms_open",
        "Alarms of banned equipment that nobody closed.",
        select(func.count()).where(~exists().where(CLOSING)).select_from(alarm),
    ),
    (
        "ganpo_cloud_projection_failing",
        "Measurements that the time-series store does not take; /health has its words.",
        select(func.count()).where(cursors.c.problem.is_not(None)),
    ),
    ("ganpo_cloud_gateways", "Gateways that are registered.", select(func.count()).select_from(gateway)),
)


def of(database: Reader, clock: Clock, collector: Collector, supervisor: Supervisor) -> str:
    """As it is now; without what the database knows where that fails."""
    problems = supervisor.problems()
    stored: list[Family] = []
    with suppress(DatabaseError), database.read() as connection:
        stored = [gauge(name, about, connection.execute(of).scalar_one()) for name, about, of in _COUNTS]
        stored += _gateways(connection, clock.utc())
    return text(
        [
            build("ganpo_cloud_build_info"),
            gauge(
                "ganpo_cloud_collecting",
                "1 while frames are taken from the broker and stored.",
                int(not collector.problem and "collector" not in problems),
            ),
            gauge(
                "ganpo_cloud_tasks_failing",
                "Tasks of the process that failed; /health names them.",
                len(problems),
            ),
            *stored,
            *collected(collector),
            *process(),
        ]
    )


def collected(collector: Collector) -> Iterator[Family]:
    """What came in since the process began."""
    outcomes: list[Sample] = [
        ("", {"outcome": "applied"}, collector.applied),
        ("", {"outcome": "quarantined"}, collector.quarantined),
    ]
    yield Family("ganpo_cloud_frames_total", "counter", "Frames committed, by what became of them.", outcomes)
    yield counter(
        "ganpo_cloud_frames_unanswered_total",
        "Frames that nobody answered: of unknown gateways beyond their bound, or without a name.",
        collector.unanswered,
    )
    yield counter(
        "ganpo_cloud_messages_dropped_total",
        "Messages for which there was no room; they come again.",
        collector.dropped,
    )
    yield collector.lag.family()
    yield collector.commits.family()


def _gateways(connection: Connection, now: datetime) -> Iterator[Family]:
    """Whether each is there, and what it says of itself."""
    heard = (
        select(gateway.c.id, live)
        .join(live, live.c.gateway == gateway.c.id, isouter=True)
        .order_by(gateway.c.id)
    )
    rows = connection.execute(heard).all()
    there = {
        row.id: row.heard_at is not None
        and lives.online(row.heard_at, row.interval_ms, bool(row.offline), to_ms(now))
        for row in rows
    }
    yield gauge("ganpo_cloud_gateways_online", "Of them, those that speak.", sum(there.values()))
    yield each(
        "ganpo_cloud_gateway_online",
        "gauge",
        "1 while a gateway speaks, 0 once it said nothing for three of its intervals.",
        [({"gateway": name}, int(online)) for name, online in there.items()],
    )
    yield each(
        "ganpo_cloud_gateway_last_word_timestamp_seconds",
        "gauge",
        "When a gateway spoke last, in seconds since 1970.",
        [({"gateway": row.id}, None if row.heard_at is None else row.heard_at / 1000) for row in rows],
    )
    told = {row.id: lives.picture(row.body) for row in rows if row.body is not None}
    yield each(
        "ganpo_cloud_gateway_points_at_fault",
        "gauge",
        "Points of a gateway without a usable answer, as it said last.",
        [({"gateway": name}, lives.counted(body, "points", "at_fault")) for name, body in told.items()],
    )
    yield each(
        "ganpo_cloud_gateway_units_silent",
        "gauge",
        "Units of a gateway that do not answer, as it said last.",
        [({"gateway": name}, lives.counted(body, "units", "silent")) for name, body in told.items()],
    )
