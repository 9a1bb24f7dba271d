"""The province's numbers: all of a place, or one by its parts, by industry or by month."""

from dataclasses import dataclass
from typing import Annotated, Literal

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province import indicators as province
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.province.targets import Target
from ganpo_cloud.store.counted_tables import NOWHERE
from ganpo_cloud.store.described import AreaId, InIndustry, Instant, Ratio, answer, filled, said
from ganpo_cloud.web.asking import Question, Tagged, asks, named
from ganpo_cloud.web.marked import only
from ganpo_cloud.web.problems import Refused
from ganpo_model.clock import to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Tagged):
    """One number, by what it is made of."""

    number: Annotated[str, named("id of a definition", "nc_rate_main", alias="id", max_length=40)]
    by: Annotated[
        Literal["area", "industry", "month"],
        asks("the parts of the area, the industries, or the last 24 months", "area"),
    ] = "area"


@answer
class Behind:
    """How many enterprises stand behind a number."""

    with_data: int | None = said(
        "with at least one main equipment in the ledger; null of a quantity: its completeness says it", 12
    )
    of: int | None = said("how many enterprises there are; null where nobody said", 14)


@answer
class Indicator:
    """One number of an area and an industry."""

    id: str = said("id of the definition", "nc_rate_main")
    area: AreaId
    industry: InIndustry
    definition: str = said("what is counted, and among what", "N(intelligent and in service)")
    unit: str = said(
        "of what it comes to;"
        " in JSON and in files for programs quantities are in millionths, value added in hundredths of a CNY",
        "%",
    )
    period: str | None = said(
        "month, months (2026-01/2026-10) or year that it is of; null: it is as of an instant", "2026-11"
    )
    as_of: Instant = said("the instant as of which it is told", "2026-11-28T02:00:00.000Z")
    declared: Ratio | None = said(
        "what the plants say, or better; null: it is observed, evidence has no meaning"
    )
    checked: Ratio = said(
        "what a document or the machine proves, or was observed: it stands against the target"
    )
    proven: Ratio | None = said("what the machine itself proves; null: it is observed")
    enterprises: Behind = said("who stands behind it")
    completeness: Ratio | None = said(
        "known of planned time, or covered of declared carriers; null: it has none"
    )
    missing: list[str] = said("carriers that are declared and not covered", ["raw_coal"])
    target: Target | None = said(
        "of the place itself; of a ratio else of all industries or of the next place above; null: none"
    )
    status: Literal["reached", "below", "above", "uncovered", "no_number", "no_target", "no_data"] = said(
        "the checked count against the target", "below"
    )


def overview(connection: Connection, question: Question, _asked: Tagged) -> list[Indicator]:
    """The numbers of an area and an industry."""
    found = snapshot(connection, question.province, question.past, question.now, only(connection, question))
    at = to_ms(found.at)
    return [_indicator(item, at) for item in Indicators(found).of(question.area, question.industry)]


def indicator(connection: Connection, question: Question, asked: Parts) -> list[Indicator]:
    """One number by area, by industry or by month."""
    if asked.number not in DEFINITIONS:
        raise Refused(404, "indicator", "no such indicator", "id", "GET /api/v1/definitions")
    these = only(connection, question)
    now = snapshot(connection, question.province, question.past, question.now, these)
    found, areas, industries = [now], [question.area], [question.industry]
    if asked.by == "month":
        ends = {month: periods.span(month)[1] for month in periods.months(now.day, 24)}
        found = [
            now if month == now.month else snapshot(connection, question.province, end, question.now, these)
            for month, end in ends.items()
        ]
    elif asked.by == "industry":
        industries = [None, *question.province.industries]
    else:
        areas += question.province.parts(question.area, now.day)
        areas += [NOWHERE] if question.area == question.province.whole else []
    return [
        _indicator(item, to_ms(part.at))
        for part in found
        for items in Indicators(part).all(areas, industries).values()
        for item in items
        if item.definition.id == asked.number
    ]


def _indicator(item: province.Indicator, as_of: int) -> Indicator:
    declared, proven = (
        None if number is None else Ratio(number, item.denominator) for number in (item.declared, item.proven)
    )
    definition = item.definition
    return filled(
        Indicator,
        item,
        id=definition.id,
        industry=item.industry or None,
        definition=definition.text,
        unit=definition.unit,
        period=item.period or None,
        as_of=as_of,
        declared=declared,
        checked=Ratio(item.checked, item.denominator),
        proven=proven,
        enterprises=Behind(item.behind, item.of),
        completeness=item.completeness and Ratio(*item.completeness),
        missing=list(item.missing),
    )
