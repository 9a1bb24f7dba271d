"""What waits for a person: open steps, registers that are not believed, registers that follow one another undeclared
(metrics.md section 5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from ganpo_cloud.days import chains
from ganpo_cloud.days.declarations import declared
from ganpo_cloud.days.reasons import Reason
from ganpo_cloud.store.counted_tables import register_day
from ganpo_cloud.store.localdays import bounds
from ganpo_cloud.store.tables import reading, register
from ganpo_model.clock import DAY_MS, HOUR_MS, from_ms, iso, to_ms
from ganpo_model.registers import Reading, Step, StepKind, standing

NOT_BELIEVED_MS = HOUR_MS
"""A register that is not believed for longer than this is shown."""
REGULAR = 3
"""So many open steps, as far apart from one another, look like a register that shows a new number only so often,"""
_LONGEST_MS = 7 * DAY_MS
_NEARLY = 6
"""give or take this part of the interval."""
_LOOKED_AT = 100


Item = tuple[Fraction, Reason]
"""What waits, after how much of the register's unit is not counted because of it, as far as that is known."""


def open_items(
    connection: Connection, now: datetime, enterprise: str | None = None, asset_no: str | None = None
) -> list[Reason]:
    """What waits for a person, the largest first: open steps, registers not believed for an hour, registers that follow
    undeclared.

    `enterprise`: only of this one; `asset_no`: only of this meter or machine of it.
    """
    wanted = {register.c.enterprise: enterprise, register.c.subject: asset_no}
    asked = [column == value for column, value in wanted.items() if value is not None]
    d, newest = register_day.c, register_day.alias().c
    mine = (register.c.enterprise == d.enterprise) & (register.c.id == d.register)
    same = (newest.enterprise == d.enterprise) & (newest.register == d.register)
    last = select(func.max(newest.day)).where(same).scalar_subquery().label("last")
    about = [register.c[name] for name in ("unit", "num", "den", "max_rate", "update_ms", "timezone")]
    query = select(register_day, *about, last).join(register, mine)
    query = query.where((d.open > 0) | d.aside_since.is_not(None), *asked)
    found = list(_following(connection, asked))
    rows = connection.execute(query.order_by(d.enterprise, d.register, d.day)).all()
    for _, days in groupby(rows, key=attrgetter("enterprise", "register")):
        steps: list[Step] = []
        for row in days:
            steps += _open_steps(connection, row) if row.open else []
            if row.aside_since is not None and row.day == row.last:
                found += _not_believed(connection, row, to_ms(now))
        found += _of_steps(row, steps)
    return [reason for _, reason in sorted(found, key=lambda item: (-item[0], item[1].since or 0))]


def _open_steps(connection: Connection, row: Any) -> list[Step]:
    """The open steps of a day that no later day took back."""
    found = [step for step in chains.loaded(row.steps) if step.kind is StepKind.OPEN]
    start, end = bounds(row.day, row.timezone)[0], found[-1].end.at
    chain = chains.steps_between(connection, row.enterprise, row.register, start, end, row.timezone)
    return [step for step in found if step in chain]


def _of_steps(about: Any, steps: Sequence[Step]) -> Iterable[Item]:
    """An item for each, and one for those that come regularly."""
    for row in _in_a_row(about, steps):
        first, amount = row[0], sum(step.amount for step in row)
        if len(row) >= REGULAR:
            hours = str(round((row[-1].end.at - first.end.at) / (len(row) - 1) / HOUR_MS))
            yield _item(about, "regular", first.start.at, amount, f'update = "{hours}h"', hours=hours)
            continue
        for step in row:
            command = _command(about.enterprise, about.register, step.end.at, step.start.raw, step.end.raw)
            yield _item(about, "open", step.start.at, step.amount, command)


def _in_a_row(about: Any, steps: Sequence[Step]) -> list[list[Step]]:
    """Steps that a new number every so often would explain, together; every other one alone."""
    rows: list[list[Step]] = []
    for step in steps:
        row = rows[-1] if rows else []
        if _goes_on(about, row, step):
            row.append(step)
        elif len(row) == 2 and _goes_on(about, row[1:], step):
            rows[-1:] = [row[:1], [row[1], step]]  # the first one had nothing to do with them
        else:
            rows.append([step])
    return rows


