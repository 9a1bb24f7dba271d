"""Enterprises that have gone silent: in the cloud once, and of none of their devices is anything seen any more.

An enterprise is as its best device is: silent where one is silent and none is seen, gone where all are gone. A branch
is part of its legal person.
"""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, or_, select

from ganpo_cloud.days.reasons import HEALTH, SERVICE, Reason
from ganpo_cloud.inlet import lives
from ganpo_cloud.province import lists
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measures import counts, on
from ganpo_cloud.store.counted_tables import ledger, production
from ganpo_cloud.store.tables import event, frame, gateway, live
from ganpo_model.activity import LOOK_BACK_DAYS, Age
from ganpo_model.facts import EventKind

AGES = (Age.SILENT, Age.GONE)
_ABOUT = (ledger.c.enterprise, ledger.c.name, ledger.c.area, ledger.c.industry, ledger.c.above_scale)


def enterprises(province: Province, wanted: Filter, age: Age) -> Select[Any]:
    """Those of an age, the longest unseen first, each with how many `devices` it has in the cloud, and the last day on
    which one of them was seen (`last_good`; None: none of the last 180)."""
    firm, tool, p = ledger.alias("firm"), ledger.alias("tool"), production.c
    legal = func.coalesce(firm.c.parent, firm.c.enterprise).label("legal")
    mine = (tool.c.enterprise == firm.c.enterprise) & (tool.c.kind == "equipment") & on(wanted.day, tool.c)
    tools = (
        select(legal, tool.c.enterprise, tool.c.asset_no)
        .select_from(firm.join(tool, mine))
        .where(firm.c.kind == "enterprise", on(wanted.day, firm.c))
        .where(or_(counts("now_cloud", tool.c), counts("gone", tool.c)))
    )
    best = func.min(case({Age.SILENT: 1, Age.GONE: 2}, value=tool.c.age, else_=0))
    each = tools.with_only_columns(legal, func.count().label("devices")).group_by(legal)
    quiet = each.having(best == 1 + AGES.index(age)).subquery()
    of_it = tools.where(legal.in_(select(quiet.c.legal))).subquery()
    lately = p.day.between(wanted.day - timedelta(days=LOOK_BACK_DAYS), wanted.day)
    seen = (
        select(of_it.c.legal, func.max(p.day).label("last_good"))
        .join(
            production,
            (p.enterprise == of_it.c.enterprise) & (p.subject == of_it.c.asset_no) & lately & p.good,
        )
        .group_by(of_it.c.legal)
        .subquery()
    )
    found = ledger.join(quiet, (quiet.c.legal == ledger.c.enterprise) & ledger.c.parent.is_(None))
    query = lists.enterprises(province, wanted).with_only_columns(*_ABOUT, quiet.c.devices, seen.c.last_good)
    query = query.select_from(found.outerjoin(seen, seen.c.legal == ledger.c.enterprise))
    return query.order_by(None).order_by(seen.c.last_good.is_not(None), seen.c.last_good, ledger.c.enterprise)


class Word(NamedTuple):
    """What was heard last of an enterprise. `at`: when anything of its gateways came, in ms; `said`: what was the
    matter then."""

    at: int | None
    said: Reason | None


def words(connection: Connection, codes: Collection[str]) -> dict[str, Word]:
    """By code the last word of the gateways of these enterprises, and the last thing that was the matter: a device or a
    connection that does not answer, else that the gateway is away."""
    newest = select(frame.c.committed_at).where(frame.c.gateway == gateway.c.id)
    newest = newest.order_by(frame.c.stream.desc(), frame.c.seq.desc()).limit(1)
    down = select(func.max(event.c.at)).where(
        event.c.gateway == gateway.c.id, event.c.kind == EventKind.LINK_DOWN
    )
    columns = (gateway.c.id, gateway.c.enterprise, live.c.heard_at, live.c.offline)
    query = select(*columns, newest.scalar_subquery().label("stored"), down.scalar_subquery().label("down"))
    query = query.outerjoin_from(gateway, live, live.c.gateway == gateway.c.id)
    rows = connection.execute(query.where(gateway.c.enterprise.in_(codes)).order_by(gateway.c.id)).all()
    links = lives.items(connection, "connections", [row.id for row in rows])
    found: dict[str, Word] = {}
    for row in rows:
        at = max((one for one in (row.heard_at, row.stored) if one is not None), default=None)
        reasons = [Reason("never" if at is None else "offline", at, {}, SERVICE, row.id)]
        for name, item in links.get(row.id, {}).items():
            if isinstance(item, dict) and item.get("error"):
                reasons.append(
                    Reason("link", row.heard_at, {"error": str(item["error"])[:200]}, HEALTH, name)
                )
        if row.down is not None:
            reasons += _down(connection, row.id, row.down)
        said = max(reasons[1:], key=lambda reason: reason.since or 0, default=reasons[0])
        before = found.get(row.enterprise)
        if before is None or (at or 0) > (before.at or 0):
            found[row.enterprise] = Word(at, said)
    return found


def _down(connection: Connection, number: str, at: int) -> list[Reason]:
    """What a gateway said of the device that went away last."""
    mine = (event.c.gateway == number) & (event.c.kind == EventKind.LINK_DOWN) & (event.c.at == at)
    row = connection.execute(
        select(event.c.subject, event.c.data).where(mine).order_by(event.c.subject)
    ).first()
    if row is None:
        return []
    details = {"reason": str(json.loads(row.data).get("reason", ""))[:200]}
    return [Reason("device", at, details, HEALTH, row.subject or "")]
