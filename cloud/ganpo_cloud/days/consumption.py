"""What the registers of meters come to on each local day, worked out when a day of theirs was judged anew."""

from datetime import date
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.days import chains
from ganpo_cloud.days.subjects import Counter
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import consumption
from ganpo_cloud.store.localdays import bounds, day_of, days_from
from ganpo_model.quantities import consumption as used
from ganpo_model.registers import standing

_DELETE = "DELETE FROM consumption WHERE enterprise = ? AND register = ? AND day >= ? AND day <= ?"


def store(connection: Connection, enterprise: str, counter: Counter, first: date, last: date) -> None:
    """Work out the days from `first` to `last`, both included."""
    if counter.carrier is None:
        return
    state = chains.newest_state(connection, enterprise, counter.id)
    if state is None:
        return
    now = standing(state)
    if now.first is None or now.last is None:
        return
    # Days of which nothing is known yet have no row: they begin with the first reading and end with the last.
    days = days_from(
        max(first, day_of(now.first.at, counter.zone)), min(last, day_of(now.last.at, counter.zone))
    )
    key = (enterprise, counter.id)
    sql.run(connection, _DELETE, (*key, first.isoformat(), last.isoformat()))
    if not days:
        return
    begin, end = bounds(days[0], counter.zone)[0], bounds(days[-1], counter.zone)[1]
    steps = chains.steps_between(connection, enterprise, counter.id, begin, end, counter.zone)
    rows: list[tuple[Any, ...]] = []
    for day in days:
        start, stop = bounds(day, counter.zone)
        found = used(steps, now.first, now.total, start, stop, counter.num, counter.den, now.believed_until)
        covered = now.first.at <= start and stop <= now.last.at and not found.open
        # Of a day of which only one instant was read nobody knows that it took nothing.
        known = min(stop, now.last.at) > max(start, now.first.at)
        millionths = found.millionths if known else found.millionths or None
        about = (day, counter.id.partition("/")[0], counter.carrier, counter.signal)
        rows.append((*key, *about, millionths, found.spread_ms, len(found.open), covered))
    sql.replace(connection, consumption, rows)
