"""What of a connection is away, told in the log: the line and its units, each once with its end."""

import logging
import math
from dataclasses import dataclass

log = logging.getLogger(__name__)

QUIET_S = 3600.0
"""What was told of is not told of again for so long, though it comes and goes all day ..."""
LASTING_S = 300.0
"""... unless it stays away for so long."""


@dataclass(slots=True)
class _Away:
    since: float
    told: bool = False


class Outages:
    """The line of a connection under its own name, its units as `NAME/KEY`. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._away: dict[str, _Away] = {}
        self._told: dict[str, float] = {}

    def away(self, what: str, why: str, now: float) -> None:
        """It gave nothing; call it at every failure."""
        outage = self._away.setdefault(what, _Away(now))
        if outage.told:
            return
        lasting = now - outage.since >= LASTING_S
        outage.told = lasting or now - self._told.get(what, -math.inf) >= QUIET_S
        if outage.told:
            self._told[what] = now
        log.log(
            logging.WARNING if outage.told else logging.DEBUG, "gives nothing connection=%s why=%r", what, why
        )

    def is_away(self, what: str) -> bool:
        """Whether it gave nothing when it was heard of last."""
        return what in self._away

    def forget(self, what: str) -> None:
        """Whether it is away nobody knows any more."""
        self._away.pop(what, None)

    def back(self, what: str, now: float) -> None:
        """It gives values again, or never was away."""
        outage = self._away.pop(what, None)
        if outage is not None:
            log.log(
                logging.INFO if outage.told else logging.DEBUG,
                "answers again connection=%s after_s=%.0f",
                what,
                now - outage.since,
            )
