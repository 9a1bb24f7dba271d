"""Numbers that say what they are. Every number of the official's pages is printed here, and beside it stands, for a
machine to read, what it counts, where and when: whoever names the same has to say the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

from markupsafe import Markup, escape

from ganpo_cloud.days import periods
from ganpo_cloud.province.indicators import Indicator, value
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.pages import numbers
from ganpo_model.coverage import ENTERPRISES, LEVELS, MEASURES

Reckoned = Callable[[Indicator], Fraction | int | None]
_WRITTEN: Mapping[str, tuple[Callable[[Any, int], str], int]] = {
    "count": (numbers.decimals, 0),
    "tenths": (numbers.decimals, 1),
    "intensity": (numbers.decimals, 5),
    "specific": (numbers.decimals, 3),
    "tonnes": (numbers.decimals, 2),
    "change": (numbers.signed, 0),
    "points": (numbers.signed, 1),
    "monthly": (numbers.signed, 2),
    "gain": (numbers.fine, 2),
}
"""How each kind is written but rates and quantities, and with how many decimals."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, int or Fraction. `measure`: a column of the sums, or `numerator/denominator` of a rate, or the id
    of what has a unit; what is reckoned from it stands behind a colon. `industry`: empty is all. `tag`: of what it
    marks alone. `time`: a day, month, months or year. `kind` says how it is written; `goal`: what a rate is not to look
    like before it has reached it."""

    measure: str
    area: str
    industry: str
    time: str
    number: Any
    kind: str = "count"
    among: int | None = None
    goal: Fraction | None = None
    tag: str = ""

    def text(self, lang: str) -> str:
        """As people read it; a dash where nobody knows."""
        if self.kind == "rate":
            return numbers.rate(self.number, self.among, self.goal)
        if self.kind == "quantity":
            return numbers.quantity(self.number, lang)
        write, places = _WRITTEN[self.kind]
        return write(self.number, places)

    @property
    def listed(self) -> str:
        """The path of the list of the devices, or enterprises, that it counts; empty: there is none."""
        return (
            "/equipment"
            if self.measure in MEASURES
            else "/enterprises"
            if self.measure in ENTERPRISES
            else ""
        )

    @property
    def value(self) -> Fraction | None:
        """Exactly; a rate in percent."""
        if self.number is None or self.among == 0:
            return None
        return Fraction(100 * self.number, self.among or 1) if self.kind == "rate" else Fraction(self.number)

    @property
    def drawn(self) -> float | int | None:
        """As a chart draws it: a rate as it is written."""
        if self.value is None:
            return None
        if self.kind == "rate":
            return float(numbers.percent(self.number, self.among, self.goal))
        return int(self.value) if self.kind == "count" else float(self.value)

    @property
    def width(self) -> str:
        """Of a bar, in percent; empty where nobody knows."""
        return numbers.share(self.number, self.among)


def place(area: str, tag: str) -> str:
    """Where something counts, as numbers name it; of what a tag marks with that."""
    return f"{area}@{tag}" if tag else area


def shown(of: Figure, lang: str) -> Markup:
    """A number with its mark; what nobody knows is a dash without one."""
    text = of.text(lang)
    if text == numbers.NONE:
        return escape(text)
    value = f"{of.number}/{of.among}" if of.kind == "rate" else str(of.number)
    named = escape(f"{of.measure} {place(of.area, of.tag)} {of.industry or '*'} {of.time}")
    return Markup(f'<data value="{value}" data-number="{named}">{escape(text)}</data>')  # noqa: S704 - escaped


def _gap(item: Indicator) -> Fraction | int | None:
    """Between a number and its target; of a rate below that as far as what is shown, so that both add up."""
    if item.goal is None or item.value is None:
        return None
    gap = abs(item.goal - item.value)
    if item.definition.kind != "rate":
        return ceil(gap) if item.definition.kind == "count" else gap
    if item.status == "above":
        return Fraction(ceil(10 * gap), 10)
    read = Fraction(numbers.percent(item.checked, item.denominator, item.goal))
    return Fraction(ceil(10 * (item.goal - read)), 10)


def _since(item: Indicator) -> Fraction | None:
    if item.target is None or item.target.baseline is None or item.value is None:
        return None
    return item.value - Fraction(item.target.baseline)


_RECKONED: Mapping[str, tuple[Reckoned, str, str]] = {
    "6-months": (lambda item: item.change, "points", "change"),
    "gap": (_gap, "tenths", "count"),
    "baseline": (_since, "points", "change"),
    "fell": (lambda item: -item.pace.change if item.pace else None, "tenths", "tenths"),
    "rose": (lambda item: item.pace.change if item.pace else None, "tenths", "tenths"),
    "pace": (lambda item: item.pace.per_month if item.pace else None, "monthly", "points"),
    "ahead": (lambda item: item.pace.ahead if item.pace else None, "tenths", "count"),
    "needed": (lambda item: item.pace.needed if item.pace else None, "monthly", "points"),
}
"""What is reckoned of an indicator, and how that of a rate and of anything else is written: what it moved over six
months, misses of its target, moved since the baseline of that, lost or gained over the months of its pace, makes a
month, and would have to make."""
_FINER: Mapping[str, Mapping[str, str]] = {
    "quantity": {"count": "quantity"},
    "intensity": {"count": "intensity", "tenths": "intensity", "change": "gain", "points": "gain"},
}
"""How that of a quantity or an intensity is written."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of a place in an industry as of a day; `tag`: of what it marks."""

    day: date
    area: str = ""
    industry: str = ALL
    tag: str = ""
    published: bool = False
    """As they were published: each is another number than what the same comes to today."""

    def at(self, time: str = "") -> str:
        """A time, or the day."""
        return f"{time or self.day}{':published' if self.published else ''}"

    def count(self, measure: str, number: Any, kind: str = "count", **other: Any) -> Figure:
        """Of the place as of the day; `other`: another place, another time, or what a rate has more."""
        here = {"area": self.area, "industry": self.industry, "time": self.at(), "tag": self.tag}
        return Figure(measure, number=number, kind=kind, **here | other)

    def trend(
        self, history: Mapping[str, Mapping[str, Any]], measure: str, among: str = "", goal: Any = None
    ) -> list[Figure]:
        """A count of the place by month or day, or its rate among another."""
        name, kind = (f"{measure}/{among}", "rate") if among else (measure, "count")
        return [
            self.count(name, row.get(measure), kind, time=time, among=row.get(among), goal=goal)
            for time, row in history.items()
        ]

    def of(self, item: Indicator, level: str = "checked") -> Figure:
        """What an indicator comes to."""
        kind, number = item.definition.kind, getattr(item, level)
        here = (self.measure(item, level), item.area, item.industry, self.time(item))
        if kind == "rate":
            return Figure(*here, number, kind, item.denominator, item.goal, self.tag)
        if item.definition.unit == "%":
            # Of a limit: rounded up, what is above it never reads as if it were not.
            above = None if item.value is None else Fraction(ceil(10 * item.value), 10)
            return Figure(*here, above, "tenths", tag=self.tag)
        return Figure(*here, number if kind == "count" else item.value, kind, tag=self.tag)

    def time(self, item: Indicator) -> str:
        """Of what an indicator is; of a month until when."""
        runs = item.period and item.definition.kind == "rate"
        return self.at(f"{item.period}..{self.day}" if runs else item.period)

    def measure(self, item: Indicator, level: str = "checked") -> str:
        """Of what an indicator counts."""
        of = item.definition
        if of.kind in ("quantity", "intensity"):
            return of.id
        column = of.measures[list(LEVELS).index(level)]
        return f"{column}/{of.among}" if of.kind == "rate" else column

    def parts(self, item: Indicator, level: str = "checked") -> list[Figure]:
        """Numerator and denominator of a rate; nothing where they are times."""
        if item.definition.unit != "%" or item.period or getattr(item, level) is None or not item.denominator:
            return []
        found = (getattr(item, level), item.denominator)
        return self._named(item, self.measure(item, level).split("/"), found, self.at())

    def behind(self, item: Indicator) -> list[Figure]:
        """m of N: enterprises, or of a quantity the months of declared carriers; N is missing where nobody said it."""
        of = item.definition
        if item.behind is None:
            names = (f"{of.id}:covered", f"{of.id}:declared")
            return self._named(item, names, item.completeness or (None, None), self.at(item.period))
        time = self.at(item.period if of.kind == "intensity" else "")
        return self._named(item, (of.behind, of.of or "population"), (item.behind, item.of), time)

    def share(self, of: Sequence[Figure]) -> Figure:
        """m of N as a rate."""
        m, n = of
        return replace(m, measure=f"{m.measure}/{n.measure}", kind="rate", among=n.number)

    def then(self, item: Indicator) -> Figure:
        """What it came to at its deadline that has passed, as the page of that day has it."""
        of = item.passed
        kind, number = item.definition.kind, of.checked if of else None
        end = "" if of is None else of.period if kind == "intensity" else f"{periods.span(of.period)[1]}"
        here = (self.measure(item), item.area, item.industry, end)
        if kind == "rate":
            return Figure(*here, number, kind, of.denominator if of else None, item.goal, self.tag)
        if of is not None and kind != "count":
            return Figure(*here, value(item.definition, number, of.denominator), kind, tag=self.tag)
        return Figure(*here, number, tag=self.tag)

    def place(self, item: Indicator) -> str:
        """Where an indicator counts."""
        return place(item.area, self.tag)

    def reckoned(self, item: Indicator, name: str) -> Figure:
        """What is reckoned of an indicator."""
        number, rate, other = _RECKONED[name]
        kind = (
            rate if item.definition.kind == "rate" else _FINER.get(item.definition.kind, {}).get(other, other)
        )
        here = (f"{self.measure(item)}:{name}", item.area, item.industry, self.at())
        return Figure(*here, number(item), kind, tag=self.tag)

    def _named(
        self, item: Indicator, names: Iterable[str], found: Iterable[int | None], time: str
    ) -> list[Figure]:
        here = (item.area, item.industry, time)
        return [Figure(name, *here, number, tag=self.tag) for name, number in zip(names, found, strict=True)]
