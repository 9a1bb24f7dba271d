"""The page of places or industries in an order, and the line that all of them add up to."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.ranking import BY, STEPS, stopped
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.answers.ranking import Ranked
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering


def beside(connection: Connection, rendering: Rendering, found: Sequence[Ranked]) -> Item:
    """What the template gets more: the place that the rows add up to, and what else can be chosen."""
    scope = rendering.scope
    number = str(scope.more.get("indicator", BY))
    of_place = Indicators(rendering.snapshot(connection))
    items = {item.definition.id: item for item in of_place.of(scope.area, scope.industry)}
    row = of_place.snapshot.rows([scope.area], [scope.industry or ALL])[scope.area, scope.industry or ALL]
    return {
        "n": Figures(of_place.snapshot.day, scope.area, scope.industry or ALL, scope.tag or ""),
        "whole_item": items[number],
        "whole_stopped": stopped(number, row),
        "steps": STEPS[number],
        "choices": [DEFINITIONS[name] for name in STEPS],
        "rows": found,
    }
