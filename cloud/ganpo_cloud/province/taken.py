"""Who took a carrier in a month: the enterprises behind a cell of energy and water, each with what is missing of it."""

from datetime import date
from typing import Any

from sqlalchemy import Select, case, func, literal, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.balances import COVERED, ended
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter, placed
from ganpo_cloud.province.measures import on
from ganpo_cloud.store.counted_tables import balance, ledger


def enterprises(province: Province, wanted: Filter, carrier: str, month: str, today: date) -> Select[Any]:
    """Enterprises that took a carrier at a place in a month, or declare it; those of which it is missing first, then by
    how much they took. `whole`: 0 declared and not covered for 90 % of the days that are over, 1 covered, 2 not
    declared."""
    first, last = periods.span(month)
    days = ended(first, last, today)
    covered = literal(days > 0) & (
        func.max(balance.c.covered_days) * COVERED.denominator >= COVERED.numerator * days
    )
    whole = case((func.max(case((balance.c.declared, 1), else_=0)) == 0, 2), (covered, 1), else_=0)
    b = (
        select(
            balance.c.enterprise,
            func.sum(balance.c.millionths).label("millionths"),
            func.sum(balance.c.by_statement).label("by_statement"),
            func.max(balance.c.covered_days).label("covered_days"),
            whole.label("whole"),
        )
        .where(
            balance.c.month == month,
            balance.c.carrier == carrier,
            *placed(province, wanted, balance.c),
        )
        .group_by(balance.c.enterprise)
        .subquery()
    )
    named = (ledger.c.enterprise == b.c.enterprise) & (ledger.c.kind == "enterprise") & on(wanted.day)
    query = select(b, ledger.c.name, ledger.c.area, ledger.c.industry).select_from(b.outerjoin(ledger, named))
    if wanted.text:
        query = query.where(
            func.coalesce(ledger.c.name, "").icontains(wanted.text, autoescape=True)
            | b.c.enterprise.icontains(wanted.text, autoescape=True)
        )
    return query.order_by(b.c.whole, b.c.millionths.desc().nulls_last(), b.c.enterprise)
