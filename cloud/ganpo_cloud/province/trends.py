"""One number of several places over months: at the end of each, and now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ganpo_cloud.days import periods
from ganpo_cloud.province.definitions import Definition
from ganpo_cloud.province.places import Key
from ganpo_cloud.province.snapshots import Snapshot
from ganpo_cloud.store.counted_tables import area_carrier
from ganpo_model.energy import WATER

HEARD = "enterprises_ever_networked"
"""What counts enterprises of which a gateway was ever heard."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a number came to at a place in a month; None: nobody knows. `heard`: a gateway of the place had been heard
    by then; `number`: of a quantity in millionths; `covered`: of that, how many enterprise-months are covered of those
    that declare the carriers."""

    key: Key
    month: str
    heard: bool
    number: int | None
    among: int | None = None
    covered: tuple[int, int] | None = None


def monthly(found: Snapshot, definition: Definition, places: Sequence[Key], months: int) -> list[Point]:
    """The last months of each place up to the instant, oldest first. An intensity is of a year and has none."""
    names = periods.months(found.day, months)
    if definition.kind == "quantity":
        return _taken(found, definition, places, names)
    areas, industries = ({key[n]: None for key in places} for n in (0, 1))
    past = found.trend(list(areas), list(industries), names[:-1], {HEARD, *definition.stored})
    now = found.rows(list(areas), list(industries))
    points = []
    for key in places:
        for month in names:
            row = now[key] if month == names[-1] else past.get((*key, month))
            number = None if row is None else row[definition.measures[1]]
            among = None if row is None or definition.among is None else row[definition.among]
            points.append(Point(key, month, heard(row), number, among))
    return points


def _taken(
    found: Snapshot, definition: Definition, places: Sequence[Key], months: Sequence[str]
) -> list[Point]:
    """tce, or m3 of water: what is metered or stated of each month."""
    table, coefficients = area_carrier.c, found.province.coefficients
    mine = table.area.in_({area for area, _ in places}) & table.industry.in_({of for _, of in places})
    mine &= table.month.between(months[0], months[-1])
    mine &= table.carrier.in_([WATER] if definition.unit == "m3" else sorted(coefficients.carriers))
    columns = (table.area, table.industry, table.month, table.carrier, table.millionths, table.covered)
    taken: dict[tuple[Key, str], dict[str, int]] = {}
    covered: dict[tuple[Key, str], tuple[int, int]] = {}
    for area, industry, month, carrier, number, some, every in found.connection.execute(
        select(*columns, table.declared).where(mine)
    ):
        here = (area, industry), month
        if number is not None:
            taken.setdefault(here, {})[carrier] = number
        before = covered.get(here, (0, 0))
        covered[here] = (before[0] + some, before[1] + every)
    points = []
    for key in places:
        for month in months:
            of = taken.get((key, month))
            number = None if of is None else of.get(WATER)
            if of is not None and definition.unit != "m3":  # carrier by carrier, as they are told one by one
                first = periods.span(month)[0]
                number = sum(int(coefficients.tce({name: used}, first) * 10**6) for name, used in of.items())
            points.append(Point(key, month, number is not None, number, None, covered.get((key, month))))
    return points


def heard(row: Mapping[str, int] | None) -> bool:
    """Whether any gateway of a place had been heard by the end of a month: before, its numbers are what lists say."""
    return row is not None and row[HEARD] > 0
