"""Judging registers day by day: the stored days of `ganpo_model.registers.fold` (metrics.md section 5).

A dirty day goes on from the state before it; the next days follow only while the state at their end changes.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection

from ganpo_cloud.days.chains import newest_state
from ganpo_cloud.days.declarations import away, declared
from ganpo_cloud.days.judged import Judged, RegisterDays, Window
from ganpo_cloud.days.subjects import Counter
from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_model.registers import Declaration, fold, standing

_STRIDE = 64
_READ = "SELECT 1 FROM reading WHERE enterprise = ? AND register = ? LIMIT 1"
"""Where nothing was ever read, a declaration alone is nothing to judge."""


def judge_days(
    connection: Connection, enterprise: str, counter: Counter, days: Iterable[date], stamp: int
) -> Judged:
    """Judge a register on these days, and on those after them as far as anything changes; each day once."""
    number, zone = counter.id, counter.zone
    declarations: list[Declaration] = []
    if sql.first(connection, _READ, (enterprise, number)):
        declarations = declared(connection, enterprise, number) + away(connection, enterprise, number)
    of = RegisterDays(connection, enterprise, number, zone, declarations, stamp)
    newest = newest_state(connection, enterprise, number)
    waiting = sorted(set(days), reverse=True)
    if waiting and newest is None:
        waiting = sorted({*waiting, *(day_of(d.at, zone) for d in declarations)}, reverse=True)
    window: Window | None = None
    state: str | None = None
    ahead = 1
    day: date | None = None
    while day is not None or waiting:
        if day is None:
            # Nothing changed on the day before: on with the next that is marked.
            day = waiting[-1]
            if window is not None and day <= window.last:
                state = window.state_before(day, state)
            else:
                of.flush()
                state, window = of.state_before(day), of.window(day, _last_in_a_row(waiting))
        elif window is None or day > window.last:
            # Something changed up to here: it is followed as far as it goes, in growing strides.
            ahead = min(2 * ahead, _STRIDE)
            window = of.window(day, day + timedelta(days=ahead))
        while waiting and waiting[-1] <= day:
            waiting.pop()
        start, end = bounds(day, zone)
        found = fold(counter.rules, state, window.readings.get(day, ()), declarations, start, end)
        of.judged.folded += 1
        changed = of.keep(day, found, window.stored.get(day), state)
        state = found.state
        day = of.following(window, day) if changed else None
    of.flush()
    of.judged.onwards = _known(newest_state(connection, enterprise, number)) != _known(newest)
    return of.judged


def _known(state: str | None) -> tuple[bool, int | None]:
    """Whether anything is known, and until when it is believed where that ends."""
    return state is not None, standing(state).believed_until if state is not None else None


def _last_in_a_row(falling: Sequence[date]) -> date:
    """The last of the days that follow the last element of `falling` without a gap."""
    last = falling[-1]
    for day in reversed(falling[:-1]):
        if day - last != timedelta(days=1):
            break
        last = day
    return last
