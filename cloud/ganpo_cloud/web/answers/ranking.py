"""Places or industries in the order of one number, and at which step the devices of each stop."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from sqlalchemy import Connection

from ganpo_cloud.province import ranking
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.ranking import BY, STEPS, StepId
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.province.targets import Target
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.store.described import AreaId, InIndustry, Ratio, answer, said, unsaid
from ganpo_cloud.web.answers.indicators import Behind
from ganpo_cloud.web.asking import Question, Tagged, asks
from ganpo_cloud.web.marked import only
from ganpo_cloud.web.problems import Refused

Sort = Literal["value", "name", "denominator", "declared", "proven", "change", "known", "stopped", "lacking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Tagged):
    """What is ranked, by what, and in which order it is told."""

    by: Annotated[
        Literal["county", "city", "industry"],
        asks("the counties or cities of the area, or the industries", "county"),
    ] = "county"
    indicator: Annotated[str, asks("id of a definition", BY, max_length=40)] = BY
    sort: Annotated[Sort, asks("the column that orders the rows", "value")] = "value"
    up: Annotated[bool, asks("the least first", True)] = False


@answer
class Ranked:
    """One place or industry. Its rank is by the number, whatever orders the rows."""

    rank: int | None = said("rank by the number; null: it cannot be compared with the others", 1)
    apart: Literal["small", "partial"] | None = said(
        "why it is not ranked: fewer than 5 count in its denominator, or main equipment is known of less than"
        " 30% of its enterprises",
        "small",
    )
    area: AreaId
    city: str | None = said("of a county the city it lies in", "360700")
    industry: InIndustry
    metric: str = said("id of the definition", BY)
    declared: Ratio | None = said("what the plants say, or better; null: it is observed")
    checked: Ratio = said("what a document or the machine proves, or was observed: it is ranked by this")
    proven: Ratio | None = said("what the machine itself proves; null: it is observed")
    enterprises: Behind = said("who stands behind it")
    stopped: dict[StepId, int] = said(
        "how many devices of its denominator stop at each step towards its numerator; they add up to what it lacks",
        {"not_nc": 12, "only_claimed": 3},
    )
    item: Indicator = unsaid()

    @property
    def unit(self) -> str:
        """Of what it comes to."""
        return self.item.definition.unit

    @property
    def target(self) -> Target | None:
        """What it stands against."""
        return self.item.target


def ranked(connection: Connection, question: Question, asked: Ranking) -> list[Ranked]:
    """Places or industries in the order of one number, and at which step the devices of each stop."""
    if asked.indicator not in STEPS:
        raise Refused(422, "indicator", f"none of {', '.join(STEPS)}", "indicator")
    areas, industries = [question.area], [question.industry]
    if asked.by == "industry":
        industries = list(question.province.industries)
    else:
        areas = question.province.within(question.area, asked.by, question.day)
    found = Indicators(
        snapshot(connection, question.province, question.past, question.now, only(connection, question))
    )
    names = [industry or ALL for industry in industries]
    sums = found.snapshot.rows(areas, names)
    every = found.all(areas, industries, only=[DEFINITIONS[asked.indicator]])
    items = [item for (item,) in every.values()]
    items.sort(key=ranking.order)
    rows = [
        _row(question, item, n, sums[item.area, item.industry], asked)
        for n, item in enumerate(items, start=1)
    ]
    return _sorted(question, rows, asked)


def _row(question: Question, item: Indicator, rank: int, sums: Mapping[str, int], asked: Ranking) -> Ranked:
    declared, proven = (
        None if number is None else Ratio(number, item.denominator) for number in (item.declared, item.proven)
    )
    above = question.province.above(item.area)
    return Ranked(
        rank if ranking.ranked(item) else None,
        None if ranking.ranked(item) else "small" if ranking.small(item) else "partial",
        item.area,
        above[1] if asked.by == "county" and len(above) > 1 else None,
        item.industry or None,
        item.definition.id,
        declared,
        Ratio(item.checked, item.denominator),
        proven,
        Behind(item.behind, item.of),
        ranking.stopped(asked.indicator, sums),
        item,
    )


_KEYS: Mapping[str, Callable[[Ranked], Any]] = {
    "value": lambda row: row.item.value,
    "denominator": lambda row: row.checked.denominator,
    "declared": lambda row: _share(row.item.declared, row.item.denominator),
    "proven": lambda row: _share(row.item.proven, row.item.denominator),
    "change": lambda row: row.item.change,
    "known": lambda row: _share(row.item.behind, row.item.of),
    "stopped": lambda row: next(iter(row.stopped.values()), None),
    "lacking": lambda row: sum(row.stopped.values()) if row.stopped else None,
}


def _sorted(question: Question, rows: Iterable[Ranked], asked: Ranking) -> list[Ranked]:
    """As asked, what is not ranked always below; what is equal, and what nobody knows, in the order of the ranks."""
    rows = list(rows)
    if asked.sort == "name":
        where = {
            number: n for n, number in enumerate((*question.province.areas, *question.province.industries))
        }
        rows.sort(key=lambda row: where[row.industry or row.area], reverse=not asked.up)
    elif asked.sort != "value" or asked.up:
        key = _KEYS[asked.sort]
        known = [row for row in rows if key(row) is not None]
        known.sort(key=key, reverse=not asked.up)
        rows = known + [row for row in rows if key(row) is None]
    return sorted(rows, key=lambda row: row.rank is None)


def _share(number: int | None, among: int | None) -> Fraction | None:
    return Fraction(number, among) if number is not None and among else None
