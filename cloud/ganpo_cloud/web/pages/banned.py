"""Banned equipment of a place: what stands beside its list."""

from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.province import banned, plan_sums
from ganpo_cloud.store.counted_tables import ALL, NOWHERE
from ganpo_cloud.store.described import Listing
from ganpo_cloud.web import marked
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering


def beside(connection: Connection, rendering: Rendering, _found: Listing[Any]) -> Item:
    """The numbers of the place, of its parts that have any, and of its industries."""
    scope = rendering.scope
    sums = plan_sums.sums(connection, rendering.province, banned, marked.wanted(connection, scope))
    own, tag = scope.industry or ALL, scope.tag or ""

    def rows(keys: list[tuple[str, str]]) -> list[Item]:
        return [
            {"key": key, "n": Figures(rendering.day, *key, tag), "sums": sums[key]}
            for key in keys
            if key in sums
        ]

    here = (scope.area, own)
    parts = [(part, own) for part in [*rendering.parts(scope.area), NOWHERE]]
    industries = [] if scope.industry else [(scope.area, name) for name in rendering.province.industries]
    return {
        "n": Figures(rendering.day, *here, tag),
        "sums": sums.get(here, banned.NOTHING),
        "measured": banned.MEASURED,
        "parts": rows(parts if scope.area == rendering.province.whole else parts[:-1]),
        "of_industries": rows(industries),
    }
