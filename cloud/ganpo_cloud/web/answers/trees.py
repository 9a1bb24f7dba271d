"""Intelligent cells, lines, workshops and factories: how many, and which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from sqlalchemy import Connection

from ganpo_cloud.province import lists, plan_sums
from ganpo_cloud.province import trees as province
from ganpo_cloud.province.trees import GRADES, KINDS, NAMED, Grade, Kind, Wanted
from ganpo_cloud.store.counted_tables import ALL, NOWHERE
from ganpo_cloud.store.described import (
    AreaId,
    Code,
    InIndustry,
    Instant,
    Listing,
    answer,
    filled,
    said,
    somewhere,
)
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import Listed, Question, Tagged, asks


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPlace(Tagged):
    """Nodes of a place, by what it is made of."""

    by: Annotated[Literal["area", "industry"], asks("the parts of the area, or the industries", "area")] = (
        "area"
    )


@answer
class Nodes:
    """How many nodes of a kind there are at a place: each counts once, at its highest grade in force."""

    area: AreaId
    industry: InIndustry
    kind: Kind = said("cells, lines, workshops or factories", "workshop")
    accredited: int = said("with an accreditation in force", 12)
    national: int = said("of them national", 1)
    provincial: int = said("of them provincial", 3)
    city: int = said("of them of a city", 4)
    county: int = said("of them of a county", 4)
    named: int = said("beside: in a tree, and without an accreditation", 30)


@answer
class Accreditation:
    """What somebody recognised a node as, in force on the day."""

    kind: Kind = said("as what", "workshop")
    grade: Grade = said("how high", "provincial")
    document: str = said("which says so", "赣工信 2025-17")
    by: str = said("who entered it", "李")
    entered: Instant = said("when", "2026-11-25T02:15:00.000Z")
    first: date = said("from this day on", "2025-06-01", name="from")
    last: date | None = said("to this day; null: open", "2028-05-31", name="to")


@answer
class Node:
    """One node of an enterprise's tree on a day, and what is seen of its equipment and of all below it."""

    enterprise: Code
    firm: str = said("name of the enterprise", "江西铜业")
    node: str = said("its id within the enterprise", "CJ-01")
    name: str = said("what people call it", "一号车间")
    kind: Kind = said("what it is", "workshop")
    parent: str | None = said("the node above it; null: none", "GC-01")
    site: str = said("id of its site", "plant-1")
    area: str | None = said("county of its site; null where nobody said", "360681")
    industry: str = said("industry of the enterprise", "NONFERROUS")
    first: date = said("from this day on", "2024-01-01", name="from")
    last: date | None = said("to this day; null: open", "2028-06-30", name="to")
    grade: Grade | None = said("the highest grade in force; null: it is named only", "provincial")
    accreditations: list[Accreditation] = said(
        "all in force, the highest first; of one grade the one entered last: the first of the node's kind counts"
    )
    equipment: int = said("in it and all below it, in the ledger and not retired", 8)
    networked: int = said("of these on the network, with something Good within 90 days", 6)
    cloud: int = said("of these in the cloud", 6)
    active: int = said("of these active", 5)
    controlled: int = said("of these numerically controlled, checked", 4)
    question: Literal["no_equipment", "unseen"] | None = said(
        "accredited, and no equipment, or nothing Good of it for 90 days: to be asked, nothing is deleted",
        "unseen",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Listed):
    """Nodes of a place."""

    kind: Annotated[Kind | Literal[""], asks("only of this kind; empty: of all", "workshop")] = ""
    grade: Annotated[
        Grade | Literal["named", ""],
        asks("only of this highest grade, or without any; empty: all", "provincial"),
    ] = ""
    question: Annotated[bool, asks("only accredited ones of which nothing Good is seen", True)] = False


def trees(connection: Connection, question: Question, asked: ByPlace) -> list[Nodes]:
    """How many nodes of each kind and grade, by area or industry."""
    of = marked.wanted(connection, question)
    found = plan_sums.sums(connection, question.province, province, of)
    here = (question.area, question.industry or ALL)
    if asked.by == "industry":
        others = [(question.area, name) for name in question.province.industries]
    else:
        parts = question.province.parts(question.area, question.day)
        parts += [NOWHERE] if question.area == question.province.whole else []
        others = [(part, here[1]) for part in parts]
    return [_nodes(key, kind, found.get(key, province.NOTHING)) for key in (here, *others) for kind in KINDS]


def nodes(connection: Connection, question: Question, asked: Chosen) -> Listing[Node]:
    """The nodes of trees, with what they are recognised as and what is seen of them."""
    of = marked.wanted(connection, question, asked.text)
    wanted = Wanted(of, asked.kind or None, asked.grade or None, asked=asked.question)
    return listed(connection, question, wanted, asked.limit, asked.page)


def listed(
    connection: Connection, question: Question, wanted: Wanted, limit: int, page: int
) -> Listing[Node]:
    """A page of nodes."""
    query, day = province.nodes(question.province, wanted), question.day
    rows, total = lists.page(connection, query, limit, page)
    if not rows:
        return Listing([], total)
    here = query.limit(limit).offset((page - 1) * limit)
    seen = {
        (row["enterprise"], row["node"]): row
        for row in connection.execute(province.seen(day, here)).mappings()
    }
    papers = province.accreditations(connection, day, here)
    keys = [(row.enterprise, row.node) for row in rows]
    found = [_node(row, seen.get(key), papers.get(key, ())) for row, key in zip(rows, keys, strict=True)]
    return Listing(found, total)


def _nodes(key: tuple[str, str], kind: Kind, row: Mapping[str, int]) -> Nodes:
    numbers = (row[province.column(kind, grade)] for grade in (*GRADES, NAMED))
    return Nodes(key[0], key[1] or None, kind, province.accredited(row, kind), *numbers)


def _node(row: Any, seen: Mapping[Any, Any] | None, papers: Sequence[Any]) -> Node:
    numbers = {name: int(seen[name]) if seen else 0 for name in province.SEEN}
    asked = None
    if row.rank is not None and not numbers["networked"]:
        asked = "unseen" if numbers["equipment"] else "no_equipment"
    return filled(
        Node,
        row,
        area=somewhere(row.area),
        parent=row.parent or None,
        grade=None if row.rank is None else GRADES[row.rank],
        accreditations=[filled(Accreditation, paper, entered=paper.recorded_at) for paper in papers],
        question=asked,
        **numbers,
    )
