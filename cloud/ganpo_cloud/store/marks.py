"""Marking what is dirty: subject-days, ledgers, sums. The computing loop works them out again."""

import secrets
from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from ganpo_cloud.store.database import driver_sql

_MARK_TOTAL = "INSERT INTO dirty_total VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET word = excluded.word"


def mark(connection: Connection, days: Iterable[tuple[str, str, date]]) -> None:
    """Mark (enterprise, asset_no, local day). Sorted, so that writers never wait for each other in a ring."""
    rows = sorted({(enterprise, asset_no, day.isoformat()) for enterprise, asset_no, day in days})
    if rows:
        driver_sql(connection, "INSERT INTO dirty VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)


def mark_ledgers(connection: Connection, enterprises: Iterable[str]) -> None:
    """Mark enterprises of which the registry, or what gateways tell of them, says something new."""
    if rows := sorted({(enterprise,) for enterprise in enterprises}):
        driver_sql(connection, "INSERT INTO dirty_ledger VALUES (?) ON CONFLICT DO NOTHING", rows)


def mark_totals(connection: Connection, days: Iterable[date]) -> None:
    """Mark days whose sums have to be added up again. Each marking has a word of its own: sums that were worked out
    before it do not answer it."""
    if rows := sorted({(day.isoformat(), secrets.randbits(62)) for day in set(days)}):
        driver_sql(connection, _MARK_TOTAL, rows)


def mark_machines(connection: Connection, where: str, values: tuple[object, ...]) -> None:
    """Mark every painted day of the subjects of a condition over `day`: what was planned of them is another now."""
    driver_sql(
        connection,
        f"INSERT INTO dirty SELECT enterprise, subject, day FROM day WHERE {where} ON CONFLICT DO NOTHING",
        values,
    )
