"""What cannot be computed is set apart with its reason, and costs nobody else anything: a subject's days, or the ledger
of an enterprise. Its marks stay; it is tried again after an upgrade, and once what it is computed from is described
anew.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from ganpo_cloud.store import sql
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import key, names
from ganpo_cloud.store.tables import apart
from ganpo_model.clock import to_ms

log = logging.getLogger(__name__)


class Apart(NamedTuple):
    """What is set apart: a subject, or (empty) the ledger of the enterprise; since when (ms), why, by which version."""

    enterprise: str
    subject: str
    since: int
    reason: str
    version: str


def keep(connection: Connection, of: str, bug: Exception, now: datetime) -> None:
    """Set apart what has this key, with the traceback in the log."""
    enterprise, asset_no = names(of)
    log.error("set apart enterprise=%s subject=%s", enterprise, asset_no, exc_info=bug)
    what = getattr(bug, "orig", None) or bug  # of an error of the database its own words
    reason = f"{type(what).__name__}: {what}"[:500].replace("\x00", "?")
    sql.replace(connection, apart, [(of, to_ms(now), reason, version("ganpo"))])


def forgive(connection: Connection, of: str) -> None:
    """It is tried again: what it is computed from is another now."""
    connection.execute(delete(apart).where(apart.c.key == of))


def forgive_others(database: Database) -> None:
    """What another version could not compute is tried again."""
    with database.write() as connection:
        connection.execute(delete(apart).where(apart.c.version != version("ganpo")))


def found(connection: Connection, enterprise: str | None = None) -> Sequence[Apart]:
    """What is set apart: of all, or of an enterprise."""
    query = select(apart).order_by(apart.c.since, apart.c.key)
    if enterprise is not None:
        of_it = apart.c.key.startswith(key(enterprise, ""), autoescape=True)
        query = query.where((apart.c.key == enterprise) | of_it)
    return [Apart(*names(of), *said) for of, *said in connection.execute(query)]
