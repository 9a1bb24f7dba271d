"""The page that compares: the chart of each place, its table, and what else can be chosen."""

from collections.abc import Sequence
from fractions import Fraction

from sqlalchemy import Connection

from ganpo_cloud.province.definitions import DEFINITIONS, Definition
from ganpo_cloud.province.ranking import BY
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.answers.compare import COMPARED, MOST, Compared
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.figures import Figure, Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering


def beside(connection: Connection, rendering: Rendering, found: Sequence[Compared]) -> Item:
    """What the template gets more. `lines`: by place its figures, month by month; `picked`: what each selector says."""
    scope, province, day = rendering.scope, rendering.province, rendering.day
    definition = DEFINITIONS[str(scope.more.get("indicator", BY))]
    n = Figures(rendering.snapshot(connection).day, scope.area, scope.industry or ALL)
    lines: dict[tuple[str, str], list[Compared]] = {}
    for row in found:
        lines.setdefault((row.area, row.industry or ALL), []).append(row)
    target = found[0].target
    goal = target.goal if target is not None and definition.kind == "rate" else None
    last = found[-1].month
    since = min((row.month for row in found if row.heard), default="")
    months = [row.month for row in next(iter(lines.values())) if row.month >= since]
    own = scope.industry or ALL
    picked = [industry if area == scope.area and industry != own else area for area, industry in lines]
    return {
        "n": n,
        "definition": definition,
        "goal": goal,
        "months": months,
        "left_out": len(found) // len(lines) - len(months),
        "lines": {
            key: [
                _figure(n, row, definition, goal, now=row.month == last) for row in rows if row.month >= since
            ]
            for key, rows in lines.items()
        },
        "partly": any(
            row.covered and 10 * (row.covered.numerator or 0) < 9 * (row.covered.denominator or 0)
            for row in found
        ),
        "picked": picked + [""] * (MOST - len(picked)),
        "choices": [DEFINITIONS[name] for name in COMPARED],
        "cities": {city: province.parts(city, day) for city in province.parts(province.whole, day)},
    }


def _figure(n: Figures, row: Compared, definition: Definition, goal: Fraction | None, *, now: bool) -> Figure:
    """A month of a place, named as everywhere: the one that runs is as of the day."""
    here = {"area": row.area, "industry": row.industry or ALL}
    number, among = row.checked.numerator, row.checked.denominator
    if definition.kind == "quantity":
        return n.count(definition.id, numbers.millionths(number), "quantity", time=row.month, **here)
    name = definition.measures[1]
    if definition.kind == "count":
        return n.count(name, number, time=f"{n.day}" if now else row.month, **here)
    if not now:
        time = row.month
    else:
        time = f"{row.month}..{n.day}" if definition.id in ("availability", "completeness") else f"{n.day}"
    return n.count(f"{name}/{definition.among}", number, "rate", among=among, goal=goal, time=time, **here)
