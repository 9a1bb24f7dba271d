"""A register: which readings are sent (metrics.md section 5). No base is kept and nothing is booked."""

from typing import NamedTuple

from ganpo_config.plant import Register
from ganpo_model.clock import DAY_MS, HOUR_MS, from_ms
from ganpo_model.facts import Event, EventKind, Fact, Reading

MAX_PAIRS = 60
"""Pairs around a reading that does not fit, per register and hour; more is the event `suspect`."""
MAX_RESETS = 3600
"""Pairs around a fall to what fits, where that is the register's daily bread (`resets`)."""


_NO_PAIRS = {MAX_PAIRS: 0, MAX_RESETS: 0}
"""Of a register that always fits, which are nearly all: shared, and never written."""


class Step(NamedTuple):
    """From one number to another, found `at` (ms)."""

    at: int
    before: int
    after: int


class RegisterReadings:
    """Chooses the readings of one register: the first of every slot and of every process, and both sides of
    whatever falls by more than 2 counts (with `resets`: at all) or rises by more than fits."""

    __slots__ = ("_at", "_hour", "_pairs", "_raw", "_sent_last", "_sent_slot", "odd", "register")

    def __init__(self, register: Register) -> None:
        self.register = register
        self._at: int | None = None
        """When it was read last, None before the first reading and after a step of the clock; `_raw`: what then."""
        self._raw = 0
        self._sent_slot: int | None = None
        self._sent_last = False
        self.odd: Step | None = None
        """The last step that does not fit: what a person has to judge."""
        self._hour = -1
        self._pairs: dict[int, int] = _NO_PAIRS

    def feed(self, now: int, raw: int, slot: int) -> list[Fact]:
        """The facts to send for a reading of `raw` at `now` (ms) in slot number `slot`."""
        facts: list[Fact] = []
        send = slot != self._sent_slot
        if self._at is not None:
            item, rise = self.register.item, raw - self._raw
            most = item.max_rate * (now - self._at) // HOUR_MS + 1
            if not (0 if item.resets else -2) <= rise <= most:
                if not item.resets:
                    self.odd = Step(now, self._raw, raw)
                allowed = MAX_RESETS if item.resets and rise < 0 and raw <= most else MAX_PAIRS
                if self._room(now, allowed, facts):
                    if not self._sent_last:
                        facts.append(self._reading(self._at, self._raw))
                    send = True
        if send:
            facts.append(self._reading(now, raw))
            self._sent_slot = slot
        self._at, self._raw, self._sent_last = now, raw, send
        return facts

    def doubted(self, now: int) -> bool:
        """Whether a step of the last day does not fit."""
        return self.odd is not None and now - self.odd.at < DAY_MS

    def restart(self) -> None:
        """The clock stepped: what was read before lies on another axis; a new slot has begun."""
        self._at = None
        self._sent_slot = None

    def _reading(self, at: int, raw: int) -> Reading:
        return Reading("reading", self.register.item.id, from_ms(at), raw)

    def _room(self, now: int, allowed: int, facts: list[Fact]) -> bool:
        if now // HOUR_MS != self._hour:
            self._hour, self._pairs = now // HOUR_MS, dict.fromkeys(_NO_PAIRS, 0)
        self._pairs[allowed] += 1
        pairs = self._pairs[allowed]
        if pairs == allowed + 1:
            item = self.register.item
            data = {"register": item.id, "pairs": pairs}
            facts.append(Event("event", from_ms(now), EventKind.SUSPECT, item.subject, data))
        return pairs <= allowed
