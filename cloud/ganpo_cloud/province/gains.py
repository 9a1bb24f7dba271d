"""What would move a number: what it gains once the first step of a device, or of an enterprise, is done (metrics.md,
section 6). Grouped in SQL: what comes back is as long as a page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
)

from ganpo_cloud.province import firms, lists
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.province.measures import all_hold, counts, on
from ganpo_cloud.store.counted_tables import ledger
from ganpo_model.coverage import ENTERPRISES, MEASURES, Condition
from ganpo_model.moves import CAUSES, Change, Group, Number, Step, best_first, left, moves, step_of

By = Literal["enterprise", "device"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A number that steps move, and the `causes` that have such a step, the furthest last. `firms`: it counts those
    enterprises that have a device of the `measure`."""

    id: str
    measure: str
    among: str | None
    firms: bool
    causes: tuple[str, ...]


def _moved(id_: str) -> Moved | None:
    definition = DEFINITIONS[id_]
    name, among = definition.measures[1], definition.among
    measure = ENTERPRISES[name].devices or "" if name in ENTERPRISES else name
    mine = [of for of in (measure, among) if of in MEASURES]
    causes = tuple(cause for cause in CAUSES if any(moves(cause, of) for of in mine))
    return Moved(id_, measure, among, name in ENTERPRISES, causes) if causes else None


MOVED = {id_: of for id_ in DEFINITIONS if (of := _moved(id_)) is not None}
"""By id of a definition, those that have a step."""


