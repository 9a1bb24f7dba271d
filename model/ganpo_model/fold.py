"""The rules by which a register's readings are judged, one after the other (metrics.md section 5).

Public are `judge` and `fold` of `ganpo_model.registers`; this is their state, and one method per rule.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ganpo_model.backs import MOST, Back, Backs
from ganpo_model.clock import MINUTE_MS
from ganpo_model.fits import LONG_STANDSTILL_MS, Fit, fits
from ganpo_model.steps import Declaration, Reading, Register, Step, StepKind

GROUP = 3
BELIEVED_AFTER_MS = 10 * MINUTE_MS


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
        self.away = False
        self.doubted: int | None = None
        self.doubts = 0
        self.aside: list[Reading] = []
        self.aside_rise: int | None = None
        self.backs = Backs()
        self.steps: list[Step] = []
        self.rejected: list[Reading] = []
        self.dropped = 0
        self._fits_aside: list[Fit] = []
        if state is not None:
            self._load(json.loads(state))

    @property
    def settled(self) -> int | None:
        """No return goes back before this instant; None before the first reading."""
        oldest = next(iter(self.backs), None)
        if oldest is not None:
            return oldest.p.at
        return self.last.at if self.last else None

    def run(
        self, readings: Iterable[Reading], declarations: Sequence[Declaration], begins: int | None
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
            elif self.away:
                self._resume(self.last, reading)
            else:
                self._feed(self.last, reading)
        for declaration in waiting:
            self._declare(declaration)

    def _begin(self, reading: Reading) -> None:
        """It has stood there at least since then."""
        self.first = self.last = reading
        self.total = reading.raw
        self.rise = reading.at

    def _resume(self, last: Reading, reading: Reading) -> None:
        """What it did meanwhile is not ours: a break up to here, and it begins anew."""
        self.away = False
        self._accept(StepKind.BREAK, last, reading, Fit(reading.raw - last.raw))
        self.rise = reading.at

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
        elif fit.amount > 0:
            self.rise = reading.at
        self.total = step.total_after
        self.last = reading
        self.declared = declared
        self.doubts = 0
        self.doubted = None

    def _remember(self, step: Step, *, doubtful: bool) -> None:
        """Keep what a return may go back over."""
        p, q = step.start, step.end
        if step.kind is StepKind.BREAK:
            self.backs.clear()
        else:
            self.backs.add(Back(p, self.total, self.rise, self.declared, doubtful, q.at, q.raw, q.raw))

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
            if fit.reset:
                self.aside_rise = None
            elif fit.amount > 0:
                self.aside_rise = reading.at
        if self.doubted is None:
            self.doubted = reading.at
        if self.register.modulus is not None or reading.raw > last.raw:
            self.doubts += 1
        lasts = len(self.aside) >= 2 and self.aside[-1].at - self.aside[0].at >= BELIEVED_AFTER_MS
        if lasts or len(self.aside) >= MOST:
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
        elif (back := self.backs.find(self.register, last, g, only_last=not group)) is not None:
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

    def _return(self, newer: int, fit: Fit) -> tuple[Reading, Fit]:
        """Everything accepted after that step's start is rejected. Gives the start, now the last accepted one."""
        back, gone = self.backs.cut(newer)
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
        if final is None and first is None:
            if lives:
                self._reject_aside()
                self.away = True
            return
        if (lives and final is None) or (self.ended and final is not None):
            return
        self._reject_aside()
        if final is not None:
            end = Reading(at, final)
            if self.last is None:
                self._begin(end)
            elif self.away:
                self._resume(self.last, end)
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
            "doubted": self.doubted,
            "doubts": min(self.doubts, 2),
            "aside": self.aside,
            "aside_rise": self.aside_rise,
            "fits": self._fits_aside,
            "backs": self.backs.dump(),
        }
        if self.away:
            body["away"] = True
        return json.dumps(body, separators=(",", ":"))

    def _load(self, body: Any) -> None:
        self.first, self.last = (Reading(*pair) if pair else None for pair in (body["first"], body["last"]))
        self.total, self.rise = body["total"], body["rise"]
        self.declared, self.ended = body["declared"], body["ended"]
        self.away = body.get("away", False)
        self.doubted, self.doubts = body["doubted"], body["doubts"]
        self.aside = [Reading(*pair) for pair in body["aside"]]
        self.aside_rise = body["aside_rise"]
        self._fits_aside = [Fit(*fit) for fit in body["fits"]]
        self.backs = Backs(body["backs"])
