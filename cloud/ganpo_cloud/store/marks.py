"""Marking what is dirty: subject-days, ledgers, sums. The computing loop works them out again."""

import secrets
from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import dirty_ledger, dirty_total
from ganpo_cloud.store.tables import dirty


def mark(connection: Connection, days: Iterable[tuple[str, str, date]]) -> None:
    """Mark (enterprise, asset_no, local day). Sorted, so that writers never wait for each other in a ring."""
    sql.add(connection, dirty, set(days))


def mark_ledgers(connection: Connection, enterprises: Iterable[str]) -> None:
    """Mark enterprises of which the registry, or what gateways tell of them, says something new."""
    sql.add(connection, dirty_ledger, {(enterprise,) for enterprise in enterprises})


def mark_totals(connection: Connection, days: Iterable[date]) -> None:
    """Mark days whose sums have to be added up again. Each marking has a word of its own: sums that were worked out
    before it do not answer it."""
    sql.replace(connection, dirty_total, ((day, secrets.randbits(62)) for day in days))


def mark_machines(connection: Connection, where: str, values: tuple[object, ...]) -> None:
    """Mark every painted day of the subjects of a condition over `day`: what was planned of them is another now."""
    sql.run(
        connection,
        f"INSERT INTO dirty SELECT enterprise, subject, day FROM day WHERE {where} ON CONFLICT DO NOTHING",
        values,
    )
