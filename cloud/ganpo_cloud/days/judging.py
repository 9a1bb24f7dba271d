"""Judging registers day by day: the stored days of `ganpo_model.registers.fold` (metrics.md section 5).

A dirty day goes on from the state before it; the next days follow only while the state at their end changes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, delete, insert, select

from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_cloud.store.owners import absences, registrations
from ganpo_cloud.store.tables import declaration, register_day, withdrawal
from ganpo_model.fold import Fold
from ganpo_model.registers import Day, Declaration, Reading, Register, Step, StepKind, chain, fold, standing

_NOTHING = Fold(Register(0), None).dump()
"""The state before everything."""
_STRIDE = 64
_STORED = (
    "SELECT day, state, steps, dropped, touches FROM register_day"
    " WHERE enterprise = ? AND register = ? AND day >= ? AND day <= ?"
)
_READ = "SELECT EXISTS (SELECT 1 FROM reading WHERE enterprise = ? AND register = ?)"
"""Where nothing was ever read, a declaration alone is nothing to judge."""
_ABSENT = (
    "SELECT EXISTS (SELECT 1 FROM reading o JOIN frame f ON f.id = o.frame"
    " WHERE o.enterprise = ? AND o.register = ? AND f.gateway = ?)"
    " AND NOT EXISTS (SELECT 1 FROM reading WHERE enterprise = ? AND register = ? AND at > ? AND at < ?)"
)
"""Whether a gateway read a register for an enterprise, and nobody did while it was another's."""


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


def judge_days(
    connection: Connection, enterprise: str, number: str, days: Iterable[date], stamp: int
) -> Judged:
    """Judge a register on these days, and on those after them as far as anything changes; each day once."""
    judged = Judged()
    about = sql.first(
        connection,
        "SELECT max_rate, modulus, resets, update_ms, timezone FROM register WHERE enterprise = ? AND id = ?",
        (enterprise, number),
    )
    if about is None:
        return judged  # no inventory names it yet: computed once one does
    max_rate, modulus, resets, update_ms, zone = about
    rules = Register(max_rate, modulus, bool(resets), update_ms)
    declarations: list[Declaration] = []
    if sql.first(connection, _READ, (enterprise, number))[0]:
        declarations = declared(connection, enterprise, number) + _away(connection, enterprise, number)
    asked = _Asked(connection, enterprise, number, zone, stamp, judged)
    before = _known(asked)
    waiting = sorted(set(days), reverse=True)
    if waiting and newest_state(connection, enterprise, number) is None:
        waiting = sorted({*waiting, *(day_of(d.at, zone) for d in declarations)}, reverse=True)
    window: _Window | None = None
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
                asked.flush()
                state, window = _state_before(asked, day), _Window(asked, day, _last_in_a_row(waiting))
        elif window is None or day > window.last:
            # Something changed up to here: it is followed as far as it goes, in growing strides.
            ahead = min(2 * ahead, _STRIDE)
            window = _Window(asked, day, day + timedelta(days=ahead))
        while waiting and waiting[-1] <= day:
            waiting.pop()
        start, end = bounds(day, zone)
        found = fold(rules, state, window.readings.get(day, ()), declarations, start, end)
        judged.folded += 1
        changed = asked.keep(day, found, window.stored.get(day), state)
        state = found.state
        day = (
            (window.following(day, declarations) or _following(asked, window.last, declarations))
            if changed
            else None
        )
    asked.flush()
    judged.onwards = _known(asked) != before
    return judged


def _known(asked: "_Asked") -> tuple[bool, int | None]:
    """Whether anything is known, and until when it is believed where that ends."""
    state = newest_state(asked.connection, asked.enterprise, asked.number)
    return state is not None, standing(state).believed_until if state is not None else None


def _last_in_a_row(falling: Sequence[date]) -> date:
    """The last of the days that follow the last element of `falling` without a gap."""
    last = falling[-1]
    for day in reversed(falling[:-1]):
        if day - last != timedelta(days=1):
            break
        last = day
    return last


@dataclass(frozen=True, slots=True)
class Stored:
    """A judged day as it is stored."""

    state: str
    steps: str
    dropped: int
    touches: date | str


