"""Utilization (ISO 22400-2): ratios of times within planned time, UNKNOWN removed (metrics.md section 4)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ganpo_model.states import State

Ratio = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Parts:
    """What was made: all, the good ones where somebody counts them, and how long one was planned to take in ms."""

    made: int | None = None
    good: int | None = None
    planned_ms: int | None = None


def ratios(
    spent: Mapping[State, int], planned_ms: int, states: Collection[State], parts: Parts | None = None
) -> dict[str, Ratio | None]:
    """Every KPI as (numerator, denominator), None where an input is missing or nothing was planned.

    `spent`: ms per state within planned time. `states`: those that the machine can show at all: without HELD or FAULT
    its utilization would always be 100 %, and is None. Rates of several days are sum / sum.
    """
    parts = parts or Parts()
    apt, aust = spent.get(State.PRODUCING, 0), spent.get(State.SETUP, 0)
    adet = spent.get(State.HELD, 0) + spent.get(State.FAULT, 0)
    adot = sum(spent.get(state, 0) for state in (State.IDLE, State.OFF, State.MAINTENANCE))
    aupt = apt + aust
    aubt = aupt + adet
    pbt = aubt + adot
    delays = State.HELD in states or State.FAULT in states
    effectiveness = quality = None
    if parts.made is not None and parts.planned_ms is not None:
        effectiveness = _ratio(parts.planned_ms * parts.made, apt)
    if parts.made is not None and parts.good is not None:
        quality = _ratio(parts.good, parts.made)
    availability = _ratio(apt, pbt)
    return {
        "utilization_efficiency": _ratio(apt, aubt) if delays else None,
        "availability": availability,
        "allocation_efficiency": _ratio(aubt, pbt),
        "technical_efficiency": _ratio(apt, apt + adet) if delays else None,
        "setup_rate": _ratio(aust, aupt),
        "effectiveness": effectiveness,
        "quality_ratio": quality,
        "oee": _product(availability, effectiveness, quality),
        "nee": _product(_ratio(aupt, pbt), effectiveness, quality),
        "completeness": _ratio(planned_ms - spent.get(State.UNKNOWN, 0), planned_ms),
    }


def complete(planned_ms: Any, known_ms: Any) -> Any:
    """Whether so much of planned time is known that it enters sums of states: 60 %. Of numbers or columns of SQL."""
    return (planned_ms > 0) & (5 * known_ms >= 3 * planned_ms)


def _ratio(numerator: int, denominator: int) -> Ratio | None:
    return (numerator, denominator) if denominator else None


def _product(*factors: Ratio | None) -> Ratio | None:
    """The product of ratios, exactly; an index is no sum of times and is not added up."""
    found = Fraction(1)
    for factor in factors:
        if factor is None:
            return None
        found *= Fraction(*factor)
    return found.numerator, found.denominator
