"""Published months, and what they come to today."""

from dataclasses import dataclass
from typing import Annotated, Literal

from sqlalchemy import Connection

from ganpo_cloud.province import publishing
from ganpo_cloud.province.publishing import Report
from ganpo_cloud.store.described import AreaId, InIndustry, Instant, Ratio, answer, said
from ganpo_cloud.web.asking import MONTH, Asked, Question, asks, named
from ganpo_cloud.web.problems import Refused
from ganpo_model.errors import ConfigError

Why = Literal["late_facts", "lists"]
BY_LISTS = ("nc_rate_main", "intelligent_count", "equip_digital_rate")
"""What counts by flags, and so by lists, whatever was observed."""


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
    revised: Ratio | None = said("checked, as it comes to today; null: nobody knows")
    why: Why | None = said(
        "why it is another number today: facts of the month came late or were said anew, or lists were corrected;"
        " null: not revised",
        "lists",
    )
    revised_at: Instant | None = said(
        "when such facts were worked out last; null: not revised, or by lists, at any time since the release",
        "2026-11-17T02:15:00.000Z",
    )


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
    lines = {
        key: (_ratio(before.get(key)), _ratio(now.get(key))) for key in sorted(before.keys() | now.keys())
    }
    revised = any(one != other for one, other in lines.values())
    late = publishing.late(connection, question.province, found) if revised else {}
    told = []
    for (metric, area, industry), (one, other) in lines.items():
        at = late.get((area, industry)) if one != other and metric not in BY_LISTS else None
        why: Why | None = None if one == other else "lists" if at is None else "late_facts"
        told.append(Line(metric, area, industry or None, one, other, why, at))
    return told


def _ratio(line: publishing.Line | None) -> Ratio | None:
    return None if line is None else Ratio(line["checked"], line["denominator"])
