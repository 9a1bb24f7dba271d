"""Which places and industries can be compared, in which order, and at which step the devices of each stop (ui.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ganpo_cloud.province.indicators import Indicator

StepId = Literal[
    "not_nc", "only_claimed", "not_digital", "digital_only_claimed", "not_cloud",
    "listed", "unconnected", "unseen", "gone", "silent", "seldom",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """Devices that stop here: those that one measure counts, and another (none: empty) does not."""

    id: StepId
    measure: str
    without: str = ""


BY = "nc_rate_main"
PARTIAL = Fraction(3, 10)
"""Below so much of its enterprises in the ledger a place is not ranked."""
RANKED_FROM = 5
"""Of fewer main equipment a rate says nothing: one machine would be 100 %."""
SEEN = Fraction(1, 20)
"""Of a point: what is less reads as no change."""

_NETWORKED = (
    Step("listed", "stops_listed"),
    Step("unconnected", "stops_unconnected"),
    Step("unseen", "stops_unseen"),
    Step("gone", "stops_gone"),
)
STEPS: Mapping[str, tuple[Step, ...]] = {
    "nc_rate_main": (Step("not_nc", "main", "nc_declared"), Step("only_claimed", "nc_claimed")),
    "equip_digital_rate": (
        Step("not_digital", "units", "digital_declared"),
        Step("digital_only_claimed", "digital_claimed"),
    ),
    "equip_network_rate": _NETWORKED,
    "equip_cloud_rate": (*_NETWORKED, Step("not_cloud", "networked", "cloud")),
    "equip_active_rate": (Step("silent", "stops_silent"), Step("seldom", "stops_seldom")),
    "enterprise_onboarded": (),
    "equipment_onboarded": (),
    "intelligent_count": (),
    "availability": (),
    "completeness": (),
}
"""What places can be ranked by, and at which steps devices of its denominator stop on the way to its numerator: each
stops at one, so that the steps of a place add up to what it lacks."""


def partial(nc: Indicator) -> bool:
    """So little of a place is in the ledger that its rate says nothing."""
    return bool(nc.of) and (nc.behind or 0) < PARTIAL * (nc.of or 0)


def ranked(nc: Indicator) -> bool:
    """Whether a place can be compared with the others; a count can be where any device or enterprise is known."""
    return not small(nc) and not partial(nc)


def small(nc: Indicator) -> bool:
    """Whether so few stand behind its rate that it says nothing."""
    if nc.definition.among is None:
        return not nc.checked
    return (nc.denominator or 0) < RANKED_FROM


def falling(nc: Indicator) -> bool:
    """Whether a place lost what can be seen within six months."""
    return nc.change is not None and nc.change <= -SEEN


def rising(nc: Indicator) -> bool:
    """Whether a place gained what can be seen within six months."""
    return nc.change is not None and nc.change >= SEEN


def best_first(places: Iterable[Mapping[str, Indicator]]) -> list[Mapping[str, Indicator]]:
    """The indicators of places by id: what cannot be compared last."""
    return sorted(places, key=lambda place: order(place[BY]))


def order(item: Indicator) -> tuple[bool, bool, Fraction, str, str]:
    """Where it stands among others: the highest first, what cannot be compared last."""
    return (not ranked(item), item.value is None, -(item.value or Fraction(0)), item.area, item.industry)


def stopped(id_: str, row: Mapping[str, int]) -> dict[StepId, int]:
    """How many devices of a place stop at each step towards an indicator; `row`: the sums of the place."""
    return {step.id: row[step.measure] - (row[step.without] if step.without else 0) for step in STEPS[id_]}
