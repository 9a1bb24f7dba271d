"""Local days of a site, in ms since 1970: 23 and 25 hours long where clocks change, always exact (I8)."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from ganpo_cloud.store.tables import subject
from ganpo_model.clock import MINUTE_MS, from_ms, to_ms

DEFAULT_ZONE = "Asia/Shanghai"
"""Until an inventory says where a site is."""
QUARTER_MS = 15 * MINUTE_MS
"""Local days of our century begin at quarters of an hour of UTC, in every zone."""


@lru_cache(maxsize=4096)
def bounds(day: date, zone: str) -> tuple[int, int]:
    """Begin and end of a local day. Equal where the zone skipped that day."""
    # Where the zone skips midnight, the instant of the change.
    begin, end = (datetime.combine(one, time(), ZoneInfo(zone)) for one in (day, day + timedelta(days=1)))
    return to_ms(begin.astimezone(UTC)), to_ms(end.astimezone(UTC))


def day_of(instant: int, zone: str) -> date:
    """The local date of an instant."""
    return _day_of_quarter(instant // QUARTER_MS, zone)


def last_day(instant: int, zone: str) -> date:
    """The last local day of which anything lies before an instant: at a midnight the one that ends."""
    return day_of(instant - 1, zone)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int, zone: str) -> date:
    return from_ms(quarter * QUARTER_MS).astimezone(ZoneInfo(zone)).date()


def local(instant: int, zone: str = DEFAULT_ZONE) -> datetime:
    """An instant as the clocks of a zone show it."""
    return from_ms(instant).astimezone(ZoneInfo(zone))


def days_from(first: date, last: date) -> list[date]:
    """Every date from `first` to `last`, both included; none where `last` is earlier."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def zone_of(connection: Connection, enterprise: str, asset_no: str) -> str:
    """The time zone of the site that a subject belongs to."""
    query = select(subject.c.timezone).where(
        (subject.c.enterprise == enterprise) & (subject.c.asset_no == asset_no)
    )
    return connection.execute(query).scalar() or DEFAULT_ZONE
