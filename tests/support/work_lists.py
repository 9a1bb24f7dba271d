"""What would move a number, counted again by plain loops: the whole province anew with one machine changed."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Machine:
    """A machine of the ledger, as plain values: evidence 0 to 3, `named` 0 to 2."""

    enterprise: str
    asset_no: str
    main: int
    numerical_control: int
    digital: int
    intelligent: int
    in_service: bool
    retired: bool
    networked: bool
    cloud: bool
    age: str | None
    named: int


def come_to(number: str, machines: list[Machine], parents: dict[str, str]) -> tuple[int, int | None]:
    """A number of the province over some machines: its count, and of a rate among how many. `parents`: of branches."""
    here = [m for m in machines if m.in_service]
    seen = [m for m in machines if m.networked and not m.retired and m.age != "gone"]
    cloud = [m for m in seen if m.cloud]
    found: dict[str, tuple[int, int | None]] = {
        "nc_rate_main": (
            sum(m.main > 0 and m.numerical_control > 1 for m in here),
            sum(m.main > 0 for m in here),
        ),
        "intelligent_count": (sum(m.intelligent > 1 for m in here), None),
        "enterprise_onboarded": (len({parents.get(m.enterprise, m.enterprise) for m in cloud}), None),
        "enterprise_onboarded_ever": (
            len({parents.get(m.enterprise, m.enterprise) for m in machines if m.cloud}),
            None,
        ),
        "equipment_onboarded": (len(cloud), None),
        "equipment_onboarded_ever": (sum(m.cloud for m in machines), None),
        "equip_digital_rate": (sum(m.digital > 1 for m in here), len(here)),
        "equip_network_rate": (sum(m.in_service for m in seen), len(here)),
        "digital_equip_network_rate": (
            sum(m.in_service and m.digital > 0 for m in seen),
            sum(m.digital > 0 for m in here),
        ),
        "equip_cloud_rate": (sum(m.in_service for m in cloud), len(here)),
        "equip_active_rate": (
            sum(m.in_service and m.age == "active" for m in cloud),
            sum(m.in_service for m in cloud),
        ),
    }
    return found[number]


FLAG = {
    "nc_rate_main": "numerical_control",
    "intelligent_count": "intelligent",
    "equip_digital_rate": "digital",
}
"""Numbers that a document moves."""


def first_step(number: str, machine: Machine) -> tuple[str, int, Machine] | None:
    """The first step of a machine for a number, how far the machine had come, and the machine once it is done."""
    if not machine.in_service:
        return None
    if number in FLAG:
        if getattr(machine, FLAG[number]) != 1:
            return None
        changed: dict[str, Any] = {FLAG[number]: 2}
        return "document", 0, replace(machine, **changed)
    done = replace(machine, networked=True, cloud=True, age="active")
    if not machine.networked:
        return "connect", machine.named, done
    if machine.age == "gone":
        return "bring_back", 3, done
    if machine.cloud and machine.age in ("silent", "seen"):
        return "bring_back", 4 + (machine.age == "seen"), done
    return None


def gain(number: str, machines: list[Machine], changed: list[Machine], parents: dict[str, str]) -> Fraction:
    """What a number gains where some machines are as in `changed`, of a rate a part of one; nothing where there is
    nothing to divide by."""
    by = {(m.enterprise, m.asset_no): m for m in changed}
    then = come_to(number, [by.get((m.enterprise, m.asset_no), m) for m in machines], parents)
    before = come_to(number, machines, parents)
    if before[1] is None:
        return Fraction(then[0] - before[0])
    return Fraction(*then) - Fraction(*before) if before[1] else Fraction(0)


def work_list(
    number: str, machines: list[Machine], parents: dict[str, str], by: str
) -> list[tuple[Fraction, str, str, str, str, int]]:
    """Gain, enterprise, step, who has the machine, machine and how many of them: the largest gain first, of one gain by
    codes. An enterprise stands with all its machines of one step; where enterprises are counted, with the step of that
    machine which came furthest."""
    whole = number.startswith("enterprise")
    moving: dict[str, list[tuple[int, str, Machine]]] = {}
    lines = []
    for m in machines:
        if (first := first_step(number, m)) is None:
            continue
        step, far, done = first
        code = parents.get(m.enterprise, m.enterprise) if whole else m.enterprise
        if (alone := gain(number, machines, [done], parents)) > 0:
            moving.setdefault(code, []).append((far, step, done))
            lines.append((alone, code, step, m.enterprise, m.asset_no, 1))
    if by == "enterprise":
        lines = []
        for code, mine in moving.items():
            for step in {max(mine, key=lambda of: of[0])[1]} if whole else {step for _, step, _ in mine}:
                those = [done for _, of, done in mine if of == step]
                lines.append((gain(number, machines, those, parents), code, step, code, "", len(those)))
    return sorted(lines, key=lambda line: (-line[0], *line[1:]))
