"""Quantities over any period, from the judged steps (formats.md, GET quantities)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Connection, select

from ganpo_cloud.days import judging
from ganpo_cloud.store.tables import register
from ganpo_model.quantities import Quantity, consumption
from ganpo_model.registers import Step, standing


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
    mine = (register.c.enterprise == enterprise) & (register.c.subject == asset_no)
    found = []
    for row in connection.execute(select(register).where(mine).order_by(register.c.id)).all():
        quantity = of_register(connection, enterprise, row.id, start, end)
        if quantity is None:
            continue
        found.append(RegisterQuantity(row.id, row.signal, row.carrier, row.unit, row.num, row.den, quantity))
    return found


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
    row = connection.execute(
        select(register).where((register.c.enterprise == enterprise) & (register.c.id == number))
    ).first()
    state = judging.newest_state(connection, enterprise, number)
    if row is None or state is None:
        return []
    now = standing(state)
    steps = judging.steps_between(connection, enterprise, number, borders[0], borders[-1], row.timezone)
    return [
        consumption(steps, now.first, now.total, start, end, row.num, row.den, now.believed_until)
        for start, end in pairwise(borders)
    ]
