"""Time as an argument: the clock every process takes, and the two forms of an instant."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
FAR_MS = 5 * MINUTE_MS
"""Clocks of gateway and collector that differ by more: one of them is wrong, and frames of the future are not taken."""


class Clock(Protocol):
    """What a process may ask about time. A replay brings its own, so months pass in minutes."""

    def utc(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back and know nothing of the wall clock."""

    def trusted(self) -> bool:
        """Whether `utc` may be stamped on an observation."""


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware instant, rounded down."""
    return (instant - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The aware UTC instant of integer milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


def iso(instant: datetime) -> str:
    """UTC with milliseconds and `Z`, the only form that travels."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def floor_ms(instant: datetime) -> datetime:
    """The instant with whole milliseconds, rounded down, so that what is stored equals what travels."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
