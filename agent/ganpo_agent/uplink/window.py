"""Which frames are sent when (uplink.md, Delivery). Pure: rows and times in, rows out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ganpo_agent.keeping.outbox import Key, Row
from ganpo_model.frame import MAX_PACKED

SIZE = 16
"""Frames in flight at most."""
QUIET_S = 5.0
"""Frames are in flight and nothing was heard for so long: the first acknowledgement after it sends them again."""
SUSPECT_AFTER = 3
"""Losses of the connection, or PUBACKs without acknowledgement, after which a frame goes alone."""
CUT_AFTER = 2
"""Losses of the connection after which a frame that went alone is taken to be too large for the broker."""
SMALLEST = 512
"""Bytes of a frame that every broker takes."""
ALONE_S = 45.0
"""After one that went alone in vain the next goes so much later: all pass within a minute of the limit's raise."""


@dataclass(slots=True)
class Flight:
    """What happened to one frame so far. `sent` is None while it is not in flight."""

    size: int = 0
    sent: float | None = None
    first_sent: float = 0.0
    losses: int = 0
    pubacks: int = 0
    alone: int = 0
    cuts: int = 0
    """Losses while it was sent alone."""
    not_before: float = 0.0


class Alone(NamedTuple):
    """A frame that goes alone: its bytes, and why."""

    size: int
    why: str


