"""What is stored follows the registrations of its gateway: facts move to the enterprise of their time, and everything
of the enterprises that give or get any is worked out again from what is stored."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, union, update

from ganpo_cloud.inlet.inventories import Told, refresh
from ganpo_cloud.store import slots, sql
from ganpo_cloud.store.counted_tables import consumption, day, production, register_day
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.owners import Registration
from ganpo_cloud.store.registry_tables import onboarding, proof
from ganpo_cloud.store.tables import (
    event,
    frame,
    inventory,
    inventory_part,
    named,
    reading,
    register,
    states,
    subject,
)
from ganpo_model.facts import EventKind

_END = 2**62
_MINE = "frame IN (SELECT id FROM frame WHERE gateway = ?)"
_NAMED = {
    Kind.SUBJECT: (
        subject.c.asset_no,
        named.c.name,
        event.c.subject,
        day.c.subject,
        production.c.subject,
    ),
    Kind.REGISTER: (register.c.id, reading.c.register, register_day.c.register, consumption.c.register),
}
_TIMES = ((event, event.c.at), (inventory, inventory.c.at))


def move(
    connection: Connection, gateway: str, before: Sequence[Registration], after: Sequence[Registration]
) -> None:
    """Give every stored fact of a gateway to the enterprise of its time."""
    ends = [one.since for one in after[1:]] + [_END]
    mine = select(frame.c.id).where(frame.c.gateway == gateway)
    for one, end in zip(after, ends, strict=True):
        for table, at in _TIMES:
            there = table.c.frame.in_(mine) & (at >= one.since) & (at < end)
            connection.execute(update(table).where(there).values(enterprise=one.enterprise))
        _move_slots(connection, gateway, one, end)
        waits = (inventory_part.c.gateway == gateway) & (inventory_part.c.at >= one.since)
        waits &= inventory_part.c.at < end
        connection.execute(update(inventory_part).where(waits).values(enterprise=one.enterprise))
        # One on the border ends the one and begins the other.
        sql.run(
            connection,
            f"INSERT INTO reading SELECT DISTINCT ?, register, at, raw, frame FROM reading WHERE {_MINE}"
            " AND at >= ? AND at <= ? ON CONFLICT DO NOTHING",
            (one.enterprise, gateway, one.since, end),
        )
    kept = " OR ".join(["(enterprise = ? AND at >= ? AND at <= ?)"] * len(after))
    values = [
        value for one, end in zip(after, ends, strict=True) for value in (one.enterprise, one.since, end)
    ]
    sql.run(connection, f"DELETE FROM reading WHERE {_MINE} AND NOT ({kept})", (gateway, *values))
    for code in sorted({one.enterprise for one in (*before, *after)}):
        _work_out_again(connection, code)


def _move_slots(connection: Connection, gateway: str, one: Registration, end: int) -> None:
    mine = select(frame.c.id).where(frame.c.gateway == gateway)
    there = states.c.frame.in_(mine) & (states.c.start >= one.since) & (states.c.start < end)
    of = select(named.c.id, named.c.name).join(states, states.c.subject == named.c.id).where(there).distinct()
    before = connection.execute(of.where(named.c.enterprise != one.enterprise)).all()
    after = slots.numbers(connection, ((one.enterprise, row.name) for row in before))
    for row in before:
        of_it = there & (states.c.subject == row.id)
        connection.execute(update(states).where(of_it).values(subject=after[one.enterprise, row.name]))


def _work_out_again(connection: Connection, enterprise: str) -> None:
    """Describe an enterprise from its inventories alone, and mark whatever was known of it, or is now."""
    _mark_all(connection, enterprise)
    for table in (onboarding, proof, register, subject):
        connection.execute(delete(table).where(table.c.enterprise == enterprise))
    mine = inventory.c.enterprise == enterprise
    rows = connection.execute(select(inventory.c.gateway, inventory.c.at, inventory.c.body).where(mine)).all()
    refresh(connection, enterprise, [Told(row.gateway, row.at, json.loads(row.body)) for row in rows])
    _mark_all(connection, enterprise)
    _prove(connection, enterprise)
    mark(connection, Kind.LEDGER, [(enterprise, EVER)])


def _mark_all(connection: Connection, enterprise: str) -> None:
    """Every subject and every register that is described, or of which anything is stored."""
    for kind, columns in _NAMED.items():
        found = union(*(select(column).where(column.table.c.enterprise == enterprise) for column in columns))
        numbers = connection.execute(found).scalars().all()
        mark(connection, kind, ((key(enterprise, number), EVER) for number in numbers if number is not None))


def _prove(connection: Connection, enterprise: str) -> None:
    """The earliest proof of every flag."""
    linked = (event.c.enterprise == enterprise) & (event.c.kind == str(EventKind.LINK_UP))
    found: dict[tuple[str, str], tuple[int, int]] = {}
    query = select(event.c.subject, event.c.at, event.c.frame, event.c.data).where(linked)
    for row in connection.execute(query):
        flags = json.loads(row.data).get("proves")
        for flag in flags if isinstance(flags, list) and row.subject is not None else []:
            key = (row.subject, str(flag))
            found[key] = min((row.at, row.frame), found.get(key, (row.at, row.frame)))
    for (asset_no, flag), (at, number) in sorted(found.items()):
        connection.execute(
            insert(proof).values(enterprise=enterprise, asset_no=asset_no, flag=flag, at=at, frame=number)
        )
