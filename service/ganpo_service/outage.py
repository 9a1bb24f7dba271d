"""What fails again and again is told once: when it begins, when its reason is another, and when it is over."""

import logging

from ganpo_model.clock import Clock


class Outage:
    """`log`: whose log tells it; `what` waits meanwhile. `why` is empty while nothing fails."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self.why = ""
        self._log, self._what, self._clock = log, what, clock
        self._since = 0.0

    def failed(self, why: str) -> None:
        """It failed, or failed again."""
        if not self.why:
            self._since = self._clock.monotonic()
        level = logging.DEBUG if why == self.why else logging.WARNING
        self._log.log(level, "%s: %s", self._what, why)
        self.why = why

    def over(self) -> None:
        """It works; told where it did not."""
        if self.why:
            self._log.info("%s no more, after %.0f s", self._what, self._clock.monotonic() - self._since)
            self.why = ""
