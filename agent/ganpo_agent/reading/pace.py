"""How a connection keeps up, as people see it: its last answer, and what a round of it takes."""

from dataclasses import dataclass, field

from ganpo_agent.reading.groups import Group
from ganpo_drivers import Address, ConnectionSettings, Driver, Estimates, Query


@dataclass(slots=True)
class Pace:
    """`answered_at`: when something last answered, by the monotonic clock."""

    answered_at: float | None = None
    _requests: dict[int, int] = field(default_factory=dict)
    _took_s: dict[int, float] = field(default_factory=dict)
    _intervals: dict[int, float] = field(default_factory=dict)
    _last: int | None = None

    def begin(
        self, driver: Driver[ConnectionSettings, Address], groups: list[Group], queries: list[Query]
    ) -> None:
        """A session begins, in which these groups are polled."""
        self._intervals = {id(group): group.interval_s for group in groups}
        self._requests.clear()
        if isinstance(driver, Estimates):
            self._requests |= {
                id(group): driver.estimate(query).requests
                for group, query in zip(groups, queries, strict=True)
            }

    def polled(self, group: Group, began: float, ended: float) -> None:
        """A group answered."""
        self._took_s[id(group)] = ended - began
        self._last = id(group)
        self.answered_at = ended

    @property
    def requests(self) -> int | None:
        """Of one round: everything polled once; None where the driver does not say."""
        return sum(self._requests.values()) if self._requests else None

    @property
    def cycle_s(self) -> float | None:
        """Seconds that a round takes, as last seen; None until something answered."""
        return round(sum(self._took_s.values()), 4) if self._took_s else None

    @property
    def load(self) -> float | None:
        """Of the line's time that its polls take, as last seen; more than 1: polls are skipped."""
        if self._took_s.keys() != self._intervals.keys():
            return None
        return sum(took / self._intervals[group] for group, took in self._took_s.items())

    @property
    def interval_s(self) -> float | None:
        """The shortest interval of what is polled."""
        return min(self._intervals.values(), default=None)

    @property
    def round_trip_ms(self) -> float | None:
        """Of one request and its answer, in the last poll that was answered."""
        if self._last is None:
            return None
        return round(self._took_s[self._last] * 1000 / max(self._requests.get(self._last, 1), 1), 1)
