"""What is tagged and declared at a place, against the plan; and one tag by area and industry."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.province import lists, plan, plan_sums, tagged, upgrading
from ganpo_cloud.province.indicators import YUAN_10000, Indicators
from ganpo_cloud.province.plan_sums import Place
from ganpo_cloud.store.counted_tables import ALL, NOWHERE
from ganpo_cloud.web.answers.tags import Count
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import reference


def beside(connection: Connection, rendering: Rendering, found: Sequence[Count]) -> Item:
    """The numbers of the plan, and beside a technical upgrading what its enterprises had before and have now."""
    scope = rendering.scope
    key = (scope.area, scope.industry or ALL)
    judged, place = Indicators(rendering.snapshot(connection)), Place(connection, rendering.province, *key)
    equipment, energy = upgrading.changes(
        connection, rendering.province, lists.Filter(scope.area, scope.industry, rendering.day)
    )
    return {
        "n": Figures(rendering.day, *key),
        "every": reference.tags(),
        "numbers": {of.item.definition.id: of for of in plan.numbers_of(tagged, judged, place)},
        "row": {one.measure: one.number for one in found if (one.area, one.industry or ALL) == key},
        "equipment": equipment,
        "energy": energy,
        "intensities": [
            Fraction(of["energy_millionths"] * YUAN_10000, 10**6 * of["energy_fen"])
            if of["energy_fen"]
            else None
            for of in (energy.before, energy.now)
        ],
    }


def of_tag(connection: Connection, rendering: Rendering, _found: Any) -> Item:
    """Of one tag: its number, and that of every part and industry that has any."""
    scope, tag = rendering.scope, rendering.scope.path.rpartition("/")[2]
    key = (scope.area, scope.industry or ALL)
    judged, place = Indicators(rendering.snapshot(connection)), Place(connection, rendering.province, *key)
    here = lists.Filter(scope.area, scope.industry, rendering.day)
    counts = plan_sums.sums(connection, rendering.province, tagged, here)
    parts = [(part, key[1]) for part in (*rendering.parts(scope.area), NOWHERE)]
    industries = [] if scope.industry else [(scope.area, of) for of in rendering.province.industries]

    def rows(keys: Sequence[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
        return [(at, counts[at][tag]) for at in keys if at in counts and counts[at][tag]]

    return {
        "n": Figures(rendering.day, *key),
        "tag": reference.tags()[tag],
        "number": next(of for of in plan.numbers_of(tagged, judged, place) if of.item.definition.id == tag),
        "parts": rows(parts),
        "of_industries": rows(industries),
    }
