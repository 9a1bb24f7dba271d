"""What the points said last: each with the moment until which it may be believed."""

import math
from datetime import datetime

from ganpo_config.plant import BoundPoint, Meaning, Register, SignalValue
from ganpo_drivers import FaultKind, PointFault, Value


class PointState:
    """One point's last word: a value (counts, for a register) good for `at <= t < until`, or a fault.

    One object per point for the life of the process: this is the hot path of every poll.
    """

    __slots__ = ("_raw", "_stale_ms", "at", "fault", "point", "source_time", "until", "value")

    def __init__(self, point: BoundPoint) -> None:
        self.point = point
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
        """What a scan brought, at its receipt. Tells whether anything but the time is new.

        Unanswered while others were answered (`missing`): the last word holds to its limit.
        """
        if raw.__class__ is PointFault:
            return self._fail(raw, source_time, now)
        if raw == self._raw and raw.__class__ is self._raw.__class__:
            fresh = now >= self.until
        else:
            meaning = self.point.meaning
            understood = _counts(raw, meaning) if meaning.__class__ is Register else _word(raw, meaning)  # type: ignore[arg-type]
            if understood.__class__ is PointFault:
                return self._fail(understood, source_time, now)
            fresh = understood != self.value or now >= self.until
            self._raw, self.value, self.fault = raw, understood, None  # type: ignore[assignment]
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
        if fault.kind is FaultKind.MISSING:
            return False
        fresh = fault != self.fault
        self.at, self.until, self.value, self.fault, self._raw = now, 0, None, fault, None
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
