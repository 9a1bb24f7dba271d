"""One subject's local day: what it did, what was planned, what it consumed."""

import datetime
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.days import painting, production
from ganpo_cloud.days.consumed import Quantity, of_subject
from ganpo_cloud.store.described import AssetNo, Code, Instant, Ratio, answer, said
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_cloud.web import asking
from ganpo_cloud.web.answers.quantities import known
from ganpo_cloud.web.asking import OfDevice, Question, asks
from ganpo_model.clock import to_ms
from ganpo_model.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDay(OfDevice):
    """A day of a subject."""

    date: Annotated[str | None, asks("local date; today where absent", "2026-11-25", max_length=40)] = None


@answer
class Span:
    """A stretch of one state, half-open."""

    start: Instant = said("begin", "2026-11-24T16:00:00.000Z")
    end: Instant = said("end, exclusive", "2026-11-25T02:07:12.000Z")
    state: State = said("the state", "IDLE")


@answer
class Planned:
    """Planned time and what the machine did in it."""

    ms: int = said("planned", 27000000)
    states: dict[State, int] = said(
        "milliseconds per state; they add up to `ms`", {"PRODUCING": 20000000, "UNKNOWN": 7000000}
    )
    outside_ms: int = said("PRODUCING of this local day outside any planned time: it enters no rate", 0)
    confirmed: bool = said(
        "somebody said which days of the year are off; else the weekly pattern holds", True
    )


@answer
class Day:
    """One subject's local day."""

    enterprise: Code
    asset_no: AssetNo
    date: datetime.date = said("local date", "2026-11-25")
    timezone: str = said("of the site", "Asia/Shanghai")
    start: Instant = said("local midnight", "2026-11-24T16:00:00.000Z")
    end: Instant = said("the next local midnight", "2026-11-25T16:00:00.000Z")
    spans: list[Span] = said("the painted day: adjacent, from `start` to `end`")
    ms: dict[State, int] = said(
        "milliseconds per state; they add up to the day", {"PRODUCING": 36432000, "UNKNOWN": 49968000}
    )
    planned: Planned | None = said("planned time of the production day, until now; null: nothing is planned")
    kpis: dict[str, Ratio | None] | None = said(
        "ISO 22400, of the production day; null: nothing is planned, or an input is missing"
    )
    quantities: list[Quantity] = said("one per carrier; registers without carrier one by one")


def day(connection: Connection, question: Question, asked: OfDay) -> Day:
    """One subject's local day."""
    code, asset_no, now = asked.enterprise, asked.asset_no, question.now
    zone = known(connection, code, asset_no)
    of = asking.day(asked.date, "date") if asked.date else day_of(to_ms(now), zone)
    start, end = bounds(of, zone)
    spans = painting.painted(connection, code, asset_no, start, end)
    made = production.of_day(connection, code, asset_no, of, question.province.holidays, to_ms(now))
    planned, kpis = None, None
    if made is not None:
        did = made.production
        planned = Planned(did.planned_ms, dict(did.spent), did.outside_ms, made.confirmed)
        kpis = {name: ratio and Ratio(*ratio) for name, ratio in made.kpis.items()}
    ms = {State(state): ms for state, ms in painting.ms_per_state(spans).items()}
    quantities = of_subject(connection, code, asset_no, start, end)
    about = (code, asset_no, of, zone, start, end)
    return Day(*about, [Span(*span) for span in spans], ms, planned, kpis, quantities)
