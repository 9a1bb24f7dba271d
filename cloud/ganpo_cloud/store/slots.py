"""Where the slots of a subject are found: by its number, and by day of UTC, on either database.

On PostgreSQL a key of each row would be as large as the row. Its index names a subject and a day once for all slots
(`store/tables.py`), so questions name the day too; SQLite keeps the rows themselves in the order of subject and start.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import named, states
from ganpo_model.clock import DAY_MS

LONGEST_MS = 24 * 3_600_000
OF = "s.subject = (SELECT id FROM named WHERE enterprise = ? AND name = ?)"
"""Of a subject: enterprise and number."""
OVERLAPPING = (
    f"states s WHERE {OF} AND s.start / {DAY_MS} >= ? AND s.start / {DAY_MS} <= ?"
    " AND s.start >= ? AND s.start < ? AND s.start + s.length > ?"
)
"""The slots that `overlapping` means."""
END = states.c.start + states.c.length


def overlapping(enterprise: str, asset_no: str, start: int, end: int) -> tuple[Any, ...]:
    """The values of `OVERLAPPING`: slots of a subject of which anything lies in [start, end)."""
    oldest = start - LONGEST_MS
    return enterprise, asset_no, oldest // DAY_MS, end // DAY_MS, oldest, end, start


def of(enterprise: ColumnElement[str] | str, asset_no: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether a slot is of a subject."""
    mine = (named.c.enterprise == enterprise) & (named.c.name == asset_no)
    return states.c.subject == select(named.c.id).where(mine).correlate_except(named).scalar_subquery()


def numbers(connection: Connection, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The numbers of subjects, each by enterprise and asset_no; a new one gets the next.

    Only while nobody else writes.
    """
    pairs = sorted(set(asked))
    query = "SELECT a, b, id FROM asked JOIN named ON enterprise = a AND name = b"
    found = {(a, b): number for a, b, number in sql.of_pairs(connection, query, pairs)}
    if new := [pair for pair in pairs if pair not in found]:
        last = sql.first(connection, "SELECT max(id) FROM named")[0] or 0
        found |= {pair: last + n for n, pair in enumerate(new, 1)}
        sql.add(connection, named, [(found[pair], *pair) for pair in new])
    return found


def newest(found: Select[Any]) -> Select[Any]:
    """The newest of the slots of one subject, straight from the index."""
    return found.order_by(_NewestFirst()).limit(1)


class _NewestFirst(ColumnElement[int]):
    inherit_cache = True


@compiles(_NewestFirst, "sqlite")
def _sqlite(_element: _NewestFirst, _compiler: SQLCompiler, **_: Any) -> str:
    return "states.start DESC"


@compiles(_NewestFirst, "postgresql")
def _postgresql(_element: _NewestFirst, _compiler: SQLCompiler, **_: Any) -> str:
    return f"states.start / {DAY_MS} DESC, states.start DESC"
