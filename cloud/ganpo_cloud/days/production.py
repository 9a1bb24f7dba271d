"""Production days: what was planned of a machine, what it did meanwhile, and how it is seen since."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from ganpo_cloud.days import quantities, subjects
from ganpo_cloud.days.calendars import Calendars
from ganpo_cloud.days.painting import good, ms_per_state, stored
from ganpo_cloud.days.subjects import COUNTED, Subject
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import production
from ganpo_cloud.store.localdays import bounds
from ganpo_cloud.store.tables import subject
from ganpo_model.activity import LOOK_BACK_DAYS, Watched, ages
from ganpo_model.calendar import Stretch, within
from ganpo_model.facts import ExceptionItem
from ganpo_model.kpi import Parts, Ratio, ratios
from ganpo_model.paint import Span
from ganpo_model.states import State

_PAINTED = 'SELECT start, "end", spans FROM day WHERE enterprise = ? AND subject = ? AND day = ?'
_BEFORE = (
    "SELECT day, watched, known, good, age FROM production"
    " WHERE enterprise = ? AND subject = ? AND day >= ? AND day <= ? ORDER BY day"
)
_SEEN = "UPDATE production SET age = ? WHERE enterprise = ? AND subject = ? AND day = ?"
_MADE = "UPDATE production SET made = ?, made_good = ? WHERE enterprise = ? AND subject = ? AND day = ?"
_A_DAY = timedelta(days=1)
_STATES = [state for column in production.c for state in State if column.name == f"{state.lower()}_ms"]
"""In the order of their columns."""


@dataclass(frozen=True, slots=True)
class Production:
    """`planned_ms`: how much was planned until now; `spent`: ms per state within it, they add up to it; `seen_ms`: how
    much of the local day anything was seen."""

    planned_ms: int
    spent: Mapping[State, int]
    outside_ms: int
    seen_ms: int


class MachineDay(NamedTuple):
    """A production day with its KPIs. `confirmed`: somebody said which days of its year are off."""

    production: Production
    kpis: Mapping[str, Ratio | None]
    confirmed: bool


@dataclass(slots=True)
class Work:
    """What one pass does of a subject. `days`: local days, rising; `painted`: those of them that have spans; `near`:
    the same, and stored days beside them that shifts reach into or come from; `produced`: rows of its production days,
    without what was made; `seen_anew`: from this day on it may be seen otherwise than before, None: no such day;
    `counted`: days on which it may have made another number of parts; `touched`: of which sums may be others now."""

    about: Subject
    days: Sequence[date]
    painted: Mapping[date, Sequence[Span]]
    near: dict[date, Sequence[Span]] = field(default_factory=dict)
    produced: dict[date, sql.Row] = field(default_factory=dict)
    seen_anew: date | None = None
    counted: set[date] = field(default_factory=set)
    touched: set[date] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, str]:
        """Enterprise and asset_no."""
        return self.about.enterprise, self.about.asset_no

    @property
    def gone(self) -> list[date]:
        """Those that have no production row, though they may have had one: nothing happened, or it is no machine."""
        return [local for local in self.days if local not in self.produced]


def work_out(connection: Connection, machines: Sequence[Work], calendars: Calendars, now_ms: int) -> None:
    """Work out of each machine the production days that touch local days which were painted anew."""
    asked = []
    for one in machines:
        before = _reaching(one.about, one.painted, calendars)
        after = {day + _A_DAY for day in {*one.painted, *before} if _over_midnight(one.about, day, calendars)}
        asked += [(one, day) for day in {*before, *after} - set(one.days)]
        one.near |= one.painted
    _look_beside(connection, asked)
    for one in machines:
        touched = {*one.painted, *_reaching(one.about, one.painted, calendars)}
        # The day before the first one is none of its days, also where a night shift reaches into it.
        for day in sorted(touched & one.near.keys()):
            one.produced[day] = _row(one, day, calendars, now_ms)
    # A day on which no state was known may have had a Good value all the same.
    unseen = [(one, day) for one in machines for day, row in one.produced.items() if not row[-1]]
    found = good(connection, [(one.about, day) for one, day in unseen])
    for one, day in (at for at, known in zip(unseen, found, strict=True) if known):
        one.produced[day] = (*one.produced[day][:-1], True)
    spans = [
        (*one.key, *(of(one.produced, default=date.max).isoformat() for of in (min, max))) for one in machines
    ]
    for one, stood in zip(machines, sql.each(connection, _BEFORE, spans), strict=True):
        was = {sql.day_given(row[0]): (*map(bool, row[1:4]), row[4]) for row in stood}
        one.produced = {day: (*row, was.get(day, ("",))[-1]) for day, row in one.produced.items()}
        new = [day for day, row in one.produced.items() if row[-4:] != was.get(day)]
        one.seen_anew = min([*new, *one.gone], default=None)


def see(connection: Connection, machines: Sequence[Work]) -> set[str]:
    """How each machine is seen at the end of its days: put into its rows, which are not stored yet, and into stored
    ones of other days where that is another word now. Gives the enterprises of whose machines the ledger says something
    else."""
    anew = [(one, first) for one in machines if (first := one.seen_anew) is not None]
    last = date.max.isoformat()
    asked = [(*one.key, (first - timedelta(days=LOOK_BACK_DAYS)).isoformat(), last) for one, first in anew]
    found: set[str] = set()
    said: list[sql.Row] = []
    for (one, first), rows in zip(anew, sql.each(connection, _BEFORE, asked), strict=True):
        told = {sql.day_given(day): row for day, *row in rows}
        told |= {day: list(row[-4:]) for day, row in one.produced.items()}
        days = sorted(told.keys() - set(one.gone))
        words = dict(zip(days, ages([Watched(day, *map(bool, told[day][:3])) for day in days]), strict=True))
        changed, held = set(), ""
        for day in days:
            held = told[day][-1] or held
            if day >= first and words[day] != held:
                changed.add(day)
        said += [(str(words[day]), *one.key, day.isoformat()) for day in changed - one.produced.keys()]
        one.produced = {day: (*row[:-1], str(words[day])) for day, row in one.produced.items()}
        one.touched |= changed
        if changed or one.gone:  # with a day goes what it said
            found.add(one.about.enterprise)
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
    connection: Connection,
    enterprise: str,
    asset_no: str,
    day: date,
    holidays: Sequence[ExceptionItem],
    now_ms: int,
) -> MachineDay | None:
    """The production day of a machine, from its painted days as they are stored; None for a meter, and where nothing
    was planned until now."""
    machine, calendars = subjects.one(connection, enterprise, asset_no), Calendars(connection, holidays)
    one = Work(machine, (), {})
    if machine.machine:
        _look_beside(connection, [(one, day), (one, day + _A_DAY)])
    if not machine.machine or not (found := _of_day(one, day, calendars, now_ms)).planned_ms:
        return None
    stretches = _until(now_ms, calendars.planned(machine, day))
    made, made_good = (_made(connection, machine, signal, stretches) for signal in COUNTED)
    mine = select(subject.c.body).filter_by(enterprise=enterprise, asset_no=asset_no)
    body = json.loads(connection.execute(mine).scalar_one())
    shown = [State(state) for state in body.get("states", ())]
    seconds = body.get("planned_run_time_s")
    parts = Parts(made, made_good, None if seconds is None else seconds * 1000)
    kpis = ratios(found.spent, found.planned_ms, shown, parts)
    return MachineDay(found, kpis, calendars.of(enterprise, machine.gateway).confirmed(day))


def _look_beside(connection: Connection, asked: Sequence[tuple[Work, date]]) -> None:
    """Read days as they are stored."""
    keys = [(*one.key, day.isoformat()) for one, day in asked]
    for (one, day), rows in zip(asked, sql.each(connection, _PAINTED, keys), strict=True):
        if rows:
            one.near[day] = stored(*rows[0])


def _reaching(machine: Subject, days: Iterable[date], calendars: Calendars) -> set[date]:
    """The days before these whose shifts reach into them."""
    return {day - _A_DAY for day in days if _over_midnight(machine, day - _A_DAY, calendars)}


def _over_midnight(machine: Subject, day: date, calendars: Calendars) -> bool:
    planned = calendars.planned(machine, day)
    return bool(planned) and planned[-1][1] > bounds(day, machine.zone)[1]


def _of_day(one: Work, day: date, calendars: Calendars, now_ms: int) -> Production:
    """A production day, without what was made; from its local day, and the next one where a shift goes on."""
    planned = calendars.planned(one.about, day)
    spans = one.near.get(day, ())
    over = calendars.planned(one.about, day - _A_DAY)
    whole = ms_per_state(spans)
    seen = sum(whole.values()) - whole.get(State.UNKNOWN, 0)
    outside = whole.get(State.PRODUCING, 0) - within([*over, *planned], spans).get(State.PRODUCING, 0)
    stretches = _until(now_ms, planned)
    total = sum(end - start for start, end in stretches)
    spent = within(stretches, [*spans, *one.near.get(day + _A_DAY, ())]) if stretches else {}
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


def _row(one: Work, day: date, calendars: Calendars, now_ms: int) -> sql.Row:
    """A row of `production` without how it is seen."""
    found = _of_day(one, day, calendars, now_ms)
    unplanned = calendars.of(one.about.enterprise, one.about.gateway).empty
    if unplanned:
        # Nobody said when the site works: a day is watched as a whole.
        start, end = bounds(day, one.about.zone)
        known = 2 * found.seen_ms >= end - start
    else:
        known = 2 * (found.planned_ms - found.spent.get(State.UNKNOWN, 0)) >= found.planned_ms
    spent = (found.spent.get(state, 0) for state in _STATES)
    head = (*one.key, day, found.planned_ms)
    watched = bool(unplanned or found.planned_ms)
    return (*head, *spent, found.outside_ms, None, None, watched, known, found.seen_ms > 0)


def rows(connection: Connection, enterprise: str, asset_no: str, first: date, last: date) -> list[Any]:
    """The stored production days of a machine, both ends included."""
    mine = select(production).filter_by(enterprise=enterprise, subject=asset_no)
    query = mine.where(production.c.day.between(first, last)).order_by(production.c.day)
    return list(connection.execute(query).all())
