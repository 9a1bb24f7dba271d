"""Production days: what was planned of a machine, what it did meanwhile, and how it is seen since."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import quantities
from ganpo_cloud.days.calendars import Calendars
from ganpo_cloud.days.painting import good, ms_per_state, stored
from ganpo_cloud.days.subjects import COUNTED, Subject
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import production
from ganpo_cloud.store.localdays import bounds
from ganpo_model import kpi
from ganpo_model.activity import LOOK_BACK_DAYS, Watched, ages
from ganpo_model.calendar import Stretch, within
from ganpo_model.kpi import Parts, Ratio, ratios
from ganpo_model.paint import Span
from ganpo_model.states import State

STATES = (
    State.PRODUCING,
    State.SETUP,
    State.HELD,
    State.FAULT,
    State.IDLE,
    State.OFF,
    State.MAINTENANCE,
    State.UNKNOWN,
)
_PAINTED = 'SELECT start, "end", spans FROM day WHERE enterprise = ? AND subject = ? AND day = ?'
_BEFORE = (
    "SELECT day, watched, known, good, age FROM production"
    " WHERE enterprise = ? AND subject = ? AND day >= ? AND day <= ? ORDER BY day"
)
_SEEN = "UPDATE production SET age = ? WHERE enterprise = ? AND subject = ? AND day = ?"
_MADE = "UPDATE production SET made = ?, made_good = ? WHERE enterprise = ? AND subject = ? AND day = ?"
_A_DAY = timedelta(days=1)
_IS_GOOD = -2
"""Where a row says whether there was a Good value."""
Painted = Mapping[date, Sequence[Span]]
"""Local days of a machine by the spans that fill them."""


@dataclass(frozen=True, slots=True)
class Production:
    """`planned_ms`: how much was planned until now; `spent`: ms per state within it, they add up to it; `seen_ms`: how
    much of the local day anything was seen."""

    planned_ms: int
    spent: Mapping[State, int]
    outside_ms: int
    seen_ms: int
    made: int | None = None
    made_good: int | None = None

    def kpis(self, states: Iterable[State], run_time_s: int | None) -> Mapping[str, Ratio | None]:
        """Every KPI. `states`: those that the machine can show; `run_time_s`: planned for one part."""
        parts = Parts(self.made, self.made_good, None if run_time_s is None else run_time_s * 1000)
        return ratios(self.spent, self.planned_ms, list(states), parts)


@dataclass(frozen=True, slots=True)
class Worked:
    """Production days of a machine as rows, without what was made. `seen_anew`: from this day on it may be seen
    otherwise than before; None: no such day."""

    rows: list[sql.Row] = field(default_factory=list)
    days: Sequence[date] = ()
    seen_anew: date | None = None


def work_out(
    connection: Connection,
    machines: Sequence[tuple[Subject, Collection[date], Painted]],
    calendars: Calendars,
    now_ms: int,
) -> list[Worked]:
    """Of each machine the production days that touch local days which were painted anew. Days of it that have no row
    any more stand among the second."""
    near = _near(connection, machines, calendars)
    asked = []
    for (machine, _, painted), known in zip(machines, near, strict=True):
        touched = {*painted, *_reaching(machine, painted, calendars)}
        # The day before the first one is none of its days, also where a night shift reaches into it.
        days = sorted(touched & set(known))
        asked.append((machine, days, known))
    spans = [(one.enterprise, one.asset_no, *_ends(days)) for one, days, _ in asked]
    found: list[Worked] = []
    stood: list[dict[date, Any]] = []
    for (machine, days, known), before in zip(asked, sql.each(connection, _BEFORE, spans), strict=True):
        unplanned = calendars.of(machine.enterprise, machine.gateway).empty
        was = {sql.day_given(row[0]): (*map(bool, row[1:4]), row[4]) for row in before}
        rows = []
        for day in days:
            row = _row(machine, day, _of_day(machine, day, calendars, now_ms, known), unplanned)
            rows.append((*row, was[day][-1] if day in was else ""))
        found.append(Worked(rows, days))
        stood.append(was)
    _look_for_good(connection, asked, found)
    return [
        replace(one, seen_anew=min((row[2] for row in one.rows if row[-4:] != was.get(row[2])), default=None))
        for one, was in zip(found, stood, strict=True)
    ]


def _look_for_good(
    connection: Connection, machines: Sequence[tuple[Subject, Any, Any]], worked: Sequence[Worked]
) -> None:
    """A day on which no state was known may have had a Good value all the same."""
    unseen = [
        (n, place, machine, row[2])
        for n, (machine, *_) in enumerate(machines)
        for place, row in enumerate(worked[n].rows)
        if not row[_IS_GOOD]
    ]
    found = good(connection, [(machine, day) for _, _, machine, day in unseen])
    for n, place in (at[:2] for at, known in zip(unseen, found, strict=True) if known):
        row = worked[n].rows[place]
        worked[n].rows[place] = (*row[:_IS_GOOD], True, *row[_IS_GOOD + 1 :])


def see(
    connection: Connection, machines: Sequence[tuple[Subject, Worked, date, Collection[date]]]
) -> list[set[date]]:
    """How each machine is seen at the end of its days from the third on: put into its rows, which are not stored yet,
    and into stored ones of other days where that is another word now. Gives the days since which it is another.

    Last: days of it that have no row any more.
    """
    keys = [(machine.enterprise, machine.asset_no) for machine, *_ in machines]
    asked = [
        (*key, (first - timedelta(days=LOOK_BACK_DAYS)).isoformat(), date.max.isoformat())
        for key, (_, _, first, _) in zip(keys, machines, strict=True)
    ]
    found: list[set[date]] = []
    said: list[sql.Row] = []
    before = sql.each(connection, _BEFORE, asked)
    for key, (_, worked, first, gone), rows in zip(keys, machines, before, strict=True):
        told = {sql.day_given(row[0]): tuple(row[1:]) for row in rows}
        told = {day: row for day, row in told.items() if day not in gone}
        told |= {row[2]: row[-4:] for row in worked.rows}
        days = sorted(told)
        words = dict(zip(days, ages([Watched(day, *map(bool, told[day][:3])) for day in days]), strict=True))
        changed, held = set(), ""
        for day in days:
            held = told[day][-1] or held
            if day >= first and words[day] != held:
                changed.add(day)
                if day not in worked.days:
                    said.append((str(words[day]), *key, day.isoformat()))
        worked.rows[:] = [(*row[:-1], str(words[row[2]])) for row in worked.rows]
        found.append(changed)
    sql.run(connection, _SEEN, said)
    return found


def count(
    connection: Connection, machine: Subject, days: Iterable[date], calendars: Calendars, now_ms: int
) -> None:
    """Store what was made on production days, from its counters as they are judged now."""
    rows = []
    for day in days:
        stretches = _until(now_ms, calendars.planned(machine, day))
        made = (_made(connection, machine, signal, stretches) for signal in COUNTED)
        rows.append((*made, machine.enterprise, machine.asset_no, day.isoformat()))
    sql.run(connection, _MADE, rows)


def of_day(
    connection: Connection, machine: Subject, day: date, calendars: Calendars, now_ms: int
) -> Production | None:
    """A production day from the painted days as they are stored; None where nothing was planned until now."""
    asked = [(machine.enterprise, machine.asset_no, one.isoformat()) for one in (day, day + _A_DAY)]
    painted = {
        one: stored(*row)
        for one, rows in zip((day, day + _A_DAY), sql.each(connection, _PAINTED, asked), strict=True)
        for row in rows
    }
    found = _of_day(machine, day, calendars, now_ms, painted)
    stretches = _until(now_ms, calendars.planned(machine, day))
    made, made_good = (_made(connection, machine, signal, stretches) for signal in COUNTED)
    return replace(found, made=made, made_good=made_good) if found.planned_ms else None


def _near(
    connection: Connection,
    machines: Sequence[tuple[Subject, Collection[date], Painted]],
    calendars: Calendars,
) -> list[dict[date, Sequence[Span]]]:
    """The painted days, and beside them what is stored of those that shifts reach into or come from."""
    asked = []
    for n, (machine, anew, painted) in enumerate(machines):
        before = _reaching(machine, painted, calendars)
        after = {day + _A_DAY for day in {*painted, *before} if _over_midnight(machine, day, calendars)}
        asked += [(n, machine, day) for day in {*before, *after} - set(anew)]
    found = [dict(painted) for _, _, painted in machines]
    keys = [(machine.enterprise, machine.asset_no, day.isoformat()) for _, machine, day in asked]
    for (n, _, day), rows in zip(asked, sql.each(connection, _PAINTED, keys), strict=True):
        for row in rows:
            found[n][day] = stored(*row)
    return found


def _reaching(machine: Subject, days: Iterable[date], calendars: Calendars) -> set[date]:
    """The days before these whose shifts reach into them."""
    return {day - _A_DAY for day in days if _over_midnight(machine, day - _A_DAY, calendars)}


def _over_midnight(machine: Subject, day: date, calendars: Calendars) -> bool:
    planned = calendars.planned(machine, day)
    return bool(planned) and planned[-1][1] > bounds(day, machine.zone)[1]


def _of_day(machine: Subject, day: date, calendars: Calendars, now_ms: int, painted: Painted) -> Production:
    """A production day, without what was made. `painted`: its local day, and the next one where a shift goes on."""
    planned = calendars.planned(machine, day)
    spans = painted.get(day, ())
    over = calendars.planned(machine, day - _A_DAY)
    whole = ms_per_state(spans)
    seen = sum(whole.values()) - whole.get(State.UNKNOWN, 0)
    outside = whole.get(State.PRODUCING, 0) - within([*over, *planned], spans).get(State.PRODUCING, 0)
    stretches = _until(now_ms, planned)
    total = sum(end - start for start, end in stretches)
    spent = within(stretches, [*spans, *painted.get(day + _A_DAY, ())]) if stretches else {}
    if unseen := total - sum(spent.values()):  # beyond the stored days nobody saw anything
        spent[State.UNKNOWN] = spent.get(State.UNKNOWN, 0) + unseen
    return Production(total, spent, outside, seen)


def _until(now_ms: int, planned: Iterable[Stretch]) -> list[Stretch]:
    return [(start, min(end, now_ms)) for start, end in planned if start < now_ms]


def _made(connection: Connection, machine: Subject, signal: str, stretches: Sequence[Stretch]) -> int | None:
    """What its counters of this signal counted from the first planned moment to the last."""
    found = None
    for counter in machine.counting(signal) if stretches else ():
        border = (stretches[0][0], stretches[-1][1])
        for counted in quantities.between(connection, machine.enterprise, counter, border):
            if counted.unknown_ms:
                return None
            if counted.millionths is not None:
                found = (found or 0) + counted.millionths // 10**6
    return found


def _row(machine: Subject, day: date, found: Production, unplanned: bool) -> sql.Row:
    """A row of `production` without how it is seen."""
    if unplanned:
        # Nobody said when the site works: a day is watched as a whole.
        start, end = bounds(day, machine.zone)
        known = 2 * found.seen_ms >= end - start
    else:
        known = 2 * (found.planned_ms - found.spent.get(State.UNKNOWN, 0)) >= found.planned_ms
    spent = (found.spent.get(state, 0) for state in STATES)
    head = (machine.enterprise, machine.asset_no, day, found.planned_ms)
    watched = bool(unplanned or found.planned_ms)
    return (*head, *spent, found.outside_ms, None, None, watched, known, found.seen_ms > 0)


def _ends(days: Sequence[date]) -> tuple[str, str]:
    return (days[0].isoformat(), days[-1].isoformat()) if days else (date.max.isoformat(),) * 2


def complete(row: Any) -> bool:
    """Whether so much of a production day is known that it enters sums of states (metrics.md section 3)."""
    return bool(kpi.complete(row.planned_ms, row.planned_ms - row.unknown_ms))


def rows(connection: Connection, enterprise: str, asset_no: str, first: date, last: date) -> list[Any]:
    """The stored production days of a machine, both ends included."""
    mine = (production.c.enterprise == enterprise) & (production.c.subject == asset_no)
    query = select(production).where(mine & production.c.day.between(first, last)).order_by(production.c.day)
    return list(connection.execute(query).all())
