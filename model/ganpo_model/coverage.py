"""CNC coverage and its relatives: what one production unit counts for at an instant (metrics.md section 6).

A measure is declared here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from fractions import Fraction
from typing import Literal

from ganpo_model.activity import Age

_COUNTING = ("in_use", "under_repair")
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


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of a unit is one of some plain values. `text`: as definitions say it."""

    field: str
    among: tuple[bool | int | str | None, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted of devices: those of which every condition holds. Sums, lists, words and places are read off it.

    `word`: for people. `rung`: where it stands on the ladder of devices, as those that are there `now`, or `ever` were;
    or under this word `beside` it.
    """

    word: str
    of: tuple[Condition, ...]
    rung: str = ""
    place: Literal["now", "ever", "beside"] = "now"

    def counts(self, unit: Unit) -> bool:
        """Whether it counts a unit."""
        return all(getattr(unit, condition.field) in condition.among for condition in self.of)

    @property
    def text(self) -> str:
        """What is counted, as definitions say it."""
        return " and ".join(condition.text for condition in self.of)


def at_least(flag: str, least: Evidence = Evidence.CLAIMED) -> Condition:
    """A flag holds, and that is known at least so well."""
    return Condition(flag, tuple(int(level) for level in Evidence if level >= least), flag)


LEVELS: Mapping[str, Evidence] = dict(zip(("declared", "checked", "proven"), list(Evidence)[1:], strict=True))
"""Counts of one flag over one denominator, each with the least evidence that it asks for."""
IN_SERVICE = Condition("in_service", (True,), "in service")
NETWORKED = Condition("networked", (True,), "networked_at set")
CLOUD = Condition("cloud", (True,), "cloud_at set")
RETIRED = Condition("retired", (True,), "retired")
KEPT = Condition("retired", (False,), "not retired")
HERE = Condition("age", (None, *(age.value for age in Age if age is not Age.GONE)), "not gone")
ACTIVE, SILENT, GONE = (
    Condition("age", (age.value,), age.value) for age in (Age.ACTIVE, Age.SILENT, Age.GONE)
)
MAIN, DIGITAL = at_least("main"), at_least("digital")


def _levels(name: str, word: str, flag: str, *others: Condition) -> dict[str, Measure]:
    return {
        f"{name}_{level}": Measure(f"{word} {level}", (*others, at_least(flag, least), IN_SERVICE))
        for level, least in LEVELS.items()
    }


MEASURES: Mapping[str, Measure] = {
    "units": Measure("in service", (IN_SERVICE,)),
    "main": Measure("main equipment", (MAIN, IN_SERVICE)),
    **_levels("nc", "main equipment, numerical control", "numerical_control", MAIN),
    **_levels("intelligent", "intelligent,", "intelligent"),
    **_levels("digital", "digital,", "digital"),
    "networked": Measure("in service and on the network", (NETWORKED, IN_SERVICE, HERE)),
    "digital_networked": Measure("digital and on the network", (DIGITAL, NETWORKED, IN_SERVICE, HERE)),
    "cloud": Measure("in service and in the cloud", (CLOUD, IN_SERVICE, HERE)),
    "active": Measure("in service and active", (CLOUD, IN_SERVICE, ACTIVE)),
    "ever_registered": Measure("ever registered", (), "registered", "ever"),
    "now_registered": Measure("registered", (KEPT,), "registered"),
    "ever_networked": Measure("ever on the network", (NETWORKED,), "on the network", "ever"),
    "now_networked": Measure("on the network", (NETWORKED, KEPT, HERE), "on the network"),
    "ever_cloud": Measure("ever in the cloud", (CLOUD,), "in the cloud", "ever"),
    "now_cloud": Measure("in the cloud", (CLOUD, KEPT, HERE), "in the cloud"),
    "now_active": Measure("active", (CLOUD, KEPT, ACTIVE), "active"),
    "silent": Measure("silent", (CLOUD, KEPT, SILENT), "silent, still counted", "beside"),
    "gone": Measure("long offline", (CLOUD, KEPT, GONE), "long offline", "beside"),
    "retired": Measure("retired", (RETIRED,), "retired", "beside"),
}
"""By name. Rates are sums of these over sums of these, never means of rates."""


@dataclass(frozen=True, slots=True)
class Firms:
    """What is counted of enterprises: those with a device that the measure `devices` counts, of a branch its legal
    person; None: whatever they have. `rung`, `place`: as of a measure."""

    devices: str | None
    rung: str = ""
    place: Literal["now", "ever"] = "now"


ENTERPRISES: Mapping[str, Firms] = {
    "enterprises": Firms(None, "registered"),
    "enterprises_above_scale": Firms(None),
    "enterprises_with_main": Firms("main"),
    "enterprises_ever_networked": Firms("ever_networked", "on the network", "ever"),
    "enterprises_networked": Firms("now_networked", "on the network"),
    "enterprises_ever_cloud": Firms("ever_cloud", "in the cloud", "ever"),
    "enterprises_cloud": Firms("now_cloud", "in the cloud"),
    "enterprises_active": Firms("now_active", "active"),
}
"""Counts of enterprises, each in the county of its statistical home."""


def ladder(measures: Mapping[str, Measure | Firms]) -> list[tuple[str, str, str | None]]:
    """The rungs of a ladder: the word of each, what counts those that are there now, and who ever were."""
    ever = {of.rung: name for name, of in measures.items() if of.place == "ever"}
    now = [(of.rung, name) for name, of in measures.items() if of.rung and of.place == "now"]
    return [(rung, name, ever.get(rung)) for rung, name in now]


def count(units: Iterable[Unit], measure: str) -> int:
    """How many units a measure counts."""
    return sum(MEASURES[measure].counts(unit) for unit in units)


def in_service(status: str, since: date, day: date) -> bool:
    """Whether equipment of this status counts on a day: in use, under repair, or idle for at most 12 months."""
    if status == "idle":
        return day <= months_later(since, LONGEST_IDLE_MONTHS)
    return status in _COUNTING


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
