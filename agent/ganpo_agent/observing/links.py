"""Whether a subject answers, and the evidence for it: the events `link_up` and `link_down`."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from ganpo_agent.observing.signals import PointState
from ganpo_drivers import Identity
from ganpo_model.clock import from_ms, iso
from ganpo_model.facts import Event, EventKind


class Link:
    """One subject and the points it is known by. Up while any of them has a value that is not stale."""

    __slots__ = ("_drivers", "_proven", "_proves", "due", "points", "reason", "since", "subject", "up")

    def __init__(
        self,
        subject: str,
        points: Sequence[str],
        drivers: Mapping[str, str],
        proves: Mapping[str, frozenset[str]],
        now: int,
    ) -> None:
        """`drivers`: ids by point, of at least these; `proves`: flag to the points whose Good value is evidence
        `controller`."""
        self.subject = subject
        self.points = tuple(points)
        self._drivers = drivers
        self.up = False
        self.since = now
        self.due: float = math.inf
        """Before then `look` finds nothing, unless a point says something new."""
        self.reason = ""
        self._proves = proves
        self._proven: frozenset[str] = frozenset()

    @property
    def settled(self) -> bool:
        """Up, with everything proven that can be: a Good value tells nothing new."""
        return self.up and len(self._proven) == len(self._proves)

    def look(
        self,
        seen: Mapping[str, PointState],
        now: int,
        found: Collection[str] = (),
        identity: Identity | None = None,
    ) -> Event | None:
        """The event that `seen` at `now` amounts to, None where nothing changed.

        `found`: points of its own that just said something new. A flag proven for the first time since the link came
        up is told by another `link_up`: it may rest on a point that answers later than the first.
        """
        fresh = [name for name in found if seen[name].good(now)]
        if fresh:
            proven = {flag for flag, names in self._proves.items() if not names.isdisjoint(fresh)}
            if self.up and proven <= self._proven:
                return None
            telling = next(
                (name for name in fresh if any(name in self._proves[flag] for flag in proven)), fresh[0]
            )
            if proven:  # else every subject had an empty set of its own
                self._proven |= proven
            self._change(now, up=True)
            return self._link_up(telling, seen[telling], identity, now)
        self.due = max(seen[name].until for name in self.points) if self.up else math.inf
        if self.due > now:
            return None
        self._proven = frozenset()
        self._change(now, up=False)
        faults = [seen[name].fault for name in self.points]
        reason = next((fault.text for fault in faults if fault is not None), self.reason or "no answer")
        return Event("event", from_ms(now), EventKind.LINK_DOWN, self.subject, {"reason": reason[:500]})

    def _change(self, now: int, *, up: bool) -> None:
        if up is not self.up:
            self.up, self.since, self.due = up, now, now if up else math.inf

    def _link_up(self, name: str, observed: PointState, identity: Identity | None, now: int) -> Event:
        data = {
            "point": name,
            "value": observed.value,
            "source_time": iso(observed.source_time) if observed.source_time else None,
            "driver": self._drivers[name],
            "identity": {k: v for k, v in asdict(identity).items() if v} if identity else {},
            "proves": sorted(self._proven),
        }
        return Event("event", from_ms(now), EventKind.LINK_UP, self.subject, data)