class Window:
    """The window of one uplink. Times are monotonic seconds."""

    def __init__(self, repeat_s: float) -> None:
        self.repeat_s = repeat_s
        self.open = False
        self._heard = 0.0
        self._committed = 0.0
        self._probed = 0.0
        self._probe_turn = 0
        self._alone_after = 0.0
        self._passed = 0
        """Bytes of the largest frame that was answered, as long as none so large was refused since."""
        self._flights: dict[Key, Flight] = {}

    @property
    def largest(self) -> int:
        """Bytes of a frame that the broker takes, as far as is known: less than the smallest that it cut us off for."""
        cut = (
            flight.size - 1
            for flight in self._flights.values()
            if flight.cuts >= CUT_AFTER or (flight.losses >= SUSPECT_AFTER and flight.size > self._passed)
        )
        return min(cut, default=MAX_PACKED)

    @property
    def wanted(self) -> int:
        """Bytes that new frames should have at most: where one was refused, half of it."""
        return MAX_PACKED if self.largest == MAX_PACKED else max(self.largest // 2, SMALLEST)

    @property
    def unproven(self) -> bool:
        """Whether one is in flight that is larger than any that was answered: the session may end for its size."""
        return self.open and any(f.sent is not None and f.size > self._passed for f in self._flights.values())

    def connected(self) -> None:
        """A new session: only an acknowledgement opens the window."""
        self.open = False

    def lost(self, now: float) -> None:
        """The session is gone, and with it what was in flight."""
        self.open = False
        largest = self.largest
        for flight in self._flights.values():
            if flight.sent is not None:
                flight.losses += 1
                flight.cuts += flight.alone > 0
                if flight.cuts >= CUT_AFTER or flight.size > largest:
                    self._alone_after = now + ALONE_S
                if flight.cuts >= CUT_AFTER:
                    self._passed = min(self._passed, flight.size - 1)
                flight.sent = None

    def hold(self, key: Key, until: float) -> None:
        """Do not send this frame before `until`: gateways close their slots together but do not speak at once."""
        self._flights.setdefault(key, Flight()).not_before = until

    def puback(self, key: Key) -> None:
        """The broker took the frame: flow control, not delivery."""
        if (flight := self._flights.get(key)) is not None:
            flight.pubacks += 1

    def acknowledged(self, keys: Iterable[Key], now: float) -> None:
        """The collector spoke: these frames are committed; none, if it only told the time.

        After it was silent, what is in flight did not reach it: that goes again. Where it was silent for long,
        nobody was there, and PUBACKs meanwhile speak against no frame.
        """
        silent_s, largest = self.silent_s(now), self.largest
        lost = [f for f in self._flights.values() if silent_s >= QUIET_S and not self._is_suspect(f, largest)]
        self.open = True
        self._heard = now
        for key in keys:
            if (flight := self._flights.pop(key, None)) is not None:
                self._committed = now
                self._passed = max(self._passed, flight.size)
                if flight.alone:
                    self._alone_after = now
        for flight in lost:
            flight.sent = None
            if silent_s >= self.repeat_s:
                flight.pubacks, flight.first_sent = 0, 0.0

    def silent_s(self, now: float) -> float:
        """For how many seconds frames are in flight and nothing was heard."""
        oldest = min((f.sent for f in self._flights.values() if f.sent is not None), default=now)
        return now - max(self._heard, oldest)

    def suspects(self) -> dict[Key, str]:
        """Frames that broker or collector would not take, with size and reason: they go alone and behind the others."""
        return {key: f"{one.size:,} bytes: {one.why}" for key, one in self.alone().items()}

    def alone(self) -> dict[Key, Alone]:
        """The same, for programs."""
        largest = self.largest
        return {
            key: Alone(flight.size, self._why(flight, largest))
            for key, flight in self._flights.items()
            if self._is_suspect(flight, largest)
        }

    def due(self, rows: Sequence[Row], now: float) -> list[Row]:
        """The rows to send now, of the oldest that wait, oldest first. They count as sent."""
        self._forget(rows)
        if not self.open or not rows:
            return []
        flights = [self._flights.setdefault(row.key, Flight()) for row in rows]
        pairs = list(zip(rows, flights, strict=True))
        for row, flight in pairs:
            flight.size = len(row.packed)
        largest = self.largest
        alone = [(row, flight) for row, flight in pairs if self._is_suspect(flight, largest)]
        good = [(row, flight) for row, flight in pairs if not self._is_suspect(flight, largest)]
        self._give_up((flight for _, flight in alone), now)
        if self.silent_s(now) >= self.repeat_s:
            return self._probe(good or pairs, now)
        room = SIZE - sum(flight.sent is not None for flight in flights)
        send = []
        for row, flight in good:
            again = flight.sent is not None and now - flight.sent >= self.repeat_s
            if again or (flight.sent is None and room > 0 and now >= flight.not_before):
                room -= 0 if again else 1
                send.append(self._sent(row, flight, now))
        if not send and all(flight.sent is None for flight in flights):
            send = self._one_alone(alone, now)
        return send

    def next_due(self, now: float) -> float:
        """When to look again, at the latest."""
        times = [now + 1.0]
        for flight in self._flights.values():
            if flight.sent is not None:
                times.append(flight.sent + self.repeat_s)
            elif flight.not_before > now:
                times.append(flight.not_before)
        return max(min(times), now + 0.01)

    def _probe(self, pairs: list[tuple[Row, Flight]], now: float) -> list[Row]:
        if now - self._probed < self.repeat_s:
            return []
        self._probed = now
        self._probe_turn += 1
        row, flight = pairs[self._probe_turn % min(len(pairs), SIZE)]
        flight.first_sent = flight.first_sent or now
        return [row]

    def _one_alone(self, pairs: list[tuple[Row, Flight]], now: float) -> list[Row]:
        """The smallest, each twice in turn: where it passes, others follow at once."""
        ready = [pair for pair in pairs if now >= max(pair[1].not_before, self._alone_after)]
        if not ready:
            return []
        row, flight = min(ready, key=lambda pair: (pair[1].alone // CUT_AFTER, pair[1].size))
        flight.alone += 1
        return [self._sent(row, flight, now)]

    def _give_up(self, flights: Iterable[Flight], now: float) -> None:
        """One of those that go alone that was not answered in time no longer holds up the others.

        Where nothing else was answered either, that says nothing of it.
        """
        for flight in flights:
            if flight.sent is not None and now - flight.sent >= self.repeat_s:
                heard, flight.sent = self._heard > flight.sent, None
                if flight.alone and heard:
                    self._alone_after = now + ALONE_S - self.repeat_s

    def _sent(self, row: Row, flight: Flight, now: float) -> Row:
        flight.sent = now
        flight.first_sent = flight.first_sent or now
        return row

    def _is_suspect(self, flight: Flight, largest: int) -> bool:
        return flight.losses >= SUSPECT_AFTER or flight.size > largest or self._unanswered(flight)

    def _unanswered(self, flight: Flight) -> bool:
        return flight.pubacks >= SUSPECT_AFTER and self._committed > flight.first_sent

    def _why(self, flight: Flight, largest: int) -> str:
        if flight.cuts:
            return f"the broker ended the session {flight.cuts} times while this frame alone was on its way"
        if flight.size > largest:
            return f"the broker ended the session for one of {largest + 1:,} bytes"
        if self._unanswered(flight):
            return f"the broker took it {flight.pubacks} times; the collector answers others and not this one"
        return f"the broker ended the session {flight.losses} times while it was on its way"

    def _forget(self, rows: Sequence[Row]) -> None:
        """Frames older than the oldest that wait are acknowledged or lost: nothing to remember of them."""
        if rows:
            oldest = rows[0].key
            for key in [key for key in self._flights if key < oldest]:
                del self._flights[key]
