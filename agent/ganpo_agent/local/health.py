"""`/health`: one picture for people and probes."""

from typing import Any

from ganpo_agent.local.answers import is_ok
from ganpo_agent.local.running import Running
from ganpo_agent.uplink.uplink import named
from ganpo_model.clock import iso


def health(agent: Running) -> dict[str, Any]:
    """The picture of this gateway: `ok` where everything is read, kept and acknowledged."""
    observer, uplink, outbox = agent.observer, agent.uplink, agent.keeper.outbox
    at_fault = observer.at_fault() if observer is not None else ()
    picture = agent.picture()
    for task in agent.connections:
        told = picture["connections"][task.bound.name]
        told["notes"] = list(task.report().notes)
        told["unsecured"] = task.bound.settings.unsecured
    return {
        "ok": is_ok(agent),
        "gateway": agent.plant.gateway.id,
        "time": iso(agent.time.now()) if agent.time.trusted() else "waiting for time",
        "clock_off_ms": agent.time.off_ms(),
        "uplink": {
            "connected": uplink.connected,
            "last_ack": iso(uplink.last_ack) if uplink.last_ack else None,
            "error": uplink.problem or uplink.refused or None,
            "quarantined": dict(uplink.quarantined),
            "alone": named(uplink.window.suspects()),
        },
        "outbox": {
            "stream": outbox.stream or None,
            "issued": outbox.seq,
            "error": str(agent.keeper.problem) if agent.keeper.problem else None,
            "dropped_facts": agent.keeper.dropped,
            "dropped_frames": outbox.dropped,
            "damaged": outbox.aside,
        },
        "configuration": agent.reloading.told(),
        **picture,
        "points": {
            "bound": sum(len(task.bound.points) for task in agent.connections),
            "at_fault": len(at_fault),
        },
        "faults": observer.faults() if observer is not None else {},
    }
