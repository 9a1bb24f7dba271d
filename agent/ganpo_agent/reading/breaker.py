"""The breaker of one key of a connection: a silent unit costs the others next to nothing (drivers.md)."""

AFTER = 3
"""Silent reads in a row that open it."""
FIRST_PROBE_S = 10.0
LONGEST_S = 300.0
SHARE = 0.05
"""Of the line's time, at most, for probing silent units."""


class Breaker:
    """Closed: every read goes out. Open: only a probe now and then. Times are monotonic seconds. `reads`: that brought
    something, since the process began."""

    def __init__(self) -> None:
        self.reads = 0
        self.failures = 0
        self.opened: float | None = None
        self.reason = ""
        self._pause = FIRST_PROBE_S
        self._probe_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether a read may go out."""
        return self.opened is None or now >= self._probe_at

    def reset(self) -> None:
        """The unit answered, or is to be asked as if nothing had been."""
        self.failures = 0
        self.opened = None
        self._pause = FIRST_PROBE_S

    def failed(self, now: float, cost_s: float, silent: int, reason: str) -> None:
        """The unit did not answer, which took `cost_s`; `silent` units on this line are so, with this one."""
        self.failures += 1
        self.reason = reason
        if self.opened is None and self.failures < AFTER:
            return
        if self.opened is not None:
            self._pause = min(self._pause * 2, LONGEST_S)
        self.opened = now if self.opened is None else self.opened
        self._probe_at = now + max(self._pause, cost_s * max(silent, 1) / SHARE)
