"""Points of a connection that are read together."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ganpo_agent.reading.breaker import Breaker
from ganpo_config.plant import BoundPoint
from ganpo_drivers import Address, Point


@dataclass(slots=True)
class Group:
    """Points of one key: of one interval, which are due together; or those that are subscribed, with the shortest of
    their intervals. `breaker`: of the key, which all its groups share."""

    key: str
    interval_s: float
    breaker: Breaker
    subscribed: bool
    points: list[BoundPoint] = field(default_factory=list)

    @property
    def asked(self) -> list[Point[Address]]:
        """What a driver has to know of them."""
        return [Point(point.name, point.address) for point in self.points]

    @property
    def subjects(self) -> set[str]:
        """Whose points they are."""
        return {point.subject for point in self.points}


def grouped(points: Iterable[BoundPoint]) -> list[Group]:
    """The groups of a connection's points."""
    groups: dict[tuple[str, float | None], Group] = {}
    breakers: dict[str, Breaker] = {}
    for point in points:
        key, subscribed = point.address.key, point.address.subscribed
        index = (key, None if subscribed else point.interval_s)
        if (group := groups.get(index)) is None:
            breaker = breakers.setdefault(key, Breaker())
            group = groups[index] = Group(key, point.interval_s, breaker, subscribed)
        group.interval_s = min(group.interval_s, point.interval_s)
        group.points.append(point)
    return list(groups.values())