def _goes_on(about: Any, row: Sequence[Step], step: Step) -> bool:
    """Whether a step comes as long after a row as that one's second came after its first, or is the second."""
    if not row or about.update_ms:
        return False
    gap_ms = step.end.at - row[-1].end.at
    every_ms = row[1].end.at - row[0].end.at if len(row) > 1 else gap_ms
    return (
        HOUR_MS <= every_ms <= _LONGEST_MS
        and abs(gap_ms - every_ms) <= every_ms // _NEARLY
        and min(step.amount, row[-1].amount) > 0
        and max(step.amount, row[-1].amount) <= about.max_rate * every_ms // HOUR_MS + 1
    )


def _not_believed(connection: Connection, row: Any, now_ms: int) -> Iterable[Item]:
    """A register that is not believed at the end of its newest day, for too long."""
    last = standing(row.state).last
    if now_ms - row.aside_since < NOT_BELIEVED_MS or last is None:
        return
    of = (reading.c.enterprise == row.enterprise) & (reading.c.register == row.register)
    query = select(reading.c.at, reading.c.raw).where(of & (reading.c.at >= row.aside_since))
    newest = query.order_by(reading.c.at.desc(), reading.c.raw.desc()).limit(_LOOKED_AT)
    since = [last, *(Reading(*one) for one in reversed(connection.execute(newest).all()))]
    amount = since[-1].raw - last.raw
    scale = Fraction(row.num, row.den)
    asked = _asked(since, row.max_rate)
    code, rates = "not_believed" if asked is None else "too_fast", (asked or 0, row.max_rate)
    told = {name: rate(of * scale, row.unit) for name, of in zip(("asked", "allowed"), rates, strict=True)}
    yield _item(row, code, row.aside_since, amount if amount > 0 else None, "ganpo check", **told)


def _asked(since: Sequence[Reading], allowed: int) -> Fraction | None:
    """Counts an hour: from the last accepted reading to the newest one, and where that is less than what is allowed,
    the most between two neighbours. None where nothing rises by more than is allowed."""
    pairs = [(since[0], since[-1]), *pairwise(since)]
    rates = [Fraction((b.raw - a.raw) * HOUR_MS, max(b.at - a.at, 1)) for a, b in pairs]
    return next((rate for rate in (rates[0], max(rates)) if rate > allowed), None)


def _item(about: Any, code: str, since: int, amount: int | None, command: str, **told: str) -> Item:
    told["n"] = f"{amount or 0:,}".replace("-", "\u2212")
    size = abs(amount or 0) * Fraction(about.num, about.den)
    return size, Reason(code, since, told, command, about.register)


def rate(value: Fraction, unit: str) -> str:
    """In six digits, or all before the point: 8,640 kWh."""
    digits = f"{float(value):,.6g}" if value < 100_000 else f"{round(value):,}"
    return f"{digits} {unit.replace('m3', 'm³')}".removesuffix(" 1")


def _following(connection: Connection, asked: Sequence[ColumnElement[bool]]) -> Iterable[Item]:
    """Registers of one meter and signal that follow each other, and nobody declared how."""
    of = (register.c.enterprise, register.c.subject, register.c.signal)
    several = select(*of).where(*asked).group_by(*of).having(func.count() > 1)
    state = chains.newest_states(register.c.enterprise, register.c.id).label("state")
    rows = connection.execute(
        select(*of, register.c.id, state).where(tuple_(*of).in_(several)).order_by(*of)
    ).all()
    for (owner, _, _), registers in groupby(rows, key=lambda row: row[:3]):
        lives = [(standing(row.state), row.id) for row in registers if row.state is not None]
        begun = sorted((life.first, number, life.last) for life, number in lives if life.first is not None)
        for (_, old, last), (first, new, _) in pairwise(begun):
            ended = any(found.first is None for found in declared(connection, owner, old))
            if last is not None and not ended:
                command = _command(owner, old, first.at, last.raw, first.raw, new)
                yield Fraction(0), Reason("follows", first.at, {}, command, new)


def _command(enterprise: str, old: str, at: int, final: int, first: int, new: str | None = None) -> str:
    """The command with everything filled in that is known; T is the moment of the exchange, as far as one knows."""
    follows = f" --new-register '{new}'" if new is not None else ""
    return (
        f"ganpo-cloud declare '{old}' --enterprise {enterprise} --at {iso(from_ms(at))} --final {final}"
        f" --first {first}{follows} --why '...' --by '...'"
    )
