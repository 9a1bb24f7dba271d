"""Monthly reports: stored with a checksum on the 5th, and never changed; "revised" is the same report as of today."""

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store import marks
from ganpo_cloud.store.counted_tables import ALL, area_month, published
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConfigError

log = logging.getLogger(__name__)
DAY = 5
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """A published month. `lines`: one per indicator, area and industry."""

    month: str
    published_at: int
    checksum: str
    lines: tuple[Line, ...]


def publish(database: Database, province: Province, month: str, now: datetime) -> Report:
    """Store the report of a month that is over.

    Raises ConfigError where it is not over, was published, nothing is counted in it, or something of it still has to
    be worked out: what is published is never changed.
    """
    today = day_of(to_ms(now), DEFAULT_ZONE)
    if periods.span(month)[1] >= today:
        raise ConfigError("is not over", where=month, hint=f"today is {today}")
    with database.read() as connection:
        if _stored(connection, month) is not None:
            what = "is published; it is never changed"
            raise ConfigError(what, where=month, hint="the page shows what it would be today beside it")
        if waiting := marks.left(connection, periods.span(month)[1]):
            what = f"is not worked out yet: {waiting:,} marks wait"
            raise ConfigError(what, where=month, hint="ganpo-cloud run works them out; publish it again then")
        if not counted(connection, month):
            what = "nothing is counted in it: there is nothing to publish"
            raise ConfigError(
                what, where=month, hint="ganpo-cloud import enterprises FILE.csv, for a beginning"
            )
        lines = list(report(connection, province, month, now))
    text = "\n".join(json.dumps(line, ensure_ascii=False, sort_keys=True) for line in lines)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    with database.write() as connection:
        row = {"month": month, "published_at": to_ms(now), "checksum": checksum, "rows": text}
        connection.execute(insert(published).values(**row))
    return Report(month, to_ms(now), checksum, tuple(lines))


def when_due(database: Database, province: Province, now: datetime) -> None:
    """Publish the month before on its 5th, and whenever that was missed; nothing while nothing is counted, or
    something of it has to be worked out."""
    today = day_of(to_ms(now), DEFAULT_ZONE)
    if today.day < DAY:
        return
    month = month_before(today)
    with database.read() as connection:
        if _stored(connection, month) is not None or not counted(connection, month):
            return
        if marks.left(connection, periods.span(month)[1]):
            return
    found = publish(database, province, month, now)
    log.info("published month=%s rows=%d checksum=%s", month, len(found.lines), found.checksum)


def indicators(connection: Connection, province: Province, month: str, now: datetime) -> Indicators:
    """What a month comes to today."""
    return Indicators(snapshot(connection, province, periods.span(month)[1], now))


def report(
    connection: Connection, province: Province, month: str, now: datetime, of: Collection[str] | None = None
) -> Iterable[Line]:
    """The report of a month as it comes to today: the province, its cities and counties, or some of them, in every
    industry."""
    found = indicators(connection, province, month, now)
    day = periods.span(month)[1]
    areas = [a for a in province.areas if province.area(a, day) is not None and (of is None or a in of)]
    industries = [None, *province.industries]
    for (_, industry), items in sorted(found.all(areas, industries).items()):
        for item in items:
            if industry == ALL or item.checked or item.denominator:
                yield line(item)


def line(item: Indicator) -> Line:
    """One number as it is stored."""
    return {
        "metric": item.definition.id,
        "area": item.area,
        "industry": item.industry,
        "period": item.period,
        "declared": item.declared,
        "checked": item.checked,
        "proven": item.proven,
        "denominator": item.denominator,
        "with_data": item.behind,
        "of": item.of,
        "completeness": list(item.completeness) if item.completeness else None,
    }


def reports(connection: Connection) -> list[Report]:
    """What is published, the newest first, without its lines."""
    rows = connection.execute(
        select(published.c.month, published.c.published_at, published.c.checksum).order_by(
            published.c.month.desc()
        )
    )
    return [Report(row.month, row.published_at, row.checksum, ()) for row in rows]


def read(connection: Connection, month: str) -> Report | None:
    """A published month; None where there is none. Raises ConfigError where its rows are not those of the checksum."""
    row = _stored(connection, month)
    if row is None:
        return None
    if hashlib.sha256(row.rows.encode()).hexdigest() != row.checksum:
        raise ConfigError("its rows are not those that were published: the checksum differs", where=month)
    lines = tuple(json.loads(text) for text in row.rows.split("\n") if text)
    return Report(month, row.published_at, row.checksum, lines)


def counted(connection: Connection, month: str) -> bool:
    """Whether anything is counted in a month."""
    return (
        connection.execute(select(area_month.c.area).where(area_month.c.month == month).limit(1)).first()
        is not None
    )


def keyed(lines: Iterable[Line]) -> Mapping[tuple[str, str, str], Line]:
    """Lines by metric, area and industry."""
    return {(line["metric"], line["area"], line["industry"]): line for line in lines}


def month_before(today: date) -> str:
    """The month that was last over."""
    return periods.month_of(today.replace(day=1) - timedelta(days=1))


def _stored(connection: Connection, month: str) -> Any:
    return connection.execute(select(published).where(published.c.month == month)).first()
