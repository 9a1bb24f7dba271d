"""Judging registers day by day: the stored states of `ganpo_model.registers.fold` (metrics.md section 5).

A dirty day goes on from the state before it; the next days follow only while the state at their end changes.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from ganpo_cloud.localdays import bounds, day_of
from ganpo_cloud.tables import declaration, reading, register, register_day, withdrawal
from ganpo_model.registers import Declaration, Reading, Register, Step, StepKind, fold


def judge_from(connection: Connection, enterprise: str, number: str, day: date, now_ms: int) -> list[date]:
    """Judge a register from `day` on, as far as anything changes. Gives the days whose steps changed."""
    about = connection.execute(
        select(register).where((register.c.enterprise == enterprise) & (register.c.id == number))
    ).first()
    if about is None:
        return []  # no inventory names it yet: computed once one does
    rules = Register(about.max_rate, about.modulus, about.resets)
    declarations = declared(connection, enterprise, number)
    row_of = (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
    known = connection.execute(
        select(register_day.c.day, register_day.c.state, register_day.c.returned_to)
        .where(row_of & (register_day.c.day >= day))
        .order_by(register_day.c.day)
    ).all()
    before = connection.execute(
        select(register_day.c.state)
        .where(row_of & (register_day.c.day < day))
        .order_by(register_day.c.day.desc())
        .limit(1)
    ).scalar()
    states = {row.day: row.state for row in known}
    changed: list[date] = []
    state, current = before, day
    while True:
        start, end = bounds(current, about.timezone)
        found = fold(
            rules, state, _readings(connection, enterprise, number, start, end), declarations, start, end
        )
        if states.get(current) == found.state:
            break
        _store(connection, enterprise, number, current, found.state, found.steps, found.returned_to, now_ms)
        if found.returned_to is not None:
            changed += _withdraw(connection, enterprise, number, found.returned_to, current, now_ms)
        changed.append(current)
        state = found.state
        following = _next_day(
            connection, enterprise, number, end, about.timezone, declarations, states, current
        )
        if following is None:
            break
        current = following
    if changed:
        # Returns of later days went back into days that were written anew.
        for row in known:
            if row.returned_to is not None and row.day > max(changed):
                changed += _withdraw(connection, enterprise, number, row.returned_to, row.day, now_ms)
    return sorted(set(changed))


def steps_between(
    connection: Connection, enterprise: str, number: str, start: int, end: int, zone: str
) -> list[Step]:
    """The steps of a register that touch [start, end], in order, the one that holds `end` included."""
    row_of = (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
    first, last = day_of(start, zone), day_of(end, zone)
    rows = connection.execute(
        select(register_day.c.day, register_day.c.steps)
        .where(row_of & register_day.c.day.between(first, last))
        .order_by(register_day.c.day)
    ).all()
    steps = [step for row in rows for step in load_steps(row.steps)]
    if not steps or steps[-1].end.at < end:
        later = connection.execute(
            select(register_day.c.steps)
            .where(row_of & (register_day.c.day > last) & (register_day.c.steps != "[]"))
            .order_by(register_day.c.day)
            .limit(1)
        ).scalar()
        if later is not None:
            steps.append(load_steps(later)[0])
    return [step for step in steps if step.end.at >= start]


def newest_state(connection: Connection, enterprise: str, number: str) -> str | None:
    """The state of the fold after everything that is stored."""
    return connection.execute(
        select(register_day.c.state)
        .where((register_day.c.enterprise == enterprise) & (register_day.c.register == number))
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


def _readings(connection: Connection, enterprise: str, number: str, start: int, end: int) -> Sequence[Any]:
    return connection.exec_driver_sql(
        "SELECT at, raw FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?",
        (enterprise, number, start, end),
    ).all()


def _next_day(
    connection: Connection,
    enterprise: str,
    number: str,
    after: int,
    zone: str,
    declarations: Sequence[Declaration],
    states: dict[date, str],
    current: date,
) -> date | None:
    """The next day on which anything happens to a register."""
    mine = (reading.c.enterprise == enterprise) & (reading.c.register == number)
    following = connection.execute(
        select(func.min(reading.c.at)).where(mine & (reading.c.at >= after))
    ).scalar()
    times = [d.at for d in declarations if d.at >= after] + ([following] if following is not None else [])
    days = [day for day in states if day > current] + ([day_of(min(times), zone)] if times else [])
    return min(days, default=None)


def _store(
    connection: Connection,
    enterprise: str,
    number: str,
    day: date,
    state: str,
    steps: Sequence[Step],
    returned_to: int | None,
    now_ms: int,
) -> None:
    key = {"enterprise": enterprise, "register": number, "day": day}
    connection.execute(delete(register_day).filter_by(**key))
    text = json.dumps(steps, separators=(",", ":"))
    connection.execute(
        insert(register_day).values(
            state=state, steps=text, returned_to=returned_to, computed_at=now_ms, **key
        )
    )


def _withdraw(
    connection: Connection, enterprise: str, number: str, returned_to: int, before: date, now_ms: int
) -> list[date]:
    """A return rejected the steps of earlier days that end after `returned_to`."""
    row_of = (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
    changed = []
    rows = connection.execute(
        select(register_day.c.day, register_day.c.steps)
        .where(row_of & (register_day.c.day < before) & (register_day.c.steps != "[]"))
        .order_by(register_day.c.day.desc())
    )
    for row in rows.all():
        steps = load_steps(row.steps)
        kept = [step for step in steps if step.end.at <= returned_to]
        if len(kept) < len(steps):
            text = json.dumps(kept, separators=(",", ":"))
            mine = row_of & (register_day.c.day == row.day)
            connection.execute(update(register_day).where(mine).values(steps=text, computed_at=now_ms))
            changed.append(row.day)
        if kept:
            break
    return changed
