"""Which frames are sent when (uplink.md, Delivery). Pure: rows and times in, rows out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ganpo_agent.outbox import Key, Row

SIZE = 16
"""Frames in flight at most."""
QUIET_S = 5.0
"""Frames are in flight and nothing was heard for so long: the first acknowledgement after it sends them again."""
SUSPECT_AFTER = 3
"""Losses of the connection, or PUBACKs without acknowledgement, after which a frame goes alone."""


@dataclass(slots=True)
class Flight:
    """What happened to one frame so far. `sent` is None while it is not in flight."""

    sent: float | None = None
    first_sent: float = 0.0
    losses: int = 0
    pubacks: int = 0
    alone: int = 0
    not_before: float = 0.0


class Window:
    """The window of one uplink. Times are monotonic seconds."""

    def __init__(self, repeat_s: float) -> None:
        self.repeat_s = repeat_s
        self.open = False
        self._heard = 0.0
        self._committed = 0.0
        self._probed = 0.0
        self._probe_turn = 0
        self._flights: dict[Key, Flight] = {}

    def connected(self) -> None:
        """A new session: only an acknowledgement opens the window."""
        self.open = False

    def lost(self, now: float) -> None:
        """The session is gone, and with it what was in flight."""
        self.open = False
        for flight in self._flights.values():
            if flight.sent is not None:
                flight.losses += 1
                self._put_off(flight, now)
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
        silent_s = self.silent_s(now)
        lost = [f for f in self._flights.values() if silent_s >= QUIET_S and not self._is_suspect(f)]
        self.open = True
        self._heard = now
        for key in keys:
            if self._flights.pop(key, None) is not None:
                self._committed = now
        for flight in lost:
            flight.sent = None
            if silent_s >= self.repeat_s:
                flight.pubacks, flight.first_sent = 0, 0.0

    def silent_s(self, now: float) -> float:
        """For how many seconds frames are in flight and nothing was heard."""
        oldest = min((f.sent for f in self._flights.values() if f.sent is not None), default=now)
        return now - max(self._heard, oldest)

    def suspects(self) -> list[Key]:
        """Frames that broker or collector would not take: they go alone and behind the others."""
        return sorted(key for key, flight in self._flights.items() if self._is_suspect(flight))

    def due(self, rows: Sequence[Row], now: float) -> list[Row]:
        """The rows to send now, of the oldest that wait, oldest first. They count as sent."""
        self._forget(rows)
        if not self.open or not rows:
            return []
        flights = [self._flights.setdefault(row.key, Flight()) for row in rows]
        pairs = list(zip(rows, flights, strict=True))
        for flight in flights:
            if flight.sent is not None and self._is_suspect(flight) and now - flight.sent >= self.repeat_s:
                self._put_off(flight, now)
                flight.sent = None
        if self.silent_s(now) >= self.repeat_s:
            return self._probe(pairs, now)
        good = [(row, flight) for row, flight in pairs if not self._is_suspect(flight)]
        room = SIZE - sum(flight.sent is not None for flight in flights)
        send = []
        for row, flight in good:
            again = flight.sent is not None and now - flight.sent >= self.repeat_s
            if again or (flight.sent is None and room > 0 and now >= flight.not_before):
                room -= 0 if again else 1
                send.append(self._sent(row, flight, now))
        if not send and all(flight.sent is None for flight in flights):
            send = self._one_alone(pairs, now)
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
        for row, flight in pairs:
            if self._is_suspect(flight) and now >= flight.not_before:
                flight.alone += 1
                return [self._sent(row, flight, now)]
        return []

    def _sent(self, row: Row, flight: Flight, now: float) -> Row:
        flight.sent = now
        flight.first_sent = flight.first_sent or now
        return row

    def _put_off(self, flight: Flight, now: float) -> None:
        if flight.alone:
            flight.not_before = now + min(self.repeat_s * 2**flight.alone, 600.0)

    def _is_suspect(self, flight: Flight) -> bool:
        refused = flight.pubacks >= SUSPECT_AFTER and self._committed > flight.first_sent
        return flight.losses >= SUSPECT_AFTER or refused

    def _forget(self, rows: Sequence[Row]) -> None:
        """Frames older than the oldest that wait are acknowledged or lost: nothing to remember of them."""
        if rows:
            oldest = rows[0].key
            for key in [key for key in self._flights if key < oldest]:
                del self._flights[key]
