"""A register: which readings are sent (metrics.md section 5). No base is kept and nothing is booked."""

from ganpo_config.plant import Register
from ganpo_model.clock import HOUR_MS, from_ms
from ganpo_model.facts import Event, EventKind, Fact, Reading

MAX_PAIRS = 60
"""Pairs around a reading that does not fit, per register and hour; more is the event `suspect`."""


class RegisterReadings:
    """Chooses the readings of one register: the first of every slot and of every process, and both sides of
    whatever falls by more than 2 counts or rises by more than fits."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.last: tuple[int, int] | None = None
        self._sent_slot: int | None = None
        self._sent_last = False
        self._hour = -1
        self._pairs = 0

    def feed(self, now: int, raw: int, slot: int) -> list[Fact]:
        """The facts to send for a reading of `raw` at `now` (ms) in slot number `slot`."""
        if slot == self._sent_slot and self.last is not None and self._fits(self.last, now, raw):
            self.last, self._sent_last = (now, raw), False
            return []
        facts: list[Fact] = []
        odd = self.last is not None and not self._fits(self.last, now, raw)
        send = slot != self._sent_slot
        if odd and self._room(now, facts):
            if not self._sent_last and self.last is not None:
                facts.append(self._reading(*self.last))
            send = True
        if send:
            facts.append(self._reading(now, raw))
            self._sent_slot = slot
        self.last = (now, raw)
        self._sent_last = send
        return facts

    def restart(self) -> None:
        """The clock stepped: what was read before lies on another axis; a new slot has begun."""
        self.last = None
        self._sent_slot = None

    def _reading(self, at: int, raw: int) -> Reading:
        return Reading("reading", self.register.item.id, from_ms(at), raw)

    def _fits(self, last: tuple[int, int], now: int, raw: int) -> bool:
        at, before = last
        if raw < before - 2:
            return False
        return raw - before <= self.register.item.max_rate * (now - at) // HOUR_MS + 1

    def _room(self, now: int, facts: list[Fact]) -> bool:
        if now // HOUR_MS != self._hour:
            self._hour, self._pairs = now // HOUR_MS, 0
        self._pairs += 1
        if self._pairs == MAX_PAIRS + 1:
            item = self.register.item
            data = {"register": item.id, "pairs": self._pairs}
            facts.append(Event("event", from_ms(now), EventKind.SUSPECT, item.subject, data))
        return self._pairs <= MAX_PAIRS
