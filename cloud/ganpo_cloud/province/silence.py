"""Enterprises that have gone silent: in the cloud once, and of none of their devices is anything seen any more.

An enterprise is as its best device is: silent where one is silent and none is seen, gone where all are gone. A branch
is part of its legal person.
"""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, or_, select

from ganpo_cloud.days.reasons import HEALTH, SERVICE, Reason
from ganpo_cloud.inlet import lives
from ganpo_cloud.province import firms, lists
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measures import counts, on
from ganpo_cloud.store.counted_tables import ledger, production
from ganpo_cloud.store.tables import event, frame, gateway, live
from ganpo_model.activity import LOOK_BACK_DAYS, Age
from ganpo_model.facts import EventKind

AGES: Mapping[Age, tuple[str, str]] = {Age.SILENT: ("silent", "now_seen"), Age.GONE: ("gone", "now_cloud")}
"""Of an age what counts a device of such an enterprise, and what counts none of its."""
_ABOUT = (ledger.c.enterprise, ledger.c.name, ledger.c.area, ledger.c.industry, ledger.c.above_scale)


def enterprises(province: Province, wanted: Filter, age: Age) -> Select[Any]:
    """Those of an age, the longest unseen first, each with how many `devices` it has in the cloud, and the last day on
    which one of them was seen (`last_good`; None: none of the last 180). It begins with the few devices of that age."""
    day, (one, none) = wanted.day, AGES[age]
    own, tool, p = ledger.alias("own"), ledger.alias("tool"), production.c
    joined, code = firms.legal(own, day)
    some = select(code.label("legal")).select_from(joined).distinct()
    some_of = some.where(own.c.kind == "equipment", on(day, own.c), counts(one, own.c)).cte("some")
    members = firms.members(some_of, day)
    mine = (tool.c.enterprise == members.c.enterprise) & (tool.c.kind == "equipment") & on(day, tool.c)
    seen_once = or_(counts("now_cloud", tool.c), counts("gone", tool.c))
    # Of each device by itself: a join would read the production days of all.
    lately = p.day.between(day - timedelta(days=LOOK_BACK_DAYS), day) & p.good
    made = (p.enterprise == tool.c.enterprise) & (p.subject == tool.c.asset_no) & lately
    last = select(func.max(p.day)).where(made).correlate(tool).scalar_subquery()
    devices = func.sum(case((seen_once, 1), else_=0)).label("devices")
    quiet = (
        select(members.c.legal, devices, func.max(last).label("last_good"))
        .select_from(members.join(tool, mine))
        .group_by(members.c.legal)
        .having(func.max(case((counts(none, tool.c), 1), else_=0)) == 0)
        .subquery("quiet")
    )
    last_good = quiet.c.last_good
    found = ledger.join(quiet, (quiet.c.legal == ledger.c.enterprise) & ledger.c.parent.is_(None))
    query = lists.enterprises(province, wanted).with_only_columns(*_ABOUT, quiet.c.devices, last_good)
    query = query.select_from(found).order_by(None)
    return query.order_by(last_good.is_not(None), last_good, ledger.c.enterprise)


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
