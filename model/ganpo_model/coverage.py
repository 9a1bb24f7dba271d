"""CNC coverage and its relatives: what one production unit counts for at an instant (metrics.md section 6)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from fractions import Fraction

from ganpo_model.activity import Age

IN_SERVICE = ("in_use", "under_repair")
LONGEST_IDLE_MONTHS = 12


class Evidence(IntEnum):
    """How well it is known that a flag holds: the plant says so, a person checked it, the machine itself shows it."""

    NONE = 0
    CLAIMED = 1
    DOCUMENT = 2
    CONTROLLER = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """One production unit at an instant: for each flag how well it is known to hold, and how far it has come.

    `networked`, `cloud`: the dates are set; `age`: of its last Good value, None where there was none.
    """

    main: int = 0
    numerical_control: int = 0
    digital: int = 0
    intelligent: int = 0
    in_service: bool = True
    retired: bool = False
    networked: bool = False
    cloud: bool = False
    age: Age | None = None

    @property
    def here(self) -> bool:
        """Neither retired nor gone: it stands in current counts."""
        return not self.retired and self.age is not Age.GONE


def _shown(flag: str, least: Evidence, *, among: str | None = None) -> Callable[[Unit], bool]:
    def holds(unit: Unit) -> bool:
        return (
            unit.in_service and getattr(unit, flag) >= least and (among is None or getattr(unit, among) > 0)
        )

    return holds


MEASURES: Mapping[str, Callable[[Unit], bool]] = {
    "units": lambda unit: unit.in_service,
    "main": lambda unit: unit.in_service and unit.main > 0,
    "nc_declared": _shown("numerical_control", Evidence.CLAIMED, among="main"),
    "nc_checked": _shown("numerical_control", Evidence.DOCUMENT, among="main"),
    "nc_proven": _shown("numerical_control", Evidence.CONTROLLER, among="main"),
    "intelligent_declared": _shown("intelligent", Evidence.CLAIMED),
    "intelligent_checked": _shown("intelligent", Evidence.DOCUMENT),
    "intelligent_proven": _shown("intelligent", Evidence.CONTROLLER),
    "digital_declared": _shown("digital", Evidence.CLAIMED),
    "digital_checked": _shown("digital", Evidence.DOCUMENT),
    "digital_proven": _shown("digital", Evidence.CONTROLLER),
    "networked": lambda unit: unit.in_service and unit.networked and unit.here,
    "digital_networked": lambda unit: unit.in_service and unit.digital > 0 and unit.networked and unit.here,
    "cloud": lambda unit: unit.in_service and unit.cloud and unit.here,
    "active": lambda unit: unit.in_service and unit.cloud and unit.age is Age.ACTIVE,
    "ever_registered": lambda unit: True,
    "now_registered": lambda unit: not unit.retired,
    "ever_networked": lambda unit: unit.networked,
    "now_networked": lambda unit: unit.networked and unit.here,
    "ever_cloud": lambda unit: unit.cloud,
    "now_cloud": lambda unit: unit.cloud and unit.here,
    "now_active": lambda unit: unit.cloud and not unit.retired and unit.age is Age.ACTIVE,
    "silent": lambda unit: unit.cloud and not unit.retired and unit.age is Age.SILENT,
    "gone": lambda unit: unit.cloud and not unit.retired and unit.age is Age.GONE,
    "retired": lambda unit: unit.retired,
}
"""What one unit adds to each count. Rates are sums of these over sums of these, never means of rates."""


def count(units: Iterable[Unit], measure: str) -> int:
    """How many units a measure counts."""
    counts = MEASURES[measure]
    return sum(counts(unit) for unit in units)


def in_service(status: str, since: date, day: date) -> bool:
    """Whether equipment of this status counts on a day: in use, under repair, or idle for at most 12 months."""
    if status == "idle":
        return day <= months_later(since, LONGEST_IDLE_MONTHS)
    return status in IN_SERVICE


def months_later(day: date, months: int) -> date:
    """The same day some months later; where that month is shorter, the first of the next."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        return date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)


def reaches(found: Fraction, comparator: str, wanted: Fraction) -> bool:
    """Whether a number is what a target asks for. Exact: 59.96 % is not 60."""
    return {
        ">=": found >= wanted,
        ">": found > wanted,
        "<=": found <= wanted,
        "<": found < wanted,
        "=": found == wanted,
    }[comparator]


def percent(numerator: int, denominator: int, target: Fraction | None = None) -> str:
    """One decimal, rounded half up: 2 of 3 read 66.7; but down where that would read as more than there is: below the
    target (in percent; 59.96 % of 60 read 59.9) and below the whole (99.96 % read 99.9). Raises ZeroDivisionError where
    nothing is counted."""
    exact = Fraction(1000 * numerator, denominator)
    tenths = int(exact + Fraction(1, 2))
    if (target is not None and exact < 10 * target) or exact < 1000 <= tenths:
        tenths = int(exact)
    return f"{tenths // 10}.{tenths % 10}"
