"""Points that are read together, which are the same at every poll: what is asked of all of them is found once."""

import math
from collections.abc import Mapping, Sequence

from ganpo_agent.observing.signals import PointState
from ganpo_config.plant import BoundPoint


class Together:
    """The states of one query's points, in their order, and those of registers among them."""

    __slots__ = ("_ends_at", "_soonest_ms", "points", "registers", "states")

    def __init__(self, points: Sequence[BoundPoint], seen: Mapping[str, PointState]) -> None:
        self.points = points
        self.states = [seen[point.name] for point in points]
        self.registers = [(state, state.register) for state in self.states if state.register is not None]
        self._ends_at: float = -math.inf
        """No value of them goes stale before."""
        self._soonest_ms = min(round(point.stale_s * 1000) for point in points)

    def one_ended(self, now: int) -> bool:
        """Whether a value of them has gone stale, asked before others of `now` come."""
        ended = False
        if now >= self._ends_at:
            self._ends_at = min((state.until for state in self.states if state.until), default=math.inf)
            ended = self._ends_at <= now
        self._ends_at = min(self._ends_at, now + self._soonest_ms)
        return ended
