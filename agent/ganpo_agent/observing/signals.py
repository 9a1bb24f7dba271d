"""What the points said last: each with the moment until which it may be believed."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from ganpo_agent.observing.meaning import understanding
from ganpo_agent.observing.meter import RegisterReadings
from ganpo_agent.observing.nameplate import Nameplate
from ganpo_agent.observing.reversal import Reversal
from ganpo_config.plant import BoundPoint, Register, SignalValue
from ganpo_drivers import FaultKind, PointFault, Value


class PointState:
    """One point's last word: a value (counts, for a register) good for `at <= t < until`, or a fault;
    both, where the device gave no usable answer since (`missing`).

    `register`: which of its readings are sent, where it is one. One object per point for the life of the process:
    this is the hot path of every poll.
    """

    __slots__ = (
        *("_edges", "_nameplate", "_raw", "_reversal", "_stale_ms", "_step", "_understand"),
        *("at", "fault", "point", "register", "source_time", "until", "value"),
    )

    def __init__(
        self,
        point: BoundPoint,
        edges: Sequence[float] | None = None,
        reversal: Reversal | None = None,
        nameplate: Nameplate | None = None,
    ) -> None:
        """`edges`: where a number begins to mean something else to the rules that use it, sorted; None: every
        other value may. A register means nothing to a rule. `reversal`: watches it, where it is the power of a
        machine that cannot generate. `nameplate`: of its meter, where that says its transformers itself."""
        meaning = point.meaning
        self.point = point
        self.register = RegisterReadings(meaning) if isinstance(meaning, Register) else None
        self.at = 0
        self.until = 0
        self.value: SignalValue | None = None
        self.fault: PointFault | None = None
        self.source_time: datetime | None = None
        self._edges = edges if self.register is None else ()
        self._nameplate = nameplate
        self._reversal = reversal
        self._understand = understanding(meaning)
        self._raw: Value | None = None
        self._step: SignalValue | None = None
        self._stale_ms = round(point.stale_s * 1000)

    def good(self, now: int) -> bool:
        """Whether it has a value at `now` that is not stale."""
        return now < self.until

    @property
    def raw(self) -> Value | None:
        """What the device said, before it meant anything; None where that was no value."""
        return self._raw

    def quality(self, now: int) -> str:
        """good, open (a register whose last steps do not fit: a person judges), fault, stale, or waiting: nothing came
        yet."""
        if self.good(now):
            return "open" if self.register is not None and self.register.doubted(now) else "good"
        if self.fault is not None:
            return "fault"
        return "stale" if self.at else "waiting"

    @property
    def brakes_until(self) -> int | None:
        """Until when power that flows back is a brake and says only that its machine is on; None: it does not."""
        if self._reversal is None or not self._reversal.flows_back:
            return None
        return self.at + self._reversal.rest_ms

    def observe(self, raw: Value | PointFault, source_time: datetime | None, now: int) -> bool:
        """What a scan brought, at its receipt. Tells whether it means anything new.

        Unanswered while others were answered (`missing`): the last word holds to its limit.
        """
        if type(raw) is PointFault:
            return self._fail(raw, source_time, now)
        fresh = now >= self.until
        if raw != self._raw or raw.__class__ is not self._raw.__class__:
            value = self._understand(raw)
            if type(value) is PointFault:
                return self._fail(value, source_time, now)
            edges = self._edges
            step = value if edges is None else bisect_right(edges, value) if edges else 0
            if step != self._step:
                self._step = step
                fresh = True
            self._raw, self.value, self.fault = raw, value, None
        if self._nameplate is not None:
            fault = self._nameplate.look(self.point.name, self.value)
            if fault is not None:
                return self._fail(fault, source_time, now)
        if self._reversal is not None and (self.value < 0 or not self._reversal.at_rest):  # type: ignore[operator]
            held_ms = max(min(now, self.until) - self.at, 0)
            fault = self._reversal.look(self.value, held_ms)  # type: ignore[arg-type]
            if fault is not None:
                return self._fail(fault, source_time, now)
        self.at = now
        self.until = now + self._stale_ms
        self.source_time = source_time
        return fresh

    def shift(self, by: int) -> None:
        """The wall clock stepped by `by` ms: the evidence keeps its age."""
        self.at += by
        if self.until:
            self.until += by

    def _fail(self, fault: PointFault, source_time: datetime | None, now: int) -> bool:
        fresh = fault != self.fault
        if fault.kind is FaultKind.MISSING:
            self.fault, self._raw, self._step = fault, None, None
            return fresh
        self.at, self.until, self.value, self.fault, self._raw = now, 0, None, fault, None
        self._step = None
        self.source_time = source_time
        return fresh
