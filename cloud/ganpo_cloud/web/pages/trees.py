"""Intelligent cells, lines, workshops and factories of a place, by kind, grade, area and industry; what is to be asked
of them; and the tree of one enterprise."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from ganpo_cloud.province import lists, plan, tagged, trees
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.plan_sums import Place
from ganpo_cloud.store.counted_tables import ALL, NOWHERE
from ganpo_cloud.web import marked
from ganpo_cloud.web.answers import trees as answers
from ganpo_cloud.web.answers.trees import ByPlace, Node, Nodes
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering

ASKED = 10
"""Questions that stand on the page itself."""
MOST = 500
"""Nodes of an enterprise that its page shows."""


def beside(connection: Connection, rendering: Rendering, found: Sequence[Nodes]) -> Item:
    """The place itself, its parts, its industries, thresholds, and accredited nodes of which nothing is seen."""
    scope = rendering.scope
    key = (scope.area, scope.industry or ALL)
    of = marked.wanted(connection, scope)
    judged = Indicators(rendering.snapshot(connection))
    numbers = {of.definition.id: plan.Number(of, "") for of in judged.of(scope.area, scope.industry)}
    place = Place(connection, rendering.province, *key)
    for part in (trees, tagged):
        numbers |= {of.item.definition.id: of for of in plan.numbers_of(part, judged, place)}
    areas = _by(found)
    industries = {} if scope.industry else _by(answers.trees(connection, scope, ByPlace(by="industry")))
    return {
        "n": Figures(rendering.day, *key, tag=scope.tag or ""),
        "row": areas.pop(key),
        "areas": {at: row for at, row in areas.items() if at[0] != NOWHERE or any(map(_any, row.values()))},
        "industry_rows": {at: row for at, row in industries.items() if at != key},
        "kinds": trees.KINDS,
        "grades": trees.GRADES,
        "thresholds": [(numbers[name], remembered) for name, remembered in trees.THRESHOLDS.items()],
        "asked_of": answers.listed(connection, scope, trees.Wanted(of, asked=True), ASKED, 1),
    }


def _by(found: Iterable[Nodes]) -> dict[tuple[str, str], dict[str, Nodes]]:
    """The kinds of each place and industry."""
    rows: dict[tuple[str, str], dict[str, Nodes]] = {}
    for row in found:
        rows.setdefault((row.area, row.industry or ALL), {})[row.kind] = row
    return rows


def _any(row: Nodes) -> bool:
    return bool(row.accredited or row.named)


def of_enterprise(connection: Connection, rendering: Rendering, code: str) -> Item:
    """The tree of an enterprise on the day, from the top: each node with how deep it lies."""
    everywhere = lists.Filter(rendering.province.whole, None, rendering.day)
    wanted = trees.Wanted(everywhere, enterprise=code)
    found = answers.listed(connection, rendering.scope, wanted, MOST, 1)
    return {"nodes": list(_hung([*found.rows])), "total": found.total}


def _hung(nodes: Sequence[Node]) -> Iterable[tuple[int, Node]]:
    """Nodes below one another; what hangs in a circle, which no list may have, stands at the top."""
    below: dict[str | None, list[Node]] = {}
    known = {node.node for node in nodes}
    for node in nodes:
        below.setdefault(node.parent if node.parent in known else None, []).append(node)
    told: set[str] = set()

    def hang(node: Node, depth: int) -> Iterable[tuple[int, Node]]:
        if node.node not in told:
            told.add(node.node)
            yield depth, node
            for child in below.get(node.node, ()):
                yield from hang(child, depth + 1)

    for node in (*below.get(None, ()), *nodes):
        yield from hang(node, 0)
