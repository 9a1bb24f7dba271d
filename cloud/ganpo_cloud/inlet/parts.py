"""An inventory that came in parts: they wait until all are stored, and become one (uplink.md, inventory)."""

import json
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import inventory_part

Row = tuple[int, int, str, str, int, str, str]
"""(frame, place, gateway, enterprise, at, timezone, body): a row of the table `inventory`."""


_MINE = "inventory_part WHERE enterprise = ? AND gateway = ? AND at = ? AND parts = ?"


def complete(connection: Connection, came: Iterable[tuple[Row, tuple[int, int]]]) -> Iterator[Row]:
    """Store parts, each with its `[i, n]`. Gives the inventories that are whole with them, as rows to store: site and
    calendar stand in each part."""
    waits: set[tuple[str, str, int, int]] = set()
    for (frame, place, gateway, enterprise, at, _, body), (part, parts) in came:
        row = (enterprise, gateway, at, parts, part, frame, place, body)
        sql.add(connection, inventory_part, [row])
        waits.add((enterprise, gateway, at, parts))
    for of in sorted(waits):
        enterprise, gateway, at, parts = of
        rows = sql.rows(connection, f"SELECT frame, place, body FROM {_MINE} ORDER BY part", of)
        if len(rows) == parts:
            bodies = [json.loads(row[2]) for row in rows]
            whole = bodies[0] | {"part": None}
            for kind in ("equipment", "meters", "registers"):
                whole[kind] = [item for body in bodies for item in body[kind]]
            text = json.dumps(whole, ensure_ascii=False)
            yield rows[0][0], rows[0][1], gateway, enterprise, at, whole["site"]["timezone"], text
            sql.run(connection, f"DELETE FROM {_MINE}", of)
