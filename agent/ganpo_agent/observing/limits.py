"""Where the numbers of points begin to mean something else to the rules that use them."""

import math
from collections.abc import Iterator

from ganpo_agent.observing.reversal import Reversal
from ganpo_config.plant import Between, Machine, Plant

POWER = "power"
"""The signal whose sign says only which way a transformer is mounted."""
_MAY_FLOW_BACK = ("boundary_in", "boundary_out", "generation")


def edges(plant: Plant) -> dict[str, list[float]]:
    """The limits of each point, sorted, for those that only ranges are asked of."""
    found: dict[str, set[float]] = {}
    exact: set[str] = set()
    for machine in plant.machines:
        for rule in machine.rules:
            for signal, condition in rule.when.items():
                name = machine.signals.get(signal, "")
                if isinstance(condition, Between):
                    found.setdefault(name, set()).update(_ends(condition))
                else:
                    exact.add(name)
        if machine.signals.get(POWER) in found:
            mirrored = {math.nextafter(-limit, math.inf) for limit in _power_limits(machine)}
            found[machine.signals[POWER]] |= mirrored
    return {name: sorted(limits) for name, limits in found.items() if name not in exact}


def reversals(plant: Plant) -> dict[str, Reversal]:
    """What watches each of the points of `watched`."""
    return {name: Reversal(*about) for name, about in watched(plant).items()}


def watched(plant: Plant) -> dict[str, tuple[float, int]]:
    """With which limit (kW), and for how long (ms) it is bearable, each point is watched by whose power a machine is
    known, where power cannot flow back for long: not at a meter of the boundary or of generation, nor where somebody
    bound what it gives (a profile does at every meter of its kind), nor where rules ask for negative power."""
    stated = {point.name for connection in plant.connections for point in connection.points if point.by_hand}
    free = {
        meter.asset_no
        for meter in plant.meters
        if meter.role in _MAY_FLOW_BACK or f"{meter.asset_no}/energy_export" in stated
    }
    found: dict[str, tuple[float, int]] = {}
    for machine in plant.machines:
        name = machine.signals.get(POWER, "")
        limits = list(_power_limits(machine))
        if name.removesuffix(f"/{POWER}") in free or not limits or min(limits) < 0 or max(limits) == 0:
            continue
        limit, bearable_ms = min(limit for limit in limits if limit > 0), round(machine.debounce_s * 1000)
        known = found.get(name, (limit, bearable_ms))
        found[name] = (min(limit, known[0]), max(bearable_ms, known[1]))
    return found


def _power_limits(machine: Machine) -> Iterator[float]:
    for rule in machine.rules:
        condition = rule.when.get(POWER)
        if isinstance(condition, Between):
            yield from _ends(condition)


def _ends(condition: Between) -> Iterator[float]:
    yield from (end for end in (condition.min, condition.below) if end is not None)
