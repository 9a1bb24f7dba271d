"""Energy in tonnes of coal equivalent: quantities by carrier times dated coefficients (metrics.md section 5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

WATER = "water_fresh"
SIGNS = {"boundary_in": 1, "generation": 1, "boundary_out": -1}
"""What a meter of this role adds to its enterprise; every other role is analysis and adds nothing."""
EXPORT = "energy_export"
"""This signal of a meter runs the other way."""


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
    def carriers(self) -> set[str]:
        """Every carrier that is energy."""
        return set(self._rows)


def sign(role: str, signal: str) -> int:
    """What a register of this signal, at a meter of this role, adds to its enterprise: 1, -1 or 0."""
    if signal == EXPORT:
        return -1 if role == "boundary_in" else 0
    return SIGNS.get(role, 0)
