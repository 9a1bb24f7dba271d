"""The text of `/metrics`. Every name stands in docs/metrics.md; the numbers are those of the local API."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ganpo_agent.keeping.backlog import Backlog
from ganpo_agent.local.running import Running
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_service.exposition import Family, build, counter, each, gauge, process, text


def of(agent: Running, backlog: Backlog | None = None) -> str:
    """All metrics of one agent. `backlog`: of its outbox, where the disk says it."""
    families = [*_process(agent), *_outbox(agent, backlog), *_uplink(agent), *_connections(agent), *process()]
    return text(families)


def _process(agent: Running) -> Iterator[Family]:
    yield build("ganpo_build_info")
    yield gauge("ganpo_time_trusted", "1 once observations may be stamped.", int(agent.time.trusted()))
    off = agent.time.off_ms()
    yield gauge(
        "ganpo_clock_off_seconds",
        "This machine's clock minus the collector's, in seconds, once it was told.",
        None if off is None else off / 1000,
    )


def _outbox(agent: Running, backlog: Backlog | None) -> Iterator[Family]:
    keeper, outbox = agent.keeper, agent.keeper.outbox
    yield counter("ganpo_outbox_frames_issued_total", "Frames of this run.", outbox.seq)
    frames, size, oldest, used = (
        (backlog.frames, backlog.bytes, backlog.oldest, backlog.used) if backlog else (None, None, None, None)
    )
    yield gauge("ganpo_outbox_waiting_frames", "Frames without acknowledgement.", frames)
    yield gauge("ganpo_outbox_waiting_bytes", "Their bytes.", size)
    yield gauge(
        "ganpo_outbox_oldest_waiting_timestamp_seconds",
        "When what the oldest of them tells began, in seconds since 1970; none where nothing waits.",
        None if oldest is None else oldest.timestamp(),
    )
    yield gauge("ganpo_outbox_size_bytes", "What the file takes on the disk, in bytes.", used)
    yield gauge("ganpo_outbox_limit_bytes", "What it may take, in bytes.", outbox.limit)
    yield counter(
        "ganpo_outbox_dropped_frames_total",
        "Frames given up because the outbox was full, declared lost.",
        outbox.dropped,
    )
    yield gauge(
        "ganpo_outbox_damaged_files",
        "Damaged outboxes that were taken over and lie beside it for people to look at.",
        len(outbox.aside),
    )
    yield gauge(
        "ganpo_outbox_failing", "1 while the disk does not take frames.", int(keeper.problem is not None)
    )
    yield counter(
        "ganpo_memory_dropped_facts_total",
        "Facts given up because the disk did not take them.",
        keeper.dropped,
    )


def _uplink(agent: Running) -> Iterator[Family]:
    uplink = agent.uplink
    yield gauge(
        "ganpo_uplink_connected", "1 while there is a session with the broker.", int(uplink.connected)
    )
    yield gauge(
        "ganpo_uplink_last_ack_timestamp_seconds",
        "The collector's time of its last acknowledgement, in seconds since 1970; none where none came yet.",
        None if uplink.last_ack is None else uplink.last_ack.timestamp(),
    )
    yield gauge(
        "ganpo_uplink_frames_alone",
        "Frames that the broker does not take and that no longer hold the others.",
        len(uplink.window.alone()),
    )
    yield each(
        "ganpo_uplink_frames_quarantined_total",
        "counter",
        "Frames that the collector keeps and does not count.",
        [({"reason": reason}, number) for reason, number in uplink.quarantined.items()],
    )


def _connections(agent: Running) -> Iterator[Family]:
    tasks = agent.connections
    at_fault = agent.observer.at_fault() if agent.observer is not None else set()
    yield _of(tasks, "ganpo_connection_up", "1 while there is a session.", lambda t: int(t.state == "up"))
    yield _of(tasks, "ganpo_polls_total", "Reads of groups that were begun.", lambda t: t.polls.made)
    yield _of(
        tasks,
        "ganpo_polls_skipped_total",
        "Reads that were due while the one before was not done.",
        lambda t: t.polls.skipped,
    )
    yield _of(
        tasks,
        "ganpo_poll_lateness_p99_seconds",
        "How late reads begin, of the last thousand the 99th percentile, in seconds.",
        lambda t: _p99(t.polls.lateness),
    )
    yield _of(
        tasks,
        "ganpo_round_trip_seconds",
        "A request and its answer in the last read that was answered, in seconds.",
        lambda t: None if t.pace.round_trip_ms is None else t.pace.round_trip_ms / 1000,
    )
    yield _of(tasks, "ganpo_deliveries_total", "What subscriptions delivered.", lambda t: t.delivered)
    yield _of(
        tasks,
        "ganpo_driver_bugs_total",
        "Unexpected errors of the driver, each with a traceback in the log.",
        lambda t: t.bugs,
    )
    yield _of(tasks, "ganpo_sessions_lost_total", "Sessions given up after an error.", lambda t: t.lost)
    yield _of(
        tasks, "ganpo_sessions_reopened_total", "Sessions opened after the first.", lambda t: t.reopened
    )
    yield _of(tasks, "ganpo_points", "Points that are read.", lambda t: len(t.bound.points))
    yield _of(
        tasks,
        "ganpo_points_at_fault",
        "Points without a usable answer now.",
        lambda t: sum(point.name in at_fault for point in t.bound.points),
    )
    yield _of(
        tasks,
        "ganpo_units_silent",
        "Units that are asked less often because they do not answer.",
        lambda t: sum(breaker.opened is not None for breaker in t.breakers.values()),
    )
    yield each(
        "ganpo_unit_reads_total",
        "counter",
        "Reads of a unit that brought something.",
        [
            ({"connection": task.bound.name, "unit": unit}, breaker.reads)
            for task in tasks
            for unit, breaker in sorted(task.breakers.items())
        ],
    )
    yield each(
        "ganpo_requests_failed_total",
        "counter",
        "Requests to a unit that failed, by kind.",
        [
            ({"connection": task.bound.name, "unit": unit, "kind": kind}, count)
            for task in tasks
            for (unit, kind), count in sorted(task.report().faults.items())
        ],
    )
    yield each(
        "ganpo_certificate_expiry_timestamp_seconds",
        "gauge",
        "When a certificate ends that a secured session needs, in seconds since 1970.",
        [
            ({"connection": task.bound.name, "whose": whose}, int(end.timestamp()))
            for task in tasks
            for whose, end in sorted(task.report().expire.items())
        ],
    )


def _of(tasks: Sequence[ConnectionTask], name: str, about: str, value: Any) -> Family:
    """A value of each connection."""
    kind = "counter" if name.endswith("_total") else "gauge"
    return each(name, kind, about, [({"connection": task.bound.name}, value(task)) for task in tasks])


def _p99(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[int(len(ordered) * 0.99)] if ordered else 0.0
