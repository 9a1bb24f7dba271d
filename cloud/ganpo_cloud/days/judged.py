"""The judged days of a register: read some at once, and written together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ganpo_cloud.days.chains import dumped
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import register_day
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_model.fold import Fold
from ganpo_model.registers import Day, Declaration, Register, StepKind, standing

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


class Stored(NamedTuple):
    """A judged day as it is stored."""

    state: str
    steps: str
    dropped: int
    touches: date


class Window(NamedTuple):
    """Readings and judged days up to `last` of some days in a row, read at once."""

    last: date
    readings: dict[date, list[Any]]
    stored: dict[date, Stored]

    def state_before(self, day: date, folded: str | None) -> str | None:
        """The state at the end of the last judged day before one of these; `folded`: of the day folded last."""
        earlier = [of for of in self.stored if of < day]
        return self.stored[max(earlier)].state if earlier else folded


@dataclass(slots=True)
class RegisterDays:
    """Those of one register; what comes of it is written by `flush`, in the transaction of the connection."""

    connection: Connection
    enterprise: str
    number: str
    zone: str
    declarations: Sequence[Declaration]
    stamp: int
    judged: Judged = field(default_factory=Judged)
    _gone: list[tuple[str, str, str]] = field(default_factory=list)
    _new: list[sql.Row] = field(default_factory=list)

    def window(self, first: date, last: date) -> Window:
        """What there is from `first` to `last`."""
        readings: dict[date, list[Any]] = {}
        for row in self._rows(_READINGS, bounds(first, self.zone)[0], bounds(last, self.zone)[1]):
            readings.setdefault(day_of(row[0], self.zone), []).append(row)
        stored = {
            sql.day_given(day): Stored(state, steps, dropped, sql.day_given(touches))
            for day, state, steps, dropped, touches in self._rows(
                _STORED, first.isoformat(), last.isoformat()
            )
        }
        return Window(last, readings, stored)

    def state_before(self, day: date) -> str | None:
        """The state at the end of the last judged day before this one."""
        rows = self._rows(_BEFORE, day.isoformat())
        return str(rows[0][0]) if rows else None

    def following(self, window: Window, current: date) -> date | None:
        """The next day on which anything happens, or happened when it was judged last."""
        said = {day_of(d.at, self.zone) for d in self.declarations}
        near = [day for day in {*window.readings, *window.stored, *said} if current < day <= window.last]
        if near:
            return min(near)
        read = self._rows(_NEXT_READ, bounds(window.last, self.zone)[1])
        stored = self._rows(_NEXT_DAY, window.last.isoformat())
        days = {day_of(row[0], self.zone) for row in read} | {sql.day_given(row[0]) for row in stored}
        return min((day for day in days | said if day > window.last), default=None)

    def keep(self, day: date, found: Day, before: Stored | None, came_in: str | None) -> bool:
        """Keep a judged day, where anything happens on it. True where the state at its end is another one than before.

        `came_in`: the state at its begin.
        """
        nothing = not found.steps and not found.dropped and found.state == (came_in or _NOTHING)
        if nothing and before is None:
            return False
        touches = day_of(found.steps[0].start.at, self.zone) if found.steps else day
        if before is not None:
            touches = min(touches, before.touches)
        if nothing:
            self._gone.append((self.enterprise, self.number, day.isoformat()))
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
        self.judged.touch(touches, day)
        return before is None or before.state != found.state

    def flush(self) -> None:
        """Write what was kept."""
        sql.run(self.connection, _DELETE, self._gone)
        sql.replace(self.connection, register_day, self._new)
        self._gone, self._new = [], []

    def _rows(self, question: str, *values: object) -> list[Any]:
        return sql.rows(self.connection, question, (self.enterprise, self.number, *values))
