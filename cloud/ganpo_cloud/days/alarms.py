"""Alarms of what is banned, and how a person answers them: rows are added, never edited."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select

from ganpo_cloud.days import periods
from ganpo_cloud.days.banned import CLOSING
from ganpo_cloud.days.reasons import Reason
from ganpo_cloud.days.signed import one_line
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import Kind, mark
from ganpo_cloud.store.tables import alarm, alarm_closing
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConfigError


def close(database: Database, number: int, why: str, by: str, now: datetime) -> Any:
    """Close an alarm: what ran up to now is answered, what runs from now on opens the next. Gives the alarm.

    Raises ConfigError: there is none, it is closed already, nobody says why or by whom.
    """
    missing = "is empty: whoever closes an alarm says why, and who he is"
    why, by = one_line("--why", why, missing), one_line("--by", by, missing)
    with database.write() as connection:
        found = connection.execute(_alarms(alarm.c.id == number)).first()
        where, hint = f"alarm {number}", "ganpo-cloud alarm list"
        if found is None:
            raise ConfigError("no such alarm", where=where, hint=hint)
        if found.closed_at is not None:
            raise ConfigError(f"is closed already, by {found.by}: {found.why}", where=where, hint=hint)
        values = {"closed_at": max(to_ms(now), found.opened_at), "why": why, "by": by}
        connection.execute(insert(alarm_closing).values(alarm=number, **values))
        month = periods.month_of(day_of(to_ms(now), DEFAULT_ZONE))
        mark(connection, Kind.PLAN, [("", periods.span(month)[1])])
    return found


def listed(connection: Connection, *of: ColumnElement[bool], every: bool = True) -> Sequence[Any]:
    """The alarms of which all this holds, open ones first, then the newest; `every`: closed ones too."""
    query = _alarms(*of).order_by(alarm_closing.c.closed_at.is_not(None), alarm.c.id.desc())
    return connection.execute(query if every else query.where(alarm_closing.c.alarm.is_(None))).all()


def of_device(connection: Connection, enterprise: str, asset_no: str) -> Sequence[Any]:
    """Every alarm of a device, the newest first."""
    mine = (alarm.c.enterprise == enterprise) & (alarm.c.asset_no == asset_no)
    return connection.execute(_alarms(mine).order_by(alarm.c.id.desc())).all()


def reasons(
    connection: Connection, enterprise: str | None = None, asset_no: str | None = None
) -> list[Reason]:
    """Everything banned that runs, of an enterprise or a device of it: somebody has to act now."""
    wanted = ((alarm.c.enterprise, enterprise), (alarm.c.asset_no, asset_no))
    of = [column == value for column, value in wanted if value is not None]
    return [
        Reason("alarm", row.opened_at, {"n": f"{row.id}"}, command(row.id), row.asset_no, "alarm")
        for row in listed(connection, *of, every=False)
    ]


def command(number: int) -> str:
    """What closes an alarm."""
    return f"ganpo-cloud alarm close {number} --why '...' --by '...'"


def _alarms(*of: ColumnElement[bool]) -> Any:
    closing = (alarm_closing.c.closed_at, alarm_closing.c.why, alarm_closing.c.by)
    return select(alarm, *closing).outerjoin(alarm_closing, CLOSING).where(*of)
