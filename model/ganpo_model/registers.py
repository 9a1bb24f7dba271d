"""Judging a register: which steps between its readings count (metrics.md section 5, invariant I7).

`judge` takes all readings at once. `fold` does the same day by day, each day going on from the state of the day
before. A `Day` depends on nothing else, so who stores them needs three sentences:

- a day of which a reading arrives is folded again, and the next one only if the state at its end changed;
- a step is stored with the day whose readings decided it, also where it ends earlier, and a *return* takes back
  steps of earlier days by saying how many are `dropped`: nothing is edited, `chain` puts the days together;
- what ends before `settled` no later day takes back, so a period needs the days from its beginning to the first one
  whose `settled` lies behind its end, or to the newest.

All are pure: the same for any order and any copies of readings and declarations.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ganpo_model.fold import Fold
from ganpo_model.steps import Declaration, Reading, Register, Step, StepKind

__all__ = [
    "Day",
    "Declaration",
    "Judged",
    "Reading",
    "Register",
    "Standing",
    "Step",
    "StepKind",
    "chain",
    "fold",
    "judge",
    "standing",
]


@dataclass(frozen=True, slots=True)
class Judged:
    """The chain of all readings, from `first` to `last`. Every reading is in it, rejected or set aside.

    `doubted_since`: since when nothing is believed: the first reading after the last accepted one that did not fit it.
    """

    steps: list[Step]
    rejected: list[Reading]
    set_aside: list[Reading]
    first: Reading | None
    last: Reading | None
    doubted_since: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a fold.

    `state`: the state at its end, as text; equal states have equal texts.
    `steps`: the steps it decided, in order. `dropped`: how many steps of earlier days it took back before these.
    `settled`: no later day drops a step that ends before; it never goes back. None before the first reading.
    """

    state: str
    steps: list[Step]
    dropped: int
    settled: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a state says: first and last accepted reading, what the register adds up to at the last one, and since
    when nothing is believed."""

    first: Reading | None
    last: Reading | None
    total: int
    doubted_since: int | None

    @property
    def believed_until(self) -> int | None:
        """Where what is known ends, of a register that is not believed since."""
        return self.last.at if self.last is not None and self.doubted_since is not None else None


def judge(
    register: Register, readings: Iterable[Sequence[int]], declarations: Iterable[Declaration] = ()
) -> Judged:
    """Judge all readings of a register: (at, raw) in any order, any of them any number of times."""
    found = Fold(register, None)
    everything = sorted(declarations, key=_order)
    found.run(_sorted(readings), everything, _begins(everything))
    return Judged(
        found.steps, sorted(found.rejected), list(found.aside), found.first, found.last, found.doubted
    )


def fold(
    register: Register,
    state: str | None,
    readings: Iterable[Sequence[int]],
    declarations: Iterable[Declaration],
    start: int,
    end: int,
) -> Day:
    """Go on from the state before `start` (None: there is none) through the readings of [start, end).

    `declarations`: all of the register; each is used on its own day, and one that begins it rejects what lies before.
    """
    found = Fold(register, state)
    everything = sorted(declarations, key=_order)
    found.run(_sorted(readings), [d for d in everything if start <= d.at < end], _begins(everything))
    return Day(found.dump(), found.steps, found.dropped, found.settled)


def standing(state: str) -> Standing:
    """What the state at the end of a day says."""
    found = Fold(Register(0), state)
    return Standing(found.first, found.last, found.total, found.doubted)


def chain(days: Iterable[tuple[int, Iterable[Step]]]) -> list[Step]:
    """The steps of days in their order, each (dropped, steps), as they stand after the last of them."""
    found: list[Step] = []
    for dropped, steps in days:
        del found[max(len(found) - dropped, 0) :]
        found += steps
    return found


def _sorted(readings: Iterable[Sequence[int]]) -> Iterator[Reading]:
    """Each once, in order, as it is asked for: a million more need not be in memory."""
    for (at, raw), _ in groupby(sorted(readings, key=tuple)):
        yield Reading(at, raw)


def _order(declaration: Declaration) -> tuple[int, bool, bool]:
    return declaration.at, declaration.final is not None, declaration.first is not None


def _begins(declarations: Sequence[Declaration]) -> int | None:
    """Where the register begins, if that is declared. One that ends and begins again keeps its life before."""
    begins = None
    for declaration in declarations:
        if declaration.final is None and declaration.first is None:
            continue
        if declaration.first is None:
            break
        if declaration.final is None:
            begins = declaration.at
    return begins
