"""Dual control of a place, a sheet of one month: the place, its parts, its industries, and enterprises with a limit."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.province.dual_control import Course, DualControl
from ganpo_cloud.province.snapshots import last_over
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.asking import MONTH, Placed, Question, asks
from ganpo_cloud.web.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMonth(Placed):
    """A place, as told at the end of a month."""

    month: Annotated[
        str | None,
        asks("told at its end; absent: the one that was last over", "2026-10", pattern=rf"^$|{MONTH}"),
    ] = None


def dual_control(connection: Connection, question: Question, asked: OfMonth) -> list[Course]:
    """Energy use and intensity of a year against their limits, as told at the end of a month."""
    newest = last_over(connection, question.day)
    if (month := asked.month or newest) > newest:
        hint = f"month={newest}, or one before"
        raise Refused(422, "date", f"this month is not over at the end of {question.day}", "month", hint)
    of, industry = DualControl(connection, question.province, month), question.industry or ALL
    parts = question.province.parts(question.area, question.day)
    within = [] if industry else [*question.province.industries]
    return [
        *of.places([question.area, *parts], [industry]),
        *of.places([question.area], within),
        *of.enterprises(question.area, industry),
    ]
