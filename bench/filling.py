"""A province to ask: a ledger, a month of production days, and the sums of 62 days and 25 months."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Connection, Date, Table, Text, literal, select, text

from ganpo_cloud.days import periods
from ganpo_cloud.province import divisions, totals
from ganpo_cloud.store.counted_tables import area_day, area_month, ledger, production
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import Kind, mark
from ganpo_cloud.store.registry_tables import onboarding, target
from ganpo_model.clock import to_ms

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
PROVINCE = divisions.load()
_AGES = ["active"] * 33 + ["seen"] * 5 + ["silent", "gone"]
_SINCE = date(2018, 1, 1)
_DAY = {
    "planned_ms": 57_600_000,
    "producing_ms": 28_800_000,
    "setup_ms": 3_600_000,
    "held_ms": 1_000_000,
    "fault_ms": 600_000,
    "idle_ms": 12_000_000,
    "off_ms": 8_000_000,
    "unknown_ms": 3_600_000,
    "known": True,
    "good": True,
}
"""A production day of every machine on the network."""


def fill(database: Database, devices: int, now: datetime = NOW) -> None:
    """Three devices an enterprise, in all counties and eight industries. What is worked out is today's sums; those of
    other days and months are the same."""
    today = day_of(to_ms(now), DEFAULT_ZONE)
    with database.write() as connection:
        fill_ledger(connection, devices)
        for first in range(0, devices, 3000):
            numbers = range(first, min(first + 3000, devices))
            connection.execute(onboarding.insert(), [*_onboarding(numbers, now)])
        for day in _days(periods.span(periods.month_of(today))[0], today):
            same = {"enterprise": ledger.c.enterprise, "subject": ledger.c.asset_no, "age": ledger.c.age}
            values = row(production, **_DAY) | same | {"day": literal(day, Date)}
            columns = [values[column.name] for column in production.c]
            rows_of = select(*columns).where(ledger.c.networked)
            connection.execute(production.insert().from_select(list(production.c), rows_of))
        about = {"id": "T01", "area": PROVINCE.whole, "industry": "", "comparator": ">=", "value": "60"}
        connection.execute(
            target.insert().values(**about, deadline=today, document="plan", by="bench", recorded_at=0)
        )
        mark(connection, Kind.SUMS, [("", today)])
    while totals.recompute(database, PROVINCE, now):
        pass
    with database.write() as connection:
        for day in _days(today - timedelta(days=periods.DAYS - 1), today - timedelta(days=1)):
            again(connection, area_day, "day", today, literal(day, Date))
        for month in periods.months(today, periods.MONTHS)[:-1]:
            again(connection, area_month, "month", periods.month_of(today), literal(month, Text))
        connection.execute(text("ANALYZE"))


def fill_ledger(connection: Connection, devices: int) -> None:
    """The ledger alone."""
    for first in range(0, devices, 3000):
        rows = [row(ledger, **one) for one in _ledger(range(first, min(first + 3000, devices)))]
        connection.execute(ledger.insert(), rows)


def _ledger(numbers: range) -> Iterable[dict[str, Any]]:
    counties = [
        n for n, rows in PROVINCE.areas.items() if rows[-1].kind == "county" and rows[-1].until is None
    ]
    industries = [n for n in PROVINCE.industries if n != "OTHER"]
    for n in numbers:
        place = {"area": counties[n // 3 % len(counties)], "industry": industries[n // 3 % 8]}
        about = {"enterprise": f"E{n // 3:08d}", "since": _SINCE, "in_service": True, **place}
        level, seen = n % 4, n % 2 == 0
        flags = {"main": int(n % 5 > 0), "numerical_control": level, "digital": level}
        age = _AGES[n // 2 % 40] if seen else None
        come = {"networked": seen, "cloud": seen, "age": age, "intelligent": n % 3 % 2 * 2, "named": n % 3}
        yield (
            about
            | flags
            | come
            | {
                "asset_no": f"SB-{n:06d}",
                "kind": "equipment",
                "name": "X",
                "site": "plant-1",
                "status": "in_use",
            }
        )
        if n % 3 == 0:
            yield about | {"kind": "enterprise", "name": "Name", "above_scale": True}


def _onboarding(numbers: range, now: datetime) -> Iterable[dict[str, Any]]:
    """Every device on the network came into the cloud on a day of the last two years."""
    for n in numbers:
        if n % 2 == 0:
            at = to_ms(now - timedelta(days=n // 2 % 730, hours=1))
            about = {"enterprise": f"E{n // 3:08d}", "asset_no": f"SB-{n:06d}", "evidence": "{}"}
            yield row(onboarding, **about, networked_at=at, cloud_at=at)


def row(table: Table, **values: Any) -> dict[str, Any]:
    """Every column of a row; what is not named is null, or nothing."""
    return {column.name: _nothing(column) for column in table.c} | values


def _nothing(column: Any) -> Any:
    if column.nullable:
        return None
    return False if isinstance(column.type, Boolean) else "" if isinstance(column.type, Text) else 0


def again(connection: Connection, table: Table, period: str, of: Any, other: Any) -> None:
    """The sums of a period, once more as those of another."""
    columns = [other if column.name == period else column for column in table.c]
    connection.execute(
        table.insert().from_select(list(table.c), select(*columns).where(table.c[period] == of))
    )


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
