"""Names of enterprises beside their codes, in lists whose rows have the code alone."""

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import Connection, select

from ganpo_cloud.inlet.gateways import Gateway
from ganpo_cloud.store.registry_tables import enterprise
from ganpo_cloud.web.pages.rendering import Item, Rendering

MOST = 100
"""Gateways of a kind on the page; the files have all."""


def named(connection: Connection, day: date, codes: Iterable[str | None]) -> Mapping[str, str]:
    """By code what the registry calls it on a day, or first where it is younger."""
    mine = select(enterprise).where(enterprise.c.code.in_({code for code in codes if code}))
    found: dict[str, str] = {}
    for row in connection.execute(mine.order_by(enterprise.c.since)):
        if row.since <= day or row.code not in found:
            found[row.code] = row.name
    return found


def of_gateways(connection: Connection, rendering: Rendering, found: list[Gateway]) -> Item:
    """Which gateways need a person: strangers, those away longest, then those with something the matter."""
    ours = [row for row in found if row.enterprise is not None]
    away = [row for row in ours if not row.online]
    away.sort(key=lambda row: (row.last_word is not None, row.last_word))
    matter = [
        row for row in ours if row.online and (row.quarantined or row.points_at_fault or row.units_silent)
    ]
    rows = away + matter
    return {
        "strangers": [row for row in found if row.enterprise is None],
        "gateways": len(ours),
        "online": len(ours) - len(away),
        "rows": rows,
        "most": MOST,
        "firms": named(connection, rendering.day, (row.enterprise for row in rows[:MOST])),
    }
