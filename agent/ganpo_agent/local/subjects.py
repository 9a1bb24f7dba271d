"""Machines and meters of the local API: what they do and did today, where their registers stand."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from ganpo_agent.local.running import Running, now_ms
from ganpo_config.plant import BoundPoint, Register
from ganpo_model.clock import from_ms, iso
from ganpo_model.facts import RegisterItem
from ganpo_model.states import State

_DIGITS = Decimal("0.000001")


def machines(agent: Running) -> list[dict[str, Any]]:
    """Every machine of the ledger: its state, and the lane of its local day."""
    observer, now = agent.observer, now_ms(agent)
    found = []
    for item in agent.plant.equipment:
        runs = observer.machines.get(item.asset_no) if observer is not None else None
        link = observer.links.get(item.asset_no) if observer is not None else None
        told: dict[str, Any] = {"asset_no": item.asset_no, "name": item.name}
        if observer is None or runs is None or link is None:
            told |= {
                "state": str(State.UNKNOWN),
                "since": None,
                "reason": _unread(agent, item.asset_no),
                "lane": [],
            }
        else:
            lane = agent.today.lane(item.asset_no, runs.open_fact(now), now)
            told |= {
                "state": str(runs.state),
                "since": iso(from_ms(runs.since)),
                "reason": (link.reason or None) if not link.up else None,
                "lane": [[iso(from_ms(span.start)), str(span.state)] for span in lane],
            }
        found.append(told)
    return found


def meters(agent: Running) -> list[dict[str, Any]]:
    """Every meter with its registers."""
    registers: dict[str, list[BoundPoint]] = {}
    for point in agent.plant.registers():
        registers.setdefault(point.subject, []).append(point)
    return [
        {
            "asset_no": item.asset_no,
            "name": item.name,
            "carrier": item.carrier,
            "registers": [_register(agent, point) for point in registers.get(item.asset_no, ())],
        }
        for item in agent.plant.meters
    ]


def decimal(counts: int, item: RegisterItem) -> str:
    """Counts of a register in its unit, exactly, or to six digits where that has no end."""
    value = Decimal(counts * item.num) / item.den
    if value * item.den != counts * item.num:
        value = value.quantize(_DIGITS, ROUND_HALF_EVEN)
    return f"{value.normalize():f}"


def _register(agent: Running, point: BoundPoint) -> dict[str, Any]:
    assert isinstance(point.meaning, Register)
    item, now = point.meaning.item, now_ms(agent)
    state = agent.observer.seen.get(point.name) if agent.observer is not None else None
    raw = state.value if state is not None and state.good(now) and isinstance(state.value, int) else None
    first = agent.today.first(item.id, now)
    rise = None if raw is None or first is None else _rise(raw, first[1], item)
    return {
        "register": item.id,
        "signal": item.signal,
        "value": None if raw is None else decimal(raw, item),
        "unit": item.unit,
        "at": iso(from_ms(state.at)) if state is not None and state.at else None,
        "today": None if rise is None else decimal(rise, item),
        "fault": state.fault.text if state is not None and state.fault is not None else None,
    }


def _rise(raw: int, first: int, item: RegisterItem) -> int | None:
    """What it rose by today; over its end where that is less than a day can bring. None where it fell: the collector
    judges that, from all its readings."""
    if raw >= first:
        return raw - first
    rise = None if item.modulus is None or item.resets else raw - first + item.modulus
    return rise if rise is not None and rise <= 24 * item.max_rate else None


def _unread(agent: Running, asset_no: str) -> str | None:
    """Why nothing is known of a machine."""
    if agent.observer is None:
        return "waiting for time"
    bound = any(point.subject == asset_no for task in agent.connections for point in task.bound.points)
    return None if bound else "nothing of it is read: it is in no connection"
