"""What is new in the cloud in a month: devices and enterprises whose first Good value was stored within it.

A calendar month in Beijing, and not the last 30 days. An enterprise comes with the first of its devices, a branch as
its legal person, and counts at its home; a device counts where its site is. Both as the ledger stands on the day asked.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, null, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import firms, lists
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measures import on
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds
from ganpo_cloud.store.registry_tables import onboarding

_AT = onboarding.c.cloud_at


def devices(province: Province, wanted: Filter, month: str) -> Select[Any]:
    """Devices that came in a month, the newest first."""
    mine = (onboarding.c.enterprise == ledger.c.enterprise) & (onboarding.c.asset_no == ledger.c.asset_no)
    query = lists.devices(province, wanted).add_columns(_AT, null().label("devices"))
    query = query.select_from(ledger.join(onboarding, mine)).where(_within(wanted, month))
    return query.order_by(None).order_by(_AT.desc(), *_KEY)


def enterprises(province: Province, wanted: Filter, month: str) -> Select[Any]:
    """Enterprises that came in a month, the newest first; `devices`: how many of theirs came within it."""
    day, own, tool = wanted.day, ledger.alias("own"), ledger.alias("tool")
    first, last = _bounds(wanted, month)
    joined, code = firms.legal(own, day)
    mine = (onboarding.c.enterprise == own.c.enterprise) & (onboarding.c.asset_no == own.c.asset_no)
    lately = select(code.label("legal")).select_from(joined.join(onboarding, mine)).distinct()
    some = lately.where(own.c.kind == "equipment", on(day, own.c), _within(wanted, month)).cte("some")
    members = firms.members(some, day)
    theirs = (tool.c.enterprise == members.c.enterprise) & (tool.c.kind == "equipment") & on(day, tool.c)
    seen = (onboarding.c.enterprise == tool.c.enterprise) & (onboarding.c.asset_no == tool.c.asset_no)
    came = func.min(_AT)
    new = (
        select(
            members.c.legal, came.label("cloud_at"), func.sum(case((last > _AT, 1), else_=0)).label("devices")
        )
        .select_from(members.join(tool, theirs).join(onboarding, seen))
        .group_by(members.c.legal)
        .having(came >= first)
        .subquery("new")
    )
    known = (new.c.legal == ledger.c.enterprise) & ledger.c.parent.is_(None)
    query = lists.enterprises(province, wanted).with_only_columns(*_ABOUT, new.c.cloud_at, new.c.devices)
    return query.select_from(ledger.join(new, known)).order_by(None).order_by(new.c.cloud_at.desc(), *_KEY)


_KEY = (ledger.c.enterprise, ledger.c.asset_no)
_ABOUT = (ledger.c.enterprise, ledger.c.asset_no, ledger.c.name, ledger.c.area, ledger.c.industry)


def _bounds(wanted: Filter, month: str) -> tuple[int, int]:
    """The month in ms, until the end of the day."""
    first, last = periods.span(month)
    return bounds(first, DEFAULT_ZONE)[0], bounds(min(last, wanted.day), DEFAULT_ZONE)[1]


def _within(wanted: Filter, month: str) -> ColumnElement[bool]:
    first, last = _bounds(wanted, month)
    return _AT.between(first, last - 1)
