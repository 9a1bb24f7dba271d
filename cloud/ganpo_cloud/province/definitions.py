"""Every indicator: what is counted, among what, in which unit, and who says so; printed beside the numbers.

What is counted of devices is said by its measures (`ganpo_model.coverage`).
"""

from collections.abc import Mapping
from typing import Literal

from ganpo_cloud.store.described import answer, said, unsaid
from ganpo_model.coverage import ENTERPRISES, LEVELS, MEASURES
from ganpo_model.energy import WATER

Kind = Literal["rate", "count", "quantity", "intensity"]
PLAN = "the province's plan of 2018; the formula is ours"
MIIT = "MIIT, digital level of small and medium enterprises (2024)"
OURS = "our definition"


@answer
class Definition:
    """What a number means."""

    id: str = said("word for programs: it stays as it is", "nc_rate_main")
    word: str = said("name of the number; to programs in English", "CNC coverage")
    text: str = said("what is counted, and among what", "N(intelligent and in service)")
    kind: Kind = unsaid()
    unit: str = said("of what it comes to", "%")
    source: str = said("who says so", PLAN)
    target: str | None = said("id of the row of the plan", "T01")
    measures: tuple[str, str, str] = unsaid()
    """The columns of its declared, checked and proven count; what is observed has one for all three."""
    among: str | None = unsaid(default=None)
    """The column of its denominator."""
    behind: str = unsaid(default="enterprises_with_main")
    of: str | None = unsaid(default=None)
    """The columns of m and N, where N is no population."""

    @property
    def stored(self) -> tuple[str, ...]:
        """The columns that a stored month has of it: of what is counted the checked count and the denominator."""
        if self.kind not in ("rate", "count"):
            return ()
        return (self.measures[1], *(name for name in (self.among,) if name))


def _devices(
    id_: str,
    word: str,
    name: str,
    unit: str = "%",
    among: str | None = None,
    source: str = OURS,
    target: str | None = None,
) -> Definition:
    """How many devices, or how many of how many; of a measure that has levels of evidence, or is observed."""
    declared, checked, proven = (name if name in MEASURES else f"{name}_{level}" for level in LEVELS)
    text = " / ".join(f"N({MEASURES[of].text})" for of in (declared, among) if of is not None)
    kind: Kind = "count" if among is None else "rate"
    return Definition(id_, word, text, kind, unit, source, target, (declared, checked, proven), among)


def _firms(id_: str, word: str, name: str, source: str = OURS, target: str | None = None) -> Definition:
    text = f"N(enterprises with a device: {MEASURES[ENTERPRISES[name].devices or ''].text})"
    names = (name, name, name)
    return Definition(id_, word, text, "count", "enterprises", source, target, names, behind="enterprises")


def _times(
    id_: str, word: str, text: str, name: str, among: str, source: str = OURS, target: str | None = None
) -> Definition:
    behind = ("enterprises_networked", "enterprises_ever_networked")
    return Definition(id_, word, text, "rate", "%", source, target, (name, name, name), among, *behind)


def _quantity(id_: str, word: str, text: str, unit: str, name: str, source: str = OURS) -> Definition:
    told = f"sum of (boundary_in + generation - boundary_out) {text}, and statements"
    return Definition(id_, word, told, "quantity", unit, source, None, (name, name, name))


def _intensity(id_: str, word: str, text: str, unit: str, name: str, target: str) -> Definition:
    told = f"{text} / value added, of enterprises whose {{}} covered for 90% and whose value added is known;"
    told += " both of the same months"
    of = "declared carriers are" if name == "energy" else f"{name} is"
    number, behind = f"{name}_millionths", (f"{name}_enterprises", f"{name}_declared")
    per, rest = f"{unit} / 10,000 CNY", ((number, number, number), f"{name}_fen", *behind)
    return Definition(id_, word, told.format(of), "intensity", per, PLAN, target, *rest)


DEFINITIONS: Mapping[str, Definition] = {
    item.id: item
    for item in (
        _devices("nc_rate_main", "CNC coverage", "nc", among="main", source=PLAN, target="T01"),
        _devices(
            "intelligent_count", "Intelligent equipment", "intelligent", "sets", source=PLAN, target="T02"
        ),
        _firms(
            "enterprise_onboarded", "Enterprises in the cloud", "enterprises_cloud", source=PLAN, target="T03"
        ),
        _firms("enterprise_onboarded_ever", "Enterprises ever in the cloud", "enterprises_ever_cloud"),
        _devices("equipment_onboarded", "Devices in the cloud", "now_cloud", "devices"),
        _devices("equipment_onboarded_ever", "Devices ever in the cloud", "ever_cloud", "devices"),
        _devices("equip_digital_rate", "Digital equipment", "digital", among="units", source=MIIT),
        _devices("equip_network_rate", "Networked equipment", "networked", among="units", source=MIIT),
        _devices(
            "digital_equip_network_rate",
            "Networked, of digital equipment",
            "digital_networked",
            among="digital_declared",
            source="usage of GB/T 23020; our definition",
        ),
        _devices("equip_cloud_rate", "Equipment in the cloud", "cloud", among="units"),
        _devices("equip_active_rate", "Active, of equipment in the cloud", "active", among="cloud"),
        _times(
            "availability",
            "Availability",
            "APT / PBT within planned time, UNKNOWN removed; machine-days below 60% completeness left out",
            "producing_ms",
            "busy_ms",
            "ISO 22400-2; leaving out what nobody saw is ours",
            "T27",
        ),
        _times("completeness", "Completeness", "known planned time / planned time", "known_ms", "planned_ms"),
        _quantity(
            "comprehensive_energy",
            "Energy",
            "x coefficient",
            "tce",
            "tce",
            "GB/T 2589, equivalent value; the metered part",
        ),
        _quantity("water", "Water taken", "of fresh water", "m3", WATER),
        _intensity("energy_intensity", "Energy per value added", "energy", "tce", "energy", "T04"),
        _intensity("water_intensity", "Water per value added", "fresh water", "m3", "water", "T05"),
    )
}
"""By id, in the order in which they are shown."""
