"""What the points said last: each with the moment until which it may be believed."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from ganpo_config.plant import BoundPoint, Meaning, Register, SignalValue
from ganpo_drivers import FaultKind, PointFault, Value


class PointState:
    """One point's last word: a value (counts, for a register) good for `at <= t < until`, or a fault.

    One object per point for the life of the process: this is the hot path of every poll.
    """

    __slots__ = (
        *("_edges", "_raw", "_register", "_stale_ms", "_step"),
        *("at", "fault", "point", "source_time", "until", "value"),
    )

    def __init__(self, point: BoundPoint, edges: Sequence[float] | None = None) -> None:
        """`edges`: where a number begins to mean something else to the rules that use it, sorted; None: every
        other value may. A register means nothing to a rule."""
        self.point = point
        self._edges = edges
        self._register = point.meaning if isinstance(point.meaning, Register) else None
        self._step = -1
        self.at = 0
        self.until = 0
        self.value: SignalValue | None = None
        self.fault: PointFault | None = None
        self.source_time: datetime | None = None
        self._raw: Value | None = None
        self._stale_ms = round(point.stale_s * 1000)

    def good(self, now: int) -> bool:
        """Whether it has a value at `now` that is not stale."""
        return now < self.until

    def observe(self, raw: Value | PointFault, source_time: datetime | None, now: int) -> bool:
        """What a scan brought, at its receipt. Tells whether it means anything new.

        Unanswered while others were answered (`missing`): the last word holds to its limit.
        """
        if raw.__class__ is PointFault:
            return self._fail(raw, source_time, now)
        if raw == self._raw and raw.__class__ is self._raw.__class__:
            fresh = now >= self.until
        else:
            understood = self._understand(raw)
            if understood.__class__ is PointFault:
                return self._fail(understood, source_time, now)
            fresh = now >= self.until or self._differs(understood)
            self._raw, self.value, self.fault = cast(Value, raw), understood, None
        self.at = now
        self.until = now + self._stale_ms
        self.source_time = source_time
        return fresh

    def shift(self, by: int) -> None:
        """The wall clock stepped by `by` ms: the evidence keeps its age."""
        self.at += by
        if self.until:
            self.until += by

    def _understand(self, raw: Any) -> Any:
        if self._register is not None:
            return _counts(raw, self._register)
        return _word(raw, cast(Meaning, self.point.meaning))

    def _differs(self, value: Any) -> bool:
        if self._register is not None:
            return False
        if self._edges is None:
            return bool(value != self.value)
        step = bisect_right(self._edges, value)
        before, self._step = self._step, step
        return step != before

    def _fail(self, fault: PointFault, source_time: datetime | None, now: int) -> bool:
        if fault.kind is FaultKind.MISSING:
            return False
        fresh = fault != self.fault
        self.at, self.until, self.value, self.fault, self._raw = now, 0, None, fault, None
        self._step = -1
        self.source_time = source_time
        return fresh


def _bad(text: str) -> PointFault:
    return PointFault(FaultKind.BAD, text)


def _counts(value: Value, register: Register) -> int | PointFault:
    if isinstance(value, bool | str) or not math.isfinite(value):
        return _bad(f"{value!r} is no register")
    counts = round(value * register.counts_per_value)
    if not 0 <= counts < 2**63 or (register.item.modulus is not None and counts >= register.item.modulus):
        return _bad(f"{value!r} lies outside the register")
    return counts


def _word(value: Value, meaning: Meaning) -> SignalValue | PointFault:
    if isinstance(value, float) and not math.isfinite(value):
        return _bad(f"{value!r} is no number")
    if value in meaning.unavailable:
        return _bad(f"the device itself says {value!r}")
    if meaning.enum is not None:
        key = int(value) if isinstance(value, bool | float) and value == int(value) else value
        return meaning.enum.get(key, _bad(f"{value!r} is none of its values"))  # type: ignore[arg-type]
    if meaning.type == "bool":
        return bool(value) if value in (0, 1) else _bad(f"{value!r} is neither 0 nor 1")
    if meaning.type == "number":
        return _number(value, meaning)
    return value


def _number(value: Value, meaning: Meaning) -> float | PointFault:
    if isinstance(value, str):
        return _bad(f"{value!r} is no number")
    number = value * meaning.scale + meaning.offset
    if (meaning.low is not None and number < meaning.low) or (
        meaning.high is not None and number > meaning.high
    ):
        return _bad(f"{number:g} lies outside {meaning.low} ... {meaning.high}")
    return number
