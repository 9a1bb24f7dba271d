"""What drivers note of their devices, told in the log: each note once, and once a day while it holds."""

import logging
import math

from ganpo_drivers import Reports

log = logging.getLogger(__name__)

EVERY_S = 60.0
"""Between two looks at what a driver has noted."""
AGAIN_S = 86_400.0


class Notes:
    """Of one connection. Times are monotonic seconds."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._due = -math.inf
        self._told: dict[str, float] = {}

    def look(self, driver: object, now: float) -> None:
        """Call it as often as you like. Raises what a driver with a bug does."""
        if now < self._due or not isinstance(driver, Reports):
            return
        self._due = now + EVERY_S
        self._told = {note: at for note, at in self._told.items() if now - at < AGAIN_S}
        for note in driver.report().notes:
            if note not in self._told:
                self._told[note] = now
                log.warning("connection=%s: %s", self._connection, note)
