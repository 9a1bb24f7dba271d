"""What `live` tells of points and units: how many, and the worst few (uplink.md: it is small)."""

from collections import defaultdict
from typing import Any

from ganpo_agent.local.running import Running

FEW = 5
_LONGEST = 160


def worst(agent: Running) -> dict[str, Any]:
    """Counts of points, units and holes; the commonest faults, each with the first of its points and how many have it;
    the first units that are silent, whose points are no faults of their own."""
    observer = agent.observer
    lacking = observer.at_fault() if observer is not None else set()
    silent = [
        (task.bound.name, key)
        for task in agent.connections
        for key, breaker in sorted(task.breakers.items())
        if breaker.opened is not None
    ]
    known, alike = set(silent), defaultdict[str, list[str]](list)
    for task in agent.connections:
        for point in task.bound.points if observer is not None else ():
            if point.name in lacking and (task.bound.name, point.address.key) not in known:
                fault = observer.seen[point.name].fault if observer is not None else None
                alike[fault.text if fault is not None else ""].append(point.name)
    groups = sorted(alike.items(), key=lambda group: (-len(group[1]), group[1]))
    holes = sum(len(found) for task in agent.connections for found in task.report().holes.values())
    return {
        "points": {
            "bound": sum(len(task.bound.points) for task in agent.connections),
            "at_fault": len(lacking),
        },
        "units": {
            "asked": sum(len(task.breakers) for task in agent.connections),
            "silent": len(silent),
            "holes": holes,
        },
        "faults": [
            f"{names[0]}: {text}"[:_LONGEST] + (f" ({len(names)})" if len(names) > 1 else "")
            for text, names in groups[:FEW]
        ],
        "silent": [f"{name}/{key}" if key else name for name, key in silent[:FEW]],
    }
