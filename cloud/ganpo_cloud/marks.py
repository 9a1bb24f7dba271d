"""Marking subject-days dirty: they are computed again by the days' loop."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from ganpo_cloud.database import driver_sql


def mark(connection: Connection, days: Iterable[tuple[str, str, date]]) -> None:
    """Mark (enterprise, asset_no, local day). Sorted, so that writers never wait for each other in a ring."""
    rows = sorted({(enterprise, asset_no, day.isoformat()) for enterprise, asset_no, day in days})
    if rows:
        driver_sql(connection, "INSERT INTO dirty VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)
