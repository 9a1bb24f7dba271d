"""Which places and industries can be compared, and in which order: by CNC coverage of main equipment (ui.md)."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from ganpo_cloud.province.indicators import Indicator

BY = "nc_rate_main"
PARTIAL = Fraction(3, 10)
"""Below so much of its enterprises in the ledger a place is not ranked."""
RANKED_FROM = 10
"""Of fewer main equipment a rate says nothing: one machine would be 100 %."""
SEEN = Fraction(1, 20)
"""Of a point: what is less reads as no change."""


def partial(nc: Indicator) -> bool:
    """So little of a place is in the ledger that its rate says nothing."""
    return bool(nc.of) and (nc.behind or 0) < PARTIAL * (nc.of or 0)


def ranked(nc: Indicator) -> bool:
    """Whether a place can be compared with the others."""
    return (nc.denominator or 0) >= RANKED_FROM and not partial(nc)


def falling(nc: Indicator) -> bool:
    """Whether a place lost what can be seen within six months."""
    return nc.change is not None and nc.change <= -SEEN


def rising(nc: Indicator) -> bool:
    """Whether a place gained what can be seen within six months."""
    return nc.change is not None and nc.change >= SEEN


def best_first(places: Iterable[Mapping[str, Indicator]]) -> list[Mapping[str, Indicator]]:
    """The indicators of places by id: what cannot be compared last."""

    def order(place: Mapping[str, Indicator]) -> tuple[bool, bool, Fraction, str, str]:
        nc = place[BY]
        return (not ranked(nc), nc.value is None, -(nc.value or Fraction(0)), nc.area, nc.industry)

    return sorted(places, key=order)
