"""One machine as its day and its page show it: what was planned, what came of it, and how to read that."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from ganpo_cloud.days import production, subjects
from ganpo_cloud.days.calendars import Calendars
from ganpo_cloud.days.production import Production
from ganpo_cloud.store.tables import subject
from ganpo_model.facts import ExceptionItem
from ganpo_model.kpi import Ratio
from ganpo_model.states import State


@dataclass(frozen=True, slots=True)
class MachineDay:
    """A production day with its KPIs. `confirmed`: somebody said which days of its year are off."""

    production: Production
    kpis: Mapping[str, Ratio | None]
    confirmed: bool


def day(
    connection: Connection,
    enterprise: str,
    asset_no: str,
    of: date,
    holidays: Sequence[ExceptionItem],
    now_ms: int,
) -> MachineDay | None:
    """The production day of a machine; None for a meter, and where nothing was planned until now."""
    machine = subjects.one(connection, enterprise, asset_no)
    if not machine.machine:
        return None
    calendars = Calendars(connection, holidays)
    found = production.of_day(connection, machine, of, calendars, now_ms)
    if found is None:
        return None
    mine = (subject.c.enterprise == enterprise) & (subject.c.asset_no == asset_no)
    body = json.loads(connection.execute(select(subject.c.body).where(mine)).scalar_one())
    shown = [State(state) for state in body.get("states", ())]
    kpis = found.kpis(shown, body.get("planned_run_time_s"))
    return MachineDay(found, kpis, calendars.of(enterprise, machine.gateway).confirmed(of))
