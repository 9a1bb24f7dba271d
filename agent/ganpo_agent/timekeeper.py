"""Time at the gateway: whether it may be stamped, by which clock, and when that stepped (architecture.md)."""

import logging
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ganpo_model.clock import FAR_MS, MINUTE_MS, Clock, from_ms, to_ms
from ganpo_service.clock import SystemClock
from ganpo_service.release import RELEASED

log = logging.getLogger(__name__)

STEP_MS = 1000
FRESH_MS = 5 * MINUTE_MS
"""An acknowledgement that is older says nothing against the own clock: the machine may have slept."""
LATE_S = 60.0
"""An acknowledgement that took longer says nothing of the time."""
AGREE_MS = 5000
AGREEING = 3
"""So many acknowledgements that agree within `AGREE_MS` are the time, once trust was lost."""
_TIMESYNC = Path("/run/systemd/timesync/synchronized")


class GatewayClock(SystemClock):
    """The machine's own clocks, trusted where systemd-timesyncd has set its mark: a gateway may have no RTC."""

    def trusted(self) -> bool:
        """Whether systemd says that the clock is synchronised."""
        return _TIMESYNC.exists()


class _Ack(NamedTuple):
    """One acknowledgement: its time minus our monotonic clock, and when it was heard by that; both in ms."""

    offset: int
    heard: int


class Timekeeper:
    """The one source of stamps in the agent's process, in ms since 1970.

    Order of trust: systemd's mark, acknowledgements, the own clock. `newest` is the newest time in the outbox: an own
    clock behind it, or behind `RELEASED`, is not believed. Without the mark, more than `FAR_MS` between what is
    believed and an acknowledgement, or an own clock that steps back by as much, takes the trust away. Time told by
    acknowledgements runs on the monotonic clock.
    """

    def __init__(self, clock: Clock, newest: datetime | None = None) -> None:
        self._clock = clock
        self._floor: datetime | None = max(RELEASED, newest) if newest is not None else RELEASED
        """The own clock is believed from here on; None: acknowledgements spoke against it."""
        self._own = False
        """The own clock is believed; `_had_own`: it once was; `_told`: the acknowledgements' time minus the
        monotonic clock, where they are believed."""
        self._had_own = False
        self._told: int | None = None
        self._lost = False
        self._doubted = ""
        self._acks: deque[_Ack] = deque(maxlen=AGREEING)
        self._last: tuple[int, float] | None = None

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._clock.monotonic()

    @property
    def last(self) -> int:
        """The last stamp that was given."""
        return self._last[0] if self._last is not None else 0

    @property
    def source(self) -> str | None:
        """Whose time is believed: timesync, collector, own clock; None where none is."""
        if self._clock.trusted():
            return "timesync"
        if self._told is not None:
            return "collector"
        return "own clock" if self.trusted() else None

    @property
    def seen(self) -> datetime:
        """What this machine's clock says, believed or not."""
        return self._clock.utc()

    @property
    def why(self) -> str | None:
        """Why no time is believed; None where one is."""
        if self.trusted():
            return None
        if self._lost:
            return self._doubted
        floor, seen = self._floor or RELEASED, self.seen
        what = "this version was made on" if floor == RELEASED else "the newest frame in the outbox is of"
        return f"this machine's clock says {seen:%Y-%m-%d %H:%M}, but {what} {floor:%Y-%m-%d %H:%M}"

    def trusted(self) -> bool:
        """Whether stamps may be given now."""
        if self._clock.trusted():
            self._own, self._told = True, None
        elif self._own:
            self._doubt()
        elif self._told is None:
            self._own = self._floor is not None and self._clock.utc() > self._floor
        self._had_own = self._had_own or self._own
        return self._own or self._told is not None

    def tell(self, now: datetime, waited_s: float = 0.0) -> None:
        """The collector says what time it is, in answer to something said at most `waited_s` ago."""
        if now < RELEASED or waited_s > LATE_S:
            return
        mono = self._mono_ms()
        ack = _Ack(to_ms(now) - mono, mono)
        if self.trusted() and not self._clock.trusted():
            ahead = to_ms(self._wall()) - to_ms(now)
            if abs(ahead) > FAR_MS:
                self._lose(f"{ahead / 1000:+.0f} s from an acknowledgement", None)
        self._acks.append(ack)
        if self._own:
            return
        offsets = [ack.offset for ack in self._acks]
        if self._told is None and not self._lost:
            self._told = ack.offset
        elif len(offsets) == AGREEING and max(offsets) - min(offsets) <= AGREE_MS:
            # On the way an acknowledgement grows old, never young: the largest is nearest to the truth.
            nearest = max(offsets)
            drifted = self._told is not None and abs(nearest - self._told) > AGREE_MS
            self._told = nearest if self._told is None or drifted else self._told

    def off_ms(self) -> int | None:
        """The own clock minus the collector's; None where no acknowledgement came, or where nobody ever set the clock:
        it was never believed and stands before `RELEASED`."""
        if not self._acks or not (self._had_own or self._clock.utc() > RELEASED):
            return None
        return to_ms(self._clock.utc()) - self._mono_ms() - self._acks[-1].offset

    def is_off(self) -> bool:
        """Whether the own clock is so far from the collector's that a person has to set one of them."""
        off = self.off_ms()
        return off is not None and abs(off) > FAR_MS

    def stamp(self) -> tuple[int, int]:
        """(now, by): now in ms; by != 0 where the clock stepped by so many ms since the last stamp.

        Without a step now never falls: small corrections of the clock are waited out.
        """
        monotonic = self._clock.monotonic()
        wall = to_ms(self._wall())
        if self._last is None:
            self._last = (wall, monotonic)
            return wall, 0
        last = self._last[0]
        expected = self._expected()
        if abs(wall - expected) <= STEP_MS:
            now, by = max(wall, last), 0
        else:
            now, by = wall, wall - expected
        self._last = (now, monotonic)
        return now, by

    def now(self) -> datetime:
        """The time as it is believed now, without looking for steps: for what is not an observation."""
        if not self.trusted() and self._last is not None:
            return from_ms(self._expected())
        return from_ms(to_ms(self._wall()))

    def _doubt(self) -> None:
        """The own clock, without the mark, beside acknowledgements that are not old and beside what it said last."""
        if self.is_off() and self._mono_ms() - self._acks[-1].heard <= FRESH_MS:
            self._lose(f"{(self.off_ms() or 0) / 1000:+.0f} s from the acknowledgements", None)
        elif self._last is not None and to_ms(self._clock.utc()) < self._expected() - FAR_MS:
            self._lose("stepped back", from_ms(self._last[0]))

    def _lose(self, why: str, floor: datetime | None) -> None:
        log.warning("time is not trusted any more clock=%s why=%r; nothing is stamped", self._wall(), why)
        self._own, self._told, self._floor, self._lost = False, None, floor, True
        self._doubted = f"this machine's clock is not believed any more: {why}"
        self._acks.clear()

    def _expected(self) -> int:
        """The last stamp and what passed since by the monotonic clock."""
        last, then = self._last if self._last is not None else (0, 0.0)
        return last + round((self._clock.monotonic() - then) * 1000)

    def _mono_ms(self) -> int:
        return round(self._clock.monotonic() * 1000)

    def _wall(self) -> datetime:
        if self._told is None or self._clock.trusted():
            return self._clock.utc()
        return from_ms(self._mono_ms() + self._told)
