"""The rules by which a register's readings are judged, one after the other (metrics.md section 5).

Public are `judge` and `fold` of `ganpo_model.registers`; this is their state, and one method per rule.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ganpo_model.clock import DAY_MS, MINUTE_MS
from ganpo_model.fits import LONG_STANDSTILL_MS, Fit, fits
from ganpo_model.steps import Declaration, Reading, Register, Step, StepKind

GROUP = 3
BELIEVED_AFTER_MS = 10 * MINUTE_MS
NEAR_MS = 10 * MINUTE_MS
"""How far back a return finds any step,"""
REACH_MS = 7 * DAY_MS
"""and how far back a doubtful one."""


class _Back(NamedTuple):
    """A step that a return may still go back over: all that the fold must know of its start p and what followed.

    `end`: when the step ended; `low`, `high`, `steps`: the readings accepted after p, as far as the next _Back.
    """

    p: Reading
    total: int
    rise: int | None
    declared: bool
    doubtful: bool
    end: int
    low: int
    high: int
    steps: int


class Fold:
    """The chain up to the last accepted reading. `steps`, `rejected` and `dropped` are those of this run alone."""

    def __init__(self, register: Register, state: str | None) -> None:
        """`state`: from `dump`; None before everything."""
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
        self.backs: list[_Back] = []
        self.steps: list[Step] = []
        self.rejected: list[Reading] = []
        self.dropped = 0
        self._fits_aside: list[Fit] = []
        if state is not None:
            self._load(json.loads(state))

    @property
    def settled(self) -> int | None:
        """No return goes back before this instant; None before the first reading."""
        if self.backs:
            return self.backs[0].p.at
        return self.last.at if self.last else None

    def run(
        self, readings: Sequence[Reading], declarations: Sequence[Declaration], begins: int | None
    ) -> None:
        """Readings and declarations in the order of their times; readings at the instant of one follow it.

        `begins`: the register has no life before this instant.
        """
        waiting = [d for d in declarations if begins is None or d.at >= begins]
        for reading in readings:
            while waiting and waiting[0].at <= reading.at:
                self._declare(waiting.pop(0))
            if self.ended or (begins is not None and reading.at < begins):
                self.rejected.append(reading)
            elif self.last is None:
                self._begin(reading)
            else:
                self._feed(self.last, reading)
        for declaration in waiting:
            self._declare(declaration)

    def _begin(self, reading: Reading) -> None:
        self.first = self.last = reading
        self.total = reading.raw

    def _feed(self, last: Reading, reading: Reading) -> None:
        """Rule 2."""
        fit = fits(self.register, last, reading, self.rise, declared=self.declared)
        if fit is not None and self.doubts < 2:
            self._reject_aside()
            self._accept(StepKind.USED, last, reading, fit)
        elif not self.register.resets and 1 <= last.raw - reading.raw <= 2:
            self.rejected.append(reading)
        else:
            self._set_aside(last, reading)

    def _accept(
        self, kind: StepKind, last: Reading, reading: Reading, fit: Fit, *, declared: bool = False
    ) -> None:
        """The step from the last accepted reading to this one."""
        step = Step(kind, last, reading, fit.amount, self.total)
        self.steps.append(step)
        self._remember(step, doubtful=fit.doubtful or kind is StepKind.OPEN)
        if kind is not StepKind.USED or fit.reset:
            self.rise = None
        if kind is StepKind.USED and fit.amount > 0:
            self.rise = reading.at
        self.total = step.total_after
        self.last = reading
        self.declared = declared
        self.doubts = 0

    def _remember(self, step: Step, *, doubtful: bool) -> None:
        """Keep what a return may go back over: the last step, those of the last 10 min, the doubtful of 7 days."""
        p, q = step.start, step.end
        if step.kind is StepKind.BREAK:
            self.backs = []
            return
        backs = self.backs
        # Only what was near until now can cease to be: older ones are doubtful, and the oldest of them go first.
        place = len(backs) - 1
        while place >= 0 and backs[place].end >= p.at - NEAR_MS:
            if backs[place].end < q.at - NEAR_MS and not backs[place].doubtful:
                self._forget(place)
            place -= 1
        while backs and backs[0].end < q.at - REACH_MS:
            del backs[0]
        backs.append(_Back(p, self.total, self.rise, self.declared, doubtful, q.at, q.raw, q.raw, 1))

    def _forget(self, place: int) -> None:
        """What followed this step follows the one before it."""
        gone = self.backs.pop(place)
        if place:
            older = self.backs[place - 1]
            self.backs[place - 1] = older._replace(
                low=min(older.low, gone.low), high=max(older.high, gone.high), steps=older.steps + gone.steps
            )

    def _reject_aside(self) -> None:
        self.rejected += self.aside
        self.aside, self._fits_aside, self.aside_rise = [], [], None

    def _set_aside(self, last: Reading, reading: Reading) -> None:
        """Rule 3: the set-aside readings are a chain with a last rise of its own."""
        fit = fits(self.register, self.aside[-1], reading, self.aside_rise) if self.aside else None
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
        if self.register.modulus is not None or reading.raw > last.raw:
            self.doubts += 1
        if len(self.aside) >= 2 and self.aside[-1].at - self.aside[0].at >= BELIEVED_AFTER_MS:
            self._decide(last)

    def _decide(self, last: Reading) -> None:
        """Two or more agree over 10 min: they continue the chain, return to before an excursion, or open a step."""
        g = self.aside[0]
        group = len(self.aside) >= GROUP
        fit = None
        if group:
            fit = fits(
                self.register, last, g, self.rise, declared=self.declared, standstill_ms=LONG_STANDSTILL_MS
            )
        if fit is not None:
            self._believe(StepKind.USED, last, fit)
        elif (back := self._find_return(last, g, only_last=not group)) is not None:
            self._believe(StepKind.USED, *self._return(*back))
        elif group:
            self._believe(StepKind.OPEN, last, Fit(g.raw - last.raw))

    def _believe(self, kind: StepKind, last: Reading, fit: Fit) -> None:
        """The step to the first of the chain, and the chain's own steps."""
        believed, fits = self.aside, self._fits_aside
        self.aside, self._fits_aside, self.aside_rise = [], [], None
        self._accept(kind, last, believed[0], fit)
        for before, reading, own in zip(believed[:-1], believed[1:], fits, strict=True):
            self._accept(StepKind.USED, before, reading, own)

    def _find_return(self, last: Reading, g: Reading, *, only_last: bool) -> tuple[int, Fit] | None:
        """Rule 3b: the place in `backs` of the step beyond whose start g lies back, newest first."""
        low = high = last.raw
        for place in range(len(self.backs) - 1, -1, -1):
            back = self.backs[place]
            low, high = min(low, back.low), max(high, back.high)
            is_last = place == len(self.backs) - 1
            near = g.at - back.end <= NEAR_MS
            within = back.doubtful and g.at - back.end <= REACH_MS
            if (is_last or near or within) and g.raw >= back.p.raw and (low < back.p.raw or high > g.raw):
                fit = fits(self.register, back.p, g, back.rise, declared=back.declared)
                if fit is not None:
                    return place, fit
            if only_last:
                return None
        return None

    def _return(self, place: int, fit: Fit) -> tuple[Reading, Fit]:
        """Everything accepted after that step's start is rejected. Gives the start, now the last accepted one."""
        back = self.backs[place]
        gone = sum(later.steps for later in self.backs[place:])
        del self.backs[place:]
        own = max(len(self.steps) - gone, 0)
        self.dropped += gone - (len(self.steps) - own)
        self.rejected += [step.end for step in self.steps[own:]]
        del self.steps[own:]
        self.total, self.rise, self.declared = back.total, back.rise, back.declared
        return back.p, fit

    def _declare(self, declaration: Declaration) -> None:
        """Rule 4: F is compared with the last accepted one only; between F and S is a break."""
        at, final, first, confirmed = declaration
        lives = self.last is not None and not self.ended
        if (lives and final is None) or (self.ended and final is not None):
            return
        self._reject_aside()
        if final is not None:
            end = Reading(at, final)
            if self.last is None:
                self._begin(end)
            else:
                self._accept(*self._final(self.last, end, confirmed=confirmed))
            self.ended = first is None
        if first is None:
            return
        start = Reading(at, first)
        if self.last is None:
            self._begin(start)
            self.declared = True
        else:
            self.ended = False
            self._accept(StepKind.BREAK, self.last, start, Fit(first - self.last.raw), declared=True)

    def _final(
        self, last: Reading, end: Reading, *, confirmed: bool
    ) -> tuple[StepKind, Reading, Reading, Fit]:
        """The step to what a person read last: what fits, or is confirmed and no plain fall, is used."""
        fit = fits(self.register, last, end, self.rise, declared=True)
        amount = end.raw - last.raw
        if fit is None and confirmed:
            if self.register.modulus is not None:
                fit = Fit(amount % self.register.modulus)
            elif amount >= 0:
                fit = Fit(amount)
            elif self.register.resets:
                fit = Fit(end.raw, reset=True)
        if fit is None:
            return StepKind.OPEN, last, end, Fit(amount)
        return StepKind.USED, last, end, fit

    def dump(self) -> str:
        """The state as text."""
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
            "backs": self.backs,
        }
        return json.dumps(body, separators=(",", ":"))

    def _load(self, body: Any) -> None:
        self.first, self.last = (Reading(*pair) if pair else None for pair in (body["first"], body["last"]))
        self.total, self.rise = body["total"], body["rise"]
        self.declared, self.ended = body["declared"], body["ended"]
        self.aside = [Reading(*pair) for pair in body["aside"]]
        self.aside_rise = body["aside_rise"]
        self._fits_aside = [Fit(*fit) for fit in body["fits"]]
        self.doubts = body["doubts"]
        self.backs = [_Back(Reading(*back[0]), *back[1:]) for back in body["backs"]]
