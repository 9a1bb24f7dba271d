"""Specific consumption: what enterprises of one product take for a unit of it, and who leads (metrics.md).

Exact: amounts are integers or Fractions, in any one unit.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

RANKED_FROM = 5
"""Of fewer comparable enterprises the median is one of them: nobody is ranked."""
YEAR_MONTHS = 12
LEAST_OF_YEAR = 10
"""Months of a year with output; of a shorter period every month has to have some."""


@dataclass(frozen=True, slots=True)
class Making:
    """What an enterprise took and made. `output` is above 0."""

    who: Hashable
    taken: Fraction
    output: Fraction

    @property
    def specific(self) -> Fraction:
        """Taken per unit of output."""
        return self.taken / self.output


@dataclass(frozen=True, slots=True)
class Place:
    """Where an enterprise stands. `rank`: from 1, equal ones share it; `quarter`: 1 to 4 by the quartiles; `gap`: what
    it took above the median's specific consumption, of its own output; all None where nobody is ranked."""

    of: Making
    rank: int | None
    quarter: int | None
    gap: Fraction | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Enterprises of one product, the least specific consumption first. `quartiles`: by nearest rank; None below
    `RANKED_FROM`."""

    places: Sequence[Place]
    quartiles: tuple[Fraction, Fraction, Fraction] | None

    @property
    def gap(self) -> Fraction | None:
        """What all of them took above the median together."""
        gaps = [place.gap for place in self.places]
        return None if self.quartiles is None else sum((gap for gap in gaps if gap is not None), Fraction())


def enough_months(with_output: int, months: int) -> bool:
    """Whether an enterprise made enough of a product in a period of so many months."""
    return with_output >= (LEAST_OF_YEAR if months == YEAR_MONTHS else months) > 0


def nearest_rank(ordered: Sequence[Fraction], quarters: int) -> Fraction:
    """A quartile of ordered values: that of rank ceil(n x quarters / 4). Raises IndexError where there are none."""
    return ordered[-(-len(ordered) * quarters // 4) - 1]


def ranked(makings: Iterable[Making]) -> Ranking:
    """Who leads among enterprises of one product."""
    ordered = sorted(makings, key=lambda of: (of.specific, str(of.who)))
    values = [of.specific for of in ordered]
    if len(ordered) < RANKED_FROM:
        return Ranking([Place(of, None, None, None) for of in ordered], None)
    low, median, high = (nearest_rank(values, quarters) for quarters in (1, 2, 3))
    ranks: Mapping[Fraction, int] = {value: len(values) - n for n, value in enumerate(reversed(values))}
    return Ranking(
        [
            Place(
                of,
                ranks[of.specific],
                1 + sum(of.specific > quartile for quartile in (low, median, high)),
                max(Fraction(), of.specific - median) * of.output,
            )
            for of in ordered
        ],
        (low, median, high),
    )
