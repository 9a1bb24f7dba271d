"""What would move a number: the step that each reason asks for, and what the number comes to once it is done. Pure.

Every reason that `why` gives has one step, also none: what is not numerically controlled, not main, out of service or
on holiday is what it is, and nobody is asked to say otherwise (metrics.md, section 6).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Any

from ganpo_model.activity import Age
from ganpo_model.coverage import ENTERPRISES, MEASURES, Condition, Evidence, Measure, reaches


class Step(StrEnum):
    """What somebody can do about a reason."""

    REGISTER = "register"
    CONNECT = "connect"
    BRING_BACK = "bring_back"
    DOCUMENT = "document"
    POPULATION = "population"
    NONE = "none"


_ONLINE: Mapping[str, Any] = {"networked": True, "cloud": True, "age": Age.ACTIVE.value}
DONE: Mapping[str, Mapping[str, Any]] = {
    "claimed": {"numerical_control": int(Evidence.DOCUMENT)},
    "claimed_digital": {"digital": int(Evidence.DOCUMENT)},
    "claimed_intelligent": {"intelligent": int(Evidence.DOCUMENT)},
    **dict.fromkeys(("ledger", "connection", "silent", "gone", "quiet", "seldom"), _ONLINE),
}
"""By reason the fields of a unit as they are once its step is done: with a document it is checked; connected or brought
back it is on the network, in the cloud and active."""
CAUSES: Mapping[str, Measure] = {name: of for name, of in MEASURES.items() if of.reason in DONE}
"""Those measures whose devices have a step, by name."""
STEPS: Mapping[str, Step] = {
    **dict.fromkeys(("enterprise", "unknown", "unnamed", "elsewhere", "stranger", "empty"), Step.REGISTER),
    **dict.fromkeys(("gateway", "never", "ledger", "connection", "silent"), Step.CONNECT),
    **dict.fromkeys(("offline", "clock", "quarantine", "device", "point", "reading"), Step.BRING_BACK),
    **dict.fromkeys(("withdrawn", "gone", "quiet", "seldom", "not_believed", "too_fast"), Step.BRING_BACK),
    **dict.fromkeys(("claimed", "claimed_digital", "claimed_intelligent"), Step.DOCUMENT),
    "population": Step.POPULATION,
}
"""By reason; of every other there is none."""


def step_of(reason: str) -> Step:
    """What a reason asks for."""
    return STEPS.get(reason, Step.NONE)


def left(cause: str, measure: str, *, then: bool) -> tuple[Condition, ...] | None:
    """The conditions of a measure that are open for a device which a cause counts: now, or `then`, once its step is
    done. None: it cannot be counted."""
    known = {one.field: set(one.among) for one in CAUSES[cause].of}
    if then:
        known |= {field: {value} for field, value in done(cause).items()}
    of = MEASURES[measure].of
    if any(known.get(one.field, set(one.among)).isdisjoint(one.among) for one in of):
        return None
    return tuple(one for one in of if one.field not in known or not known[one.field] <= set(one.among))


@cache
def moves(cause: str, measure: str) -> bool:
    """Whether a measure may count a device that a cause counts once its step is done, and did not before."""
    after = left(cause, measure, then=True)
    return after is not None and after != left(cause, measure, then=False)


@cache
def serves(reason: str) -> tuple[str, ...]:
    """The measures, of devices and of enterprises, that the step of a reason moves."""
    causes = [name for name, of in CAUSES.items() if of.reason == reason]
    counted = (name for name, of in MEASURES.items() if not of.reason)
    devices = [name for name in counted if any(moves(cause, name) for cause in causes)]
    return (*devices, *(name for name, of in ENTERPRISES.items() if of.devices in devices))


def done(cause: str) -> Mapping[str, Any]:
    """The fields of a device that a cause counts as they are once its step is done."""
    return DONE[CAUSES[cause].reason]


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What a step adds to a number's count, and to that among which it is counted."""

    numerator: int
    denominator: int = 0

    def plus(self, other: "Change") -> "Change":
        """Both together."""
        return Change(self.numerator + other.numerator, self.denominator + other.denominator)


@dataclass(frozen=True, slots=True)
class Number:
    """A count; of a rate with that `among` which it is counted."""

    count: int
    among: int | None = None

    @property
    def value(self) -> Fraction | None:
        """Percent of a rate, else the count; None where there is nothing among which to count."""
        if self.among is None:
            return Fraction(self.count)
        return Fraction(100 * self.count, self.among) if self.among else None

    def after(self, change: Change) -> "Number":
        """What it comes to with a change."""
        among = None if self.among is None else self.among + change.denominator
        return Number(self.count + change.numerator, among)

    def gain(self, change: Change) -> Fraction | None:
        """How much that is more; None where there is nothing yet among which to count."""
        before, after = self.value, self.after(change).value
        return None if before is None or after is None else after - before


@dataclass(frozen=True, slots=True)
class Group:
    """So many rows of a work list that each add the same."""

    change: Change
    rows: int
    devices: int


def best_first(number: Number, changes: Iterable[Change]) -> list[Change]:
    """Those that add anything, the largest gain first; of one gain first what asks for less."""
    gains = {
        change: gain for change in set(changes) if (gain := number.gain(change)) is not None and gain > 0
    }
    return sorted(gains, key=lambda change: (-gains[change], change))


def taken(number: Number, groups: Sequence[Group], rows: int) -> Number:
    """What a number comes to with the first so many rows of a list."""
    for group in groups:
        some = min(rows, group.rows)
        number = number.after(Change(group.change.numerator * some, group.change.denominator * some))
        rows -= some
    return number


def fewest(number: Number, groups: Sequence[Group], comparator: str, goal: Fraction) -> int | None:
    """With how many rows of a list, from the first on, a number is what is asked for; None: not with all of them."""
    least, most = 0, sum(group.rows for group in groups)

    def reached(rows: int) -> bool:
        value = taken(number, groups, rows).value
        return value is not None and reaches(value, comparator, goal)

    if not reached(most):
        return None
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if reached(middle) else (middle + 1, most)
    return least
