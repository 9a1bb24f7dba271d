"""The local day as it is remembered here: what machines did, and where registers stood first.

For people at the gateway; nothing that is counted comes from it.
"""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from ganpo_model.clock import from_ms, to_ms
from ganpo_model.facts import Fact, Reading, States
from ganpo_model.paint import Slot, Span, paint

MOST_RUNS = 2000
"""Of one machine; of more the earliest are UNKNOWN."""


class Today:
    """`take` hears every fact that is observed. Times are ms since 1970."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._begins = self._ends = 0
        self._painted: dict[str, Slot] = {}
        self._first: dict[str, tuple[int, int]] = {}

    def take(self, facts: Sequence[Fact]) -> None:
        """Facts of one type, of now or of before."""
        for fact in facts:
            if isinstance(fact, Reading):
                self._read(fact)
            elif isinstance(fact, States):
                self._paint(fact)

    def begins(self, now: int) -> int:
        """When the local day of `now` began."""
        if not self._begins <= now < self._ends:
            midnight = (
                from_ms(now).astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
            )
            following = (midnight.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=self._zone)
            self._begins, self._ends = to_ms(midnight), to_ms(following)
            self._painted = {no: slot for no, slot in self._painted.items() if slot.end > self._begins}
            self._first = {
                no: found for no, found in self._first.items() if self._begins <= found[0] < self._ends
            }
        return self._begins

    def lane(self, subject: str, open_runs: States, now: int) -> list[Span]:
        """The states of the day up to `now`; `open_runs`: of the slot that is not over."""
        slots = [_slot(open_runs, 2)]
        if (kept := self._painted.get(subject)) is not None:
            slots.append(kept)
        return paint(slots, self.begins(now), now)

    def first(self, register: str, now: int) -> tuple[int, int] | None:
        """When the day's first reading of a register was, and what it read; None where none was kept."""
        self.begins(now)
        return self._first.get(register)

    def _read(self, reading: Reading) -> None:
        at = to_ms(reading.at)
        if at >= self._ends:
            self.begins(at)
        known = self._first.get(reading.register)
        if self._begins <= at < self._ends and (known is None or at < known[0]):
            self._first[reading.register] = (at, reading.raw)

    def _paint(self, fact: States) -> None:
        end = to_ms(fact.end)
        if end > self._ends:
            self.begins(end - 1)
        if end <= self._begins:
            return
        slots = [_slot(fact, 1)]
        start = max(slots[0].start, self._begins)
        if (kept := self._painted.get(fact.subject)) is not None:
            slots.append(kept)
            start, end = min(start, max(kept.start, self._begins)), max(end, kept.end)
        spans = paint(slots, start, end)[-MOST_RUNS:]
        runs = tuple((span.start - spans[0].start, span.state) for span in spans)
        self._painted[fact.subject] = Slot((0,), spans[0].start, end, runs)


def _slot(fact: States, order: int) -> Slot:
    return Slot((order,), to_ms(fact.start), to_ms(fact.end), fact.runs)
