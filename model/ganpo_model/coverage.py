"""CNC coverage and its relatives: counts over one denominator, at an instant (metrics.md section 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from fractions import Fraction

IN_SERVICE = ("in_use", "under_repair")
LONGEST_IDLE_MONTHS = 12


class Evidence(IntEnum):
    """How well it is known that a flag holds: the plant says so, a person checked it, the machine itself shows it."""

    CLAIMED = 1
    DOCUMENT = 2
    CONTROLLER = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """One production unit in service at the instant. `flags`: those that hold, with their strongest evidence."""

    enterprise: str
    flags: Mapping[str, Evidence]
    networked: bool = False
    cloud: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """Three counts over one denominator: declared holds all, checked what a document or the machine proves, proven what
    the machine itself proves. Rates are rolled up by adding counts, never rates."""

    denominator: int
    declared: int
    checked: int
    proven: int

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.denominator + other.denominator,
            self.declared + other.declared,
            self.checked + other.checked,
            self.proven + other.proven,
        )


NOTHING = Count(0, 0, 0, 0)


def in_service(status: str, since: date, day: date) -> bool:
    """Whether equipment of this status counts on a day: in use, under repair, or idle for at most 12 months."""
    if status == "idle":
        months = (day.year - since.year) * 12 + day.month - since.month - (day.day < since.day)
        return months < LONGEST_IDLE_MONTHS or (months == LONGEST_IDLE_MONTHS and day.day == since.day)
    return status in IN_SERVICE


def flagged(units: Iterable[Unit], flag: str, among: str | None = None) -> Count:
    """Units with a flag among those with another; `among` None: among all."""
    found = [unit.flags.get(flag, 0) for unit in units if among is None or among in unit.flags]
    return Count(len(found), *(sum(level >= least for level in found) for least in Evidence))


def connected(units: Iterable[Unit], *, cloud: bool = False, among: str | None = None) -> Count:
    """Units on the network, or in the cloud: observed, so declared, checked and proven alike."""
    found = [
        unit.cloud if cloud else unit.networked for unit in units if among is None or among in unit.flags
    ]
    return Count(len(found), sum(found), sum(found), sum(found))


def reaches(numerator: int, denominator: int | None, comparator: str, value: Fraction) -> bool:
    """Whether a count (no denominator), or a rate in percent, is what a target asks for. Exact: 59.96 % is not 60."""
    left = Fraction(numerator) if denominator is None else Fraction(100 * numerator, denominator)
    return {
        ">=": left >= value,
        ">": left > value,
        "<=": left <= value,
        "<": left < value,
        "=": left == value,
    }[comparator]


def percent(numerator: int, denominator: int) -> str:
    """One decimal, rounded down: 59.96 % reads 59.9. Raises ZeroDivisionError where nothing is counted."""
    tenths = 1000 * numerator // denominator
    return f"{tenths // 10}.{tenths % 10}"
