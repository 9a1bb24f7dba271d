"""Judging registers day by day: the stored days of `ganpo_model.registers.fold` (metrics.md section 5).

A dirty day goes on from the state before it; the next days follow only while the state at their end changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ganpo_cloud.days.chains import dumped, newest_state
from ganpo_cloud.days.declarations import away, declared
from ganpo_cloud.days.subjects import Counter
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import register_day
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_model.fold import Fold
from ganpo_model.registers import Day, Declaration, Register, StepKind, fold, standing

_LONGEST = timedelta(days=64)
_NOTHING = Fold(Register(0), None).dump()
"""The state before everything."""
_STORED = (
    "SELECT day, state, steps, dropped, touches FROM register_day"
    " WHERE enterprise = ? AND register = ? AND day >= ? AND day <= ?"
)
_READINGS = "SELECT at, raw FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?"
_BEFORE = "SELECT state FROM register_day WHERE enterprise = ? AND register = ? AND day < ? ORDER BY day DESC LIMIT 1"
_NEXT_READ = "SELECT at FROM reading WHERE enterprise = ? AND register = ? AND at >= ? ORDER BY at LIMIT 1"
_NEXT_DAY = (
    "SELECT day FROM register_day WHERE enterprise = ? AND register = ? AND day > ? ORDER BY day LIMIT 1"
)
_DELETE = "DELETE FROM register_day WHERE enterprise = ? AND register = ? AND day = ?"


_READ = "SELECT 1 FROM reading WHERE enterprise = ? AND register = ? LIMIT 1"
"""Where nothing was ever read, a declaration alone is nothing to judge."""


@dataclass(slots=True)
class Judged:
    """What judging came to: how many days were folded, and the days whose quantities may be others now.

    `onwards`: so may those of all days after them: what is believed ends elsewhere than before, or anything is known at
    all.
    """

    folded: int = 0
    first: date | None = None
    last: date | None = None
    onwards: bool = False

    def touch(self, first: date, last: date) -> None:
        """Quantities from `first` to `last` may be others now."""
        self.first = min(self.first or first, first)
        self.last = max(self.last or last, last)


def judge_days(
    connection: Connection, enterprise: str, counter: Counter, days: Sequence[date], stamp: int
) -> Judged:
    """Judge a register on these days, and on those after them as far as anything changes; each day once."""
    number, zone = counter.id, counter.zone
    declarations: list[Declaration] = []
    if sql.first(connection, _READ, (enterprise, number)):
        declarations = declared(connection, enterprise, number) + away(connection, enterprise, number)
    said = {day_of(d.at, zone) for d in declarations}
    of = _Days(connection, enterprise, number, zone, said, stamp)
    newest = newest_state(connection, enterprise, number)
    waiting = sorted({*days, *(said if days and newest is None else ())}, reverse=True)
    ahead = timedelta(days=2)
    day: date | None = None
    while day is not None or waiting:
        if day is None:
            # Nothing changed on the day before: on with the next that is marked.
            day, last = waiting[-1], _last_in_a_row(waiting)
        else:
            # Something changed up to here: it is followed as far as it goes, in growing strides.
            last = day + ahead
            ahead = min(2 * ahead, _LONGEST) if day > of.last else ahead
        if day > of.last:
            of.read(day, last)
        while waiting and waiting[-1] <= day:
            waiting.pop()
        before = of.state_before(day)
        found = fold(counter.rules, before, of.readings.get(day, ()), declarations, *bounds(day, zone))
        day = of.following(day) if of.keep(day, found, before) else None
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


class _Stored(NamedTuple):
    """A judged day as it is stored."""

    state: str
    steps: str
    dropped: int
    touches: date


@dataclass(slots=True)
class _Days:
    """The days of one register: some in a row up to `last` are read at once, and written together. `said`: those of its
    declarations."""

    connection: Connection
    enterprise: str
    number: str
    zone: str
    said: set[date]
    stamp: int
    judged: Judged = field(default_factory=Judged)
    last: date = date.min
    readings: dict[date, list[Any]] = field(default_factory=dict)
    _before: str | None = None
    _stored: dict[date, _Stored] = field(default_factory=dict)
    _gone: list[tuple[str, str, str]] = field(default_factory=list)
    _new: list[sql.Row] = field(default_factory=list)

    def read(self, first: date, last: date) -> None:
        """Read what there is from `first` to `last`."""
        self.flush()
        self.last, self.readings = last, {}
        for row in self._rows(_READINGS, bounds(first, self.zone)[0], bounds(last, self.zone)[1]):
            self.readings.setdefault(day_of(row[0], self.zone), []).append(row)
        self._stored = {
            sql.day_given(day): _Stored(state, steps, dropped, sql.day_given(touches))
            for day, state, steps, dropped, touches in self._rows(
                _STORED, first.isoformat(), last.isoformat()
            )
        }
        self._before = next((state for (state,) in self._rows(_BEFORE, first.isoformat())), None)

    def state_before(self, day: date) -> str | None:
        """The state at the end of the last judged day before this one."""
        earlier = [of for of in self._stored if of < day]
        return self._stored[max(earlier)].state if earlier else self._before

    def following(self, current: date) -> date | None:
        """The next day on which anything happens, or happened when it was judged last."""
        near = [day for day in self.readings.keys() | self._stored | self.said if current < day <= self.last]
        if near:
            return min(near)
        read = self._rows(_NEXT_READ, bounds(self.last, self.zone)[1])
        stored = self._rows(_NEXT_DAY, self.last.isoformat())
        days = {day_of(row[0], self.zone) for row in read} | {sql.day_given(row[0]) for row in stored}
        return min((day for day in days | self.said if day > self.last), default=None)

    def keep(self, day: date, found: Day, came_in: str | None) -> bool:
        """Keep a judged day, where anything happens on it. True where the state at its end is another one than before.

        `came_in`: the state at its begin.
        """
        before = self._stored.get(day)
        nothing = not found.steps and not found.dropped and found.state == (came_in or _NOTHING)
        if nothing and before is None:
            return False
        touches = day_of(found.steps[0].start.at, self.zone) if found.steps else day
        if before is not None:
            touches = min(touches, before.touches)
        if nothing:
            self._gone.append((self.enterprise, self.number, day.isoformat()))
            del self._stored[day]
        else:
            steps, now = dumped(found.steps), standing(found.state)
            if before is not None and before[:3] == (found.state, steps, found.dropped):
                return False
            if now.last and now.doubted_since and day_of(now.doubted_since, self.zone) == day:
                # Nothing is believed from here on: what follows the last accepted reading is unknown now.
                touches = min(touches, day_of(now.last.at, self.zone))
            opened = sum(step.kind is StepKind.OPEN for step in found.steps)
            row = (found.state, steps, found.dropped, found.settled, opened, now.doubted_since, touches)
            self._new.append((self.enterprise, self.number, day, *row, self.stamp))
            self._stored[day] = _Stored(found.state, steps, found.dropped, touches)
        self.judged.touch(touches, day)
        return before is None or before.state != found.state

    def flush(self) -> None:
        """Write what was kept."""
        sql.run(self.connection, _DELETE, self._gone)
        sql.replace(self.connection, register_day, self._new)
        self._gone, self._new = [], []

    def _rows(self, question: str, *values: object) -> list[Any]:
        return sql.rows(self.connection, question, (self.enterprise, self.number, *values))
