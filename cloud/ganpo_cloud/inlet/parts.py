"""An inventory that came in parts: they wait until all are stored, and become one (uplink.md, inventory)."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import inventory_part

Row = tuple[int, int, str, str, int, str, str]
"""(frame, place, gateway, enterprise, at, timezone, body): a row of the table `inventory`."""


def complete(connection: Connection, came: Iterable[tuple[Row, tuple[int, int]]]) -> list[Row]:
    """Store parts, each with its `[i, n]`. Gives the inventories that are whole with them, as rows to store."""
    waits: set[tuple[str, str, int, int]] = set()
    for (frame, place, gateway, enterprise, at, _, body), (part, parts) in came:
        row = (enterprise, gateway, at, parts, part, frame, place, body)
        sql.add(connection, inventory_part, [row])
        waits.add((enterprise, gateway, at, parts))
    found = []
    for enterprise, gateway, at, parts in sorted(waits):
        key = (enterprise, gateway, at, parts)
        rows = sql.rows(
            connection,
            "SELECT frame, place, body FROM inventory_part"
            " WHERE enterprise = ? AND gateway = ? AND at = ? AND parts = ? ORDER BY part",
            key,
        )
        if len(rows) == parts:
            merged = whole([json.loads(row[2]) for row in rows])
            text = json.dumps(merged, ensure_ascii=False)
            found.append((rows[0][0], rows[0][1], gateway, enterprise, at, merged["site"]["timezone"], text))
            sql.run(
                connection,
                "DELETE FROM inventory_part WHERE enterprise = ? AND gateway = ? AND at = ? AND parts = ?",
                key,
            )
    return found


def whole(bodies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One body of all parts, in their order. Site and calendar stand in each."""
    lists = {
        kind: [item for body in bodies for item in body[kind]]
        for kind in ("equipment", "meters", "registers")
    }
    return {**bodies[0], **lists, "part": None}
