"""The plan, row by row in its own order: what is measured of each, and where that stands (metrics.md section 7).

`PARTS` are the modules of the plan. What they count is judged as every number is: by `Indicator`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Protocol

from ganpo_cloud.days import periods
from ganpo_cloud.province import assessment, banned, capacity_use, dual_control, front_runners, tagged, trees
from ganpo_cloud.province.definitions import DEFINITIONS, Definition
from ganpo_cloud.province.divisions import Aim, Province
from ganpo_cloud.province.indicators import Indicator, Indicators, moving, passed, value
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.pace import OVER_MONTHS
from ganpo_cloud.province.plan_sums import Place
from ganpo_cloud.province.targets import Target, month_over
from ganpo_model.coverage import reaches


class Part(Protocol):
    """A module of the plan."""

    MEASURED: tuple[Measured, ...]
    NOTES: tuple[str, ...]
    """Why there may be no number: what its standings note, in English."""

    def standings(self, at: At) -> Iterable[Standing]:
        """Where each of its numbers stands, in any order."""


PARTS: tuple[Part, ...] = (
    trees,
    dual_control,
    assessment,
    tagged,
    banned,
    front_runners,
    capacity_use,
)
MEASURED: Mapping[str, Measured] = {of.id: of for part in PARTS for of in part.MEASURED}
"""By id, what they count."""
EVERY: tuple[Definition, ...] = (*DEFINITIONS.values(), *(of.definition for of in MEASURED.values()))
"""What every number means: those that are counted by place, and those of the plan."""
PROXY = "Equipment use, a proxy of capacity use only."
EVERY_SIZE = "Of all enterprises with data, also of those below scale; the plan means those above it."
NOTED: Mapping[str, str] = {
    "availability": PROXY,
    "energy_intensity": EVERY_SIZE,
    "water_intensity": EVERY_SIZE,
}
"""What numbers that are counted by place are not, in a row of the plan."""
NOTES = (PROXY, EVERY_SIZE, *(note for part in PARTS for note in part.NOTES))
"""What a number may have noted beside it, in English."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a row. `page`: where it is shown in full; `note`: why nobody knows it, or what it is not."""

    item: Indicator
    page: str
    note: str = ""


def asked_for(province: Province) -> set[str]:
    """What a target may be entered for: the rows of the plan of which one number is counted, else the number itself."""
    of_plan = [of.target for of in DEFINITIONS.values()] + [of.plan for of in MEASURED.values()]
    return {aim.id for aim in province.plan if of_plan.count(aim.id) == 1} | MEASURED.keys()


def rows(found: Indicators, area: str, industry: str) -> list[tuple[Aim, list[Number]]]:
    """Every row of the plan with its numbers of a place; without any where an equipment monitor does not say it."""
    numbers: dict[str, list[Number]] = {aim.id: [] for aim in found.snapshot.province.plan}
    place = Place(found.snapshot.connection, found.snapshot.province, area, industry)
    for part in PARTS:
        for number in numbers_of(part, found, place):
            numbers.setdefault(number.item.definition.target or "", []).append(number)
    for item in found.of(area, industry or None):
        if item.definition.target is not None:
            number = Number(item, f"/indicators/{item.definition.id}", NOTED.get(item.definition.id, ""))
            numbers.setdefault(item.definition.target, []).append(number)
    return [(aim, numbers[aim.id]) for aim in found.snapshot.province.plan]


def numbers_of(part: Part, found: Indicators, place: Place) -> Iterable[Number]:
    """The numbers of a module at a place, in the order in which it declares them."""
    area, industry = place.area, place.industry

    def standing(day: date) -> dict[str, Standing]:
        return {of.id: of for of in part.standings(place.at(part, day))}

    now = standing(found.snapshot.day)
    definitions = [of.definition for of in part.MEASURED]
    listed = {of.id: of.target for of in now.values()}
    targets = {of.id: listed.get(of.id) or found.target(of, area, industry) for of in definitions}
    past: list[dict[str, Standing]] = []
    months = periods.months(found.snapshot.day, periods.MONTHS)[:-1]
    deadlines = {of: target.passed(found.snapshot.day) if target else None for of, target in targets.items()}
    # What a year is expected to come to is of that year alone: it is no number that moves from month to month.
    moves = [of for of in definitions if not listed.get(of.id)]
    if any(_told(of, targets[of.id], now.get(of.id)) or deadlines[of.id] for of in moves):
        looked = [month for month in months if place.stored(part, month)] or months[-OVER_MONTHS::3]
        past = [standing(periods.span(month)[1]) if month in looked else {} for month in months]
    then = {day: standing(periods.span(month_over(day))[1]) for day in {*deadlines.values()} if day}
    for of in definitions:
        history = tuple(_value(of, at.get(of.id)) for at in [*past, now])
        target, mine = targets[of.id], now.get(of.id, Standing(of.id, None, None))
        told = of in moves and _told(of, target, mine)
        moved = moving(of, target, history, found.snapshot.day) if told else None
        counted = (None, mine.number, None, mine.among, None, None)
        shown = (target, history[-OVER_MONTHS - 1 :], moved)
        item = Indicator(of, area, industry, "", *counted, None, *shown, uncovered=mine.uncovered)
        if (deadline := deadlines[of.id]) is not None:
            stood = then[deadline].get(of.id, Standing(of.id, None, None))
            running = dict(zip(months, history, strict=False)) if of in moves else {}
            then_ = (month_over(deadline), stood.number, stood.among)
            item = passed(item, deadline, *then_, running, found.snapshot.month)
        yield Number(item, mine.page, mine.note)


def _told(of: Definition, target: Target | None, now: Standing | None) -> bool:
    """Whether it is told how a number moves: it misses its target."""
    if target is None or target.goal is None:
        return False
    number = _value(of, now)
    return number is not None and not reaches(number, target.comparator, target.goal)


def _value(definition: Definition, of: Standing | None) -> Fraction | None:
    return None if of is None else value(definition, of.number, of.among)
