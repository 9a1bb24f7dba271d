"""The plan row by row: what it says, what is measured of it, and where that stands."""

from typing import Literal

from sqlalchemy import Connection

from ganpo_cloud.province import plan as province
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.province.targets import Target
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.store.described import AreaId, InIndustry, Ratio, answer, filled, said
from ganpo_cloud.web.asking import Placed, Question


@answer
class PlanLine:
    """One number of a row of the plan, or a row of which there is none."""

    id: str = said("id of the row of the plan", "T01")
    section: str = said("where it stands in the plan", "1.3 目标/融合")
    quote_zh: str = said("what the plan says", "主要生产装备数控化率达到60%以上")
    name_en: str = said("the same in short, in English", "Numerical-control rate of main equipment")
    comparator: str = said("how the plan compares; empty: it has no number", ">=")
    value: str = said("the plan's own number; empty: it has none", "60")
    until: str = said("year, years, or yearly; empty: the plan does not say", "2020")
    why_zh: str = said("why an equipment monitor does not say it, in Chinese; empty: it does", "")
    why_en: str = said("the same in English", "")
    area: AreaId
    industry: InIndustry
    measure: str | None = said("id of the definition of the number; null: there is none", "nc_rate_main")
    definition: str | None = said("what is counted, and among what", "N(intelligent and in service)")
    number: Ratio | None = said("where it stands; null: there is no number of this row")
    unit: str | None = said("of what it comes to", "%")
    note: str | None = said(
        "why nobody knows it, or what it is not; to programs in English", "no limit is entered for this year"
    )
    target: Target | None = said("what was entered for the place; null: nothing")
    status: Literal["reached", "below", "above", "uncovered", "no_number", "no_target", "no_data"] | None = (
        said("against that target; null: there is no number of this row", "below")
    )
    verdict: str | None = said("whether the target is reached, or how what misses it moves", "in_time")
    reached: str | None = said("month in which it is reached at its pace; null: it cannot be told", "2028-06")
    page: str | None = said("path of the page that shows it in full", "/indicators/nc_rate_main")


_NUMBER = (
    "measure",
    "definition",
    "number",
    "unit",
    "note",
    "target",
    "status",
    "verdict",
    "reached",
    "page",
)
"""What a row without a number has not."""


def plan(connection: Connection, question: Question, _asked: Placed) -> list[PlanLine]:
    """The rows of the plan in its order, each with its numbers of an area and an industry."""
    found = Indicators(snapshot(connection, question.province, question.past, question.now))
    here = {"area": question.area, "industry": question.industry}
    nothing = dict.fromkeys(_NUMBER)
    return [
        filled(PlanLine, aim, **here, **more)
        for aim, numbers in province.rows(found, question.area, question.industry or ALL)
        for more in [*map(_number, numbers)] or [nothing]
    ]


def _number(of: province.Number) -> dict[str, object]:
    item = of.item
    return {
        "measure": item.definition.id,
        "definition": item.definition.text,
        "number": Ratio(item.checked, item.denominator),
        "unit": item.definition.unit,
        "note": of.note or None,
        "target": item.target,
        "status": item.status,
        "verdict": item.verdict,
        "reached": item.pace.month if item.pace and item.verdict in ("in_time", "late") else None,
        "page": of.page or None,
    }
