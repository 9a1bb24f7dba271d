"""The text of `/metrics` (Prometheus exposition format 0.0.4). Every name stands in docs/metrics.md."""

from collections.abc import Iterable, Mapping

from ganpo_agent.local.running import Running


def of(agent: Running) -> str:
    """All metrics of one agent."""
    return "".join(f"{line}\n" for line in _lines(agent))


def _lines(agent: Running) -> Iterable[str]:
    time, keeper, uplink, connections = agent.time, agent.keeper, agent.uplink, agent.connections
    at_fault = agent.observer.at_fault() if agent.observer is not None else set()
    outbox = keeper.outbox
    yield from _metric("ganpo_time_trusted", "gauge", {"": int(time.trusted())})
    off = time.off_ms()
    yield from _metric("ganpo_clock_off_seconds", "gauge", {} if off is None else {"": off / 1000})
    yield from _metric("ganpo_outbox_issued_total", "counter", {"": outbox.seq})
    yield from _metric("ganpo_outbox_dropped_frames_total", "counter", {"": outbox.dropped})
    yield from _metric("ganpo_outbox_damaged_files", "gauge", {"": len(outbox.aside)})
    yield from _metric("ganpo_memory_dropped_facts_total", "counter", {"": keeper.dropped})
    yield from _metric("ganpo_outbox_failing", "gauge", {"": int(keeper.problem is not None)})
    yield from _metric("ganpo_uplink_connected", "gauge", {"": int(uplink.connected)})
    yield from _metric("ganpo_uplink_frames_alone", "gauge", {"": len(uplink.window.suspects())})
    refused = {_labels(reason=reason): number for reason, number in uplink.quarantined.items()}
    yield from _metric("ganpo_uplink_frames_quarantined_total", "counter", refused)
    names = {_labels(connection=task.bound.name): task for task in connections}
    yield from _metric("ganpo_connection_up", "gauge", {n: int(t.state == "up") for n, t in names.items()})
    yield from _metric("ganpo_polls_total", "counter", {n: t.polls.made for n, t in names.items()})
    yield from _metric("ganpo_polls_skipped_total", "counter", {n: t.polls.skipped for n, t in names.items()})
    yield from _metric("ganpo_deliveries_total", "counter", {n: t.delivered for n, t in names.items()})
    yield from _metric("ganpo_driver_bugs_total", "counter", {n: t.bugs for n, t in names.items()})
    yield from _metric("ganpo_sessions_lost_total", "counter", {n: t.lost for n, t in names.items()})
    yield from _metric("ganpo_sessions_reopened_total", "counter", {n: t.reopened for n, t in names.items()})
    failed = {
        _labels(connection=t.bound.name, unit=unit, kind=kind): count
        for t in connections
        for (unit, kind), count in sorted(t.report().faults.items())
    }
    yield from _metric("ganpo_requests_failed_total", "counter", failed)
    faults = {n: sum(point.name in at_fault for point in t.bound.points) for n, t in names.items()}
    yield from _metric("ganpo_points_at_fault", "gauge", faults)
    silent = {n: sum(b.opened is not None for b in t.breakers.values()) for n, t in names.items()}
    yield from _metric("ganpo_units_silent", "gauge", silent)
    ends = {
        _labels(connection=t.bound.name, whose=whose): int(end.timestamp())
        for t in connections
        for whose, end in sorted(t.report().expire.items())
    }
    yield from _metric("ganpo_certificate_expiry_timestamp_seconds", "gauge", ends)
    late = {n: _p99(t.polls.lateness) for n, t in names.items()}
    yield from _metric("ganpo_poll_lateness_p99_seconds", "gauge", late)


def _labels(**labels: str) -> str:
    escaped = {
        name: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _metric(name: str, kind: str, samples: Mapping[str, float]) -> Iterable[str]:
    yield f"# TYPE {name} {kind}"
    for labels, value in samples.items():
        yield f"{name}{labels} {value:g}" if isinstance(value, float) else f"{name}{labels} {value}"


def _p99(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[int(len(ordered) * 0.99)] if ordered else 0.0
