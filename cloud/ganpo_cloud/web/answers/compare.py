"""Two to four areas or industries beside each other, by one number over 24 months."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from sqlalchemy import Connection

from ganpo_cloud.province import trends
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.places import Key
from ganpo_cloud.province.ranking import BY
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.province.targets import Target
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.store.described import AreaId, InIndustry, Month, Ratio, answer, said, unsaid
from ganpo_cloud.web.asking import Placed, Question, asks
from ganpo_cloud.web.problems import Refused

MONTHS = 24
MOST = 4
COMPARED = [of.id for of in DEFINITIONS.values() if of.kind != "intensity"]
"""What stands by month; value added is of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing(Placed):
    """Which places or industries, by which number."""

    of: Annotated[
        list[str] | None,
        Query(
            description="ids of areas (in `industry`, or all) and of industries (in `area`), at most four; one stands"
            " beside the area itself; absent: the first parts of the area, or the first industries",
            examples=[["360100", "360700", "STEEL"]],
            max_length=20,
        ),
    ] = None
    indicator: Annotated[str, asks("id of a definition", BY, max_length=40)] = BY


@answer
class Compared:
    """One number of a place in a month."""

    area: AreaId
    industry: InIndustry
    metric: str = said("id of the definition", BY)
    unit: str = said("of what it comes to", "%")
    month: Month
    checked: Ratio = said(
        "at the end of the month, of the one that runs until now;"
        " in JSON and in files for programs quantities are in millionths; null: nobody knows"
    )
    covered: Ratio | None = said(
        "of a quantity the enterprises covered, of those that declare; null: no quantity"
    )
    heard: bool = unsaid()
    target: Target | None = unsaid()
    """Of the place that all of them lie in."""


def compared(connection: Connection, question: Question, asked: Comparing) -> list[Compared]:
    """Two to four areas or industries beside each other, by one number over 24 months."""
    if asked.indicator not in COMPARED:
        raise Refused(422, "indicator", f"none of {', '.join(COMPARED)}", "indicator")
    places = chosen(question, asked.of or [])
    of = DEFINITIONS[asked.indicator]
    found = Indicators(snapshot(connection, question.province, question.past, question.now))
    target = found.target(of, question.area, question.industry or ALL)
    return [
        Compared(
            point.key[0],
            point.key[1] or None,
            of.id,
            of.unit,
            point.month,
            Ratio(point.number, point.among),
            point.covered and Ratio(*point.covered),
            point.heard,
            target,
        )
        for point in trends.monthly(found.snapshot, of, places, MONTHS)
    ]


def chosen(question: Question, named: list[str]) -> list[Key]:
    """What is compared, each once. Raises Refused: an area or industry that does not exist then, or more than four."""
    province, here = question.province, (question.area, question.industry or ALL)
    found: dict[Key, None] = {}
    for number in filter(None, named):
        if number in province.industries:
            found[question.area, number] = None
        elif province.area(number, question.day) is not None:
            found[number, question.industry or ALL] = None
        else:
            title = province.why_not(number[:40], question.day)
            raise Refused(
                404, "compared", f"neither an industry nor an area: {title}", "of", "GET /api/v1/areas"
            )
    if len(found) > MOST:
        raise Refused(422, "many", f"at most {MOST} are compared", "of", "leave some away")
    if not found:
        parts = province.parts(question.area, question.day)
        of = [(part, here[1]) for part in parts] or [
            (question.area, industry) for industry in province.industries
        ]
        return of[:2]
    return list(found) if len(found) > 1 else list({here: None} | found)
