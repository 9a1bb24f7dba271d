"""At which rung enterprises and devices stop (ui.md, Ladder): current and ever stand side by side, never added."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.figures import Figure, Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import coverage
from ganpo_model.coverage import ENTERPRISES, MEASURES, Firms, Measure

LADDERS: Mapping[str, Mapping[str, Measure | Firms]] = {"enterprises": ENTERPRISES, "equipment": MEASURES}
"""By the list behind it, what is counted of it."""


def ladder(
    rendering: Rendering,
    n: Figures,
    of: str,
    row: Mapping[str, int],
    before: Mapping[str, Any] | None,
    population: int | None = None,
) -> Item:
    """One ladder of a place. `row`: its sums; `before`: 30 days earlier, None where they are not kept; `population`:
    how many there are, None where nobody said."""
    rungs, names = [], coverage.ladder(LADDERS[of])
    scale = population or row[names[0][2] or names[0][1]]

    def count(measure: str, number: int | None, kind: str = "count") -> Figure:
        return n.count(measure, rendering.scope.area, rendering.scope.industry or "", number, kind)

    for (word, now, ever), (_, following, _) in pairwise([*names, ("", "", None)]):
        rungs.append(
            {
                "word": word,
                "now": count(now, row[now]),
                "ever": count(ever, row[ever]) if ever else None,
                "change": count(f"{now}:30-days", row[now] - before[now], "change") if before else None,
                "x": numbers.share(row[now], scale),
                "ever_x": numbers.share(row[ever], scale) if ever else "",
                "stuck": count(f"{now}-{following}", row[now] - row[following]) if following else None,
            }
        )
    steps = [row[now[1]] - row[then[1]] for now, then in pairwise(names)]
    first = names[0][1]
    return {
        "of": of,
        "rungs": rungs,
        "population": count("population", population),
        "missing": count(f"population-{first}", max(population - row[first], 0)) if population else None,
        "worst": steps.index(max(steps)) if max(steps) > 0 else None,
        "below": [
            (name.rung, count(measure, row[measure]))
            for measure, name in LADDERS[of].items()
            if name.place == "beside"
        ],
        "href": rendering.href(f"/{of}"),
        "xlsx": rendering.api(of, format="xlsx", limit="100000"),
    }
