"""Quantities over any period, from the judged steps (formats.md, GET quantities)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import chains, subjects
from ganpo_cloud.days.subjects import Counter
from ganpo_cloud.store.localdays import day_of
from ganpo_cloud.store.tables import register, register_day, subject
from ganpo_model.quantities import Quantity, consumption
from ganpo_model.registers import Step, chain, standing


@dataclass(frozen=True, slots=True)
class RegisterQuantity:
    """What one register of a subject says about a period."""

    register: str
    signal: str
    carrier: str | None
    unit: str
    num: int
    den: int
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Lately:
    """A register and the part of its chain that lies behind an instant."""

    about: Any
    steps: Sequence[Step]

    def over(self, borders: Sequence[int]) -> list[Quantity]:
        """What it says about each stretch between neighbouring borders behind that instant."""
        now, num, den = standing(self.about.state), self.about.num, self.about.den
        return [
            consumption(self.steps, now.first, now.total, start, end, num, den, now.believed_until)
            for start, end in pairwise(borders)
        ]


@dataclass(frozen=True, slots=True)
class Total:
    """The quantity of one carrier of one subject: registers of its measuring signal, added up in millionths."""

    carrier: str | None
    unit: str
    millionths: int | None
    spread_ms: int
    open: tuple[tuple[str, Step], ...]
    breaks: tuple[tuple[str, Step], ...]
    unknown_ms: int


def of_subject(
    connection: Connection, enterprise: str, asset_no: str, start: int, end: int
) -> list[RegisterQuantity]:
    """Every register of a subject over [start, end)."""
    found = []
    for counter in subjects.one(connection, enterprise, asset_no).registers:
        for quantity in between(connection, enterprise, counter, (start, end)):
            about = (counter.id, counter.signal, counter.carrier, counter.unit, counter.num, counter.den)
            found.append(RegisterQuantity(*about, quantity))
    return found


def of_meters(connection: Connection, enterprise: str, start: int) -> dict[str, Lately]:
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
    return {number: Lately(row, chain(days.get(number, []))) for number, row in about.items()}


def total(registers: list[RegisterQuantity], carrier: str | None) -> Total | None:
    """Registers whose signal measures the carrier, added up. `energy_export` counts the other way and is left out."""
    mine = [r for r in registers if r.carrier == carrier and r.signal != "energy_export"]
    if not mine:
        return None
    known = [r.quantity.millionths for r in mine if r.quantity.millionths is not None]
    return Total(
        carrier,
        mine[0].unit,
        sum(known) if known else None,
        max(r.quantity.spread_ms for r in mine),
        tuple((r.register, step) for r in mine for step in r.quantity.open),
        tuple((r.register, step) for r in mine for step in r.quantity.breaks),
        max(r.quantity.unknown_ms for r in mine),
    )


def of_register(
    connection: Connection, enterprise: str, number: str, start: int, end: int
) -> Quantity | None:
    """One register over [start, end); None before anything of it is judged."""
    return next(iter(in_parts(connection, enterprise, number, (start, end))), None)


def in_parts(connection: Connection, enterprise: str, number: str, borders: Sequence[int]) -> list[Quantity]:
    """One register over each stretch between neighbouring borders; empty before anything of it is judged."""
    subject = subjects.one(connection, enterprise, number.partition("/")[0])
    mine = [counter for counter in subject.registers if counter.id == number]
    return between(connection, enterprise, mine[0], borders) if mine else []


def between(
    connection: Connection, enterprise: str, counter: Counter, borders: Sequence[int]
) -> list[Quantity]:
    """The same of a register as it is described."""
    state = chains.newest_state(connection, enterprise, counter.id)
    if state is None:
        return []
    now = standing(state)
    steps = chains.steps_between(connection, enterprise, counter.id, borders[0], borders[-1], counter.zone)
    return [
        consumption(steps, now.first, now.total, start, end, counter.num, counter.den, now.believed_until)
        for start, end in pairwise(borders)
    ]
