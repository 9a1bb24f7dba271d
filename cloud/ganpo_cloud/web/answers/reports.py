"""Published months, and what they come to today."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.province import publishing
from ganpo_cloud.province.publishing import Report
from ganpo_cloud.store.described import AreaId, InIndustry, Ratio, answer, said
from ganpo_cloud.web.asking import MONTH, Asked, Question, asks, named
from ganpo_cloud.web.problems import Refused
from ganpo_model.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMonth(Asked):
    """One published month."""

    area: Annotated[
        str | None, asks("only this area and its parts; absent: all", "360100", max_length=40)
    ] = None

    month: Annotated[str, named("the month", "2026-10", pattern=MONTH)]


@answer
class Line:
    """One number of a published month, as it was published and as it comes to today."""

    metric: str = said("id of the definition", "nc_rate_main")
    area: AreaId
    industry: InIndustry
    published: Ratio | None = said("checked, as it was published; null: it was not in the report")
    revised: Ratio | None = said("checked, as it comes to today; null: nothing")


def reports(connection: Connection, _question: Question, _asked: Asked) -> list[Report]:
    """The months that are published."""
    return publishing.reports(connection)


def report(connection: Connection, question: Question, asked: OfMonth) -> list[Line]:
    """A published month, and what it comes to today."""
    try:
        found = publishing.read(connection, asked.month)
    except ConfigError as error:
        raise Refused(409, "damaged", str(error), "month") from error
    if found is None:
        hint = f"ganpo-cloud publish {asked.month}"
        raise Refused(404, "report", "this month is not published", "month", hint)
    areas = [asked.area, *question.province.parts(asked.area, question.day)] if asked.area else None
    before = {key: line for key, line in found.lines.items() if areas is None or line["area"] in areas}
    now = publishing.report(connection, question.province, asked.month, question.now, areas)
    return [
        Line(metric, area, industry or None, _ratio(before.get(key)), _ratio(now.get(key)))
        for key in sorted(before.keys() | now.keys())
        for metric, area, industry in [key]
    ]


def _ratio(line: publishing.Line | None) -> Ratio | None:
    return None if line is None else Ratio(line["checked"], line["denominator"])
