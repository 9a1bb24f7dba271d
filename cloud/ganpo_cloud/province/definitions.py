"""Every indicator: what is counted, among what, in which unit, and who says so; printed beside the numbers.

What is counted of devices is said by its measures (`ganpo_model.coverage`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ganpo_model.coverage import ENTERPRISES, LEVELS, MEASURES

Kind = Literal["rate", "count", "quantity", "intensity"]
PLAN = "the province's plan of 2018; the formula is ours"
MIIT = "MIIT, digital level of small and medium enterprises (2024)"
OURS = "our definition"


@dataclass(frozen=True, slots=True)
class Definition:
    """One indicator. `word`: what people call it, translated for pages; `text`: what is counted, and among what.

    `measures`: the columns of its declared, checked and proven count; what is observed has one for all three. `among`:
    the column of its denominator. `behind`, `of`: the columns of m and N, where N is no population.
    """

    id: str
    word: str
    text: str
    kind: Kind
    unit: str
    source: str
    measures: tuple[str, str, str]
    among: str | None = None
    target: str | None = None
    behind: str = "enterprises_with_main"
    of: str | None = None


def _levels(name: str) -> tuple[str, str, str]:
    """A measure that has levels of evidence, or one that is observed."""
    declared, checked, proven = (name if name in MEASURES else f"{name}_{level}" for level in LEVELS)
    return declared, checked, proven


def _count(
    id_: str, word: str, name: str, unit: str, source: str = OURS, target: str | None = None
) -> Definition:
    measures = _levels(name)
    return Definition(
        id_, word, f"N({MEASURES[measures[0]].text})", "count", unit, source, measures, None, target
    )


def _rate(
    id_: str, word: str, name: str, among: str, source: str = OURS, target: str | None = None
) -> Definition:
    measures = _levels(name)
    text = f"N({MEASURES[measures[0]].text}) / N({MEASURES[among].text})"
    return Definition(id_, word, text, "rate", "%", source, measures, among, target)


def _firms(id_: str, word: str, name: str, source: str = OURS, target: str | None = None) -> Definition:
    devices = MEASURES[ENTERPRISES[name].devices or ""].text
    text, measures = f"N(enterprises with a device: {devices})", (name, name, name)
    return Definition(id_, word, text, "count", "enterprises", source, measures, None, target, "enterprises")


def _times(id_: str, word: str, text: str, source: str, name: str, among: str) -> Definition:
    behind = ("enterprises_networked", "enterprises_ever_networked")
    return Definition(id_, word, text, "rate", "%", source, (name, name, name), among, None, *behind)


def _quantity(id_: str, word: str, text: str, unit: str, source: str, name: str) -> Definition:
    told = f"sum of (boundary_in + generation - boundary_out) {text}, and statements"
    return Definition(id_, word, told, "quantity", unit, source, (name, name, name))


def _intensity(id_: str, word: str, text: str, unit: str, name: str, target: str) -> Definition:
    number, behind = f"{name}_millionths", (f"{name}_enterprises", f"{name}_declared")
    measures = (number, number, number)
    return Definition(
        id_, word, text, "intensity", f"{unit} / 10,000 CNY", PLAN, measures, f"{name}_fen", target, *behind
    )


DEFINITIONS: Mapping[str, Definition] = {
    item.id: item
    for item in (
        _rate("nc_rate_main", "CNC coverage", "nc", "main", PLAN, "T01"),
        _count("intelligent_count", "Intelligent equipment", "intelligent", "sets", PLAN, "T02"),
        _firms("enterprise_onboarded", "Enterprises in the cloud", "enterprises_cloud", PLAN, "T03"),
        _firms("enterprise_onboarded_ever", "Enterprises ever in the cloud", "enterprises_ever_cloud"),
        _count("equipment_onboarded", "Devices in the cloud", "now_cloud", "devices"),
        _count("equipment_onboarded_ever", "Devices ever in the cloud", "ever_cloud", "devices"),
        _rate("equip_digital_rate", "Digital equipment", "digital", "units", MIIT),
        _rate("equip_network_rate", "Networked equipment", "networked", "units", MIIT),
        _rate(
            "digital_equip_network_rate",
            "Networked, of digital equipment",
            "digital_networked",
            "digital_declared",
            "usage of GB/T 23020; our definition",
        ),
        _rate("equip_cloud_rate", "Equipment in the cloud", "cloud", "units"),
        _rate("equip_active_rate", "Active, of equipment in the cloud", "active", "cloud"),
        _times(
            "availability",
            "Availability",
            "APT / PBT within planned time, UNKNOWN removed; machine-days below 60 % completeness left out",
            "ISO 22400-2; leaving out what nobody saw is ours",
            "producing_ms",
            "busy_ms",
        ),
        _times(
            "completeness",
            "Completeness",
            "known planned time / planned time",
            OURS,
            "known_ms",
            "planned_ms",
        ),
        _quantity(
            "comprehensive_energy",
            "Energy",
            "x coefficient",
            "tce",
            "GB/T 2589, equivalent value; the metered part",
            "tce",
        ),
        _quantity("water", "Water taken", "of fresh water", "m3", OURS, "water_fresh"),
        _intensity(
            "energy_intensity",
            "Energy per value added",
            "energy / value added, of enterprises whose declared carriers are covered for 90 % and whose value added is"
            " known",
            "tce",
            "energy",
            "T04",
        ),
        _intensity(
            "water_intensity",
            "Water per value added",
            "fresh water / value added, of enterprises whose water is covered for 90 % and whose value added is known",
            "m3",
            "water",
            "T05",
        ),
    )
}
"""By id, in the order in which they are shown."""