def served(reason: str) -> list[str]:
    """The ids of the numbers that the step of a reason moves."""
    return [id_ for id_, of in MOVED.items() if any(CAUSES[cause].reason == reason for cause in of.causes)]


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be done of one cause, or at one place: how many devices have the step, and what it adds."""

    of: str
    devices: int
    enterprises: int
    change: Change


@dataclass(frozen=True, slots=True)
class Work:
    """A work list: the rows as SQL, and as `groups` of rows that add the same, the largest gain first. `adds_up`: what
    several rows gain together is the sum of what they add; several devices of an enterprise make it count once."""

    moved: Moved
    adds_up: bool
    number: Number
    day: date
    groups: Sequence[Group]
    _rows: FromClause

    @property
    def total(self) -> int:
        """How many rows it has."""
        return sum(group.rows for group in self.groups)

    @property
    def devices(self) -> int:
        """How many devices they are."""
        return sum(group.devices for group in self.groups)

    def page(self, connection: Connection, limit: int, page: int) -> list[Any]:
        """Some rows in the order of their gains, with the names of their enterprises."""
        r, home = self._rows.c, ledger.alias("home")
        place = _place([group.change for group in self.groups], r)
        order = (place, r.enterprise, r.step, r.own, r.asset_no)
        listed = select(self._rows, place.label("place")).where(place.is_not(None)).order_by(*order)
        some = listed.limit(limit).offset((page - 1) * limit).subquery()
        mine = (home.c.enterprise == some.c.enterprise) & (home.c.kind == "enterprise") & on(self.day, home.c)
        named = select(some, home.c.name.label("firm"), home.c.area.label("home")).outerjoin(home, mine)
        s = some.c
        return list(connection.execute(named.order_by(s.place, s.enterprise, s.step, s.own, s.asset_no)))


def work(
    connection: Connection,
    province: Province,
    wanted: lists.Filter,
    item: Indicator,
    by: By = "enterprise",
    step: Step | None = None,
) -> Work:
    """Everything whose step would move an indicator. `step`: only where it is this one."""
    moved = MOVED[item.definition.id]
    number = Number(item.checked or 0, item.denominator if moved.among else None)
    rows = _rows(province, wanted, moved, by, step)
    r = rows.c
    grouped = select(r.numerator, r.denominator, func.count(), func.sum(r.devices))
    found = {
        Change(int(numerator), int(denominator)): (int(count), int(devices))
        for numerator, denominator, count, devices in connection.execute(
            grouped.group_by(r.numerator, r.denominator)
        )
    }
    groups = [Group(change, *found[change]) for change in best_first(number, found)]
    adds_up = by == "enterprise" or not moved.firms
    return Work(moved, adds_up, number, wanted.day, groups, rows)


def by_cause_and_county(
    connection: Connection, province: Province, wanted: lists.Filter, moved: Moved
) -> tuple[list[Part], list[Part]]:
    """What is to be done, cause by cause, of which an enterprise may have several; and the same county by county. One
    question: the devices are found once."""
    d = _devices(province, wanted, moved).cte("devices").c
    number = func.count(func.distinct(d.enterprise))
    adds = (number, literal(0)) if moved.firms else (func.sum(d.numerator), func.sum(d.denominator))
    causes, counties = (
        select(literal(n).label("part"), cast(of, Text).label("of"), func.count(), number, *adds).group_by(of)
        for n, of in enumerate((d.rank, d.area))
    )
    found: tuple[list[Part], list[Part]] = ([], [])
    for part, of, devices, firms_, *more in connection.execute(causes.union_all(counties)):
        name = of if part else moved.causes[int(of)]
        found[part].append(Part(name, int(devices), int(firms_), Change(*map(int, more))))
    return found


def _rows(province: Province, wanted: lists.Filter, moved: Moved, by: By, step: Step | None) -> FromClause:
    """A row for each device, or for each enterprise and step: how many `devices`, and what they add together."""
    d = _devices(province, wanted, moved).subquery("devices").c
    mine = _step(moved, d.rank)
    if by == "device":
        about = (d.enterprise, d.own, d.asset_no, d.name, d.rank, mine.label("step"))
        query = select(*about, literal(1).label("devices"), d.numerator, d.denominator)
    else:
        together = func.max if moved.firms else func.sum
        nothing = (literal("").label(name) for name in ("own", "asset_no", "name", "rank"))
        adds = (together(of).label(of.name) for of in (d.numerator, d.denominator))
        query = select(d.enterprise, *nothing, mine.label("step"), func.count().label("devices"), *adds)
        query = query.where(mine == _step(moved, d.furthest)).group_by(d.enterprise, mine)
    if step is not None:
        query = query.where(mine == step.value)
    return query.subquery("rows")


def _devices(province: Province, wanted: lists.Filter, moved: Moved) -> Select[Any]:
    """Every device whose step moves the number, with what that adds, and of its enterprise the furthest cause."""
    s = ledger.c
    everywhere = lists.Filter(province.whole, None, wanted.day)
    place = everywhere if moved.firms else replace(wanted, text="")
    query = lists.devices(province, place).order_by(None)
    enterprise: ColumnElement[str] = s.enterprise
    area: ColumnElement[str] = s.area
    if moved.firms:
        joined, enterprise = firms.legal(ledger, wanted.day)
        homes = lists.codes(province, wanted).where(s.parent.is_(None))
        there = firms.reaching(wanted.day, (moved.measure,))
        query = query.select_from(joined).where(enterprise.in_(homes), enterprise.not_in(there))
        home = ledger.alias("home").c
        mine = (home.enterprise == enterprise) & (home.kind == "enterprise") & on(wanted.day, home)
        area = select(home.area).where(mine).scalar_subquery()
    elif wanted.text:
        query = query.where(enterprise.in_(lists.codes(province, replace(everywhere, text=wanted.text))))
    rank = case(*((counts(cause), n) for n, cause in enumerate(moved.causes)))
    adds = [_adds(moved.causes, of) for of in (moved.measure, None if moved.firms else moved.among)]
    asked = {one.field for parts in adds for open_ in parts for of in open_ for one in of or ()}
    about = (s.enterprise.label("own"), s.asset_no, s.name, area.label("area"), rank.label("rank"))
    columns = (enterprise.label("enterprise"), *about, *(s[name] for name in sorted(asked)))
    c = query.where(or_(*map(counts, moved.causes))).with_only_columns(*columns).subquery("causes").c
    numerator, denominator = (_added(parts, c) for parts in adds)
    furthest = func.max(c.rank).over(partition_by=c.enterprise) if moved.firms else c.rank
    found = select(c.enterprise, c.own, c.asset_no, c.name, c.area, c.rank, furthest.label("furthest"))
    found = found.add_columns(numerator.label("numerator"), denominator.label("denominator"))
    return found.where(or_(numerator != 0, denominator != 0))


Open = tuple[Condition, ...] | None
"""Of a measure what a device has still to meet; None: it cannot."""


def _adds(causes: Sequence[str], measure: str | None) -> list[tuple[Open, Open]]:
    """By cause, what is open for a measure before and after its step; None: nothing is added to it."""
    if measure is None:
        return []
    return [(left(cause, measure, then=False), left(cause, measure, then=True)) for cause in causes]


def _added(parts: Sequence[tuple[Open, Open]], c: Any) -> ColumnElement[int]:
    """What the step of a device adds to a count, by the place of its cause."""

    def one(of: Open) -> ColumnElement[int]:
        return literal(0) if of is None else case((all_hold(of, c), 1), else_=0) if of else literal(1)

    return (
        case(*((c.rank == n, one(then) - one(now)) for n, (now, then) in enumerate(parts)), else_=0)
        if parts
        else literal(0)
    )


def _step(moved: Moved, rank: ColumnElement[int]) -> ColumnElement[str]:
    steps = [step_of(CAUSES[cause].reason).value for cause in moved.causes]
    return case(*((rank == n, literal(step)) for n, step in enumerate(steps)))


def _place(changes: Sequence[Change], r: Any) -> ColumnElement[int]:
    """The place of a row in the order of gains; null where it gains nothing."""
    same = (and_(r.numerator == of.numerator, r.denominator == of.denominator) for of in changes)
    return case(*((one, n) for n, one in enumerate(same))) if changes else case((false(), 0))
