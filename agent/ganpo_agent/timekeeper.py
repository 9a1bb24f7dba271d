"""Time at the gateway: whether it may be stamped, and when the wall clock stepped (architecture.md)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ganpo_model.clock import Clock, from_ms, to_ms
from ganpo_service.clock import SystemClock

RELEASED = datetime(2026, 11, 25, tzinfo=UTC)
"""No clock is right that stands before the day of this version."""

STEP_MS = 1000
_TIMESYNC = Path("/run/systemd/timesync/synchronized")


class GatewayClock(SystemClock):
    """The machine's own clocks, trusted where systemd-timesyncd has set its mark: a gateway may have no RTC."""

    def trusted(self) -> bool:
        """Whether systemd says that the clock is synchronised."""
        return _TIMESYNC.exists()


class Timekeeper:
    """The one source of stamps in the agent's process, in ms since 1970.

    `newest` is the newest time in the outbox: a clock behind it, or behind `RELEASED`, is believed only when
    the collector has told the time. From then on time runs from there on the monotonic clock.
    """

    def __init__(self, clock: Clock, newest: datetime | None = None) -> None:
        self._clock = clock
        self._floor = max(RELEASED, newest) if newest is not None else RELEASED
        self._told: tuple[datetime, float] | None = None
        self._trusted = False
        self._last: tuple[int, float] | None = None

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._clock.monotonic()

    def trusted(self) -> bool:
        """Whether stamps may be given. Once true, it stays."""
        self._trusted = self._trusted or self._clock.trusted() or self._clock.utc() > self._floor
        return self._trusted

    def tell(self, now: datetime) -> None:
        """The collector says what time it is; heeded only as long as nothing better is known."""
        if not self.trusted():
            self._told = (now, self._clock.monotonic())
            self._trusted = True

    def stamp(self) -> tuple[int, int]:
        """(now, by): now in ms; by != 0 where the wall clock stepped by so many ms since the last stamp.

        Without a step now never falls: small corrections of the wall clock are waited out.
        """
        monotonic = self._clock.monotonic()
        wall = to_ms(self._wall(monotonic))
        if self._last is None:
            self._last = (wall, monotonic)
            return wall, 0
        last, then = self._last
        expected = last + round((monotonic - then) * 1000)
        if abs(wall - expected) <= STEP_MS:
            now, by = max(wall, last), 0
        else:
            now, by = wall, wall - expected
        self._last = (now, monotonic)
        return now, by

    def now(self) -> datetime:
        """The time as it is believed now, without looking for steps: for what is not an observation."""
        return from_ms(to_ms(self._wall(self._clock.monotonic())))

    def _wall(self, monotonic: float) -> datetime:
        if self._told is None or self._clock.trusted():
            return self._clock.utc()
        told, then = self._told
        return told + timedelta(seconds=monotonic - then)
