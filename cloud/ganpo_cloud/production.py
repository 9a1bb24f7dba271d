"""One machine's production day: its planned time and its KPIs, from the calendar that its gateway tells now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud import days, quantities
from ganpo_cloud.tables import inventory
from ganpo_model.calendar import planned, within
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem
from ganpo_model.kpi import Parts, Ratio, ratios
from ganpo_model.states import State


@dataclass(frozen=True, slots=True)
class Production:
    """`planned_ms`: how much was planned until now; `spent`: ms per state within it, they add up to it."""

    planned_ms: int
    spent: Mapping[State, int]
    kpis: Mapping[str, Ratio | None]


def of_day(connection: Connection, machine: Any, day: date, now_ms: int) -> Production | None:
    """The production day of a row of `subject`; None where nothing was planned, or nobody told a calendar."""
    calendar = _calendar(connection, machine.enterprise, machine.gateway)
    stretches = [
        (start, min(end, now_ms)) for start, end in planned(calendar, day, machine.timezone) if start < now_ms
    ]
    if not stretches:
        return None
    begin, end = stretches[0][0], stretches[-1][1]
    spans = days.painted(connection, machine.enterprise, machine.asset_no, begin, end)
    spent = within(stretches, ((span.start, span.end, span.state) for span in spans))
    total = sum(stop - start for start, stop in stretches)
    body = json.loads(machine.body)
    parts = _parts(connection, machine, begin, end, body.get("planned_run_time_s"))
    shown = [State(state) for state in body.get("states", ())]
    return Production(total, spent, ratios(spent, total, shown, parts))


def _calendar(connection: Connection, enterprise: str, gateway: str) -> CalendarItem:
    """What the newest inventory of a gateway says: corrected, it holds for the past."""
    mine = (inventory.c.enterprise == enterprise) & (inventory.c.gateway == gateway)
    text = connection.execute(
        select(inventory.c.body)
        .where(mine)
        .order_by(inventory.c.at.desc(), inventory.c.frame.desc())
        .limit(1)
    ).scalar()
    said = json.loads(text)["calendar"] if text is not None else {"shifts": [], "exceptions": []}
    shifts = [ShiftItem(**{**item, "breaks": tuple(item["breaks"])}) for item in said["shifts"]]
    exceptions = [
        ExceptionItem(
            date.fromisoformat(item["first"]), date.fromisoformat(item["last"]), item["plan"], item["why"]
        )
        for item in said["exceptions"]
    ]
    return CalendarItem(tuple(shifts), tuple(exceptions))


def _parts(connection: Connection, machine: Any, begin: int, end: int, run_time_s: int | None) -> Parts:
    """What was made from the first planned moment to the last."""
    counted: dict[str, int] = {}
    for item in quantities.of_subject(connection, machine.enterprise, machine.asset_no, begin, end):
        if item.signal in ("parts_total", "parts_good_total") and item.quantity.millionths is not None:
            counted[item.signal] = counted.get(item.signal, 0) + item.quantity.millionths // 10**6
    return Parts(
        counted.get("parts_total"),
        counted.get("parts_good_total"),
        None if run_time_s is None else run_time_s * 1000,
    )
