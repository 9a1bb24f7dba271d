"""What the lists of the plan come to by place and industry: stored at the ends of months and as of today, worked out
of any other day. Like all sums they are added up again, never incremented."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, delete, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import banned, capacity_use, front_runners, tagged, targets, trees
from ganpo_cloud.province.balances import LARGEST
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measured import At
from ganpo_cloud.province.places import Key, Sums
from ganpo_cloud.province.snapshots import newest_day, over_then
from ganpo_cloud.store import marks, sql
from ganpo_cloud.store.counted_tables import ALL, area_plan
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import Kind, answer, mark, seen, waiting
from ganpo_model.clock import to_ms


class Counted(Protocol):
    """A module of the plan that counts by place what lists say."""

    NOTHING: Mapping[str, int]
    """What it counts, each as it is where nothing counts."""
    OF_MONTHS: bool
    """Whether it is of the month that was last over; else of the end of a day."""

    def entered(self, connection: Connection) -> frozenset[str]:
        """Of what anybody ever entered anything; empty: nothing counts anywhere."""

    def counted(self, connection: Connection, province: Province, of: Filter) -> Sums:
        """At every place and in every industry of the filter; a place where nothing counts is not there."""


COUNTED: tuple[Counted, ...] = (trees, tagged, banned, front_runners, capacity_use)
LONGEST_S = 0.5
"""A pass takes no further month after so long."""
_LOOP = "plan"
_WORKED_OUT = ""
"""The row of the whole province that says on which day a month was worked out, as an ordinal."""
_t = area_plan.c


class Place:
    """A place in an industry: what lists come to there, at the end of any day. What is stored is read once."""

    def __init__(self, connection: Connection, province: Province, area: str, industry: str) -> None:
        self.connection, self.province, self.area, self.industry = connection, province, area, industry
        self._entered: dict[Counted, frozenset[str]] = {}

    def at(self, part: object, day: date) -> At:
        """The place at the end of a day, with what a module counts by place, if it does."""
        here = (self.connection, self.province, day, self.area, self.industry)
        for of in COUNTED:
            if of is part:
                if of not in self._entered:
                    self._entered[of] = of.entered(self.connection)
                return At(*here, self._counted(of, day), self._entered[of])
        return At(*here, None, frozenset())

    def stored(self, part: object, month: str) -> bool:
        """Whether what a module comes to at the end of a month that is over has only to be read."""
        end = periods.span(month)[1]
        return any(of is part and self._known.month(of, end) for of in COUNTED)

    def _counted(self, part: Counted, day: date) -> Mapping[str, int] | None:
        if (month := self._known.month(part, day)) is not None:
            row = self._months.get(month, {})
            mine = {name: row[name] for name in part.NOTHING if name in row}
            return {**part.NOTHING, **mine} if mine else None
        of = Filter(self.area, self.industry or None, self._known.end(part, day))
        return part.counted(self.connection, self.province, of).get((self.area, self.industry))

    @cached_property
    def _known(self) -> "_Known":
        return _Known(self.connection, self.province)

    @cached_property
    def _months(self) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {}
        mine = (_t.area == self.area) & (_t.industry == self.industry)
        for month, name, number in self.connection.execute(select(_t.month, _t.name, _t.number).where(mine)):
            found.setdefault(month, {})[name] = number
        return found


def sums(connection: Connection, province: Province, part: Counted, of: Filter) -> Sums:
    """What lists come to at a place and at each of its parts, in all industries of the filter."""
    known = _Known(connection, province)
    if of.only is None and (month := known.month(part, of.day)) is not None:
        return _read(connection, province, part, of, month)
    return part.counted(connection, province, replace(of, day=known.end(part, of.day)))


def _read(connection: Connection, province: Province, part: Counted, of: Filter, month: str) -> Sums:
    found: dict[Key, dict[str, int]] = {}
    here = _t.area.in_([area for area in province.areas if of.area in province.above(area)])
    where: list[ColumnElement[bool]] = [_t.month == month, _t.name.in_(part.NOTHING)]
    if of.area != province.whole:
        where.append(here)
    if of.industry:
        where.append(_t.industry.in_((of.industry, ALL)))
    query = select(_t.area, _t.industry, _t.name, _t.number).where(*where)
    for area, industry, name, number in connection.execute(query):
        found.setdefault((area, industry), {**part.NOTHING})[name] = number
    return found


def recompute(database: Database, province: Province, now: datetime) -> int:
    """Work out marked months, the newest first. Gives how many.

    Reads alone while it works out, so that frames are stored meanwhile. Where another process worked out meanwhile,
    what it wrote is newer, and this is for nothing.
    """
    today, began = day_of(to_ms(now), DEFAULT_ZONE), time.monotonic()
    found: dict[str, list[sql.Row]] = {}
    with database.read() as connection:
        marked = {periods.month_of(one.day): one for one in seen(connection, waiting(Kind.PLAN))}
        if not marked:
            return 0
        passes = marks.passes(connection, _LOOP)
        kept = targets.kept(connection, today)
        parts = [part for part in COUNTED if part.entered(connection)]
        for month in sorted(marked, reverse=True):
            of = _of_month(connection, province, parts, month, today) if month in kept else []
            found[month] = [(area, industry, month, name, number) for (area, industry), name, number in of]
            if time.monotonic() - began > LONGEST_S:
                break
    with database.write() as connection:
        if not marks.is_next(connection, _LOOP, passes):
            return len(found)
        answer(connection, [marked[month] for month in found])
        for month, rows in found.items():
            sql.replace(connection, area_plan, rows, month=month)
    return len(found)


def _of_month(
    connection: Connection, province: Province, parts: Iterable[Counted], month: str, today: date
) -> Iterable[tuple[Key, str, int]]:
    """What is known of a month that is over, or runs and has got as far as today; what is 0 is left out."""
    end = periods.span(month)[1]
    yield (province.whole, ALL), _WORKED_OUT, today.toordinal()
    of = Filter(province.whole, None, min(end, today))
    for part in parts:
        if end < today or not part.OF_MONTHS:
            for key, row in part.counted(connection, province, of).items():
                yield from ((key, name, min(number, LARGEST)) for name, number in row.items() if number)


def turn_day(database: Database, province: Province, now: datetime) -> None:
    """Every month that is kept has its sums, also where no list was imported since; older ones are let go."""
    today = day_of(to_ms(now), DEFAULT_ZONE)
    with database.write() as connection:
        kept = targets.kept(connection, today)
        missing = set(kept) - _worked_out(connection, province).keys()
        mark(connection, Kind.PLAN, (("", periods.span(month)[1]) for month in missing))
        connection.execute(delete(area_plan).where(_t.month.not_in(kept)))


def _worked_out(connection: Connection, province: Province) -> Mapping[str, date]:
    """The months that are stored, each with the day on which it was worked out."""
    whole = (_t.area == province.whole) & (_t.industry == ALL) & (_t.name == _WORKED_OUT)
    rows = connection.execute(select(_t.month, _t.number).where(whole))
    return {month: date.fromordinal(number) for month, number in rows}


class _Known:
    """Which months are stored, and from when."""

    def __init__(self, connection: Connection, province: Province) -> None:
        self._newest = newest_day(connection)
        self._worked_out = _worked_out(connection, province)

    def end(self, part: Counted, day: date) -> date:
        """The day that a module tells of: the end of the month that was last over then, or the day itself."""
        return periods.span(over_then(day, self._newest))[1] if part.OF_MONTHS else day

    def month(self, part: Counted, day: date) -> str | None:
        """The stored month that says what a module comes to at the end of a day; None: none does."""
        told = self.end(part, day)
        month = periods.month_of(told)
        if (known := self._worked_out.get(month)) is None:
            return None
        end = periods.span(month)[1]
        return month if (known > end if part.OF_MONTHS else min(end, known) == told) else None
