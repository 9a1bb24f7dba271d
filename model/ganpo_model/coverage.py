"""CNC coverage and its relatives: what one production unit counts for at an instant (metrics.md section 6).

A measure is declared here and nowhere else.
"""

import operator
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from fractions import Fraction
from typing import Literal, TypeVar

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

    `networked`, `cloud`: the dates are set; `age`: of its last Good value, None where there was none. `named`: 0 in the
    ledger alone, 1 a gateway names it and has no connection to it, 2 a gateway is to observe it.
    """

    main: int = 0
    numerical_control: int = 0
    digital: int = 0
    intelligent: int = 0
    in_service: bool = True
    retired: bool = False
    banned: bool = False
    networked: bool = False
    cloud: bool = False
    age: Age | None = None
    named: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of a unit is one of some plain values. `text`: as definitions say it."""

    field: str
    among: tuple[bool | int | str | None, ...]
    text: str


Place = Literal["now", "ever", "beside", "there"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted of devices: those of which every condition holds. Sums, lists, words and places are read off it.

    `word`: for people. `rung`: where it stands on the ladder of devices, as those that are there `now`, or `ever` were,
    or that stop `there`; or under this word `beside` it. `reason`: what `why` says of those it counts, and what stops
    them; of most measures none.
    """

    word: str
    of: tuple[Condition, ...]
    rung: str = ""
    place: Place = "now"
    reason: str = ""

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
BANNED, ALLOWED = Condition("banned", (True,), "banned"), Condition("banned", (False,), "not banned")
HERE = Condition("age", (None, *(age.value for age in Age if age is not Age.GONE)), "not gone")
ACTIVE, SILENT, GONE = (
    Condition("age", (age.value,), age.value) for age in (Age.ACTIVE, Age.SILENT, Age.GONE)
)
SEEN = Condition("age", (Age.ACTIVE.value, Age.SEEN.value), "not silent")
MAIN, DIGITAL = at_least("main"), at_least("digital")
AWAY = Condition("age", (None, Age.GONE.value), "never seen or gone")
HALTING = Condition("age", (Age.SEEN.value, Age.SILENT.value), "seen and not active")
SELDOM = Condition("age", (Age.SEEN.value,), "seen")
UNUSED = Condition("in_service", (False,), "not in service")
UNSEEN, UNSTORED = Condition("networked", (False,), "never seen"), Condition("cloud", (False,), "not stored")
LISTED, UNCONNECTED, CONNECTED = (
    Condition("named", (level,), text)
    for level, text in enumerate(("no gateway names it", "without a connection", "connected"))
)
STANDING = (KEPT, ALLOWED)
"""What is on the ladder at all."""


def _levels(name: str, word: str, flag: str, *others: Condition) -> dict[str, Measure]:
    return {
        f"{name}_{level}": Measure(f"{word} {level}", (*others, at_least(flag, least), IN_SERVICE))
        for level, least in LEVELS.items()
    }


def _only_claimed(name: str, word: str, flag: str, *others: Condition) -> dict[str, Measure]:
    """Those between the declared and the checked count."""
    claimed = Condition(flag, (int(Evidence.CLAIMED),), f"{flag} only claimed")
    code = "claimed" if flag == "numerical_control" else f"claimed_{flag}"
    return {f"{name}_claimed": Measure(word, (*others, claimed, IN_SERVICE), reason=code)}


def _stops(rung: str, name: str, word: str, reason: str, *of: Condition) -> dict[str, Measure]:
    """Those on a rung and not on the next, by what stops them: each device of them has one reason."""
    return {f"stops_{name}": Measure(word, (*STANDING, *of), rung, "there", reason)}


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
    "now_registered": Measure("registered", (KEPT, ALLOWED), "registered"),
    "ever_networked": Measure("ever on the network", (NETWORKED,), "on the network", "ever"),
    "now_networked": Measure("on the network", (NETWORKED, KEPT, ALLOWED, HERE), "on the network"),
    "ever_cloud": Measure("ever in the cloud", (CLOUD,), "in the cloud", "ever"),
    "now_cloud": Measure("in the cloud", (CLOUD, KEPT, ALLOWED, HERE), "in the cloud"),
    "now_seen": Measure("in the cloud and not silent", (CLOUD, KEPT, ALLOWED, SEEN)),
    "now_active": Measure("active", (CLOUD, KEPT, ALLOWED, ACTIVE), "active"),
    "silent": Measure("silent", (CLOUD, KEPT, ALLOWED, SILENT), "silent, still counted", "beside"),
    "gone": Measure("long offline", (CLOUD, KEPT, ALLOWED, GONE), "long offline", "beside"),
    "retired": Measure("retired", (RETIRED,), "retired", "beside"),
    "banned": Measure("banned", (BANNED,), "banned", "beside"),
    **_only_claimed("nc", "main equipment, numerical control only claimed", "numerical_control", MAIN),
    **_only_claimed("intelligent", "intelligent, only claimed", "intelligent"),
    **_only_claimed("digital", "digital, only claimed", "digital"),
    **_stops("registered", "unused", "out of service", "status", UNUSED, AWAY),
    **_stops("registered", "listed", "in the ledger only", "ledger", IN_SERVICE, UNSEEN, LISTED),
    **_stops(
        "registered",
        "unconnected",
        "without a connection",
        "connection",
        IN_SERVICE,
        UNSEEN,
        UNCONNECTED,
    ),
    **_stops("registered", "unseen", "connected, nothing Good yet", "silent", IN_SERVICE, UNSEEN, CONNECTED),
    **_stops("registered", "gone", "offline for 90 days", "gone", IN_SERVICE, NETWORKED, GONE),
    **_stops("on the network", "underway", "seen, not yet stored", "transit", NETWORKED, UNSTORED, HERE),
    **_stops("in the cloud", "resting", "out of service and seen", "status", CLOUD, UNUSED, HALTING),
    **_stops("in the cloud", "silent", "in service, silent", "quiet", NETWORKED, CLOUD, IN_SERVICE, SILENT),
    **_stops("in the cloud", "seldom", "seen, not active", "seldom", NETWORKED, CLOUD, IN_SERVICE, SELDOM),
}
"""By name. Rates are sums of these over sums of these, never means of rates."""


@dataclass(frozen=True, slots=True)
class Firms:
    """What is counted of enterprises: those with a device that the measure `devices` counts, of a branch its legal
    person; None: whatever they have; and with none that one of `without` counts. `rung`, `place`, `reason`: as of a
    measure."""

    devices: str | None
    rung: str = ""
    place: Place = "now"
    reason: str = ""
    without: tuple[str, ...] = ()

    def counts(self, reached: Container[str]) -> bool:
        """Whether it counts an enterprise of whose devices these measures count some."""
        has = self.devices is None or self.devices in reached
        return has and not any(measure in reached for measure in self.without)


Counted = TypeVar("Counted", Measure, Firms)


def stops(measures: Mapping[str, Counted], rung: str) -> dict[str, Counted]:
    """What is counted of those that stop on a rung, by reason. Of devices a later one came further."""
    return {name: of for name, of in measures.items() if of.place == "there" and of.rung == rung}


def _firms_stop(rung: str, beyond: str) -> dict[str, Firms]:
    """Those on a rung and not on the next: an enterprise stops where that one of its devices stops that came furthest,
    of several reasons of a rung by the one declared last."""
    found: dict[str, Firms] = {}
    without: tuple[str, ...] = (beyond,)
    for name, cause in reversed(stops(MEASURES, rung).items()):
        found[f"enterprises_{name}"] = Firms(name, rung, "there", cause.reason, without)
        without = (*without, name)
    return found


ENTERPRISES: Mapping[str, Firms] = {
    "enterprises": Firms(None, "registered"),
    "enterprises_above_scale": Firms(None),
    "enterprises_with_main": Firms("main"),
    "enterprises_ever_networked": Firms("ever_networked", "on the network", "ever"),
    "enterprises_networked": Firms("now_networked", "on the network"),
    "enterprises_ever_cloud": Firms("ever_cloud", "in the cloud", "ever"),
    "enterprises_cloud": Firms("now_cloud", "in the cloud"),
    "enterprises_silent": Firms("silent", without=("now_seen",)),
    "enterprises_active": Firms("now_active", "active"),
    **_firms_stop("registered", "now_networked"),
    "enterprises_stops_empty": Firms(
        None, "registered", "there", "empty", ("now_networked", "now_registered")
    ),
    **_firms_stop("on the network", "now_cloud"),
    **_firms_stop("in the cloud", "now_active"),
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


_COMPARED = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
}


def reaches(found: Fraction, comparator: str, wanted: Fraction) -> bool:
    """Whether a number is what a target asks for. Exact: 59.96 % is not 60."""
    return bool(_COMPARED[comparator](found, wanted))


def percent(numerator: int, denominator: int, target: Fraction | None = None) -> str:
    """One decimal, rounded half up: 2 of 3 read 66.7; but down where that would read as more than there is: below the
    target (in percent; 59.96 % of 60 read 59.9) and below the whole (99.96 % read 99.9). Raises ZeroDivisionError where
    nothing is counted."""
    exact = Fraction(1000 * numerator, denominator)
    tenths = int(exact + Fraction(1, 2))
    if (target is not None and exact < 10 * target) or exact < 1000 <= tenths:
        tenths = int(exact)
    return f"{tenths // 10}.{tenths % 10}"
