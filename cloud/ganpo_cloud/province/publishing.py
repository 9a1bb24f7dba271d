"""Monthly reports: stored with a checksum on the 5th, and never changed; "revised" is the same report as of today."""

import hashlib
import json
import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.measures import on
from ganpo_cloud.province.places import Key, keys
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store import marks
from ganpo_cloud.store.counted_tables import ALL, area_month, day, ledger, published, register_day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.described import Instant, Month, answer, said, unsaid
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConfigError

log = logging.getLogger(__name__)
DAY = 5
Line = dict[str, Any]
Lines = dict[tuple[str, str, str], Line]
"""Numbers as they are stored, by metric, area and industry."""
_PUBLISHED = ("is published; it is never changed", "the page shows what it would be today beside it")
_SAME = ("area", "industry", "period", "declared", "checked", "proven", "denominator", "of")


@answer
class Report:
    """A published month."""

    month: Month
    published_at: Instant = said("when it was published", "2026-11-05T00:01:00.000Z")
    checksum: str = said("SHA-256 of its lines", "0" * 64)
    lines: Lines = unsaid(default_factory=dict)
    """One per indicator, area and industry; none where only its head was asked for."""


def publish(database: Database, province: Province, month: str, now: datetime) -> Report:
    """Store the report of a month that is over.

    Raises ConfigError where it is not over, was published, nothing is counted in it, or something of it still has to
    be worked out: what is published is never changed.
    """
    today = day_of(to_ms(now), DEFAULT_ZONE)
    if periods.span(month)[1] >= today:
        raise ConfigError("is not over", where=month, hint=f"today is {today}")
    with database.read() as connection:
        if (why := _why_not(connection, month)) is not None:
            raise why
        lines = report(connection, province, month, now)
    text = "\n".join(json.dumps(line, ensure_ascii=False, sort_keys=True) for line in lines.values())
    checksum = hashlib.sha256(text.encode()).hexdigest()
    with database.write() as connection:
        if _is_published(connection, month):  # meanwhile, by a person or by the collector
            raise ConfigError(_PUBLISHED[0], where=month, hint=_PUBLISHED[1])
        connection.execute(insert(published).values((month, to_ms(now), checksum, text)))
    return Report(month, to_ms(now), checksum, lines)


def when_due(database: Database, province: Province, now: datetime) -> None:
    """Publish the month before on its 5th, and whenever that was missed; nothing while nothing is counted, or
    something of it has to be worked out."""
    today = day_of(to_ms(now), DEFAULT_ZONE)
    if today.day < DAY:
        return
    month = month_before(today)
    with database.read() as connection:
        if _why_not(connection, month) is not None:
            return
    found = publish(database, province, month, now)
    log.info("published month=%s rows=%d checksum=%s", month, len(found.lines), found.checksum)


def _why_not(connection: Connection, month: str) -> ConfigError | None:
    """Why a month that is over cannot be published now; None: it can."""
    if _is_published(connection, month):
        what, hint = _PUBLISHED
    elif waiting := marks.left(connection, periods.span(month)[1]):
        what = f"is not worked out yet: {waiting:,} marks wait"
        hint = "ganpo-cloud run works them out; publish it again then"
    elif not connection.execute(select(area_month.c.area).where(area_month.c.month == month).limit(1)).all():
        what = "nothing is counted in it: there is nothing to publish"
        hint = "ganpo-cloud import enterprises FILE.csv, for a beginning"
    else:
        return None
    return ConfigError(what, where=month, hint=hint)


def _is_published(connection: Connection, month: str) -> bool:
    return connection.execute(select(published.c.month).where(published.c.month == month)).first() is not None


def report(
    connection: Connection, province: Province, month: str, now: datetime, of: Collection[str] | None = None
) -> Lines:
    """The report of a month as it comes to today: the province, its cities and counties, or some of them, in every
    industry."""
    last = periods.span(month)[1]
    areas = [a for a in province.areas if province.area(a, last) is not None and (of is None or a in of)]
    every = Indicators(snapshot(connection, province, last, now))
    found = every.all(areas, [None, *province.industries], counted=True)
    return {
        (item.definition.id, *key): _line(item)
        for key, items in sorted(found.items())
        for item in items
        if item.industry == ALL or item.checked or item.denominator
    }


def reports(connection: Connection) -> list[Report]:
    """What is published, the newest first, without its lines."""
    c = published.c
    query = select(c.month, c.published_at, c.checksum).order_by(c.month.desc())
    return [Report(*row) for row in connection.execute(query)]


def read(connection: Connection, month: str) -> Report | None:
    """A published month; None where there is none. Raises ConfigError where its rows are not those of the checksum."""
    row = connection.execute(select(published).where(published.c.month == month)).first()
    if row is None:
        return None
    if hashlib.sha256(row.rows.encode()).hexdigest() != row.checksum:
        raise ConfigError("its rows are not those that were published: the checksum differs", where=month)
    lines = [json.loads(text) for text in row.rows.split("\n") if text]
    keyed = {(line["metric"], line["area"], line["industry"]): line for line in lines}
    return Report(month, row.published_at, row.checksum, keyed)


def release(today: date, months: Collection[str]) -> tuple[str, date]:
    """Of the months that are published: which is published next, and when; where it should have been, today."""
    month = month_before(today)
    if month in months:
        return periods.month_of(today), _fifth(periods.month_of(today))
    return month, max(_fifth(month), today)


def _fifth(month: str) -> date:
    """The day on which a month is published."""
    return periods.span(month)[1] + timedelta(days=DAY)


def late(connection: Connection, province: Province, published: Report) -> dict[Key, int]:
    """By place and industry when facts of a published month were last worked out after it was: those of machines and
    meters that came late, or that calendars and declarations said anew."""
    first, last = periods.span(published.month)
    found: dict[str, int] = {}
    for table in (day, register_day):
        c = table.c
        after = (c.computed_at > published.published_at) & c.day.between(first, last)
        query = select(c.enterprise, func.max(c.computed_at).label("at")).where(after).group_by(c.enterprise)
        for enterprise, at in connection.execute(query):
            found[enterprise] = max(at, found.get(enterprise, 0))
    c = ledger.c
    mine = select(c.enterprise, c.area, c.industry).where(on(last)).distinct()
    where: dict[Key, int] = {}
    for row in connection.execute(mine) if found else ():
        if row.enterprise not in found:
            continue
        for key in keys(province, row.area, row.industry):
            where[key] = max(found[row.enterprise], where.get(key, 0))
    return where


def month_before(today: date) -> str:
    """The month that was last over."""
    return periods.months(today, 2)[0]


def _line(item: Indicator) -> Line:
    return {name: getattr(item, name) for name in _SAME} | {
        "metric": item.definition.id,
        "with_data": item.behind,
        "completeness": list(item.completeness) if item.completeness else None,
    }