class _Window:
    """Readings and judged days of some days in a row, read at once."""

    def __init__(self, asked: "_Asked", first: date, last: date) -> None:
        self.last = last
        self._zone = asked.zone
        begin, end = bounds(first, asked.zone)[0], bounds(last, asked.zone)[1]
        self.readings: dict[date, list[Any]] = {}
        for row in _readings(asked.connection, asked.enterprise, asked.number, begin, end):
            self.readings.setdefault(day_of(row[0], asked.zone), []).append(row)
        values = (asked.enterprise, asked.number, first.isoformat(), last.isoformat())
        self.stored = {
            sql.day_given(row[0]): Stored(*row[1:]) for row in sql.rows(asked.connection, _STORED, values)
        }

    def state_before(self, day: date, folded: str | None) -> str | None:
        """The state at the end of the last judged day before one of these; `folded`: of the day folded last."""
        earlier = [of for of in self.stored if of < day]
        return self.stored[max(earlier)].state if earlier else folded

    def following(self, current: date, declarations: Sequence[Declaration]) -> date | None:
        """The next of these days on which anything happens, or happened when it was judged last."""
        said = {day_of(d.at, self._zone) for d in declarations}
        days = (day for day in {*self.readings, *self.stored, *said} if current < day <= self.last)
        return min(days, default=None)


@dataclass(slots=True)
class _Asked:
    """One register that is judged; what comes of it is written when it is asked for, or at the end."""

    connection: Connection
    enterprise: str
    number: str
    zone: str
    stamp: int
    judged: Judged
    _old: list[date] = field(default_factory=list)
    _new: list[dict[str, Any]] = field(default_factory=list)

    def keep(self, day: date, found: Day, before: Stored | None, came_in: str | None) -> bool:
        """Keep a judged day, where anything happens on it. True where the state at its end is another one than before.

        `came_in`: the state at its begin.
        """
        steps = json.dumps(found.steps, separators=(",", ":"))
        now = standing(found.state)
        touches = day_of(found.steps[0].start.at, self.zone) if found.steps else day
        if not found.steps and not found.dropped and found.state == (came_in or _NOTHING):
            if before is None:
                return False
            self._old.append(day)
            touches = min(touches, sql.day_given(before.touches))
            self.judged.first = min(self.judged.first or touches, touches)
            self.judged.last = max(self.judged.last or day, day)
            return bool(before.state != found.state)
        if (
            now.last is not None
            and now.doubted_since is not None
            and day_of(now.doubted_since, self.zone) == day
        ):
            # Nothing is believed from here on: what follows the last accepted reading is unknown now.
            touches = min(touches, day_of(now.last.at, self.zone))
        if before is not None:
            if (before.state, before.steps, before.dropped) == (found.state, steps, found.dropped):
                return False
            touches = min(touches, sql.day_given(before.touches))
            self._old.append(day)
        self.judged.first = min(self.judged.first or touches, touches)
        self.judged.last = max(self.judged.last or day, day)
        self._new.append(
            {
                "enterprise": self.enterprise,
                "register": self.number,
                "day": day,
                "state": found.state,
                "steps": steps,
                "dropped": found.dropped,
                "settled": found.settled,
                "open": sum(step.kind is StepKind.OPEN for step in found.steps),
                "aside_since": now.doubted_since,
                "touches": touches,
                "computed_at": self.stamp,
            }
        )
        return before is None or bool(before.state != found.state)

    def flush(self) -> None:
        """Write what was kept."""
        if self._old:
            mine = _of(self.enterprise, self.number) & register_day.c.day.in_(self._old)
            self.connection.execute(delete(register_day).where(mine))
        if self._new:
            self.connection.execute(insert(register_day), self._new)
        self._old, self._new = [], []


def steps_between(
    connection: Connection, enterprise: str, number: str, start: int, end: int, zone: str
) -> list[Step]:
    """The part of a register's chain that holds [start, end)."""
    return chain_from(connection, enterprise, number, day_of(start, zone), end)


def chain_from(connection: Connection, enterprise: str, number: str, day: date, end: int) -> list[Step]:
    """The steps that were decided from `day` on, to the day that settled `end`, without those taken back."""
    question = (
        "SELECT dropped, steps, settled FROM register_day"
        " WHERE enterprise = ? AND register = ? AND day >= ? ORDER BY day"
    )
    days = []
    for dropped, steps, settled in sql.rows(connection, question, (enterprise, number, day.isoformat())):
        days.append((dropped, load_steps(steps)))
        if settled is not None and settled > end:
            break
    return chain(days)


