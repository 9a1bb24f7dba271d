"""What cannot be computed is set apart with its reason, and costs nobody else anything: a subject's days, or the ledger
of an enterprise (then `subject` is empty). Its marks stay; it is tried again after an upgrade, and once what it is
computed from is described anew.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select

from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import apart
from ganpo_model.clock import to_ms

log = logging.getLogger(__name__)


def keep(connection: Connection, enterprise: str, asset_no: str, bug: Exception, now: datetime) -> None:
    """Set apart, with the traceback in the log."""
    log.error("set apart enterprise=%s subject=%s", enterprise, asset_no, exc_info=bug)
    forgive(connection, enterprise, asset_no)
    what = getattr(bug, "orig", None) or bug  # of an error of the database its own words
    reason = f"{type(what).__name__}: {what}"[:500].replace("\x00", "?")
    connection.execute(
        insert(apart).values(
            enterprise=enterprise, subject=asset_no, since=to_ms(now), reason=reason, version=version("ganpo")
        )
    )


def forgive(connection: Connection, enterprise: str, asset_no: str) -> None:
    """It is tried again: what it is computed from is another now."""
    mine = (apart.c.enterprise == enterprise) & (apart.c.subject == asset_no)
    connection.execute(delete(apart).where(mine))


def forgive_others(database: Database) -> None:
    """What another version could not compute is tried again."""
    with database.write() as connection:
        connection.execute(delete(apart).where(apart.c.version != version("ganpo")))


def is_apart(enterprise: ColumnElement[str], asset_no: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether something of these columns is set apart."""
    return exists().where((apart.c.enterprise == enterprise) & (apart.c.subject == asset_no))


def found(
    connection: Connection, enterprise: str | None = None, asset_no: str | None = None
) -> Sequence[Any]:
    """What is set apart: of all, of an enterprise, or one subject of it."""
    query = select(apart).order_by(apart.c.since, apart.c.enterprise, apart.c.subject)
    if enterprise is not None:
        query = query.where(apart.c.enterprise == enterprise)
    if asset_no is not None:
        query = query.where(apart.c.subject == asset_no)
    return connection.execute(query).all()
