"""The plan's page: its rows in its order, each with its numbers as they are judged everywhere."""

from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.province import plan as province
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.asking import Placed
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering


def plan(connection: Connection, rendering: Rendering, _asked: Placed) -> Item:
    """Every row of the plan; `stands`: how many have a number, how many wait for one, and of how many there is none."""
    scope = rendering.scope
    found = Indicators(rendering.snapshot(connection))
    n = Figures(found.snapshot.day, scope.area, scope.industry or ALL)
    rows = province.rows(found, scope.area, scope.industry or ALL)
    known = sum(any(number.item.value is not None for number in numbers) for _, numbers in rows)
    unsaid = sum(bool(aim.why_en) for aim, _ in rows)
    stands = {"known": known, "waits": len(rows) - known - unsaid, "unsaid": unsaid}
    return {
        "n": n,
        "rows": rows,
        "stands": {name: n.count(f"plan:{name}", number) for name, number in stands.items()},
        "every": n.count("plan:rows", len(rows)),
        "xlsx": rendering.api("plan", format="xlsx"),
        "csv": rendering.api("plan", format="csv"),
    }


def names(_connection: Connection, rendering: Rendering, _found: Any) -> Item:
    """What targets are of: rows of the plan in its words, and numbers of those that have several; and their units."""
    aims = {
        aim.id: aim.quote_zh if rendering.lang == "zh" else aim.name_en for aim in rendering.province.plan
    }
    units = {of.target: of.unit for of in province.EVERY if of.target} | {
        of.id: of.unit for of in province.EVERY
    }
    named = {of.id: rendering.t(of.word) for of in province.MEASURED.values()}
    return {"names": aims | named, "units": units}
