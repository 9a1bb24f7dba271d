"""Production days: what was planned of a machine, what it did meanwhile, and how it is seen since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import quantities
from ganpo_cloud.days.calendars import Calendars, Machine
from ganpo_cloud.days.painting import in_a_row, stored
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import production
from ganpo_cloud.store.localdays import bounds
from ganpo_cloud.store.marks import EVER, Kind, mark
from ganpo_cloud.store.tables import day as day_table
from ganpo_model import kpi
from ganpo_model.activity import LOOK_BACK_DAYS, Watched, ages
from ganpo_model.calendar import Stretch, within
from ganpo_model.kpi import Parts, Ratio, ratios
from ganpo_model.paint import Span
from ganpo_model.states import State

_STATES = (
    State.PRODUCING,
    State.SETUP,
    State.HELD,
    State.FAULT,
    State.IDLE,
    State.OFF,
    State.MAINTENANCE,
    State.UNKNOWN,
)
COUNTED = ("parts_total", "parts_good_total")
"""Signals of which a production day knows what was made."""
_DELETE = "DELETE FROM production WHERE enterprise = ? AND subject = ? AND day >= ? AND day <= ?"
_WATCHED = (
    "SELECT day, planned_ms, known, good, age FROM production"
    " WHERE enterprise = ? AND subject = ? AND day >= ? ORDER BY day"
)


@dataclass(frozen=True, slots=True)
class Production:
    """`planned_ms`: how much was planned until now; `spent`: ms per state within it, they add up to it."""

    planned_ms: int
    spent: Mapping[State, int]
    outside_ms: int
    made: int | None
    made_good: int | None

    def kpis(self, states: Iterable[State], run_time_s: int | None) -> Mapping[str, Ratio | None]:
        """Every KPI. `states`: those that the machine can show; `run_time_s`: planned for one part."""
        parts = Parts(self.made, self.made_good, None if run_time_s is None else run_time_s * 1000)
        return ratios(self.spent, self.planned_ms, list(states), parts)


def store(
    connection: Connection,
    machine: Machine,
    painted: Mapping[date, Sequence[Span]],
    calendars: Calendars,
    now_ms: int,
) -> set[date]:
    """Work out the production days that touch local days which were painted anew; and how the machine is seen from the
    first of them on. `painted`: pieces that fill each of these days. Gives the days that may be others now."""
    days, known = set(painted), dict(painted)
    for local in painted:
        before = local - timedelta(days=1)
        over = calendars.planned(machine, before)
        # The day before the first one is none of its days, also where a night shift reaches into it.
        if (
            over
            and over[-1][1] > bounds(local, machine.zone)[0]
            and _pieces(connection, machine, before, known)
        ):
            days.add(before)
    unplanned = calendars.of(machine.enterprise, machine.gateway).empty
    rows: dict[date, tuple[Any, ...]] = {}
    for day in sorted(days):
        found = _of_day(connection, machine, day, known, calendars, now_ms)
        pieces = _pieces(connection, machine, day, known)
        seen_ms = sum(end - start for start, end, state in pieces if state is not State.UNKNOWN)
        rows[day] = _row(machine, day, found, seen_ms, unplanned=unplanned)
    changed = _see(connection, machine, rows, unplanned=unplanned)
    for first, last in in_a_row(sorted(days)):
        sql.run(
            connection, _DELETE, (machine.enterprise, machine.asset_no, first.isoformat(), last.isoformat())
        )
    sql.replace(connection, production, rows.values())
    return days | changed


def of_day(
    connection: Connection, machine: Machine, day: date, calendars: Calendars, now_ms: int
) -> Production | None:
    """A production day from the painted days as they are stored; None where nothing was planned until now."""
    found = _of_day(connection, machine, day, {}, calendars, now_ms)
    return found if found.planned_ms else None


def _of_day(
    connection: Connection,
    machine: Machine,
    day: date,
    painted: dict[date, Sequence[Span]],
    calendars: Calendars,
    now_ms: int,
) -> Production:
    planned = calendars.planned(machine, day)
    midnight = bounds(day, machine.zone)[1]
    pieces = _pieces(connection, machine, day, painted)
    over = calendars.planned(machine, day - timedelta(days=1))
    ran = [piece for piece in pieces if piece[2] is State.PRODUCING]
    outside = sum(end - start for start, end, _ in ran) - sum(within([*over, *planned], ran).values())
    stretches = [(start, min(end, now_ms)) for start, end in planned if start < now_ms]
    if stretches and stretches[-1][1] > midnight:
        pieces = [*pieces, *_pieces(connection, machine, day + timedelta(days=1), painted)]
    total = sum(end - start for start, end in stretches)
    spent = within(stretches, pieces)
    if unseen := total - sum(spent.values()):  # beyond the stored days nobody saw anything
        spent[State.UNKNOWN] = spent.get(State.UNKNOWN, 0) + unseen
    made, good = (_made(connection, machine, signal, stretches) for signal in COUNTED)
    return Production(total, spent, outside, made, good)


def _pieces(
    connection: Connection, machine: Machine, day: date, painted: dict[date, Sequence[Span]]
) -> Sequence[Span]:
    """The painted local day, from memory or as it is stored; nothing where it is not."""
    if day not in painted:
        mine = (day_table.c.enterprise == machine.enterprise) & (day_table.c.subject == machine.asset_no)
        row = connection.execute(select(day_table).where(mine & (day_table.c.day == day))).first()
        painted[day] = [] if row is None else stored(row)
    return painted[day]


def _made(connection: Connection, machine: Machine, signal: str, stretches: Sequence[Stretch]) -> int | None:
    """What its counters of this signal counted from the first planned moment to the last."""
    found = None
    if not stretches:
        return found
    for number in machine.counters.get(signal, ()):
        counted = quantities.of_register(
            connection, machine.enterprise, number, stretches[0][0], stretches[-1][1]
        )
        if counted is not None and counted.unknown_ms:
            return None
        if counted is not None and counted.millionths is not None:
            found = (found or 0) + counted.millionths // 10**6
    return found


def _row(machine: Machine, day: date, found: Production, seen_ms: int, *, unplanned: bool) -> tuple[Any, ...]:
    start, end = bounds(day, machine.zone)
    if unplanned:
        # Nobody said when the site works: a day is watched as a whole.
        known = 2 * seen_ms >= end - start
    else:
        known = 2 * (found.planned_ms - found.spent.get(State.UNKNOWN, 0)) >= found.planned_ms
    return (
        machine.enterprise,
        machine.asset_no,
        day,
        found.planned_ms,
        *(found.spent.get(state, 0) for state in _STATES),
        found.outside_ms,
        found.made,
        found.made_good,
        known,
        seen_ms > 0,
        "",
    )


def _see(
    connection: Connection, machine: Machine, rows: dict[date, tuple[Any, ...]], *, unplanned: bool
) -> set[date]:
    """Put into rows that are not stored yet how the machine is seen at their ends, and into stored ones of later days
    where that is another word now: gives these. The ledger is marked where what it says of a day is another."""
    first = min(rows)
    since = (first - timedelta(days=LOOK_BACK_DAYS)).isoformat()
    found = sql.rows(connection, _WATCHED, (machine.enterprise, machine.asset_no, since))
    stored: dict[date, Any] = {sql.day_given(row[0]): row[1:] for row in found}
    told = stored | {day: (row[3], *row[-3:]) for day, row in rows.items()}
    watched = [
        Watched(day, bool(unplanned or planned), bool(known), bool(good))
        for day, (planned, known, good, _) in sorted(told.items())
    ]
    held, changed = "", {}
    for of, word in zip(watched, ages(watched), strict=True):
        held = stored[of.day][-1] if of.day in stored else held
        if of.day >= first and word != held:
            changed[of.day] = (str(word), machine.enterprise, machine.asset_no, of.day.isoformat())
        if of.day in rows:
            rows[of.day] = (*rows[of.day][:-1], str(word))
    statement = "UPDATE production SET age = ? WHERE enterprise = ? AND subject = ? AND day = ?"
    sql.run(connection, statement, [changed[day] for day in changed.keys() - rows.keys()])
    if changed:
        mark(connection, Kind.LEDGER, [(machine.enterprise, EVER)])
    return set(changed)


def complete(row: Any) -> bool:
    """Whether so much of a production day is known that it enters sums of states (metrics.md section 3)."""
    return bool(kpi.complete(row.planned_ms, row.planned_ms - row.unknown_ms))


def rows(connection: Connection, enterprise: str, asset_no: str, first: date, last: date) -> list[Any]:
    """The stored production days of a machine, both ends included."""
    mine = (production.c.enterprise == enterprise) & (production.c.subject == asset_no)
    query = select(production).where(mine & production.c.day.between(first, last)).order_by(production.c.day)
    return list(connection.execute(query).all())
