"""What a register adds up to at an instant, and over a period (metrics.md section 5)."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from ganpo_model.clock import MINUTE_MS
from ganpo_model.registers import Reading, Step, StepKind
from ganpo_model.units import millionths

MEASURED_WITHIN_MS = 30 * MINUTE_MS
"""A border between readings further apart than this is interpolated over a hole: *spread*."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """The consumption of a period in millionths of the unit; None where the register had no value yet.

    `spread_ms`: the length of its parts between border readings further apart than 30 min.
    `open`, `breaks`: steps that end in it and count nothing.
    """

    millionths: int | None
    spread_ms: int
    open: tuple[Step, ...]
    breaks: tuple[Step, ...]


def total_at(steps: Sequence[Step], instant: int, first: Reading | None, total: int) -> int | None:
    """A(t) in counts: the raw value of the first reading plus *used* up to `instant`, interpolated, rounded down.

    `steps`: the chain around `instant` (the step that holds it, if any), in order; `first`: the first accepted
    reading; `total`: A at the last accepted reading, for instants after it. None before the first reading.
    """
    if first is None or instant < first.at:
        return None
    step = step_at(steps, instant)
    if step is None:
        return total
    if step.kind is not StepKind.USED or instant <= step.start.at:
        return step.total
    length = step.end.at - step.start.at
    return step.total + (step.amount * (instant - step.start.at) // length if length else step.amount)


def step_at(steps: Sequence[Step], instant: int) -> Step | None:
    """The first step that ends at `instant` or later."""
    place = bisect_left(steps, instant, key=attrgetter("end.at"))
    return steps[place] if place < len(steps) else None


def consumption(
    steps: Sequence[Step], first: Reading | None, total: int, start: int, end: int, num: int, den: int
) -> Quantity:
    """The consumption of [start, end) from the steps that touch it; arguments as in `total_at`.

    A period that begins before the first reading counts from that reading on.
    """
    upper = total_at(steps, end, first, total)
    if upper is None or first is None:
        return Quantity(None, 0, (), ())
    lower = total_at(steps, max(start, first.at), first, total)
    if lower is None:
        return Quantity(None, 0, (), ())
    borders = {step_at(steps, border) for border in (start, end)}
    wide = [s for s in borders if s is not None and s.end.at - s.start.at > MEASURED_WITHIN_MS]
    inside = [s for s in wide if any(s.start.at < border < s.end.at for border in (start, end))]
    spread = sum(max(min(s.end.at, end) - max(s.start.at, start), 0) for s in inside)
    within = [s for s in steps if start < s.end.at <= end]
    return Quantity(
        millionths(upper, num, den) - millionths(lower, num, den),
        spread,
        tuple(s for s in within if s.kind is StepKind.OPEN),
        tuple(s for s in within if s.kind is StepKind.BREAK),
    )
