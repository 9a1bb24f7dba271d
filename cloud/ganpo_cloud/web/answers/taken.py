"""Who took a carrier in a month, and of whom it is missing."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province import lists, taken
from ganpo_cloud.province.balances import ended
from ganpo_cloud.store.described import Code, Listing, answer, said
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import MONTH, Listed, Question, asks, named
from ganpo_cloud.web.problems import Refused
from ganpo_model import reference


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCarrier(Listed):
    """A carrier in a month."""

    month: Annotated[str, named("the month", "2026-10", pattern=MONTH)]
    carrier: Annotated[str, asks("id of a carrier", "electricity", max_length=64)] = "electricity"


@answer
class Taken:
    """What an enterprise took of a carrier in a month, or that it is missing."""

    enterprise: Code
    name: str | None = said("name of the enterprise; null: the registry does not name it", "江西铜业")
    area: str | None = said("its statistical home", "360681")
    industry: str | None = said("industry of the enterprise", "NONFERROUS")
    carrier: str = said("id of the carrier", "electricity")
    millionths: int | None = said(
        "what it took at this place, in the unit of the carrier; null: nobody knows",
        521199760000,
        scale=10**6,
        adds=True,
    )
    by_statement: int | None = said(
        "how much of it is by statements; null: none", 1_000_000, scale=10**6, adds=True
    )
    covered_days: int = said("days of the month that are measured or stated whole, at all its places", 29)
    days: int = said("days of the month that are over", 30)
    declared: bool = said("it says that it uses the carrier", True)
    missing: bool = said("declared, and not covered for 90% of these days", False)


def carrier(connection: Connection, question: Question, asked: OfCarrier) -> Listing[Taken]:
    """Who took a carrier in a month; those of whom it is missing first."""
    if asked.carrier not in reference.carriers():
        raise Refused(422, "carrier", f"none of {', '.join(reference.carriers())}", "carrier")
    if asked.month > periods.month_of(question.today):
        raise Refused(422, "month", f"lies in the future (today is {question.today})", "month")
    wanted = marked.wanted(connection, question, asked.text)
    query = taken.enterprises(question.province, wanted, asked.carrier, asked.month, question.today)
    rows, total = lists.page(connection, query, asked.limit, asked.page)
    days = ended(*periods.span(asked.month), question.today)
    found = [
        Taken(
            row.enterprise,
            row.name,
            row.area,
            row.industry,
            asked.carrier,
            None if row.millionths is None else int(row.millionths),
            None if row.by_statement is None else int(row.by_statement),
            min(row.covered_days, days),
            days,
            row.whole < 2,
            row.whole == 0,
        )
        for row in rows
    ]
    return Listing(found, total)
