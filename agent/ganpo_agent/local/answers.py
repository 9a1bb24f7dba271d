"""What the running agent tells, one function per resource of the local API (docs/gateway-api.md): JSON-ready, null is
unknown. `/health`, `/metrics`, page and commands say the same numbers."""

from importlib.metadata import version
from typing import Any

from ganpo_agent.local import needs
from ganpo_agent.local.running import STATES, Running, now_ms, past
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_model import reference
from ganpo_model.clock import iso
from ganpo_service.release import RELEASED

VERSION = version("ganpo")
"""Looked up on the disk, which the loop never waits for."""


async def status(agent: Running) -> dict[str, Any]:
    """How the gateway is, and what a person must do."""
    backlog = await agent.keeper.backlog()
    things = needs.of(agent, backlog)
    outbox, uplink, window = agent.keeper.outbox, agent.uplink, agent.uplink.window
    trusted = agent.time.trusted()
    at_fault = agent.observer.at_fault() if agent.observer is not None else set()
    equipment = {item.asset_no for item in agent.plant.equipment}
    links = agent.observer.links.values() if agent.observer is not None else ()
    machines = [link for link in links if link.subject in equipment]
    return {
        "gateway": agent.plant.gateway.id,
        "site": {"id": agent.plant.site.id, "name": agent.plant.site.name},
        "version": VERSION,
        "released": f"{RELEASED:%Y-%m-%d}",
        "started": past(agent, agent.began),
        "now": iso(agent.time.now()) if trusted else None,
        "time": {
            "trusted": trusted,
            "source": agent.time.source,
            "seen": iso(agent.time.seen),
            "off_ms": agent.time.off_ms(),
            "why": agent.time.why,
        },
        "ok": is_ok(agent),
        "connections": {
            "total": len(agent.connections),
            "up": sum(task.state == "up" for task in agent.connections),
        },
        "units_silent": sum(map(units_silent, agent.connections)),
        "machines": {"total": len(machines), "read": sum(link.up for link in machines)},
        "points": {
            "bound": sum(len(task.bound.points) for task in agent.connections),
            "good": _good(agent),
            "at_fault": len(at_fault),
        },
        "needs": things,
        "outbox": {
            "waiting": backlog.frames if backlog else None,
            "bytes": backlog.bytes if backlog else None,
            "oldest": iso(backlog.oldest) if backlog and backlog.oldest else None,
            "limit_bytes": agent.plant.gateway.outbox_mib * 1024 * 1024,
            "used_bytes": backlog.used if backlog else None,
            "lasts_days": agent.keeper.lasts_days(backlog),
            "waited": agent.waited.told(),
            "issued": outbox.seq,
            "stream": outbox.stream or None,
            "dropped_frames": outbox.dropped,
            "dropped_facts": agent.keeper.dropped,
            "damaged": list(outbox.aside),
            "error": str(agent.keeper.problem) if agent.keeper.problem else None,
        },
        "uplink": {
            "broker": agent.plant.uplink.broker,
            "connected": uplink.connected,
            "last_ack": iso(uplink.last_ack) if uplink.last_ack else None,
            "error": uplink.problem or uplink.refused or None,
            "alone": [
                {"stream": key[0], "seq": key[1], "bytes": one.size, "why": one.why}
                for key, one in sorted(window.alone().items())
            ],
            "quarantined": dict(uplink.quarantined),
            "certificate_days": needs.days_left(agent, uplink.expires),
        },
    }


def is_ok(agent: Running) -> bool:
    """Whether everything is read, kept and acknowledged."""
    return (
        agent.time.trusted()
        and not agent.reloading.wrong
        and not agent.time.is_off()
        and agent.keeper.problem is None
        and not agent.keeper.outbox.aside
        and agent.uplink.connected
        and agent.uplink.window.open
        and not agent.uplink.refused
        and not agent.uplink.window.alone()
        and all(task.state == "up" and not task.error for task in agent.connections)
        and not (agent.observer is not None and agent.observer.at_fault())
    )


def connections(agent: Running) -> list[dict[str, Any]]:
    """Each connection with its units."""
    return [_connection(agent, task) for task in agent.connections]


def points(agent: Running, subject: str | None = None, *, faulty: bool = False) -> list[dict[str, Any]]:
    """What each point of a subject, or of all, said last. `faulty`: those alone that have no good value."""
    observer = agent.observer
    said = observer.points(now_ms(agent), subject) if observer is not None else {}
    found = []
    for task in agent.connections:
        for point in task.bound.points:
            if subject not in (None, point.subject):
                continue
            told = said.get(point.name, _UNSAID)
            if faulty and told["quality"] in FINE:
                continue
            signal = reference.signals().get(point.signal)
            found.append(
                {
                    "name": point.name,
                    "subject": point.subject,
                    "signal": point.signal,
                    "title": {
                        "zh": signal.name_zh if signal else point.signal,
                        "en": signal.name_en if signal else point.signal,
                    },
                    "connection": task.bound.name,
                    "address": str(point.address),
                    **told,
                    "unit": (signal.unit or None) if signal else None,
                }
            )
    return found


def units_silent(task: ConnectionTask) -> int:
    """Units of a connection that are asked less often because they do not answer."""
    return sum(breaker.opened is not None for breaker in task.breakers.values())


FINE = ("good", "absent")
"""Qualities of a point that needs nobody."""
_UNSAID = {
    "value": None,
    "unit": None,
    "quality": "waiting",
    "raw": None,
    "read": None,
    "age_s": None,
    "source_time": None,
    "source_age_s": None,
    "fault": None,
}


def _good(agent: Running) -> int:
    if agent.observer is None:
        return 0
    now = now_ms(agent)
    return sum(state.good(now) for state in agent.observer.seen.values())


def _connection(agent: Running, task: ConnectionTask) -> dict[str, Any]:
    report, now = task.report(), now_ms(agent)
    seen = agent.observer.seen if agent.observer is not None else {}
    good = sum(point.name in seen and seen[point.name].good(now) for point in task.bound.points)
    errors: dict[str, dict[str, int]] = {}
    for (key, kind), count in report.faults.items():
        errors.setdefault(key, {})[kind] = count
    units = []
    for key in sorted(task.breakers.keys() | errors.keys()):
        breaker = task.breakers.get(key)
        is_silent = breaker is not None and breaker.opened is not None
        units.append(
            {
                "key": key,
                "silent": is_silent,
                "since": past(agent, breaker.opened) if breaker is not None else None,
                "why": breaker.reason if breaker is not None and is_silent else None,
                "holes": list(report.holes.get(key, ())),
                "reads": breaker.reads if breaker is not None else 0,
                "errors": errors.get(key, {}),
            }
        )
    pace = task.pace
    return {
        "name": task.bound.name,
        "driver": task.bound.driver_id,
        "url": str(getattr(task.bound.settings, "url", "")),
        "state": STATES[task.state],
        "since": iso(task.since) if agent.time.trusted() else None,
        "error": task.error or None,
        "insecure": bool(task.bound.settings.unsecured),
        "last_answer": past(agent, pace.answered_at),
        "round_trip_ms": pace.round_trip_ms,
        "points": {"bound": len(task.bound.points), "good": good},
        "requests": pace.requests,
        "cycle_s": pace.cycle_s,
        "interval_s": pace.interval_s,
        "units": units,
        "notes": [*report.notes, *([task.bound.settings.unsecured] if task.bound.settings.unsecured else [])],
    }
