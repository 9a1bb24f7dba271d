"""Pauses between attempts to connect (architecture.md, Back-off)."""

import random

TRY_EVERY_S = 2.0
"""A broker that is away is tried at least so often ..."""
EAGER_S = 300.0
"""... for so long."""
SHORT_LIVED_S = 10.0
"""A session that the broker ended before was cut: the next ones are spread."""

LEARNING = 12
"""Cuts in a row that may be for the size of a packet, not for load: what a broker takes is soon known."""


class Backoff:
    """A device has one client: 1 s, 2 s, then every `longest` seconds, without jitter."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._next = 1.0

    def pause(self) -> float:
        """How long to wait now, in seconds."""
        pause = min(self._next, self._longest)
        self._next = min(self._next * 2, self._longest)
        return pause

    def reset(self) -> None:
        """It worked: begin at 1 s the next time."""
        self._next = 1.0


class Reconnect:
    """A broker has a province: eager while it is away, spread once it refused or cut a session.

    Away: a try at least every 2 s for 5 minutes. Refused, cut within 10 s, or away for longer: 1 s doubling to
    `longest`, each pause a random part of that, until a session lives. One that is away right after it cut a session
    died: that was no refusal. Times are monotonic seconds.
    """

    def __init__(self, longest: float, rng: random.Random) -> None:
        self._longest = longest
        self._rng = rng
        self._bound = self._before_cut = 0.0
        self._away_since: float | None = None
        self._learnt = 0

    def pause(
        self, began: float, now: float, *, up: float | None, refused: bool, learns: bool = False
    ) -> float:
        """How long to wait, in seconds, after a try from `began` to `now`; `up`: since when it was a session, None
        if it never was one; `refused`: the broker answered, and said no; `learns`: a packet was on its way that may
        be too large for it.
        """
        if up is not None and now - up >= SHORT_LIVED_S:
            self._bound, self._before_cut, self._away_since, self._learnt = 0.0, 0.0, None, 0
            return min(1.0, self._longest)
        if learns and self._learnt < LEARNING:
            self._learnt += 1
            return min(1.0, self._longest)
        more = min(max(self._bound * 2, 1.0), self._longest)
        if up is not None or refused:
            self._before_cut = more if refused else self._bound
            self._bound, self._away_since = more, None
        elif self._away_since is None:
            self._bound, self._away_since = self._before_cut, began
        elif now - self._away_since >= EAGER_S:
            self._bound = more
        if self._bound:
            return self._rng.uniform(0, self._bound)
        return min(max(TRY_EVERY_S - (now - began), 0.1), self._longest)
