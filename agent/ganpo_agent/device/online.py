"""`ganpo check --online`: every point once, as it would be read: ok, suspicious or failed, and the cycle it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ganpo_agent.device.plausible import judged
from ganpo_agent.device.session import Device
from ganpo_agent.observing.meaning import understanding
from ganpo_agent.reading.groups import Group, grouped
from ganpo_config.plant import BoundConnection, BoundPoint, Register
from ganpo_drivers import PointFault, Value
from ganpo_model import reference
from ganpo_model.errors import GanpoError, UnitError

OK, SUSPICIOUS, FAILED = "ok", "suspicious", "failed"
OLD_S = 600.0
"""A value whose own time is older comes from a device that stands still."""
_WEIGHT = -0.4
"""Below this a value can hardly be true."""


@dataclass(frozen=True, slots=True)
class PointResult:
    """One point. `value`: in the unit of its signal; `why`: what is suspicious, or why it failed."""

    name: str
    address: str
    level: str
    value: float | int | str | bool | None
    unit: str
    why: str


@dataclass(slots=True)
class ConnectionResult:
    """One connection. `cycle_s`: everything once; `load`: of the line's time at the intervals that are asked for; None
    where nothing was measured. `held`: the running agent asks it, and said so."""

    connection: str
    held: bool
    error: str | None = None
    cycle_s: float | None = None
    load: float | None = None
    points: list[PointResult] = field(default_factory=list)

    def count(self, level: str) -> int:
        """Points of a level."""
        return sum(point.level == level for point in self.points)


async def check(
    device: Device, bound: BoundConnection, told: Callable[[int], None] = lambda _: None
) -> ConnectionResult:
    """Every point of a connection, unit by unit. `told`: how many points are done. Raises nothing of the device."""
    found = ConnectionResult(bound.name, held=False)
    cycle_s = load = 0.0
    silent: dict[str, str] = {}
    lost = ""
    for group in grouped(bound.points):
        why = lost or silent.get(group.key, "")
        if not why:
            try:
                answer = await device.read([point.address for point in group.points])
            except UnitError as error:
                why = silent[group.key] = f"{error.what} [{error.code}]"
            except GanpoError as error:
                why = lost = f"{error.what} [{error.code}]"
                found.error = str(error)
            else:
                cycle_s += answer.took_s
                load += answer.took_s / group.interval_s
                found.points += _answered(group, answer.values, answer.source_times)
        if why:
            found.points += [_failed(point, why) for point in group.points]
        told(len(group.points))
    found.cycle_s, found.load = (None, None) if lost or not found.points else (cycle_s, load)
    return found


def of_agent(
    bound: BoundConnection, points: Mapping[str, Mapping[str, Any]], link: Mapping[str, Any]
) -> ConnectionResult:
    """What the running agent says of a connection's points (by name) and of the connection: it reads them anyway."""
    found = ConnectionResult(bound.name, held=True, error=link.get("error"), cycle_s=link.get("cycle_s"))
    for point in bound.points:
        said = points.get(point.name)
        if said is None:
            found.points.append(_failed(point, "the running gateway does not know it: `ganpo reload`"))
        elif said["quality"] == "good":
            found.points.append(_judged(point, said["value"], said.get("source_time"), said["unit"] or ""))
        else:
            why = said["fault"] or {"waiting": "no answer yet", "stale": "no answer any more"}.get(
                said["quality"]
            )
            found.points.append(_failed(point, why or said["quality"]))
    return found


def _answered(group: Group, values: Any, times: Any) -> list[PointResult]:
    found = []
    for point, value, at in zip(group.points, values, times, strict=True):
        understood = value if isinstance(value, PointFault) else understanding(point.meaning)(value)
        if isinstance(understood, PointFault):
            found.append(_failed(point, understood.text))
            continue
        if isinstance(point.meaning, Register) and isinstance(understood, int):
            understood = understood * point.meaning.item.num / point.meaning.item.den
        found.append(_judged(point, understood, at, _unit(point)))
    return found


def _judged(point: BoundPoint, value: Value, at: str | None, unit: str) -> PointResult:
    judgement = judged(point.signal, value, medium=True)
    why = judgement.why if judgement.weight < _WEIGHT else ""
    if not why and isinstance(point.meaning, Register) and value == 0:
        why = "it stands at 0: is this its register, is the device new?"
    if not why and at is not None and (old_s := _age_s(at)) > OLD_S:
        why = f"the device's own time of it is {old_s / 60:.0f} min old: does it stand still?"
    return PointResult(point.name, str(point.address), SUSPICIOUS if why else OK, value, unit, why)


def _failed(point: BoundPoint, why: str) -> PointResult:
    return PointResult(point.name, str(point.address), FAILED, None, _unit(point), why)


def _unit(point: BoundPoint) -> str:
    about = reference.signals().get(point.signal)
    return "" if about is None or about.unit == "1" else about.unit


def _age_s(at: str) -> float:
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    except ValueError:
        return 0.0
