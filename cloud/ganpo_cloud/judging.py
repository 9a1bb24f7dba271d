"""Judging registers day by day: the stored days of `ganpo_model.registers.fold` (metrics.md section 5).

A dirty day goes on from the state before it; the next days follow only while the state at their end changes.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ganpo_cloud.database import driver_sql
from ganpo_cloud.localdays import bounds, day_of
from ganpo_cloud.tables import declaration, register, register_day, withdrawal
from ganpo_model.registers import Day, Declaration, Reading, Register, Step, StepKind, chain, fold, standing


def judge_days(connection: Connection, enterprise: str, number: str, days: Iterable[date], stamp: int) -> int:
    """Judge a register on these days, and on those after them as far as anything changes.

    Gives how many days were folded, each once.
    """
    about = connection.execute(
        select(register).where((register.c.enterprise == enterprise) & (register.c.id == number))
    ).first()
    if about is None:
        return 0  # no inventory names it yet: computed once one does
    rules = Register(about.max_rate, about.modulus, about.resets)
    declarations = declared(connection, enterprise, number)
    waiting = sorted(set(days), reverse=True)
    folded = 0
    while waiting:
        day: date | None = waiting[-1]
        state = _state_before(connection, enterprise, number, waiting[-1])
        while day is not None:
            while waiting and waiting[-1] <= day:
                waiting.pop()
            start, end = bounds(day, about.timezone)
            readings = _readings(connection, enterprise, number, start, end)
            found = fold(rules, state, readings, declarations, start, end)
            folded += 1
            if not _store(connection, enterprise, number, day, about.timezone, found, stamp):
                break
            state = found.state
            day = _following(connection, enterprise, number, day, end, about.timezone, declarations)
    return folded


def steps_between(
    connection: Connection, enterprise: str, number: str, start: int, end: int, zone: str
) -> list[Step]:
    """The part of a register's chain that holds [start, end)."""
    return chain_from(connection, enterprise, number, day_of(start, zone), end)


def chain_from(connection: Connection, enterprise: str, number: str, day: date, end: int) -> list[Step]:
    """The steps that were decided from `day` on, to the day that settled `end`, without those taken back."""
    rows = connection.execute(
        select(register_day.c.dropped, register_day.c.steps, register_day.c.settled)
        .where(_of(enterprise, number) & (register_day.c.day >= day))
        .order_by(register_day.c.day)
    )
    days = []
    for row in rows:
        days.append((row.dropped, load_steps(row.steps)))
        if row.settled is not None and row.settled > end:
            break
    rows.close()
    return chain(days)


def newest_state(connection: Connection, enterprise: str, number: str) -> str | None:
    """The state of the fold after everything that is stored."""
    return connection.execute(
        select(register_day.c.state)
        .where(_of(enterprise, number))
        .order_by(register_day.c.day.desc())
        .limit(1)
    ).scalar()


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


def load_steps(text: str) -> list[Step]:
    """Steps as they are stored."""
    return [Step(StepKind(s[0]), Reading(*s[1]), Reading(*s[2]), s[3], s[4]) for s in json.loads(text)]


def _of(enterprise: str, number: str) -> Any:
    return (register_day.c.enterprise == enterprise) & (register_day.c.register == number)


def _state_before(connection: Connection, enterprise: str, number: str, day: date) -> str | None:
    """The state at the end of the last judged day before this one."""
    return connection.execute(
        select(register_day.c.state)
        .where(_of(enterprise, number) & (register_day.c.day < day))
        .order_by(register_day.c.day.desc())
        .limit(1)
    ).scalar()


def _readings(connection: Connection, enterprise: str, number: str, start: int, end: int) -> Sequence[Any]:
    return driver_sql(
        connection,
        "SELECT at, raw FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?",
        (enterprise, number, start, end),
    ).all()


def _following(
    connection: Connection,
    enterprise: str,
    number: str,
    current: date,
    end: int,
    zone: str,
    declarations: Sequence[Declaration],
) -> date | None:
    """The next day on which anything happens to a register, or happened when it was judged last."""
    reads = driver_sql(
        connection,
        "SELECT at FROM reading WHERE enterprise = ? AND register = ? AND at >= ? ORDER BY at LIMIT 1",
        (enterprise, number, end),
    ).scalar()
    stored = connection.execute(
        select(register_day.c.day)
        .where(_of(enterprise, number) & (register_day.c.day > current))
        .order_by(register_day.c.day)
        .limit(1)
    ).scalar()
    times = [d.at for d in declarations if d.at >= end]
    if reads is not None:
        times.append(reads)
    days = [day_of(min(times), zone)] if times else []
    return min([*days, stored] if stored is not None else days, default=None)


def _store(
    connection: Connection, enterprise: str, number: str, day: date, zone: str, found: Day, stamp: int
) -> bool:
    """Store a judged day. True where the state at its end is another one than before."""
    this = _of(enterprise, number) & (register_day.c.day == day)
    before = connection.execute(select(register_day).where(this)).first()
    steps = json.dumps(found.steps, separators=(",", ":"))
    touches = day_of(found.steps[0].start.at, zone) if found.steps else day
    if before is not None:
        if (before.state, before.steps, before.dropped) == (found.state, steps, found.dropped):
            return False
        touches = min(touches, before.touches)
        connection.execute(delete(register_day).where(this))
    connection.execute(
        insert(register_day).values(
            enterprise=enterprise,
            register=number,
            day=day,
            state=found.state,
            steps=steps,
            dropped=found.dropped,
            settled=found.settled,
            open=sum(step.kind is StepKind.OPEN for step in found.steps),
            aside_since=standing(found.state).aside_since,
            touches=touches,
            computed_at=stamp,
        )
    )
    return before is None or bool(before.state != found.state)
