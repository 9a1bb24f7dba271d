"""Quantities over any period, from the judged steps (formats.md, GET quantities); those of meters are stored by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from ganpo_cloud.days import chains, subjects
from ganpo_cloud.days.subjects import Counter
from ganpo_cloud.store import counted_tables, sql
from ganpo_cloud.store.counted_tables import register_day
from ganpo_cloud.store.localdays import bounds, day_of, days_from
from ganpo_cloud.store.tables import register, subject
from ganpo_model.quantities import Quantity, consumption
from ganpo_model.registers import Standing, Step, chain, standing

_DELETE = "DELETE FROM consumption WHERE enterprise = ? AND register = ? AND day >= ? AND day <= ?"


class RegisterQuantity(NamedTuple):
    """What one register of a subject says about a period."""

    counter: Counter
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Judged:
    """A register, how it stands now, and the part of its chain that holds a period."""

    about: Any
    now: Standing
    steps: Sequence[Step]

    def over(self, borders: Sequence[int]) -> list[Quantity]:
        """What it says about each stretch between neighbouring borders within that period."""
        now, num, den = self.now, self.about.num, self.about.den
        return [
            consumption(self.steps, now.first, now.total, start, end, num, den, now.believed_until)
            for start, end in pairwise(borders)
        ]


def of_subject(
    connection: Connection, enterprise: str, asset_no: str, start: int, end: int
) -> list[RegisterQuantity]:
    """Every register of a subject over [start, end)."""
    return [
        RegisterQuantity(counter, quantity)
        for counter in subjects.one(connection, enterprise, asset_no).registers
        for quantity in between(connection, enterprise, counter, (start, end))
    ]


def of_meters(connection: Connection, enterprise: str, start: int) -> dict[str, Judged]:
    """By number the judged registers of all meters of an enterprise, from an instant on, in two statements."""
    meters = select(subject.c.asset_no).where(
        (subject.c.enterprise == enterprise) & (subject.c.kind == "meter")
    )
    mine = (register.c.enterprise == enterprise) & register.c.subject.in_(meters)
    state = chains.newest_states(register.c.enterprise, register.c.id).label("state")
    about = {row.id: row for row in connection.execute(select(register, state).where(mine)) if row.state}
    since = min((day_of(start, row.timezone) for row in about.values()), default=date.max)
    days: dict[str, list[tuple[int, list[Step]]]] = {}
    query = select(register_day.c.register, register_day.c.dropped, register_day.c.steps)
    of = (register_day.c.enterprise == enterprise) & register_day.c.register.in_(list(about))
    for number, dropped, steps in connection.execute(
        query.where(of & (register_day.c.day >= since)).order_by(register_day.c.day)
    ):
        days.setdefault(number, []).append((dropped, chains.loaded(steps)))
    return {
        number: Judged(row, standing(row.state), chain(days.get(number, []))) for number, row in about.items()
    }


def in_parts(connection: Connection, enterprise: str, number: str, borders: Sequence[int]) -> list[Quantity]:
    """One register over each stretch between neighbouring borders; empty before anything of it is judged."""
    registers = subjects.one(connection, enterprise, number.partition("/")[0]).registers
    mine = (
        between(connection, enterprise, counter, borders) for counter in registers if counter.id == number
    )
    return next(mine, [])


def between(
    connection: Connection, enterprise: str, counter: Counter, borders: Sequence[int]
) -> list[Quantity]:
    """The same of a register as it is described."""
    state = chains.newest_state(connection, enterprise, counter.id)
    if state is None:
        return []
    steps = chains.steps_between(connection, enterprise, counter.id, borders[0], borders[-1], counter.zone)
    return Judged(counter, standing(state), steps).over(borders)


def store(connection: Connection, enterprise: str, counter: Counter, first: date, last: date) -> None:
    """Work out what a meter's register comes to on the days from `first` to `last`, after one of them was judged."""
    state = chains.newest_state(connection, enterprise, counter.id) if counter.carrier is not None else None
    if state is None:
        return
    now = standing(state)
    if (begun := now.first) is None or (newest := now.last) is None:
        return
    key = (enterprise, counter.id)
    sql.run(connection, _DELETE, (*key, first.isoformat(), last.isoformat()))
    # Days of which nothing is known yet have no row: they begin with the first reading and end with the last.
    days = days_from(max(first, day_of(begun.at, counter.zone)), min(last, day_of(newest.at, counter.zone)))
    if not days:
        return
    borders = [bounds(day, counter.zone)[0] for day in days] + [bounds(days[-1], counter.zone)[1]]
    rows: list[sql.Row] = []
    steps = chains.steps_between(connection, enterprise, counter.id, borders[0], borders[-1], counter.zone)
    found = Judged(counter, now, steps).over(borders)
    for day, (start, stop), of in zip(days, pairwise(borders), found, strict=True):
        covered = begun.at <= start and stop <= newest.at and not of.open
        # Of a day of which only one instant was read nobody knows that it took nothing.
        known = min(stop, newest.at) > max(start, begun.at)
        millionths = of.millionths if known else of.millionths or None
        about = (day, counter.id.partition("/")[0], counter.carrier, counter.signal)
        rows.append((*key, *about, millionths, of.spread_ms, len(of.open), covered))
    sql.replace(connection, counted_tables.consumption, rows)
