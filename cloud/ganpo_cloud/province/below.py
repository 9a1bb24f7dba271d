"""Meters below a meter that measured more than went through it: a wrong CT, scale or parent is somewhere."""

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days.open_items import rate
from ganpo_cloud.days.reasons import Reason
from ganpo_cloud.store.counted_tables import consumption
from ganpo_model.reference import carriers

LOOKED_BACK = timedelta(days=30)
MARGIN = Fraction(105, 100)
"""By how much meters may differ over the same energy."""
EXPORT = "energy_export"


def more_below(
    connection: Connection,
    enterprise: str,
    asset_no: str,
    meters: Mapping[str, Mapping[str, Any]],
    today: date,
) -> Reason | None:
    """Why somebody should look, if so. Of the days behind `today` those count on which every one of them was covered.

    `meters`: what is said of each that is there. What is generated below a meter goes to those below it too, and what
    flows back through it does not.
    """
    own = meters.get(asset_no)
    if own is None:
        return None
    sign = {asset_no: 1}
    for number, item in meters.items():
        if (item["parent"], item["carrier"]) == (asset_no, own["carrier"]):
            sign[number] = 1 if item["role"] == "generation" != own["role"] else -1
    if -1 not in sign.values():
        return None
    c = consumption.c
    mine = (c.enterprise == enterprise) & (c.carrier == own["carrier"]) & c.subject.in_(sorted(sign))
    recent = (c.day >= today - LOOKED_BACK) & (c.day < today)
    through = below = days = 0
    found = connection.execute(select(consumption).where(mine & recent).order_by(c.day)).all()
    for _, group in groupby(found, key=attrgetter("day")):
        rows = list(group)
        if {row.subject for row in rows} != set(sign) or not all(map(_known, rows)):
            continue
        days += 1
        for row in rows:
            back = row.signal == EXPORT
            if sign[row.subject] > 0:
                through += (-1 if back else 1) * row.millionths
            elif not back:
                below += row.millionths
    if below <= MARGIN * through:
        return None
    unit = carriers()[own["carrier"]].unit
    told = {name: rate(Fraction(of, 10**6), unit) for name, of in (("through", through), ("below", below))}
    return Reason("below", None, told | {"days": str(days)}, "ganpo check")


def _known(row: Any) -> bool:
    """From the day's begin to its end, and it can be added."""
    return bool(row.covered) and row.millionths is not None
