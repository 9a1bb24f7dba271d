"""Rows that cannot stand beside each other: rules over all rows as they would stand after an import.

A rule is given the rows of the table that share the first part of a key with any row of the list, the list's among
them, and gives those that are wrong with column and reason: of two that contradict each other both, each by the other.
Who asks tells it at the rows of the list.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Any

Values = dict[str, Any]
Clash = tuple[Values, str, str]
"""A row, its column, and what is wrong with it."""
Beside = Callable[[Collection[Values]], Iterator[Clash]]
TREE = ("factory", "workshop", "line", "cell")
"""Kinds of nodes, the highest first; a node lies in one of a higher kind."""


def apart(columns: str, what: Callable[[Values], str], told: str) -> Beside:
    """Rows that agree in these columns share no day. `what` says it of the other row, at the column `told`."""
    same = itemgetter(*columns.split())

    def found(rows: Collection[Values]) -> Iterator[Clash]:
        for together in _grouped(rows, same).values():
            together.sort(key=itemgetter("first"))
            last = together[0]
            for row in together[1:]:
                if last["last"] is None or row["first"] <= last["last"]:
                    yield row, told, what(last)
                    yield last, told, what(row)
                if last["last"] is not None and (row["last"] is None or row["last"] > last["last"]):
                    last = row

    return found


def days(row: Values) -> str:
    """2021-01-01..2023-12-31, or 2021-01-01.. where it is open."""
    return f"{row['first']}..{row['last'] or ''}"


def both(*rules: Beside) -> Beside:
    """Several rules."""

    def found(rows: Collection[Values]) -> Iterator[Clash]:
        for rule in rules:
            yield from rule(rows)

    return found


def missing(first: date, last: date | None, spans: Iterable[tuple[date, date | None]]) -> date | None:
    """The first day from one to another that none of these spans has; None where they have all. Spans by their begin;
    a `last` of None is open."""
    wanted = first
    for begin, end in spans:
        if begin > wanted:
            break
        if end is None:
            return None
        wanted = max(wanted, end + timedelta(days=1))
    return wanted if last is None or wanted <= last else None


def tree(rows: Collection[Values]) -> Iterator[Clash]:
    """The node above one is there on all of its days and of a higher kind: so no node is below itself."""
    nodes = _grouped(rows, itemgetter("enterprise", "node"))
    for some in nodes.values():
        some.sort(key=itemgetter("first"))
    for row in rows:
        if not row["parent"]:
            continue
        above = nodes.get((row["enterprise"], row["parent"]), [])
        if row["parent"] == row["node"]:
            yield row, "parent", "is the node itself"
        elif not above:
            yield row, "parent", "no node of this enterprise, and none of this list"
        elif gap := missing(row["first"], row["last"], ((one["first"], one["last"]) for one in above)):
            yield row, "parent", f"does not exist on {gap}"
            for one in above:
                yield one, "to", f"{row['node']} lies in it, also on {gap}"
        else:
            for one in above:
                together = share(row["first"], row["last"], one["first"], one["last"])
                if together and TREE.index(one["kind"]) >= TREE.index(row["kind"]):
                    order = " > ".join(TREE)
                    yield row, "parent", f"a {row['kind']} does not lie in a {one['kind']} ({order})"
                    yield one, "kind", f"{row['node']} lies in it, a {row['kind']} ({order})"


def cumulative(rows: Collection[Values]) -> Iterator[Clash]:
    """Value added from January on does not fall within a year, and is in prices of one basis."""
    for together in _grouped(rows, itemgetter("enterprise", "year")).values():
        together.sort(key=lambda row: row["through"] or "9")
        for one, other in pairwise(together):
            if one["fen"] > other["fen"]:
                yield one, "amount_cny", f"is more than that of {_through(other)}: it counts from January on"
                yield other, "amount_cny", f"is less than that of {_through(one)}: it counts from January on"
            if one["price_basis"] != other["price_basis"]:
                yield one, "price_basis", f"is {other['price_basis']} in the row of {_through(other)}"
                yield other, "price_basis", f"is {one['price_basis']} in the row of {_through(one)}"


def _through(row: Values) -> str:
    return row["through"] or str(row["year"])


def measured_once(rows: Collection[Values]) -> Iterator[Clash]:
    """A meter measures one product of a month."""
    for together in _grouped(rows, itemgetter("enterprise", "month")).values():
        by_meter: dict[str, Values] = {}
        for row in together:
            for meter in row["meters"].split():
                other = by_meter.setdefault(meter, row)
                if other is not row:
                    yield row, "meters", f"{meter} is named at {other['product']} too"
                    yield other, "meters", f"{meter} is named at {row['product']} too"


def share(first: date, last: date | None, begin: date, end: date | None) -> bool:
    """Whether two spans have a day in common; a `last` of None is open."""
    return (end is None or first <= end) and (last is None or begin <= last)


def _grouped(rows: Iterable[Values], of: Callable[[Values], Any]) -> dict[Any, list[Values]]:
    found: dict[Any, list[Values]] = defaultdict(list)
    for row in rows:
        found[of(row)].append(row)
    return found
