"""Judging a register: which steps between its readings count (metrics.md section 5, invariant I7).

`judge` takes all readings at once. `fold` does the same day by day: it goes on from the state of the day before,
so that only dirty days are judged again, and the next one only if the state at the end of this one changed.
A *return* rejects steps that ended on days before: `Day.returned_to` says back to which instant they go.

Times are ms since 1970, registers integer counts. Both are pure, the same for any order and copies of readings.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ganpo_model.clock import DAY_MS, HOUR_MS, MINUTE_MS

STANDSTILL_MS = HOUR_MS
LONG_STANDSTILL_MS = 7 * DAY_MS
GRACE_MS = HOUR_MS
BELIEVED_AFTER_MS = 10 * MINUTE_MS
REACH_MS = 7 * DAY_MS
GROUP = 3


@dataclass(frozen=True, slots=True)
class Register:
    """How a register may move: at most `max_rate` counts an hour; it wraps at `modulus`, or it `resets`."""

    max_rate: int
    modulus: int | None = None
    resets: bool = False


class Reading(NamedTuple):
    """A register stood at `raw` at `at`."""

    at: int
    raw: int


class Declaration(NamedTuple):
    """At `at` the old register stood at `final` and the new one at `first`.

    `final` None: this register begins here, what lies before is rejected. `first` None: it ends here.
    `confirmed`: a rise to `final` that does not fit is consumption all the same.
    """

    at: int
    final: int | None
    first: int | None
    confirmed: bool = False


class StepKind(StrEnum):
    """What a step between two accepted readings is."""

    USED = "used"
    OPEN = "open"
    BREAK = "break"


class Step(NamedTuple):
    """One step of the chain. `total`: what the register adds up to at `start` (raw of the first + used)."""

    kind: StepKind
    start: Reading
    end: Reading
    amount: int
    total: int


class _Fit(NamedTuple):
    """A rise that fits: its amount, and whether it is one that a return may look behind for long."""

    amount: int
    doubtful: bool
    reset: bool


class _Kept(NamedTuple):
    """A step within reach of a return, with what must be known of its start."""

    step: Step
    doubtful: bool
    rise: int | None
    declared: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """The chain of all readings. Every reading is in it, rejected or set aside."""

    steps: list[Step]
    rejected: list[Reading]
    set_aside: list[Reading]
    first: Reading | None
    last: Reading | None


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a fold: the state at its end, the steps that end in it as of its end, and how far back a
    return went (steps of earlier days that end after that instant are rejected)."""

    state: str
    steps: list[Step]
    returned_to: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a state says: last accepted reading, what it adds up to there, and since when nothing is believed."""

    first: Reading | None
    last: Reading | None
    total: int
    aside_since: int | None


def judge(
    register: Register, readings: Iterable[Sequence[int]], declarations: Iterable[Declaration] = ()
) -> Judged:
    """Judge all readings of a register: (at, raw) in any order, any of them any number of times."""
    fold_ = _Fold(register, None)
    fold_.run(_sorted(readings), sorted(declarations))
    return Judged(fold_.steps, sorted(fold_.rejected), list(fold_.aside), fold_.first, fold_.last)


def fold(
    register: Register,
    state: str | None,
    readings: Iterable[Sequence[int]],
    declarations: Iterable[Declaration],
    start: int,
    end: int,
) -> Day:
    """Go on from the state before `start` through the readings of [start, end).

    `declarations`: all of the register; each is used on its own day.
    """
    fold_ = _Fold(register, state)
    everything = sorted(declarations)
    fold_.begins = max((d.at for d in everything if d.final is None), default=None)
    fold_.run(_sorted(readings), [d for d in everything if start <= d.at < end])
    return Day(fold_.dump(), fold_.steps, fold_.returned_to)


def standing(state: str) -> Standing:
    """What the state at the end of a day says."""
    found = _Fold(Register(0), state)
    return Standing(found.first, found.last, found.total, found.aside[0].at if found.aside else None)


def _sorted(readings: Iterable[Sequence[int]]) -> list[Reading]:
    return sorted({Reading(at, raw) for at, raw in readings})


class _Fold:
    """The state, and one method per rule."""

    def __init__(self, register: Register, state: str | None) -> None:
        self.register = register
        self.first: Reading | None = None
        self.last: Reading | None = None
        self.total = 0
        self.rise: int | None = None
        self.declared = False
        self.ended = False
        self.aside: list[Reading] = []
        self.aside_rise: int | None = None
        self.doubts = 0
        self.kept: list[_Kept] = []
        self.begins: int | None = None
        self.steps: list[Step] = []
        self.rejected: list[Reading] = []
        self.returned_to: int | None = None
        self._fits_aside: list[_Fit] = []
        if state is not None:
            self._load(json.loads(state))

    def run(self, readings: Sequence[Reading], declarations: Sequence[Declaration]) -> None:
        """Readings and declarations in the order of their times; those at the instant of one follow it."""
        if self.begins is None:
            self.begins = max((d.at for d in declarations if d.final is None), default=None)
        waiting = list(declarations)
        for reading in readings:
            while waiting and waiting[0].at <= reading.at:
                self._declare(waiting.pop(0))
            self._feed(reading)
        for declaration in waiting:
            self._declare(declaration)

    def _feed(self, reading: Reading) -> None:
        if self.ended or (self.begins is not None and reading.at < self.begins):
            self.rejected.append(reading)
            return
        if self.last is None:
            self.first = self.last = reading
            self.total = reading.raw
            return
        fit = self._fit(self.last, reading, self.rise, declared=self.declared)
        if fit is not None and self.doubts < 2:
            self._reject_aside()
            self._accept(StepKind.USED, reading, fit)
        elif not self.register.resets and 1 <= self.last.raw - reading.raw <= 2:
            self.rejected.append(reading)
        else:
            self._set_aside(reading)

    def _fit(
        self,
        a: Reading,
        b: Reading,
        rise: int | None,
        *,
        declared: bool = False,
        standstill: int = STANDSTILL_MS,
    ) -> _Fit | None:
        """Rule 1: how b may follow a, whose last rise was at `rise`; None where it does not fit."""
        modulus = self.register.modulus
        dt = b.at - a.at + (GRACE_MS if declared else 0)
        limit = self._limit(dt)
        if modulus is not None and limit >= modulus:
            return None
        amount = b.raw - a.raw
        if amount >= 0:
            if amount <= limit:
                return _Fit(amount, doubtful=False, reset=False)
            if rise is not None:
                longer = self._limit(max(dt, min(b.at - rise, standstill)))
                if amount <= longer and (modulus is None or longer < modulus):
                    return _Fit(amount, doubtful=True, reset=False)
        elif modulus is not None and amount + modulus <= limit:
            return _Fit(amount + modulus, doubtful=True, reset=False)
        elif self.register.resets and b.raw <= limit:
            return _Fit(b.raw, doubtful=True, reset=True)
        return None

    def _limit(self, dt: int) -> int:
        return self.register.max_rate * dt // HOUR_MS + 1

    def _accept(self, kind: StepKind, reading: Reading, fit: _Fit, *, declared: bool = False) -> None:
        """The step from the last accepted reading to this one."""
        if self.last is None:
            raise AssertionError("a step has a start")
        step = Step(kind, self.last, reading, fit.amount, self.total)
        self.steps.append(step)
        self.kept.append(_Kept(step, fit.doubtful or kind is StepKind.OPEN, self.rise, self.declared))
        if kind is not StepKind.USED or fit.reset:
            self.rise = None
        if kind is StepKind.USED:
            self.total += fit.amount
            if fit.amount > 0:
                self.rise = reading.at
        self.last = reading
        self.declared = declared
        self.doubts = 0
        horizon = reading.at - REACH_MS
        while len(self.kept) > 1 and self.kept[0].step.end.at < horizon:
            self.kept.pop(0)

    def _reject_aside(self) -> None:
        self.rejected += self.aside
        self.aside, self._fits_aside, self.aside_rise = [], [], None

    def _set_aside(self, reading: Reading) -> None:
        """Rule 3: the set-aside readings are a chain with a last rise of its own."""
        if self.last is None:
            raise AssertionError("the first reading is accepted")
        fit = self._fit(self.aside[-1], reading, self.aside_rise) if self.aside else None
        if fit is None:
            self._reject_aside()
            self.aside = [reading]
        else:
            self.aside.append(reading)
            self._fits_aside.append(fit)
            if fit.amount > 0:
                self.aside_rise = reading.at
            elif fit.reset:
                self.aside_rise = None
        if self.register.modulus is not None or reading.raw > self.last.raw:
            self.doubts += 1
        if len(self.aside) >= 2 and self.aside[-1].at - self.aside[0].at >= BELIEVED_AFTER_MS:
            self._decide()

    def _decide(self) -> None:
        """Two or more agree over 10 min: they continue the chain, return to before an excursion, or open a step."""
        if self.last is None:
            raise AssertionError("the first reading is accepted")
        g = self.aside[0]
        group = len(self.aside) >= GROUP
        if group:
            fit = self._fit(self.last, g, self.rise, declared=self.declared, standstill=LONG_STANDSTILL_MS)
            if fit is not None:
                self._believe(StepKind.USED, fit)
                return
        if (back := self._find_return(g, only_last=not group)) is not None:
            fit = self._return(*back)
            self._believe(StepKind.USED, fit)
        elif group:
            self._believe(StepKind.OPEN, _Fit(g.raw - self.last.raw, doubtful=True, reset=False))

    def _believe(self, kind: StepKind, fit: _Fit) -> None:
        """The step to the first of the chain, and the chain's own steps."""
        chain, fits = self.aside, self._fits_aside
        self.aside, self._fits_aside, self.aside_rise = [], [], None
        self._accept(kind, chain[0], fit)
        for reading, own in zip(chain[1:], fits, strict=True):
            self._accept(StepKind.USED, reading, own)

    def _find_return(self, g: Reading, *, only_last: bool) -> tuple[int, _Fit] | None:
        """Rule 3b: the place in `kept` of the step that the chain lies back beyond, newest first."""
        low = high = None
        for place in range(len(self.kept) - 1, -1, -1):
            kept = self.kept[place]
            p, q = kept.step.start, kept.step.end
            if kept.step.kind is StepKind.BREAK:
                return None
            low = q.raw if low is None else min(low, q.raw)
            high = q.raw if high is None else max(high, q.raw)
            is_last = place == len(self.kept) - 1
            near = g.at - q.at <= BELIEVED_AFTER_MS
            within = g.at - q.at <= REACH_MS and kept.doubtful
            if (is_last or near or within) and g.raw >= p.raw and (low < p.raw or high > g.raw):
                fit = self._fit(p, g, kept.rise, declared=kept.declared)
                if fit is not None:
                    return place, fit
            if only_last:
                return None
        return None

    def _return(self, place: int, fit: _Fit) -> _Fit:
        """Everything accepted after that step's start is rejected."""
        gone = self.kept[place:]
        del self.kept[place:]
        back = gone[0]
        self.rejected += [kept.step.end for kept in gone]
        own = min(len(gone), len(self.steps))
        if own:
            del self.steps[-own:]
        if own < len(gone):
            self.returned_to = min(back.step.start.at, self.returned_to or back.step.start.at)
        self.last, self.rise, self.declared = back.step.start, back.rise, back.declared
        self.total = back.step.total
        return fit

    def _declare(self, declaration: Declaration) -> None:
        """Rule 4: F is compared with the last accepted one only; between F and S is a break."""
        if self.ended:
            return
        at, final, first, confirmed = declaration
        self._reject_aside()
        self.doubts = 0
        if final is None:
            if first is not None and at == self.begins:
                self.first = self.last = Reading(at, first)
                self.total, self.rise, self.declared = first, None, True
            return
        end = Reading(at, final)
        if self.last is None:
            self.first = self.last = end
            self.total = final
        else:
            self._accept(*self._final(self.last, end, confirmed=confirmed))
        if first is None:
            self.ended = True
            return
        self._accept(
            StepKind.BREAK,
            Reading(at, first),
            _Fit(first - final, doubtful=False, reset=False),
            declared=True,
        )

    def _final(self, last: Reading, end: Reading, *, confirmed: bool) -> tuple[StepKind, Reading, _Fit]:
        fit = self._fit(last, end, self.rise, declared=True)
        if fit is not None:
            return StepKind.USED, end, fit
        amount = end.raw - last.raw
        if confirmed and amount < 0 and self.register.modulus is not None:
            return StepKind.USED, end, _Fit(amount % self.register.modulus, doubtful=True, reset=False)
        if confirmed and amount < 0 and self.register.resets:
            return StepKind.USED, end, _Fit(end.raw, doubtful=True, reset=True)
        kind = StepKind.USED if confirmed and amount >= 0 else StepKind.OPEN
        return kind, end, _Fit(amount, doubtful=True, reset=False)

    def dump(self) -> str:
        """The state as text; equal states have equal texts."""
        body = {
            "first": self.first,
            "last": self.last,
            "total": self.total,
            "rise": self.rise,
            "declared": self.declared,
            "ended": self.ended,
            "aside": self.aside,
            "aside_rise": self.aside_rise,
            "fits": self._fits_aside,
            "doubts": min(self.doubts, 2),
            "kept": self.kept,
        }
        return json.dumps(body, separators=(",", ":"))

    def _load(self, body: dict[str, object]) -> None:
        def reading(pair: object) -> Reading | None:
            return None if pair is None else Reading(*pair)  # type: ignore[misc]

        self.first, self.last = reading(body["first"]), reading(body["last"])
        self.total, self.rise = body["total"], body["rise"]  # type: ignore[assignment]
        self.declared, self.ended = bool(body["declared"]), bool(body["ended"])
        self.aside = [Reading(*pair) for pair in body["aside"]]  # type: ignore[attr-defined]
        self.aside_rise = body["aside_rise"]  # type: ignore[assignment]
        self._fits_aside = [_Fit(*fit) for fit in body["fits"]]  # type: ignore[attr-defined]
        self.doubts = body["doubts"]  # type: ignore[assignment]
        self.kept = [
            _Kept(Step(StepKind(s[0]), Reading(*s[1]), Reading(*s[2]), s[3], s[4]), doubtful, rise, declared)
            for s, doubtful, rise, declared in body["kept"]  # type: ignore[attr-defined]
        ]
