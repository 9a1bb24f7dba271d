"""What points do, told in the log: the first fault of each and its end, once each, many in one line."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ganpo_agent.observing.signals import PointState

log = logging.getLogger(__name__)

QUIET_MS = 3_600_000
"""A point that was told of is not told of again for so long: what comes and goes fills no log ..."""
LASTING_MS = 300_000
"""... unless it stays at fault for so long."""
T = TypeVar("T")
_NAMES = 5
_LINES = 5


@dataclass(frozen=True, slots=True)
class _Fault:
    since: int
    loud: bool
    why: str


class Journal:
    """Remembers which points are at fault. Times are ms since 1970."""

    def __init__(self) -> None:
        self._open: dict[str, _Fault] = {}
        self._told: dict[str, int] = {}

    def since(self, name: str) -> int | None:
        """Since when a point is at fault; None where it is not."""
        fault = self._open.get(name)
        return fault.since if fault is not None else None

    def look(self, states: Iterable[PointState], now: int) -> None:
        """Points of one read that said something new."""
        begun: dict[str, list[str]] = {}
        ended: dict[int, list[str]] = {}
        for state in states:
            name = state.point.name
            if state.fault is None:
                if (fault := self._open.pop(name, None)) is not None and fault.loud:
                    ended.setdefault(fault.since, []).append(name)
            elif name not in self._open:
                loud = now - self._told.get(name, -QUIET_MS) >= QUIET_MS
                self._open[name] = _Fault(now, loud, state.fault.text)
                if loud:
                    self._told[name] = now
                    begun.setdefault(state.fault.text, []).append(name)
                else:
                    log.debug("at fault again point=%s why=%r", name, state.fault.text)
        _warn(begun)
        for since, names in _few(ended):
            log.info("good again points=%d after_s=%.0f: %s", len(names), (now - since) / 1000, _some(names))

    def look_again(self, now: int) -> None:
        """What was at fault again soon after it was told of, and stayed so."""
        begun: dict[str, list[str]] = {}
        for name, fault in self._open.items():
            if not fault.loud and now - fault.since >= LASTING_MS:
                self._open[name] = replace(fault, loud=True)
                self._told[name] = now
                begun.setdefault(fault.why, []).append(name)
        _warn(begun)

    def forget(self, names: Iterable[str]) -> None:
        """These points are read no more, or as something else."""
        for name in names:
            self._open.pop(name, None)
            self._told.pop(name, None)

    def shift(self, by: int) -> None:
        """The wall clock stepped by `by` ms."""
        self._open = {name: replace(fault, since=fault.since + by) for name, fault in self._open.items()}
        self._told = {name: at + by for name, at in self._told.items()}


def _warn(begun: dict[str, list[str]]) -> None:
    for text, names in _few(begun):
        log.warning("at fault points=%d why=%r: %s", len(names), text, _some(names))


def _few(groups: dict[T, list[str]]) -> Iterable[tuple[T, list[str]]]:
    """At most so many groups; the last holds the rest, under its own word."""
    items = list(groups.items())
    if len(items) > _LINES:
        rest = [name for _, names in items[_LINES - 1 :] for name in names]
        items = [*items[: _LINES - 1], (items[_LINES - 1][0], rest)]
    return items


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")
