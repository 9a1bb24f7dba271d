"""Targets as they were entered, and which of them counts: the one entered last, of one list that of the later deadline
(metrics.md section 7)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.definitions import Definition
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.places import keys
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.described import Instant, answer, said, unsaid


@answer
class Target:
    """What the plan asks for."""

    id: str = said("id of the row of the plan, or of the number", "T01")
    comparator: str = said(
        ">=, >, <=, < or = the value, or so much more than at the baseline (increase_vs_baseline)", ">="
    )
    value: str | None = said("the number to be reached; null: no number in the plan", "60")
    deadline: date = said("the last day on which it may be reached, by local time", "2020-12-31")
    document: str = said("document that sets the target", "1.3 目标/融合")
    by: str = said("who entered it; empty: nobody said", "王某")
    recorded_at: Instant = said("when it was entered", "2026-11-01T02:00:00.000Z")
    area: str = unsaid(default="")
    industry: str = unsaid(default="")
    """Where it was entered."""
    baseline: str | None = unsaid(default=None)
    baseline_date: date | None = unsaid(default=None)
    plan: date = unsaid(default=date.max)
    """The earliest deadline of those that were entered for the same."""
    beside: int = unsaid(default=0)
    """How many others were entered for the same, and do not count."""
    page: str = unsaid(default="/targets")
    """Where it stands as it was entered."""

    @property
    def goal(self) -> Fraction | None:
        """The number, in the unit of what it is the target of."""
        return None if self.value is None else _number(self.value)

    def down(self, value: Fraction | None) -> bool:
        """Whether a number that is not what it asks for would have to come down."""
        if self.comparator != "=":
            return self.comparator in ("<=", "<")
        return value is not None and self.goal is not None and value > self.goal

    def passed(self, day: date) -> date | None:
        """Its deadline, or the plan's own, where that has passed on a day."""
        return next((of for of in (self.deadline, self.plan) if of < day), None)


class Targets:
    """All of them, read once. `every`: by id, area and industry, of each the one that counts first."""

    def __init__(self, connection: Connection) -> None:
        found: dict[tuple[str, str, str], list[Target]] = {}
        for row in connection.execute(select(registry.target)):
            told = (row.comparator, row.value, row.deadline, row.document, row.by, row.recorded_at)
            base = (row.area, row.industry, row.baseline_value, row.baseline_date)
            found.setdefault((row.id, row.area, row.industry), []).append(Target(row.id, *told, *base))
        self.every = {key: _ordered(some) for key, some in sorted(found.items())}

    def of(self, province: Province, definition: Definition, area: str, industry: str) -> Target | None:
        """What is asked for, of the number by its own id, else of its row of the plan: of the place in the industry
        itself; of a ratio else of all industries, or of the next place above. A count that is asked of the whole says
        nothing of a part."""
        every = keys(province, area, industry)
        for key in every if definition.kind in ("rate", "intensity") else [(area, industry)]:
            for name in (definition.id, definition.target or ""):
                if (found := self.every.get((name, *key))) is not None:
                    return found[0]
        return None

    def months(self, day: date) -> set[str]:
        """The months last over at the deadlines that have passed on a day."""
        counted = (some[0].passed(day) for some in self.every.values())
        return {month_over(deadline) for deadline in counted if deadline is not None}


@lru_cache
def _number(text: str) -> Fraction:
    """Of a decimal text: pages ask for the same few of every place and month."""
    return Fraction(text)


def month_over(day: date) -> str:
    """The month that was over last at the end of a day."""
    months = periods.months(day, 2)
    return months[day == periods.span(months[1])[1]]


def year_over(day: date) -> int:
    """The year that was over last at the end of a day."""
    return day.year if (day.month, day.day) == (12, 31) else day.year - 1


def kept(connection: Connection, today: date) -> list[str]:
    """The months of which sums are kept: the last two years, and those of deadlines that have passed."""
    return sorted({*periods.months(today, periods.MONTHS), *Targets(connection).months(today)})


def ends(connection: Connection, since: date, today: date) -> Iterable[date]:
    """The last days of these months, from the one of a day on."""
    return (end for month in kept(connection, today) if (end := periods.span(month)[1]) >= since)


def counted(connection: Connection, since: date, today: date) -> Iterable[date]:
    """The days that are added up again when something is another since a day."""
    ends = (periods.span(month)[1] for month in Targets(connection).months(today))
    return sorted({*periods.counted(since, today), *(end for end in ends if since <= end)})


def _ordered(some: Sequence[Target]) -> list[Target]:
    by_entry = attrgetter("recorded_at", "deadline", "document")
    plan = min(of.deadline for of in some)
    first, *others = sorted(some, key=by_entry, reverse=True)
    return [replace(first, plan=plan, beside=len(others)), *others]
