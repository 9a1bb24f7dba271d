"""Local days that are over: every machine has a row of each, so that silence becomes 0 % and not a gap."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from ganpo_cloud.days.subjects import WATCHED_MS
from ganpo_cloud.store.counted_tables import day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import day_of, days_from
from ganpo_cloud.store.marks import Kind, key, mark
from ganpo_cloud.store.tables import subject
from ganpo_model.clock import to_ms


def mark_ended(database: Database, now: datetime) -> None:
    """Mark every ended day of every named machine that has no row, so that silence becomes 0 % and not a gap."""
    with database.read() as connection:
        zones = connection.execute(select(subject.c.timezone).distinct()).scalars().all()
        missing = [found for zone in zones for found in _without_row(connection, zone, now)]
    if missing:
        with database.write() as connection:
            mark(connection, Kind.DAY, missing)


def _without_row(connection: Connection, zone: str, now: datetime) -> Iterable[tuple[str, date]]:
    """The ended days without a row of the machines in a time zone, since they are named; at most 400 back."""
    ended = day_of(to_ms(now), zone) - timedelta(days=1)
    oldest = ended - timedelta(days=400)
    mine = (day.c.enterprise == subject.c.enterprise) & (day.c.subject == subject.c.asset_no)
    within = (day.c.day >= subject.c.since) & day.c.day.between(oldest, ended)
    named = (subject.c.kind == "equipment") & (subject.c.timezone == zone)
    watched = ~subject.c.withdrawn | (subject.c.at > to_ms(now) - WATCHED_MS)
    query = (
        select(subject.c.enterprise, subject.c.asset_no, subject.c.since, func.count(day.c.day))
        .outerjoin(day, mine & within)
        .where(named & watched & (subject.c.since <= ended))
        .group_by(subject.c.enterprise, subject.c.asset_no)
    )
    for enterprise, asset_no, since, number in connection.execute(query).all():
        wanted = days_from(max(since, oldest), ended)
        if number < len(wanted):
            of = (day.c.enterprise == enterprise) & (day.c.subject == asset_no)
            here = set(connection.execute(select(day.c.day).where(of)).scalars())
            yield from ((key(enterprise, asset_no), local) for local in wanted if local not in here)
