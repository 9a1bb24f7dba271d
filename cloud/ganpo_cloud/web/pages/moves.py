"""What would move a number, as a page says it: what the first of the list bring, how many more reach the target, and
where they are."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from sqlalchemy import Connection

from ganpo_cloud.province import gains
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.gains import MOVED, Part
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.web.answers.moves import Worklist
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.figures import Figure, Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model.coverage import reaches
from ganpo_model.moves import CAUSES, Change, Number, Step, fewest, step_of, taken

FIRST = 10
"""So many lines at most are told in a sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be done of one cause, or at one place. `then`: what the number comes to once all of it is done, and
    `now`: of a place what it is."""

    of: str
    step: Step
    devices: Figure
    enterprises: Figure
    then: Figure
    now: Figure | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of the list: with its `first` lines the number is `then`; so many `more` reach the target, None
    where there is none or all do not; with `all` lines it is `whole`, and `left` are missing."""

    first: Figure
    then: Figure
    more: Figure | None
    all: Figure
    devices: Figure
    whole: Figure
    left: Figure


def beside(connection: Connection, rendering: Rendering, found: Worklist) -> Item:
    """What stands above the list."""
    n, item = (
        Figures(found.work.day, found.item.area, found.item.industry, rendering.scope.tag or ""),
        found.item,
    )
    by_cause, by_county = gains.by_cause_and_county(
        connection, rendering.province, found.wanted, found.work.moved
    )
    causes = [
        Line(
            part.of,
            step_of(CAUSES[part.of].reason),
            n.count(f"{item.definition.id}:{part.of}", part.devices),
            n.count(f"{item.definition.id}:{part.of}-enterprises", part.enterprises),
            _number(n, item, f"{part.of}-done", found.work.number.after(part.change)),
        )
        for part in sorted(by_cause, key=lambda part: -part.change.numerator)
    ]
    steps = {line.step for line in causes}
    return {
        "n": n,
        "item": item,
        "told": _told(n, found) if found.work.total and found.work.adds_up else None,
        "step": steps.pop() if len(steps) == 1 else None,
        "causes": causes,
        "places": _places(connection, rendering, found, by_county),
        "numbers": {id_: DEFINITIONS[id_].word for id_ in MOVED},
    }


def _told(n: Figures, found: Worklist) -> Told:
    item, work = found.item, found.work
    id_, need = item.definition.id, None
    if item.target is not None and item.goal is not None:
        need = fewest(work.number, work.groups, item.target.comparator, item.goal)
    first = min(FIRST, work.total) if not need else min(FIRST, need)
    whole = taken(work.number, work.groups, work.total)
    by = f"{found.by}-{found.step}"
    return Told(
        n.count(f"{id_}:first-{by}-lines", first),
        _number(n, item, f"first-{by}", taken(work.number, work.groups, first)),
        None if need is None else n.count(f"{id_}:more-{by}", max(need - first, 0)),
        n.count(f"{id_}:all-{by}-lines", work.total),
        n.count(f"{id_}:all-{by}-devices", work.devices),
        _number(n, item, f"all-{by}", whole),
        n.count(f"{id_}:left-{by}", _left(item, whole), "tenths" if whole.among else "count"),
    )


def _places(
    connection: Connection, rendering: Rendering, found: Worklist, by_county: Sequence[Part]
) -> list[Line]:
    """The parts of the place, those first that bring most."""
    item, province = found.item, rendering.province
    adds: dict[str, Change] = defaultdict(lambda: Change(0))
    devices, enterprises = Counter[str](), Counter[str]()
    children = rendering.parts(item.area)
    for part in by_county:
        for child in set(children).intersection(province.above(part.of) if part.of in province.areas else ()):
            adds[child] = adds[child].plus(part.change)
            devices[child] += part.devices
            enterprises[child] += part.enterprises
    judged = Indicators(rendering.snapshot(connection))
    every = judged.all(list(devices), [item.industry or None], only=(item.definition,))
    mine = [of for items in every.values() for of in items]
    lines = []
    for of in sorted(mine, key=lambda of: (-adds[of.area].numerator, of.area)):
        n = Figures(found.work.day, of.area, of.industry, rendering.scope.tag or "")
        number = Number(of.checked or 0, of.denominator if found.work.moved.among else None)
        lines.append(
            Line(
                of.area,
                Step.NONE,
                n.count(f"{of.definition.id}:all-devices", devices[of.area]),
                n.count(f"{of.definition.id}:all-enterprises", enterprises[of.area]),
                _number(n, of, "done", number.after(adds[of.area])),
                n.of(of),
            )
        )
    return lines


def _number(n: Figures, item: Indicator, name: str, number: Number) -> Figure:
    """What an indicator would come to."""
    if number.among is None:
        return n.count(f"{item.definition.id}:{name}", number.count)
    return n.count(f"{item.definition.id}:{name}", number.count, "rate", among=number.among, goal=item.goal)


def _left(item: Indicator, whole: Number) -> Fraction | int | None:
    """What is missing of the target, of a rate as far as what is shown; None: nothing, or there is no target."""
    target, reached = item.target, whole.value
    if target is None or item.goal is None or reached is None:
        return None
    if target.down(reached) or reaches(reached, target.comparator, item.goal):
        return None
    if whole.among is None:
        return ceil(item.goal - reached)
    read = Fraction(numbers.percent(whole.count, whole.among, item.goal))
    return Fraction(ceil(10 * (item.goal - read)), 10)
