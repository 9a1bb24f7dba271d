"""Energy in tonnes of coal equivalent: quantities by carrier times dated coefficients (metrics.md section 5)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

WATER = "water_fresh"
SIGNS = {"boundary_in": 1, "generation": 1, "boundary_out": -1}
"""What a meter of this role adds to its enterprise; every other role is analysis and adds nothing."""
INSIDE = {
    "boundary_in": {"boundary_in", "boundary_out"},
    "boundary_out": {"boundary_out"},
    "generation": {"generation"},
}
"""What a meter of this role sees was seen before by one of these roles and of its carrier, wherever above it: it is a
sub-meter. What goes out below what comes in was not: it is subtracted."""
EXPORT = "energy_export"
"""This signal of a meter runs the other way."""


class InBalance(NamedTuple):
    """A meter's place in the balance of its carrier, as it was told."""

    carrier: str
    role: str
    parent: str | None


def inside(number: str, meters: Mapping[str, InBalance]) -> str | None:
    """The nearest meter above this one that has measured what it measures; None: it enters the total itself, or is
    analysis anyway. Meters in a circle end where it closes."""
    if (own := meters.get(number)) is None:
        return None
    seen, above = {number}, own.parent
    while above is not None and above in meters and above not in seen:
        if meters[above].carrier == own.carrier and meters[above].role in INSIDE.get(own.role, ()):
            return above
        seen.add(above)
        above = meters[above].parent
    return None


@dataclass(frozen=True, slots=True)
class Coefficient:
    """How much one unit of a carrier comes to from a day on, in kgce (equivalent value, 当量)."""

    carrier: str
    since: date
    kgce: Fraction
    source: str


class Coefficients:
    """Of each carrier the one in force on a day."""

    def __init__(self, rows: Iterable[Coefficient]) -> None:
        self._rows: dict[str, list[Coefficient]] = {}
        for row in sorted(rows, key=lambda row: row.since):
            self._rows.setdefault(row.carrier, []).append(row)

    def at(self, carrier: str, day: date) -> Coefficient | None:
        """None where the carrier has none: it is no energy, or has to be measured as something else."""
        return next((row for row in reversed(self._rows.get(carrier, ())) if row.since <= day), None)

    def tce(self, millionths: Mapping[str, int], day: date) -> Fraction:
        """Quantities in millionths of their units as tonnes of coal equivalent; without a coefficient nothing."""
        total = Fraction()
        for carrier, quantity in millionths.items():
            if (coefficient := self.at(carrier, day)) is not None:
                total += Fraction(quantity, 10**9) * coefficient.kgce
        return total

    @property
    def rows(self) -> Iterator[Coefficient]:
        """All there ever were."""
        return (row for rows in self._rows.values() for row in rows)

    @property
    def carriers(self) -> set[str]:
        """Every carrier that is energy."""
        return set(self._rows)


def sign(role: str, signal: str) -> int:
    """What a register of this signal, at a meter of this role, adds to its enterprise: 1, -1 or 0."""
    if signal == EXPORT:
        return -1 if role == "boundary_in" else 0
    return SIGNS.get(role, 0)
