"""Every indicator: what is counted, among what, in which unit, and who says so; printed beside the numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["rate", "count", "quantity", "intensity"]


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
    among: str | None
    target: str | None = None
    behind: str = "enterprises_with_main"
    of: str | None = None


def _observed(measure: str) -> tuple[str, str, str]:
    return (measure, measure, measure)


def _shown(flag: str) -> tuple[str, str, str]:
    return (f"{flag}_declared", f"{flag}_checked", f"{flag}_proven")


PLAN = "the province's plan of 2018; the formula is ours"
OURS = "our definition"
DEFINITIONS: Mapping[str, Definition] = {
    item.id: item
    for item in (
        Definition(
            "nc_rate_main",
            "CNC coverage",
            "N(main and numerical_control and in service) / N(main and in service)",
            "rate",
            "%",
            PLAN,
            _shown("nc"),
            "main",
            "T01",
        ),
        Definition(
            "intelligent_count",
            "Intelligent equipment",
            "N(intelligent and in service)",
            "count",
            "sets",
            PLAN,
            _shown("intelligent"),
            None,
            "T02",
        ),
        Definition(
            "enterprise_onboarded",
            "Enterprises in the cloud",
            "N(enterprises with a device whose cloud_at is set, neither retired nor gone)",
            "count",
            "enterprises",
            PLAN,
            _observed("enterprises_cloud"),
            None,
            "T03",
            behind="enterprises",
        ),
        Definition(
            "enterprise_onboarded_ever",
            "Enterprises ever in the cloud",
            "N(enterprises with a device whose cloud_at is set)",
            "count",
            "enterprises",
            OURS,
            _observed("enterprises_ever_cloud"),
            None,
            behind="enterprises",
        ),
        Definition(
            "equipment_onboarded",
            "Devices in the cloud",
            "N(cloud_at set, neither retired nor gone)",
            "count",
            "devices",
            OURS,
            _observed("now_cloud"),
            None,
        ),
        Definition(
            "equipment_onboarded_ever",
            "Devices ever in the cloud",
            "N(cloud_at set)",
            "count",
            "devices",
            OURS,
            _observed("ever_cloud"),
            None,
        ),
        Definition(
            "equip_digital_rate",
            "Digital equipment",
            "N(digital and in service) / N(in service)",
            "rate",
            "%",
            "MIIT, digital level of small and medium enterprises (2024)",
            _shown("digital"),
            "units",
        ),
        Definition(
            "equip_network_rate",
            "Networked equipment",
            "N(networked_at set and in service and not gone) / N(in service)",
            "rate",
            "%",
            "MIIT, digital level of small and medium enterprises (2024)",
            _observed("networked"),
            "units",
        ),
        Definition(
            "digital_equip_network_rate",
            "Networked, of digital equipment",
            "N(digital and networked_at set and in service and not gone) / N(digital and in service)",
            "rate",
            "%",
            "usage of GB/T 23020; our definition",
            _observed("digital_networked"),
            "digital_declared",
        ),
        Definition(
            "equip_cloud_rate",
            "Equipment in the cloud",
            "N(cloud_at set and in service and not gone) / N(in service)",
            "rate",
            "%",
            OURS,
            _observed("cloud"),
            "units",
        ),
        Definition(
            "equip_active_rate",
            "Active, of equipment in the cloud",
            "N(cloud and active) / N(cloud_at set and in service and not gone)",
            "rate",
            "%",
            OURS,
            _observed("active"),
            "cloud",
        ),
        Definition(
            "availability",
            "Availability",
            "APT / PBT within planned time, UNKNOWN removed; machine-days below 60 % completeness left out",
            "rate",
            "%",
            "ISO 22400-2; leaving out what nobody saw is ours",
            _observed("producing_ms"),
            "busy_ms",
            behind="enterprises_networked",
            of="enterprises_ever_networked",
        ),
        Definition(
            "completeness",
            "Completeness",
            "known planned time / planned time",
            "rate",
            "%",
            OURS,
            _observed("known_ms"),
            "planned_ms",
            behind="enterprises_networked",
            of="enterprises_ever_networked",
        ),
        Definition(
            "comprehensive_energy",
            "Energy",
            "sum of (boundary_in + generation - boundary_out) x coefficient, and statements",
            "quantity",
            "tce",
            "GB/T 2589, equivalent value; the metered part",
            _observed("tce"),
            None,
        ),
        Definition(
            "water",
            "Water taken",
            "sum of (boundary_in + generation - boundary_out) of fresh water, and statements",
            "quantity",
            "m3",
            OURS,
            _observed("water_fresh"),
            None,
        ),
        Definition(
            "energy_intensity",
            "Energy per value added",
            "energy / value added, of enterprises whose declared carriers are covered for 90 % and whose value added is"
            " known",
            "intensity",
            "tce / 10,000 CNY",
            PLAN,
            _observed("energy_millionths"),
            "energy_fen",
            "T04",
            behind="energy_enterprises",
            of="energy_declared",
        ),
        Definition(
            "water_intensity",
            "Water per value added",
            "fresh water / value added, of enterprises whose water is covered for 90 % and whose value added is known",
            "intensity",
            "m3 / 10,000 CNY",
            PLAN,
            _observed("water_millionths"),
            "water_fen",
            "T05",
            behind="water_enterprises",
            of="water_declared",
        ),
    )
}
"""By id, in the order in which they are shown."""
LEVELS = ("declared", "checked", "proven")
