"""What the newest inventories say of an enterprise: subjects and registers, merged (uplink.md, inventory)."""

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ganpo_cloud.localdays import day_of, zone_of
from ganpo_cloud.tables import dirty, inventory, reading, register, register_day, subject

_JUDGED_BY = ("num", "den", "modulus", "max_rate", "resets", "timezone")
"""What the past is judged by: corrected, it is judged anew."""


def refresh(connection: Connection, enterprise: str) -> None:
    """Recompute the tables `subject` and `register` of one enterprise from its gateways' newest inventories.

    What no inventory names any more is withdrawn: it keeps its last description and its past.
    """
    subjects: dict[str, dict[str, Any]] = {}
    registers: dict[str, dict[str, Any]] = {}
    for row in _newest(connection, enterprise):
        body = json.loads(row.body)
        zone = body["site"]["timezone"]
        for kind in ("equipment", "meters"):
            for item in body[kind]:
                known = subjects.get(item["asset_no"], {"gateways": []})
                subjects[item["asset_no"]] = {
                    "kind": kind.removesuffix("s"),
                    "name": item["name"],
                    "timezone": zone,
                    "gateway": row.gateway,
                    "at": row.at,
                    "body": item,
                    "gateways": [*known["gateways"], row.gateway],
                }
        for item in body["registers"]:
            registers[item["id"]] = item | {"timezone": zone}
    _store_subjects(connection, enterprise, subjects)
    _store_registers(connection, enterprise, registers)


def _newest(connection: Connection, enterprise: str) -> list[Any]:
    """The newest inventory of each gateway, oldest first: where two differ the newest wins."""
    rows = connection.execute(
        select(inventory.c.gateway, inventory.c.at, inventory.c.frame, inventory.c.body)
        .where(inventory.c.enterprise == enterprise)
        .order_by(inventory.c.at, inventory.c.frame)
    )
    return sorted({row.gateway: row for row in rows}.values(), key=lambda row: (row.at, row.frame))


def _store_subjects(connection: Connection, enterprise: str, found: dict[str, dict[str, Any]]) -> None:
    mine = subject.c.enterprise == enterprise
    connection.execute(update(subject).where(mine).values(withdrawn=True))
    for asset_no, item in sorted(found.items()):
        connection.execute(delete(subject).where(mine & (subject.c.asset_no == asset_no)))
        body = json.dumps(item["body"] | {"gateways": item["gateways"]}, ensure_ascii=False)
        values = {name: item[name] for name in ("kind", "name", "timezone", "gateway", "at")}
        connection.execute(
            insert(subject).values(
                enterprise=enterprise, asset_no=asset_no, withdrawn=False, body=body, **values
            )
        )


def _store_registers(connection: Connection, enterprise: str, found: dict[str, dict[str, Any]]) -> None:
    mine = register.c.enterprise == enterprise
    known = {row.id: row for row in connection.execute(select(register).where(mine))}
    for number, item in sorted(found.items()):
        before = known.get(number)
        if before is not None and all(getattr(before, name) == item[name] for name in _JUDGED_BY):
            continue
        columns = ("subject", "signal", "carrier", "unit", *_JUDGED_BY)
        connection.execute(delete(register).where(mine & (register.c.id == number)))
        connection.execute(
            insert(register).values(
                enterprise=enterprise, id=number, **{name: item[name] for name in columns}
            )
        )
        judge_anew(connection, enterprise, number)


def judge_anew(connection: Connection, enterprise: str, number: str) -> None:
    """Forget what was judged of a register: its day states go, and its first reading's day is dirty."""
    connection.execute(
        delete(register_day).where(
            (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
        )
    )
    first = connection.execute(
        select(reading.c.at)
        .where((reading.c.enterprise == enterprise) & (reading.c.register == number))
        .order_by(reading.c.at)
        .limit(1)
    ).scalar()
    if first is None:
        return
    asset_no = number.partition("/")[0]
    day = day_of(first, zone_of(connection, enterprise, asset_no))
    row = {"enterprise": enterprise, "subject": asset_no, "day": day}
    if connection.execute(select(dirty).filter_by(**row)).first() is None:
        connection.execute(insert(dirty).values(**row))
