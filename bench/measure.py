"""Medians with their spread, and how benchmarks print them."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What one side of a benchmark measured, run by run."""

    name: str
    values: Sequence[float]
    unit: str

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        spread = f"{_shown(min(self.values))} ... {_shown(max(self.values))}"
        return f"  {self.name:<46} {_shown(self.median):>9} {self.unit:<10} ({spread})"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def pairs(
    runs: int, ours: Callable[[], float], limit: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Both sides in turn, A B A B ..., after one warm-up of each: a drifting machine hits both."""
    ours()
    limit()
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        found[0].append(ours())
        found[1].append(limit())
    return found


def ratio(name: str, ours: Sequence[float], limit: Sequence[float], goal: str = "") -> str:
    """The ratio run by run: median and spread, beside the goal where it has one."""
    ratios = [a / b for a, b in zip(ours, limit, strict=True)]
    spread = f"{min(ratios):.2f} ... {max(ratios):.2f}"
    beside = f"   goal {goal}" if goal else ""
    return f"  {name:<46} {statistics.median(ratios):>9.2f} x          ({spread}){beside}"
