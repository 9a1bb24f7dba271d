"""Intelligent cells, lines, workshops and factories: the trees of enterprises, what their nodes are recognised as, and
what is seen of their equipment (T17).

A node counts once, at its highest grade in force on the day, where its site stands; each kind for itself: the workshops
of a factory are not added to it. A node without a grade is *named*, beside.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from ganpo_cloud.province import tagged
from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_cloud.province.lists import Filter, placed
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.measures import counts, held, on
from ganpo_cloud.province.places import Sums, roll_up
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import NOWHERE, ledger
from ganpo_model.coverage import Evidence

PLAN = "the province's plan of 2018, which has no number; counting is ours"
Kind = Literal["cell", "line", "workshop", "factory"]
Grade = Literal["national", "provincial", "city", "county"]
KINDS: tuple[Kind, ...] = ("cell", "line", "workshop", "factory")
"""Of a node, as the plan names them."""
GRADES: tuple[Grade, ...] = ("national", "provincial", "city", "county")
"""Of an accreditation, the highest first."""
NAMED = "named"
COLUMNS = (*GRADES, NAMED)
"""In what nodes are counted: each stands in one."""
SEEN: Mapping[str, ColumnElement[bool]] = {
    "equipment": counts("now_registered"),
    "networked": counts("now_networked"),
    "cloud": counts("now_cloud"),
    "active": counts("now_active"),
    "controlled": counts("now_registered") & (ledger.c.numerical_control >= Evidence.DOCUMENT),
}
"""What is seen of the equipment of a node and of all below it; `networked`: something Good within 90 days."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which nodes: of a kind, of a grade (or named), of an enterprise; `asked`: those that are a question."""

    of: Filter
    kind: str | None = None
    grade: str | None = None
    enterprise: str | None = None
    asked: bool = False


def _nodes(kind: str, unit: str) -> Measured:
    text = f"N({unit} with an accreditation in force), each once, at its highest grade"
    return Measured(f"nodes_{kind}", "T17", f"Intelligent {unit}", text, unit, PLAN)


LINES = "lines_and_workshops"
MEASURED: tuple[Measured, ...] = (
    *map(_nodes, KINDS, ("cells", "lines", "workshops", "factories")),
    Measured(
        LINES,
        "T17",
        "Intelligent lines and workshops",
        "N(lines with an accreditation in force) + N(workshops with one)",
        "lines and workshops",
        "our definition, unverified: the plan names the programme and gives no number",
    ),
)
THRESHOLDS: Mapping[str, int] = {
    "intelligent_count": 10_000,
    LINES: 1_000,
    "nodes_factory": 100,
    tagged.BASE: 10,
}
"""万千百十, from memory, unverified: held against a row of `targets`, and against nothing until one is entered."""
NO_TREE = "no tree of an enterprise was entered here"
NOTES: tuple[str, ...] = (NO_TREE,)


def standings(at: At) -> Iterable[Standing]:
    """How many there are; None where no tree was entered."""
    row = at.counted
    numbers = {f"nodes_{kind}": (kind,) for kind in KINDS} | {LINES: ("line", "workshop")}
    for name, kinds in numbers.items():
        number = None if row is None else accredited(row, *kinds)
        yield Standing(name, number, None, "/trees", NO_TREE if row is None else "")


def nodes(province: Province, wanted: Wanted) -> Select[Any]:
    """The nodes in force on the day, by enterprise and node. `rank`: the place of the highest grade in `GRADES`, null
    where none is in force. Of several rows of a node that are, the one begun last says how it is."""
    day, node, later = wanted.of.day, registry.node.c, registry.node.alias().c
    firms, best = ledger.alias("firm"), _best(day)
    firm = firms.c
    same = (later.enterprise == node.enterprise) & (later.node == node.node)
    replaced = select(later.node).where(same, held(day, later), later.first > node.first)
    query = (
        select(
            *registry.node.c,
            func.coalesce(registry.site.c.area, NOWHERE).label("area"),
            func.coalesce(firm.industry, OTHER).label("industry"),
            func.coalesce(firm.name, node.enterprise).label("firm"),
            best.c.rank,
        )
        .outerjoin(
            registry.site,
            (registry.site.c.enterprise == node.enterprise) & (registry.site.c.site == node.site),
        )
        .outerjoin(firms, (firm.enterprise == node.enterprise) & (firm.asset_no == "") & on(day, firm))
        .outerjoin(best, and_(*(best.c[name] == node[name] for name in ("enterprise", "node", "kind"))))
        .where(held(day, node), ~replaced.exists())
    )
    if wanted.enterprise is not None:
        query = query.where(node.enterprise == wanted.enterprise)
    if wanted.kind is not None:
        query = query.where(node.kind == wanted.kind)
    found = query.subquery("nodes")
    chosen = select(found).where(*placed(province, wanted.of, found.c))
    if wanted.of.text:
        text = (found.c.node, found.c.name, found.c.firm, found.c.enterprise)
        chosen = chosen.where(or_(*(c.icontains(wanted.of.text, autoescape=True) for c in text)))
    if wanted.grade is not None:
        graded = found.c.rank.is_(None) if wanted.grade == NAMED else found.c.rank == _RANKS[wanted.grade]
        chosen = chosen.where(graded)
    if wanted.asked:
        accredited = chosen.where(found.c.rank.is_not(None))
        told = seen(day, accredited).subquery("told")
        mine = (told.c.enterprise == found.c.enterprise) & (told.c.node == found.c.node)
        there = select(told.c.node).where(mine, told.c.networked > 0)
        chosen = accredited.where(~there.exists())
    return chosen.order_by(found.c.enterprise, found.c.node)


