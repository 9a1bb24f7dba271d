"""What is stored follows the registrations of its gateway: facts move to the enterprise of their time, and everything
of the enterprises that give or get any is worked out again from what is stored."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, union

from ganpo_cloud.inlet.apply import proofs, prove
from ganpo_cloud.inlet.inventories import Told, refresh
from ganpo_cloud.store import slots, sql
from ganpo_cloud.store.counted_tables import consumption, day, production, register_day
from ganpo_cloud.store.marks import EVER, Kind, key, mark, planned_anew
from ganpo_cloud.store.owners import Registration
from ganpo_cloud.store.registry_tables import onboarding, proof
from ganpo_cloud.store.tables import (
    event,
    inventory,
    inventory_part,
    named,
    reading,
    register,
    subject,
)
from ganpo_model.facts import EventKind

_END = 2**62
_THERE = "frame IN (SELECT id FROM frame WHERE gateway = ?) AND {at} >= ? AND {at} < ?"
_SLOTS = _THERE.format(at="start")
_STRANGE = (
    "SELECT DISTINCT n.id, n.name FROM states JOIN named n ON n.id = states.subject"
    f" WHERE {_SLOTS} AND n.enterprise <> ?"
)
_COPY = (
    "INSERT INTO reading SELECT DISTINCT ?, register, at, raw, frame FROM reading"
    f" WHERE {_THERE.format(at='at')} ON CONFLICT DO NOTHING"
)
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


def move(
    connection: Connection, gateway: str, before: Sequence[Registration], after: Sequence[Registration]
) -> None:
    """Give every stored fact of a gateway to the enterprise of its time."""
    kept = []
    for one, end in zip(after, [*(one.since for one in after[1:]), _END], strict=True):
        for table in (event, inventory, inventory_part):
            mine = f"UPDATE {table.name} SET enterprise = ? WHERE gateway = ? AND at >= ? AND at < ?"
            sql.run(connection, mine, (one.enterprise, gateway, one.since, end))
        there = (gateway, one.since, end)
        strange = sql.rows(connection, _STRANGE, (*there, one.enterprise))
        ours = slots.numbers(connection, ((one.enterprise, name) for _, name in strange))
        moved = [(ours[one.enterprise, name], *there, number) for number, name in strange]
        sql.run(connection, f"UPDATE states SET subject = ? WHERE {_SLOTS} AND subject = ?", moved)
        # A reading on the border ends the one and begins the other.
        sql.run(connection, _COPY, (one.enterprise, gateway, one.since, end + 1))
        kept.append((one.enterprise, one.since, end))
    others = " AND ".join(["NOT (enterprise = ? AND at >= ? AND at <= ?)"] * len(kept))
    values = (gateway, 0, _END, *(value for one in kept for value in one))
    sql.run(connection, f"DELETE FROM reading WHERE {_THERE.format(at='at')} AND {others}", values)
    for code in sorted({one.enterprise for one in (*before, *after)}):
        _work_out_again(connection, code)


def _work_out_again(connection: Connection, enterprise: str) -> None:
    """Describe an enterprise from its inventories alone, prove what its events prove, and mark whatever was known of
    it, or is now."""
    _mark_all(connection, enterprise)
    for table in (onboarding, proof, register, subject):
        connection.execute(delete(table).where(table.c.enterprise == enterprise))
    told = select(inventory.c.gateway, inventory.c.at, inventory.c.body).filter_by(enterprise=enterprise)
    inventories = [Told(row.gateway, row.at, json.loads(row.body)) for row in connection.execute(told).all()]
    refresh(connection, enterprise, inventories)
    _mark_all(connection, enterprise)
    linked = select(event).filter_by(enterprise=enterprise, kind=EventKind.LINK_UP)
    for row in connection.execute(linked.where(event.c.subject.is_not(None))).all():
        prove(connection, proofs(enterprise, row.subject, json.loads(row.data), row.at, row.frame))
    mark(connection, Kind.LEDGER, [(enterprise, EVER)])


def _mark_all(connection: Connection, enterprise: str) -> None:
    """Every subject and every register that is described, or of which anything is stored; and planned days."""
    planned_anew(connection)
    for kind, columns in _NAMED.items():
        found = union(*(select(column).where(column.table.c.enterprise == enterprise) for column in columns))
        numbers = connection.execute(found).scalars().all()
        mark(connection, kind, ((key(enterprise, number), EVER) for number in numbers if number is not None))
