"""What the newest inventories say of an enterprise: subjects and registers, merged (uplink.md, inventory)."""

import json
import zlib
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from ganpo_cloud.counting import consumption
from ganpo_cloud.judging import declared
from ganpo_cloud.localdays import DEFAULT_ZONE, day_of, days_from, zone_of
from ganpo_cloud.marks import mark, mark_machines
from ganpo_cloud.registry_tables import onboarding
from ganpo_cloud.tables import day, inventory, reading, register, register_day, states, subject

_DESCRIBED_BY = ("subject", "signal", "carrier", "unit")
_JUDGED_BY = ("num", "den", "modulus", "max_rate", "resets", "timezone", "update_ms")
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
        calendar = zlib.crc32(json.dumps(body["calendar"]).encode())
        for kind in ("equipment", "meters"):
            for item in body[kind]:
                known = subjects.get(item["asset_no"], {"gateways": []})
                subjects[item["asset_no"]] = {
                    "kind": kind.removesuffix("s"),
                    "name": item["name"],
                    "timezone": zone,
                    "gateway": row.gateway,
                    "at": row.at,
                    "body": item | {"site": body["site"]["id"], "calendar": calendar},
                    "gateways": [*known["gateways"], row.gateway],
                }
        for item in body["registers"]:
            registers[item["id"]] = {"update_ms": None} | item | {"timezone": zone}
    _store_subjects(connection, enterprise, subjects)
    _store_registers(connection, enterprise, registers)


def _newest(connection: Connection, enterprise: str) -> list[Any]:
    """The newest inventory of each gateway, oldest first: where two differ the newest wins."""
    mine = inventory.c.enterprise == enterprise
    newest = (
        select(inventory.c.gateway, func.max(inventory.c.at).label("at"))
        .where(mine)
        .group_by(inventory.c.gateway)
        .subquery()
    )
    same = (inventory.c.gateway == newest.c.gateway) & (inventory.c.at == newest.c.at)
    rows = connection.execute(
        select(inventory.c.gateway, inventory.c.at, inventory.c.body)
        .join(newest, same)
        .where(mine)
        .order_by(inventory.c.at, inventory.c.frame)
    )
    return list({row.gateway: row for row in rows}.values())


def _store_subjects(connection: Connection, enterprise: str, found: dict[str, dict[str, Any]]) -> None:
    mine = subject.c.enterprise == enterprise
    known = {row.asset_no: row for row in connection.execute(select(subject).where(mine))}
    connection.execute(update(subject).where(mine).values(withdrawn=True))
    for asset_no, item in sorted(found.items()):
        before = known.get(asset_no)
        first_named = day_of(item["at"], item["timezone"])
        since = min(before.since, first_named) if before is not None else first_named
        connection.execute(delete(subject).where(mine & (subject.c.asset_no == asset_no)))
        body = json.dumps(item["body"] | {"gateways": item["gateways"]}, ensure_ascii=False)
        values = {name: item[name] for name in ("kind", "name", "timezone", "gateway", "at")}
        connection.execute(
            insert(subject).values(
                enterprise=enterprise, asset_no=asset_no, since=since, withdrawn=False, body=body, **values
            )
        )
        if item["timezone"] != (before.timezone if before is not None else DEFAULT_ZONE):
            _paint_anew(connection, enterprise, asset_no, item["timezone"])
        elif before is None or json.loads(before.body).get("calendar") != item["body"]["calendar"]:
            mark_machines(connection, "enterprise = ? AND subject = ?", (enterprise, asset_no))


def _store_registers(connection: Connection, enterprise: str, found: dict[str, dict[str, Any]]) -> None:
    mine = register.c.enterprise == enterprise
    known = {row.id: row for row in connection.execute(select(register).where(mine))}
    for number, item in sorted(found.items()):
        before = known.get(number)
        values = {name: item[name] for name in (*_DESCRIBED_BY, *_JUDGED_BY)}
        if before is not None and all(getattr(before, name) == value for name, value in values.items()):
            continue
        connection.execute(delete(register).where(mine & (register.c.id == number)))
        connection.execute(insert(register).values(enterprise=enterprise, id=number, **values))
        if before is None or any(getattr(before, name) != values[name] for name in _JUDGED_BY):
            judge_anew(connection, enterprise, number)


def judge_anew(connection: Connection, enterprise: str, number: str) -> None:
    """Forget what was judged of a register, and when its subject came into the cloud: the first day on which anything
    happens is dirty, and both are computed again."""
    mine = (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
    connection.execute(delete(register_day).where(mine))
    consumption.forget(connection, enterprise, number)
    of_subject = onboarding.c.asset_no == number.partition("/")[0]
    connection.execute(delete(onboarding).where((onboarding.c.enterprise == enterprise) & of_subject))
    first = connection.execute(
        select(func.min(reading.c.at)).where(
            (reading.c.enterprise == enterprise) & (reading.c.register == number)
        )
    ).scalar()
    times = [d.at for d in declared(connection, enterprise, number)]
    if first is not None:
        times.append(first)
    if times:
        asset_no = number.partition("/")[0]
        local = day_of(min(times), zone_of(connection, enterprise, asset_no))
        mark(connection, [(enterprise, asset_no, local)])


def _paint_anew(connection: Connection, enterprise: str, asset_no: str, zone: str) -> None:
    """The site's days begin elsewhere than was thought: every painted day of a subject is painted again."""
    connection.execute(delete(day).where((day.c.enterprise == enterprise) & (day.c.subject == asset_no)))
    mine = (states.c.enterprise == enterprise) & (states.c.subject == asset_no)
    first, end = connection.execute(
        select(func.min(states.c.start), func.max(states.c.end)).where(mine)
    ).one()
    if first is not None:
        last = day_of(end - 1, zone)
        mark(connection, [(enterprise, asset_no, local) for local in days_from(day_of(first, zone), last)])