def seen(day: date, of: Select[Any]) -> Select[Any]:
    """Of nodes that have any: how much of their equipment is seen, through everything below them, each machine once.
    Trees with a circle, which no list may have, end too."""
    root, node, has, device = (
        of.order_by(None).subquery("root").c,
        registry.node.c,
        registry.node_equipment.c,
        ledger,
    )
    below = select(root.enterprise, root.node.label("root"), root.node).cte(recursive=True)
    hangs = (node.enterprise == below.c.enterprise) & (node.parent == below.c.node) & held(day, node)
    below = below.union(
        select(below.c.enterprise, below.c.root, node.node).select_from(below.join(registry.node, hangs))
    )
    stands = (has.enterprise == below.c.enterprise) & (has.node == below.c.node) & held(day, has)
    mine = (
        select(below.c.enterprise, below.c.root, has.asset_no)
        .select_from(below.join(registry.node_equipment, stands))
        .distinct()
        .subquery("mine")
    )
    known = (device.c.enterprise == mine.c.enterprise) & (device.c.asset_no == mine.c.asset_no)
    sums = (func.sum(case((condition, 1), else_=0)).label(name) for name, condition in SEEN.items())
    told = select(mine.c.enterprise, mine.c.root.label("node"), *sums)
    told = told.select_from(mine.join(device, known & on(day) & (device.c.kind == "equipment")))
    return told.group_by(mine.c.enterprise, mine.c.root)


def accreditations(connection: Connection, day: date, of: Select[Any]) -> Mapping[tuple[str, str], list[Any]]:
    """What the nodes of the enterprises of `of` are recognised as on the day, the highest grade first, of one grade the
    one entered last: the first of the node's own kind counts."""
    table = registry.accreditation
    query = select(table).where(
        held(day, table.c), table.c.enterprise.in_(select(of.subquery().c.enterprise))
    )
    found: dict[tuple[str, str], list[Any]] = {}
    for row in connection.execute(
        query.order_by(_rank(table.c.grade), table.c.recorded_at.desc(), table.c.document)
    ):
        found.setdefault((row.enterprise, row.node), []).append(row)
    return found


def entered(connection: Connection) -> frozenset[str]:
    """Its lists that have any row."""
    return frozenset({"nodes"} if sql.any_of(connection, registry.node) else ())


def counted(connection: Connection, province: Province, of: Filter) -> Sums:
    """How many nodes there are, at every place and in every industry of the filter, by the names of `column`."""
    found = nodes(province, Wanted(of)).order_by(None).subquery("found").c
    query = select(found.area, found.industry, found.kind, found.rank, func.count())
    rows = connection.execute(query.group_by(found.area, found.industry, found.kind, found.rank))
    lowest = (
        ((area, industry), {column(kind, NAMED if rank is None else GRADES[rank]): number})
        for area, industry, kind, rank, number in rows
    )
    return roll_up(province, lowest, NOTHING)


def column(kind: str, grade: str) -> str:
    """Under which name nodes of a kind and a grade, or named ones, are counted."""
    return f"nodes_{kind}_{grade}"


def accredited(row: Mapping[str, int], *kinds: str) -> int:
    """How many of a place's nodes of these kinds have any grade."""
    return sum(row[column(kind, grade)] for kind in kinds for grade in GRADES)


OF_MONTHS = False
NOTHING: Mapping[str, int] = {column(kind, grade): 0 for kind in KINDS for grade in COLUMNS}
_RANKS: Mapping[str, int] = {grade: rank for rank, grade in enumerate(GRADES)}


def _rank(grade: ColumnElement[str]) -> ColumnElement[int]:
    return case(dict(_RANKS), value=grade, else_=len(GRADES))


def _best(day: date) -> Any:
    """The highest grade in force of each node, by the kind as which it was recognised."""
    table = registry.accreditation
    mine = (table.c.enterprise, table.c.node, table.c.kind)
    rank = func.min(_rank(table.c.grade)).label("rank")
    return select(*mine, rank).where(held(day, table.c)).group_by(*mine).subquery("best")
