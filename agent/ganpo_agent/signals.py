"""What the points said last: values with the moment until which each may be believed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ganpo_config.plant import BoundPoint, Meaning, Register, SignalValue
from ganpo_drivers import FaultKind, PointFault, Scan, Value


@dataclass(frozen=True, slots=True)
class Observed:
    """One point's last word: a value (counts, for a register) good for `at <= t < until`, or a fault."""

    at: int
    until: int
    value: SignalValue | None
    fault: PointFault | None
    source_time: datetime | None = None


def observe(
    point: BoundPoint, value: Value | PointFault, source_time: datetime | None, now: int
) -> Observed | None:
    """The observation a scan brought for a point; None where it brought none (unanswered: the last holds)."""
    if isinstance(value, PointFault):
        if value.kind is FaultKind.MISSING:
            return None
        return Observed(now, now, None, value, source_time)
    understood = (
        _counts(value, point.meaning) if isinstance(point.meaning, Register) else _word(value, point.meaning)
    )
    if isinstance(understood, PointFault):
        return Observed(now, now, None, understood, source_time)
    return Observed(now, now + round(point.stale_s * 1000), understood, None, source_time)


def observe_all(points: Iterable[BoundPoint], scan: Scan, now: int) -> dict[str, Observed]:
    """The observations of a scan by point name."""
    times = scan.source_times or [None] * len(scan.values)
    found = {}
    for point, value, source_time in zip(points, scan.values, times, strict=True):
        if (seen := observe(point, value, source_time, now)) is not None:
            found[point.name] = seen
    return found


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
