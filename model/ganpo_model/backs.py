"""What a return may go back over: the steps whose start the fold remembers (metrics.md section 5, rule 3b)."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from ganpo_model.clock import DAY_MS, MINUTE_MS
from ganpo_model.fits import Fit, fits
from ganpo_model.steps import Reading, Register

NEAR_MS = 10 * MINUTE_MS
"""How far back a return finds any step,"""
REACH_MS = 7 * DAY_MS
"""and how far back a doubtful one;"""
MOST = 1000
"""and over how many of them: so a day's state has a bound, whatever a register does."""


class Back(NamedTuple):
    """A step that a return may still go back over: all that the fold must know of its start p and what followed.

    `end`: when the step ended; `low`, `high`, `steps`: the readings accepted after p, as far as the next Back.
    """

    p: Reading
    total: int
    rise: int | None
    declared: bool
    doubtful: bool
    end: int
    low: int
    high: int
    steps: int = 1


class Backs:
    """The last step, those of the last 10 min, and the doubtful ones of 7 days, oldest first; at most `MOST`."""

    def __init__(self, rows: Iterable[Iterable[Any]] = ()) -> None:
        """`rows`: from `dump`."""
        self._doubtful: deque[Back] = deque()
        """Those that ended more than 10 min before the newest."""
        self._near: deque[Back] = deque(_load(rows))

    def __iter__(self) -> Iterator[Back]:
        return chain(self._doubtful, self._near)

    def add(self, back: Back) -> None:
        """The newest; what it leaves out of reach is forgotten. Each is looked at once, however many are near."""
        near, doubtful = self._near, self._doubtful
        while near and near[0].end < back.end - NEAR_MS:
            old = near.popleft()
            if old.doubtful:
                doubtful.append(old)
            elif doubtful:
                # What followed this step follows the one before it.
                older = doubtful[-1]
                doubtful[-1] = older._replace(
                    low=min(older.low, old.low), high=max(older.high, old.high), steps=older.steps + old.steps
                )
        while doubtful and doubtful[0].end < back.end - REACH_MS:
            doubtful.popleft()
        near.append(back)
        if len(near) + len(doubtful) > MOST:
            (doubtful or near).popleft()

    def clear(self) -> None:
        """A break: nothing goes back past it."""
        self._doubtful.clear()
        self._near.clear()

    def find(
        self, register: Register, last: Reading, g: Reading, *, only_last: bool
    ) -> tuple[int, Fit] | None:
        """The newest step beyond whose start g lies back: how many are newer, and how g fits that start."""
        low = high = last.raw
        for newer, back in enumerate(chain(reversed(self._near), reversed(self._doubtful))):
            low, high = min(low, back.low), max(high, back.high)
            near = g.at - back.end <= NEAR_MS
            within = back.doubtful and g.at - back.end <= REACH_MS
            if (newer == 0 or near or within) and g.raw >= back.p.raw and (low < back.p.raw or high > g.raw):
                fit = fits(register, back.p, g, back.rise, declared=back.declared)
                if fit is not None:
                    return newer, fit
            if only_last:
                break
        return None

    def cut(self, newer: int) -> tuple[Back, int]:
        """Take away the step that so many are newer than, and those; gives it, and how many steps they are."""
        gone = [(self._near or self._doubtful).pop() for _ in range(newer + 1)]
        return gone[-1], sum(back.steps for back in gone)

    def dump(self) -> list[list[int | None]]:
        """As rows of small numbers, each beside the one before."""
        at = raw = total = 0
        rows: list[list[int | None]] = []
        for back in self:
            p = back.p
            rise = None if back.rise is None else p.at - back.rise
            flags = back.declared + 2 * back.doubtful
            after = (back.end - p.at, back.low - p.raw, back.high - p.raw, back.steps)
            rows.append([p.at - at, p.raw - raw, back.total - total, rise, flags, *after])
            at, raw, total = p.at, p.raw, back.total
        return rows


def _load(rows: Iterable[Iterable[Any]]) -> Iterator[Back]:
    at = raw = total = 0
    for d_at, d_raw, d_total, rise, flags, end, low, high, steps in rows:
        at, raw, total = at + d_at, raw + d_raw, total + d_total
        yield Back(
            Reading(at, raw),
            total,
            None if rise is None else at - rise,
            bool(flags & 1),
            bool(flags & 2),
            at + end,
            raw + low,
            raw + high,
            steps,
        )
