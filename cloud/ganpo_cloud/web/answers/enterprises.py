"""The enterprises of the registry, and how far their devices have come."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.province import lists
from ganpo_cloud.store.described import Code, Listing, answer, filled, read, said
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import Listed, Question, asks, order, sorted_by
from ganpo_cloud.web.problems import Refused
from ganpo_model.coverage import ENTERPRISES

SORTED = ("enterprise", "name", "area", "industry", *lists.ORDERED)
"""The columns by which enterprises are sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firms(Listed):
    """Enterprises, all of them or those of a count."""

    measure: Annotated[
        str | None, asks("only what this count of enterprises counts", "enterprises_cloud", max_length=40)
    ] = None
    sort: Annotated[str, asks(sorted_by(SORTED), "-devices", max_length=40)] = ""


@answer
class Enterprise:
    """One enterprise of the registry on a day."""

    code: Code
    name: str = said("name of the enterprise", "江西铜业")
    area: str = said("its statistical home", "360681")
    industry: str = said("industry of the enterprise", "NONFERROUS")
    above_scale: bool = said("it is above scale (规上)", True)
    devices: int = said("in the ledger and in service", 3, adds=True)
    registered: int = said("in the ledger and not retired", 4, adds=True)
    main: int = said("of the devices main equipment", 3, adds=True)
    nc: int = said("of that numerically controlled, checked", 2, adds=True, among="main")
    networked: int = said("on the network, neither retired nor gone", 2, adds=True, among="registered")
    cloud: int = said("in the cloud, neither retired nor gone", 2, adds=True, among="registered")
    active: int = said("active of them", 1, adds=True, among="cloud")


def enterprises(connection: Connection, question: Question, asked: Firms) -> Listing[Enterprise]:
    """The enterprises of the registry, as of the end of a day."""
    measure = asked.measure or None
    if measure is not None and measure not in ENTERPRISES:
        raise Refused(422, "measure", f"none of {', '.join(ENTERPRISES)}", "measure")
    wanted = marked.wanted(connection, question, asked.text)
    by = order(asked.sort, SORTED)
    query = lists.enterprises(question.province, wanted, measure, by)
    whole = partial(lists.with_counts, question.day, by)
    total = lists.number(connection, lists.enterprises(question.province, wanted, measure))
    rows = lists.long_page(connection, query, asked.limit, asked.page, total, whole)
    return Listing(read(rows, lambda row: filled(Enterprise, row, code=row.enterprise)), total)
