"""The trees of the invented enterprises and what they are recognised as: factory, workshops, lines and cells with their
machines, accreditations of every kind and grade."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ganpo_demo.fleet import Firm, Fleet
from ganpo_demo.written import WHO, written

_BEGAN = date(2021, 6, 1)
_GRADES = ("county", "city", "provincial", "national")
"""The lowest first."""
_LIKELY = {"factory": 0.25, "workshop": 0.4, "line": 0.45, "cell": 0.5}
"""How many of a kind are recognised."""
_NAMES = {"factory": "工厂 Factory", "workshop": "车间 Workshop", "line": "生产线 Line", "cell": "单元 Cell"}
_LETTERS = {"factory": "GC", "workshop": "CJ", "line": "XT", "cell": "DY"}
_OF_A_LINE, _OF_A_WORKSHOP = 4, 8


@dataclass(slots=True)
class Tree:
    """Rows of one enterprise: nodes as (node, parent, kind), and where a machine stands, from when to when."""

    nodes: list[tuple[str, str, str]] = field(default_factory=list)
    stands: list[tuple[str, str, str, str]] = field(default_factory=list)

    def grown(self, kind: str, parent: str) -> str:
        """Another node of a kind."""
        number = sum(of == kind for _, _, of in self.nodes) + 1
        self.nodes.append((f"{_LETTERS[kind]}-{number:02d}", parent, kind))
        return self.nodes[-1][0]


def lists(of: Fleet) -> Iterator[tuple[str, bytes]]:
    """The three lists of trees."""
    trees = [(firm, _tree(firm, of.first)) for firm in of.firms]
    yield written("nodes", (row for firm, tree in trees for row in _nodes(firm, tree)))
    stands = (
        [firm.code, node, number, first, last]
        for firm, tree in trees
        for node, number, first, last in tree.stands
    )
    yield written("node_equipment", stands)
    yield written("accreditations", (row for firm, tree in trees for row in _accredited(firm, tree, of)))


def _tree(firm: Firm, first: date) -> Tree:
    """Two of three enterprises have a tree. Four machines are a line, the first two of it a cell; the first machine of
    a second line came there within the first month."""
    rng, tree = random.Random(f"tree {firm.code}"), Tree()
    if rng.random() > 0.67:
        return tree
    factory = tree.grown("factory", "")
    lines: list[str] = []
    workshop = ""
    for n, tool in enumerate(firm.tools):
        if n % _OF_A_WORKSHOP == 0:
            workshop = tree.grown("workshop", factory)
        if n % _OF_A_LINE == 0:
            lines.append(tree.grown("line", workshop))
            cell = tree.grown("cell", lines[-1]) if len(firm.tools) > n + 1 else lines[-1]
        node = cell if n % _OF_A_LINE < 2 else lines[-1]
        if n == _OF_A_LINE:
            moved = first + timedelta(days=20)
            tree.stands.append((lines[0], tool.asset_no, str(_BEGAN), str(moved)))
            tree.stands.append((node, tool.asset_no, str(moved + timedelta(days=1)), ""))
        else:
            tree.stands.append((node, tool.asset_no, str(_BEGAN), ""))
    return tree


def _nodes(firm: Firm, tree: Tree) -> Iterator[Sequence[str]]:
    for node, parent, kind in tree.nodes:
        zh, en = _NAMES[kind].split()
        number = int(node[-2:])
        name = f"演示{number}号{zh} Demo {en} {number}"
        yield [firm.code, "plant-1", node, parent, kind, name, str(_BEGAN), ""]


def _accredited(firm: Firm, tree: Tree, of: Fleet) -> Iterator[Sequence[str]]:
    """A good part of the nodes, some again at a higher grade, a few for a time that is over."""
    rng = random.Random(f"grades {firm.code}")
    span = (of.last - of.first).days
    for node, _, kind in tree.nodes:
        if rng.random() > _LIKELY[kind]:
            continue
        level = rng.choices(range(4), (3, 4, 3, 1))[0]
        since = date(2023, 1, 1) + timedelta(days=rng.randrange(700))
        until = str(of.first + timedelta(days=rng.randrange(span))) if rng.random() < 0.08 else ""
        told = f"{WHO} {node}-{since.year}"
        yield [firm.code, node, kind, _GRADES[level], told, WHO, str(since), until]
        if level < 3 and rng.random() < 0.3:
            risen = of.first + timedelta(days=rng.randrange(span))
            told = f"{WHO} {node}-{risen.year}"
            yield [firm.code, node, kind, _GRADES[level + 1], told, WHO, str(risen), ""]
