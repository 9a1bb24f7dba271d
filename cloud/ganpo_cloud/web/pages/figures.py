"""Numbers that say what they are. Every number of the official's pages is printed here, and beside it stands, for a
machine to read, what it counts, where and when: whoever names the same has to say the same."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from markupsafe import Markup, escape

from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.web.pages import numbers
from ganpo_model.coverage import MEASURES, percent

_SIGNED = {"change": 0, "points": 1, "monthly": 2}
_PLACES = {"tenths": 1, "intensity": 5}
"""Decimals of what is written with a sign, and without."""
_MARK = Markup('<data value="{}" data-number="{} {} {} {}">{}</data>')


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `measure`: a column of the sums, or `numerator/denominator` of a rate, or the id of what has a unit;
    what is reckoned from it stands behind a colon. `industry`: empty is all. `time`: a day, month, months or year.
    `kind` says how it is written; `goal`: what a rate is not to look like before it has reached it."""

    measure: str
    area: str
    industry: str
    time: str
    number: Fraction | int | None
    kind: str = "count"
    among: int | None = None
    goal: Fraction | None = None

    def text(self, lang: str) -> str:
        """As people read it; a dash where nobody knows."""
        if self.kind == "rate":
            return numbers.rate(self._whole, self.among, self.goal)
        if self.kind == "quantity":
            return numbers.quantity(self.number, lang)
        if self.kind in _SIGNED:
            return numbers.signed(self.number, _SIGNED[self.kind])
        if self.kind in _PLACES:
            return numbers.decimals(self.number, _PLACES[self.kind])
        return numbers.count(self._whole)

    @property
    def listed(self) -> bool:
        """Whether there is a list of the devices that it counts."""
        return self.measure in MEASURES

    @property
    def drawn(self) -> float | int | None:
        """As a chart draws it: a rate as it is written."""
        if self.number is None or self.among == 0:
            return None
        if self.kind == "rate" and self.among is not None:
            return float(percent(int(self.number), self.among, self.goal))
        return int(self.number) if self.kind == "count" else float(self.number)

    @property
    def width(self) -> str:
        """Of a bar, in percent; empty where nobody knows."""
        return numbers.share(self._whole, self.among)

    @property
    def _whole(self) -> int | None:
        return None if self.number is None else int(self.number)


def shown(of: Figure, lang: str) -> Markup:
    """A number with its mark; what nobody knows is a dash without one."""
    text = of.text(lang)
    if text == numbers.NONE:
        return escape(text)
    value = f"{of.number}/{of.among}" if of.kind == "rate" else str(of.number)
    return _MARK.format(value, of.measure, of.area, of.industry or "*", of.time, text)


class Figures:
    """The numbers of a snapshot, as of its last `day`."""

    def __init__(self, day: date) -> None:
        self.day = day.isoformat()

    def count(
        self, measure: str, area: str, industry: str, number: int | None, kind: str = "count"
    ) -> Figure:
        """A count as of the day."""
        return Figure(measure, area, industry, self.day, number, kind)

    def of(self, item: Indicator, level: str = "checked") -> Figure:
        """What an indicator comes to."""
        number: int | None = getattr(item, level)
        kind = item.definition.kind
        here = (self.measure(item, level), item.area, item.industry, self.time(item))
        if kind == "rate":
            return Figure(*here, number, "rate", item.denominator, item.goal)
        if kind == "quantity":
            return Figure(*here, None if number is None else Fraction(number, 10**6), "quantity")
        return Figure(*here, item.value, "intensity") if kind == "intensity" else Figure(*here, number)

    def time(self, item: Indicator) -> str:
        """Of what an indicator is; of a month until when."""
        if not item.period:
            return self.day
        return f"{item.period}..{self.day}" if item.definition.kind == "rate" else item.period

    def measure(self, item: Indicator, level: str = "checked") -> str:
        """Of what an indicator counts."""
        of = item.definition
        if of.kind in ("quantity", "intensity"):
            return of.id
        column = of.measures[("declared", "checked", "proven").index(level)]
        return f"{column}/{of.among}" if of.kind == "rate" else column

    def parts(self, item: Indicator, level: str = "checked") -> list[Figure]:
        """Numerator and denominator of a rate; nothing where they are times."""
        of = item.definition
        number = getattr(item, level)
        if of.kind != "rate" or of.unit != "%" or item.period or number is None or not item.denominator:
            return []
        named = zip(self.measure(item, level).split("/"), (number, item.denominator), strict=True)
        return [Figure(name, item.area, item.industry, self.day, value) for name, value in named]

    def behind(self, item: Indicator) -> list[Figure]:
        """m of N: enterprises, or of a quantity the months of declared carriers; N is missing where nobody said it."""
        of, kind = item.definition, item.definition.kind
        found: tuple[int | None, int | None]
        if item.behind is None:
            names = (f"{of.id}:covered", f"{of.id}:declared")
            found, time = item.completeness or (None, None), item.period
        else:
            names, found = (of.behind, of.of or "population"), (item.behind, item.of)
            time = item.period if kind == "intensity" else self.day
        return [Figure(n, item.area, item.industry, time, v) for n, v in zip(names, found, strict=True)]

    def share(self, of: list[Figure]) -> Figure:
        """m of N as a rate."""
        m, whole = of
        among = None if whole.number is None else int(whole.number)
        return Figure(f"{m.measure}/{whole.measure}", m.area, m.industry, m.time, m.number, "rate", among)

    def moved(self, item: Indicator) -> Figure:
        """What it moved over six months."""
        return self._from(
            item, "6-months", item.change, "points" if item.definition.kind == "rate" else "change"
        )

    def gap(self, item: Indicator) -> Figure:
        """How far it is from its target: of a rate as far as what is shown, so that both add up."""
        if (
            item.definition.kind != "rate"
            or item.goal is None
            or item.checked is None
            or not item.denominator
        ):
            short = None if item.goal is None or item.value is None else item.goal - item.value
            return self._from(item, "gap", short and -(-short // 1))
        shown = Fraction(numbers.percent(item.checked, item.denominator, item.goal))
        return self._from(item, "gap", Fraction(-(-10 * (item.goal - shown) // 1), 10), "tenths")

    def fell(self, item: Indicator) -> Figure:
        """What it lost over the months of its pace."""
        return self._from(item, "fell", None if item.pace is None else -item.pace.change, "tenths")

    def since(self, item: Indicator) -> Figure:
        """What it moved since the baseline of its target."""
        first = item.target.baseline if item.target is not None else None
        moved = None if first is None or item.value is None else item.value - Fraction(first)
        return self._from(item, "baseline", moved, "points" if item.definition.kind == "rate" else "change")

    def unknown(self, item: Indicator) -> Figure:
        """Of how many enterprises it knows nothing."""
        number = None if item.of is None else max(item.of - (item.behind or 0), 0)
        measure = f"{item.definition.of or 'population'}-{item.definition.behind}"
        return Figure(measure, item.area, item.industry, self.day, number)

    def per_month(self, item: Indicator, name: str) -> Figure:
        """A month of the pace: as it is (`pace`) or as it would have to be (`needed`)."""
        number = None
        if item.pace is not None:
            number = item.pace.per_month if name == "pace" else item.pace.needed
        return self._from(item, name, number, "monthly" if item.definition.kind == "rate" else "points")

    def _from(self, item: Indicator, name: str, number: Fraction | int | None, kind: str = "count") -> Figure:
        return Figure(f"{self.measure(item)}:{name}", item.area, item.industry, self.day, number, kind)
