"""What a connection asks for and how long that takes, worked out without touching it: `ganpo plan`."""

import textwrap
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

from ganpo_agent.reading.breaker import AFTER, SHARE
from ganpo_agent.reading.groups import grouped
from ganpo_config.plant import BoundConnection
from ganpo_drivers import Cost, Estimates
from ganpo_model.errors import ConfigError

WIDTH = 80
_HEAD = "  key                   every    points  requests     asked    unused      line"


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """What is read together. `requests`: as the driver prints them; `cost`: None where the driver does not say."""

    interval_s: float
    key: str
    points: int
    requests: Sequence[str]
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of the line. `cycle_s`: everything once; `load`: of the line's time at the intervals that are asked for.

    With silent keys: `first_s` is the cycle until their breakers open, the others are what holds after that, without
    the probes of the silent ones.
    """

    cycle_s: float
    load: float
    first_s: float


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One connection. `now`: all keys answer; `then`: those of `silent` do not. Both None without costs. `subscribed`:
    points that are not asked for, because the device speaks of them; `subscriptions`: how, as the driver prints it."""

    connection: str
    driver: str
    groups: Sequence[PlannedGroup]
    silent: Sequence[str]
    now: Times | None
    then: Times | None
    subscribed: int = 0
    subscriptions: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return asdict(self)

    def __str__(self) -> str:
        found = [f"{self.connection} ({self.driver})", ""]
        spoken = [f"subscribed: {self.subscribed} points"] if self.subscribed else []
        for subscription in self.subscriptions:
            spoken += _wrapped(subscription)
        if not self.groups:
            return "\n".join([f"{found[0]}: nothing is polled on it", *spoken])
        if self.now is not None:
            found.append(_HEAD)
        for group in self.groups:
            if group.cost is not None:
                cost = group.cost
                amounts = group.points, cost.requests, cost.items, cost.waste, _seconds(cost.seconds)
                found.append(_row(group.key or "-", f"{group.interval_s:g} s", *amounts))
            else:
                found.append(f"  {group.key} every {group.interval_s:g} s: {group.points} points")
            for request in group.requests:
                found += _wrapped(request)
        return "\n".join([*found, "", *self._times(), *spoken])

    def _times(self) -> list[str]:
        if self.now is None or self.groups[0].cost is None:
            return ["this driver does not say what a request costs"]
        found = [f"one cycle of all keys  {_seconds(self.now.cycle_s)}  if {self.groups[0].cost.assumed}"]
        found.append(f"load of the line       {self.now.load:.0%}")
        if self.then is not None:
            found += [
                f"silent: {', '.join(self.silent)}",
                f"  their first {AFTER} reads  {_seconds(self.then.first_s)} a cycle",
                (
                    f"  after that           {_seconds(self.then.cycle_s)} a cycle, load {self.then.load:.0%}, "
                    f"at most {SHARE:.0%} more for probes"
                ),
            ]
        if self.now.load > 1:
            found.append("too much: longer intervals, fewer points, or a second line")
        return found


def planned(bound: BoundConnection, silent: Sequence[str] = ()) -> ConnectionPlan:
    """Of one connection, with these keys silent. Raises ConfigError where it has no such key."""
    driver = bound.driver(bound.settings)
    groups = []
    subscriptions: list[str] = []
    for group in grouped(bound.points):
        query = driver.prepare(group.asked)
        if group.subscribed:
            subscriptions += str(query).splitlines()
            continue
        cost = driver.estimate(query) if isinstance(driver, Estimates) else None
        requests = str(query).splitlines()
        groups.append(PlannedGroup(group.interval_s, group.key, len(group.points), requests, cost))
    keys = {group.key for group in groups}
    for key in silent:
        if key not in keys:
            hint = f"it has {', '.join(sorted(keys)) or 'none'}"
            raise ConfigError(f"{key!r} is no key of this connection", where=bound.name, hint=hint)
    groups.sort(key=lambda group: (group.key.zfill(8), group.interval_s))
    now = _times(groups, frozenset())
    then = _times(groups, frozenset(silent)) if silent else None
    subscribed = sum(point.address.subscribed for point in bound.points)
    return ConnectionPlan(
        bound.name, bound.driver_id, groups, tuple(silent), now, then, subscribed, subscriptions
    )


def _times(groups: Sequence[PlannedGroup], silent: Set[str]) -> Times | None:
    costs = [(group, group.cost) for group in groups if group.cost is not None]
    if not costs:
        return None
    answered = [(group, cost) for group, cost in costs if group.key not in silent]
    cycle_s = sum(cost.seconds for _, cost in answered)
    load = sum(cost.seconds / group.interval_s for group, cost in answered)
    return Times(cycle_s, load, cycle_s + sum(cost.silent_s for group, cost in costs if group.key in silent))


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH - 4, initial_indent="    ", subsequent_indent="      ")


def _row(key: str, *columns: object) -> str:
    return f"  {key:<17.17}" + "".join(f"{column!s:>10}" for column in columns)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f} s"
