"""Targets as they were entered, beside each other, and which of them counts."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.province.plan import asked_for
from ganpo_cloud.province.targets import Targets
from ganpo_cloud.store.described import AreaId, InIndustry, Instant, answer, filled, said
from ganpo_cloud.web.asking import Dated, Question, asks
from ganpo_cloud.web.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered(Dated):
    """Of what."""

    of: Annotated[str, asks("only of this row of the plan, or this number", "T01", max_length=40)] = ""


@answer
class Row:
    """One target as it was entered."""

    id: str = said("id of the row of the plan, or of the number", "T01")
    area: AreaId
    industry: InIndustry
    comparator: str = said(
        ">=, >, <=, < or = the value, or so much more than at the baseline (increase_vs_baseline)", ">="
    )
    value: str | None = said("the number to be reached; null: no number in the plan", "60")
    deadline: date = said("the last day on which it may be reached, by local time", "2020-12-31")
    baseline: str | None = said("what the change is counted from; null: none", "60")
    baseline_date: date | None = said("day of the baseline", "2018-06-30")
    document: str = said("document that sets the target", "1.3 目标/融合")
    by: str = said("who entered it; empty: nobody said", "王某")
    recorded_at: Instant = said("when it was entered", "2026-11-01T02:00:00.000Z")
    counts: bool = said(
        "it is the one that counts: entered last; of one list that of the later deadline", True
    )


def targets(connection: Connection, question: Question, asked: Entered) -> list[Row]:
    """Every target that was entered; of each number and place the one that counts first."""
    known = asked_for(question.province) | {aim.id for aim in question.province.plan}
    if asked.of and asked.of not in known:
        raise Refused(
            404, "aim", f"no row of the plan, nor a number of it: {asked.of}", "of", "GET /api/v1/plan"
        )
    return [
        filled(Row, of, industry=of.industry or None, counts=at == 0)
        for key, some in Targets(connection).every.items()
        if asked.of in ("", key[0])
        for at, of in enumerate(some)
    ]
