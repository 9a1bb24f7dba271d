"""When something that is banned runs: by its own states, or by what its meter counts (the plan's T28).

Pure. Times are ms since 1970; a step of a register shows running where its mean power is above standby.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from ganpo_model.clock import HOUR_MS
from ganpo_model.paint import Span
from ganpo_model.states import State
from ganpo_model.steps import Step, StepKind

RUNNING = frozenset({State.PRODUCING, State.SETUP})
STANDBY_PART = Fraction(1, 100)
"""Of the most that its register may rise: what counts as standby where nobody said how many kW it takes."""


class Stretch(NamedTuple):
    """It ran from `at` to `until`. `steps`: those of a register that show it, without a gap; of states none."""

    at: int
    until: int
    steps: tuple[Step, ...] = ()

    @property
    def counts(self) -> int:
        """What the register rose by."""
        return sum(step.amount for step in self.steps)


@dataclass(frozen=True, slots=True)
class Standby:
    """What a register may count while nothing runs: so many counts an hour, exactly."""

    counts_per_hour: Fraction

    @classmethod
    def of(cls, standby_kw: str, unit: str, num: int, den: int, max_rate: int) -> "Standby":
        """As it is listed in kW, of a register of kWh; else a part of the most that it may rise.

        One count is num/den of the unit; `max_rate` in counts an hour.
        """
        if standby_kw and unit == "kWh":
            return cls(Fraction(standby_kw) * den / num)
        return cls(STANDBY_PART * max_rate)

    def exceeded(self, step: Step) -> bool:
        """Whether a step is used, and its mean power above."""
        ms = step.end.at - step.start.at
        return (
            step.kind is StepKind.USED
            and ms > 0
            and Fraction(step.amount * HOUR_MS, ms) > self.counts_per_hour
        )


def runs(spans: Iterable[Span], since: int) -> list[Stretch]:
    """Where it was PRODUCING or SETUP, of rising spans without a gap; what lies before `since` is cut off."""
    found = []
    for running, group in groupby(spans, key=lambda span: span.state in RUNNING):
        row = list(group)
        if running and row[-1].end > since:
            found.append(Stretch(max(row[0].start, since), row[-1].end))
    return found


def steps_above(steps: Iterable[Step], standby: Standby, first: int, end: int) -> list[Stretch]:
    """Where the steps of a register that begin in [first, end) are above standby, those that follow one another
    together."""
    found: list[Stretch] = []
    for step in steps:
        if not first <= step.start.at < end or not standby.exceeded(step):
            continue
        if found and found[-1].until == step.start.at:
            found[-1] = Stretch(found[-1].at, step.end.at, (*found[-1].steps, step))
        else:
            found.append(Stretch(step.start.at, step.end.at, (step,)))
    return found
