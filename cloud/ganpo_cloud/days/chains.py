"""The chain of a register as its judged days are stored (`ganpo_model.registers`)."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, select

from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import register_day
from ganpo_cloud.store.localdays import day_of
from ganpo_model.registers import Reading, Step, StepKind, chain

_DECIDED = (
    "SELECT dropped, steps, settled FROM register_day"
    " WHERE enterprise = ? AND register = ? AND day >= ? ORDER BY day"
)


def steps_between(
    connection: Connection, enterprise: str, number: str, start: int, end: int, zone: str
) -> list[Step]:
    """The part of a register's chain that holds [start, end): the steps that were decided from its first day on, to the
    day that settled `end`, without those taken back."""
    days = []
    values = (enterprise, number, day_of(start, zone).isoformat())
    for dropped, steps, settled in sql.rows(connection, _DECIDED, values):
        days.append((dropped, loaded(steps)))
        if settled is not None and settled > end:
            break
    return chain(days)


def newest_state(connection: Connection, enterprise: str, number: str) -> str | None:
    """The state of the fold after everything that is stored."""
    row = sql.first(
        connection,
        "SELECT state FROM register_day WHERE enterprise = ? AND register = ? ORDER BY day DESC LIMIT 1",
        (enterprise, number),
    )
    return None if row is None else str(row[0])


def newest_states(enterprise: ColumnElement[str], number: ColumnElement[str]) -> ScalarSelect[str]:
    """The same, of each register that a question has in these columns."""
    mine = (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
    newest = select(register_day.c.state).where(mine).order_by(register_day.c.day.desc()).limit(1)
    return newest.scalar_subquery()


def dumped(steps: Sequence[Step]) -> str:
    """Steps as they are stored: of one that goes on from the one before, uses what the register rose by, and so mostly,
    how long it took and how much it rose; of others everything."""
    found: list[Sequence[Any]] = []
    before: Step | None = None
    for step in steps:
        goes_on = before is not None and _next(before, *_risen(step)) == step
        found.append(_risen(step) if goes_on else step)
        before = step
    return json.dumps(found, separators=(",", ":"))


def loaded(stored: str) -> list[Step]:
    """What was dumped."""
    found: list[Step] = []
    for said in json.loads(stored):
        if len(said) == 2:
            found.append(_next(found[-1], *said))
        else:
            kind, start, end, amount, total = said
            found.append(Step(StepKind(kind), Reading(*start), Reading(*end), amount, total))
    return found


def _risen(step: Step) -> tuple[int, int]:
    return step.end.at - step.start.at, step.end.raw - step.start.raw


def _next(before: Step, ms: int, rise: int) -> Step:
    end = Reading(before.end.at + ms, before.end.raw + rise)
    return Step(StepKind.USED, before.end, end, rise, before.total_after)
