"""What has to be worked out again once rows of a list are new: marks only, the computing loop does the rest."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.tables import subject

Values = Mapping[str, Any]


def nothing(_connection: Connection, _rows: Sequence[Values], _today: date) -> None:
    """It is read when it is asked for."""


def ledgers(connection: Connection, rows: Sequence[Values], _today: date) -> None:
    """The ledgers of the enterprises."""
    mark(connection, Kind.LEDGER, ((row.get("code") or row["enterprise"], EVER) for row in rows))


def machines(connection: Connection, rows: Sequence[Values], _today: date) -> None:
    """What was planned of every machine of the enterprises."""
    for enterprise in {row["enterprise"] for row in rows}:
        query = select(subject.c.asset_no).where(subject.c.enterprise == enterprise)
        numbers = connection.execute(query).scalars()
        mark(connection, Kind.SUBJECT, ((key(enterprise, asset_no), EVER) for asset_no in numbers))


def sums(connection: Connection, rows: Sequence[Values], today: date) -> None:
    """The sums of the months, of a year all of them."""
    named = {row["month"] for row in rows if "month" in row}
    named |= {f"{row['year']}-{month:02d}" for row in rows if "year" in row for month in range(1, 13)}
    counted = named & set(periods.months(today, periods.MONTHS))
    mark(connection, Kind.SUMS, (("", min(periods.span(month)[1], today)) for month in counted))
