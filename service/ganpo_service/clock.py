"""The machine's own clocks."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall clock and monotonic clock. Whether the wall clock is to be believed is its operator's business here."""

    def utc(self) -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def trusted(self) -> bool:
        """Always."""
        return True
