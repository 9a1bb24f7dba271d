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
    for_a_person: bool = False


class Outages:
    """The line of a connection under its own name, its units as `NAME/KEY`. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._away: dict[str, _Away] = {}
        self._told: dict[tuple[str, bool], float] = {}

    def away(self, what: str, why: str, now: float, *, for_a_person: bool = False) -> None:
        """It gave nothing; call it at every failure. `for_a_person`: it will not come back by itself, which is told
        also where the outage began with something else (a server that was restarted shows another certificate)."""
        outage = self._away.setdefault(what, _Away(now))
        worse = for_a_person and not outage.for_a_person
        outage.for_a_person |= for_a_person
        if outage.told and not worse:
            return
        lasting = now - outage.since >= LASTING_S
        tell = lasting or now - self._told.get((what, for_a_person), -math.inf) >= QUIET_S
        if tell:
            outage.told, self._told[what, for_a_person] = True, now
        log.log(logging.WARNING if tell else logging.DEBUG, "gives nothing connection=%s why=%r", what, why)

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
