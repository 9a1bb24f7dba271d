"""What a register adds up to at an instant, and over a period (metrics.md section 5)."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from ganpo_model.clock import MINUTE_MS
from ganpo_model.steps import Reading, Step, StepKind
from ganpo_model.units import millionths

MEASURED_WITHIN_MS = 30 * MINUTE_MS
"""A border between readings further apart than this is interpolated over a hole: *spread*."""

_end_at = attrgetter("end.at")


@dataclass(frozen=True, slots=True)
class Quantity:
    """The consumption of a period in millionths of the unit; None where nothing of it is known.

    `spread_ms`: the length of its parts between border readings further apart than 30 min.
    `open`, `breaks`: steps that end in it and count nothing.
    `unknown_ms`: the length of its part for which the register is not believed; that part is not in the quantity.
    """

    millionths: int | None
    spread_ms: int
    open: tuple[Step, ...]
    breaks: tuple[Step, ...]
    unknown_ms: int = 0


def total_at(steps: Sequence[Step], instant: int, first: Reading | None, total: int) -> int | None:
    """A(t) in counts: the raw value of the first reading plus *used* up to `instant`, interpolated, rounded down.

    `steps`: a part of the chain, in order, that has the step which holds `instant`, if any does; `first`: the first
    accepted reading; `total`: A at the last accepted one, where there are no steps. None before the first reading.
    At its instant A is its raw value: what follows a declared beginning at that same instant counts from there on.
    """
    if first is None or instant < first.at:
        return None
    if instant == first.at:
        return first.raw
    step = _step_at(steps, instant)
    if step is None:
        return steps[-1].total_after if steps else total
    if step.kind is not StepKind.USED or instant <= step.start.at:
        return step.total
    return step.total + step.amount * (instant - step.start.at) // (step.end.at - step.start.at)


def consumption(
    steps: Sequence[Step],
    first: Reading | None,
    total: int,
    start: int,
    end: int,
    num: int,
    den: int,
    believed_until: int | None = None,
) -> Quantity:
    """The consumption of [start, end): A(end) - A(start), each in whole millionths; arguments as in `total_at`.

    A period that begins before the first reading counts from that reading on. `believed_until`: the last accepted
    reading of a register that is not believed since: what follows is unknown, and never 0.
    """
    upper = total_at(steps, end, first, total)
    lower = total_at(steps, max(start, first.at), first, total) if first else None
    if upper is None or lower is None:
        return Quantity(None, 0, (), ())
    holes = {step for border in (start, end) if (step := _hole_at(steps, border)) is not None}
    within = steps[bisect_right(steps, start, key=_end_at) : bisect_right(steps, end, key=_end_at)]
    used = millionths(upper, num, den) - millionths(lower, num, den)
    unknown_ms = max(end - max(start, believed_until), 0) if believed_until is not None else 0
    return Quantity(
        used or (None if unknown_ms else 0),
        sum(min(step.end.at, end) - max(step.start.at, start) for step in holes),
        tuple(step for step in within if step.kind is StepKind.OPEN),
        tuple(step for step in within if step.kind is StepKind.BREAK),
        unknown_ms,
    )


def _step_at(steps: Sequence[Step], instant: int) -> Step | None:
    """The first step that ends after `instant`."""
    place = bisect_right(steps, instant, key=_end_at)
    return steps[place] if place < len(steps) else None


def _hole_at(steps: Sequence[Step], border: int) -> Step | None:
    """The step around a border between readings too far apart for it to be measured."""
    step = _step_at(steps, border)
    if step is None or step.start.at >= border or step.end.at - step.start.at <= MEASURED_WITHIN_MS:
        return None
    return step
