"""What has to be worked out again once rows of a list are stored: marks, answered like all others."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.targets import ends, month_over
from ganpo_cloud.store.counted_tables import evidence
from ganpo_cloud.store.marks import EVER, Kind, key, mark, planned_anew
from ganpo_cloud.store.tables import subject

Rows = Sequence[dict[str, Any]]


def ledgers(connection: Connection, rows: Rows, _today: date) -> None:
    """The ledger of the enterprises."""
    mark(connection, Kind.LEDGER, ((row.get("code") or row["enterprise"], EVER) for row in rows))


def machines(connection: Connection, rows: Rows, _today: date) -> None:
    """What was planned of every machine of the enterprises."""
    mine = subject.c.enterprise.in_({row["enterprise"] for row in rows})
    query = select(subject.c.enterprise, subject.c.asset_no).where(mine)
    mark(connection, Kind.SUBJECT, ((key(*of), EVER) for of in connection.execute(query).all()))


def calendars(connection: Connection, rows: Rows, today: date) -> None:
    """What was planned of the machines; and the outlooks, which count planned days also where there is no machine."""
    machines(connection, rows, today)
    planned_anew(connection)


def banned(connection: Connection, rows: Rows, today: date) -> None:
    """The ledgers, and everything that ever happened to these devices and their meters: no evidence stands that was
    found by what the list said before."""
    ledgers(connection, rows, today)
    mark(connection, Kind.PLAN, (("", end) for end in ends(connection, EVER, today)))
    for row in rows:
        connection.execute(delete(evidence).filter_by(enterprise=row["enterprise"], asset_no=row["asset_no"]))
    named = {key(row["enterprise"], row[of]) for row in rows for of in ("asset_no", "meter") if row[of]}
    mark(connection, Kind.SUBJECT, ((one, EVER) for one in named))


def plan(connection: Connection, rows: Rows, today: date) -> None:
    """What the lists of the plan come to, from the day on of which the rows tell first."""
    mark(connection, Kind.PLAN, (("", end) for end in ends(connection, min(map(_begin, rows)), today)))


def _begin(row: dict[str, Any]) -> date:
    if "month" in row:
        return periods.span(row["month"])[0]
    return date(row["year"], 1, 1) if "year" in row else row.get("first") or row["since"]


def sites(connection: Connection, rows: Rows, today: date) -> None:
    """The ledgers, and the places of nodes."""
    ledgers(connection, rows, today)
    mark(connection, Kind.PLAN, (("", end) for end in ends(connection, EVER, today)))


def targets(connection: Connection, rows: Rows, today: date) -> None:
    """The sums of the months that were over at deadlines which have passed: they are kept however old they are."""
    days = {row["deadline"] for row in rows if row["deadline"] <= today}
    mark(connection, Kind.SUMS, (("", periods.span(month_over(day))[1]) for day in days))


def sums(connection: Connection, rows: Rows, today: date) -> None:
    """The sums of the months, of a year all of them."""
    named = {row["month"] for row in rows if "month" in row}
    named |= {f"{row['year']}-{month:02d}" for row in rows if "year" in row for month in range(1, 13)}
    counted = named & set(periods.months(today, periods.MONTHS))
    mark(connection, Kind.SUMS, (("", min(periods.span(month)[1], today)) for month in counted))