def newest_state(connection: Connection, enterprise: str, number: str) -> str | None:
    """The state of the fold after everything that is stored."""
    row = sql.first(
        connection,
        "SELECT state FROM register_day WHERE enterprise = ? AND register = ? ORDER BY day DESC LIMIT 1",
        (enterprise, number),
    )
    return None if row is None else str(row[0])


def newest_states(enterprise: ColumnElement[str], number: ColumnElement[str]) -> ScalarSelect[str]:
    """The same, of each register that a question has in these columns."""
    mine = (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
    newest = select(register_day.c.state).where(mine).order_by(register_day.c.day.desc()).limit(1)
    return newest.scalar_subquery()


def declared(connection: Connection, enterprise: str, number: str) -> list[Declaration]:
    """The declarations in force that end or begin this register."""
    rows = connection.execute(
        select(declaration)
        .outerjoin(withdrawal, withdrawal.c.declaration == declaration.c.id)
        .where((declaration.c.enterprise == enterprise) & withdrawal.c.declaration.is_(None))
        .where((declaration.c.register == number) | (declaration.c.new_register == number))
    ).all()
    found = []
    for row in rows:
        if row.new_register is None or row.new_register == row.register:
            found.append(Declaration(row.at, row.final, row.first, row.confirmed))
        elif row.register == number:
            found.append(Declaration(row.at, row.final, None, row.confirmed))
        else:
            found.append(Declaration(row.at, None, row.first, row.confirmed))
    return found


def _away(connection: Connection, enterprise: str, number: str) -> list[Declaration]:
    """Where a register comes back that another enterprise's gateway read meanwhile, and nobody here."""
    ended = sql.rows(connection, "SELECT DISTINCT id FROM gateway_before WHERE enterprise = ?", (enterprise,))
    found = set()
    for (gateway,) in ended:
        for left, back in absences(registrations(connection, gateway), enterprise):
            values = (enterprise, number, gateway, enterprise, number, left, back)
            if sql.first(connection, _ABSENT, values)[0]:
                found.add(Declaration(back, None, None))
    return list(found)


def load_steps(text: str) -> list[Step]:
    """Steps as they are stored."""
    return [Step(StepKind(s[0]), Reading(*s[1]), Reading(*s[2]), s[3], s[4]) for s in json.loads(text)]


def _of(enterprise: str, number: str) -> Any:
    return (register_day.c.enterprise == enterprise) & (register_day.c.register == number)


def _state_before(asked: _Asked, day: date) -> str | None:
    """The state at the end of the last judged day before this one."""
    row = sql.first(
        asked.connection,
        "SELECT state FROM register_day WHERE enterprise = ? AND register = ? AND day < ? ORDER BY day DESC LIMIT 1",
        (asked.enterprise, asked.number, day.isoformat()),
    )
    return None if row is None else str(row[0])


def _readings(connection: Connection, enterprise: str, number: str, start: int, end: int) -> Sequence[Any]:
    return sql.rows(
        connection,
        "SELECT at, raw FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?",
        (enterprise, number, start, end),
    )


def _following(asked: _Asked, last: date, declarations: Sequence[Declaration]) -> date | None:
    """The next day after `last` on which anything happens to a register, or happened when it was judged last."""
    end = bounds(last, asked.zone)[1]
    read = sql.first(
        asked.connection,
        "SELECT at FROM reading WHERE enterprise = ? AND register = ? AND at >= ? ORDER BY at LIMIT 1",
        (asked.enterprise, asked.number, end),
    )
    stored = sql.first(
        asked.connection,
        "SELECT day FROM register_day WHERE enterprise = ? AND register = ? AND day > ? ORDER BY day LIMIT 1",
        (asked.enterprise, asked.number, last.isoformat()),
    )
    times = [d.at for d in declarations if d.at >= end]
    if read is not None:
        times.append(read[0])
    days = [day_of(min(times), asked.zone)] if times else []
    return min([*days, sql.day_given(stored[0])] if stored is not None else days, default=None)
