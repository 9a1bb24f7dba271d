"""Enterprises by what their devices have reached, read off the declarations in `ganpo_model.coverage`."""

from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, or_, select

from ganpo_cloud.province.measures import counts, on
from ganpo_cloud.store.counted_tables import ledger
from ganpo_model.coverage import Firms


def legal(own: Any, day: date) -> tuple[Any, ColumnElement[str]]:
    """The devices `own` with the branches of that day beside them, and of each the code of its legal person."""
    home = ledger.alias("branches").c
    told = select(home.enterprise, home.parent).where(home.asset_no == "", home.parent.is_not(None))
    branch = told.where(on(day, home)).subquery("branch")
    joined = own.outerjoin(branch, branch.c.enterprise == own.c.enterprise)
    return joined, func.coalesce(branch.c.parent, own.c.enterprise)


def members(some: Any, day: date) -> CTE:
    """Of some legal persons (`some.c.legal`) each with itself and its branches: `legal`, `enterprise`."""
    home = ledger.alias("home").c
    alone = select(some.c.legal, some.c.legal.label("enterprise"))
    branches = select(home.parent, home.enterprise).where(home.parent.is_not(None), home.kind == "enterprise")
    theirs = branches.where(on(day, home), home.parent.in_(select(some.c.legal)))
    return alone.union_all(theirs).cte("members")


def counted(of: Firms, day: date) -> ColumnElement[bool]:
    """Whether a count of enterprises counts a row of the ledger; a test holds this and `Firms.counts` equal."""
    found = [ledger.c.parent.is_(None)]
    if of.devices is not None:
        found.append(ledger.c.enterprise.in_(reaching(day, (of.devices,), of.without)))
    elif of.without:
        found.append(ledger.c.enterprise.not_in(reaching(day, of.without)))
    return and_(*found)


def reaching(day: date, some: tuple[str, ...], none: tuple[str, ...] = ()) -> Select[Any]:
    """The codes of legal persons with a device that one of `some` counts, and none that one of `none` does."""
    own, home, wanted = ledger.alias("own"), ledger.alias("home"), ((some, "some"), (none, "none"))
    flags = {
        name: or_(*(counts(measure, own.c) for measure in measures)) for measures, name in wanted if measures
    }
    # Of each enterprise by itself first, in the order of the ledger; then of branches as their legal person.
    reached = (func.max(case((flag, 1), else_=0)).label(name) for name, flag in flags.items())
    each = select(own.c.enterprise, *reached).where(own.c.kind == "equipment", on(day, own.c))
    one = each.where(or_(*flags.values())).group_by(own.c.enterprise).subquery("one")
    branch = (home.c.enterprise == one.c.enterprise) & home.c.parent.is_not(None) & on(day, home.c)
    code = func.coalesce(home.c.parent, one.c.enterprise)
    query = select(code).select_from(one.outerjoin(home, branch & (home.c.asset_no == ""))).group_by(code)
    return query.having(*(func.max(one.c[name]) == int(name == "some") for name in flags))
