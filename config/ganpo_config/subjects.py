"""Rows, profiles and connections bound to what the agent runs: `Subjects`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganpo_config.connections import Links
from ganpo_config.document import PointRow
from ganpo_config.equipment import bound_machine, equipment_item
from ganpo_config.findings import Findings
from ganpo_config.meters import meter_item, transformers
from ganpo_config.parents import Parents
from ganpo_config.plant import Machine, Transformer
from ganpo_config.points import Points
from ganpo_config.profiles import Profiles
from ganpo_config.rows import Placed, Rows
from ganpo_config.subject import Subject, check_connection, equipment_subject, meter_subject
from ganpo_model.facts import EquipmentItem, MeterItem


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a plant comes to, as far as it is good."""

    points: Points
    machines: list[Machine] = field(default_factory=list)
    equipment: list[EquipmentItem] = field(default_factory=list)
    meters: list[MeterItem] = field(default_factory=list)
    transformers: list[Transformer] = field(default_factory=list)


def subjects(rows: Rows, profiles: Profiles, links: Links, findings: Findings) -> Subjects:
    """Everything bound once; every mistake is found."""
    by_hand: dict[str, set[str]] = {}
    for point in rows.points:
        by_hand.setdefault(point.row.asset_no, set()).add(point.row.signal)
    meters = [
        meter_subject(p, by_hand.get(p.row.asset_no, set()), profiles, links.names, findings)
        for p in rows.meters
    ]
    equipment = [equipment_subject(placed, profiles, links.names, findings) for placed in rows.equipment]
    by_number: dict[str, Subject] = {}
    for subject in (*meters, *equipment):
        by_number.setdefault(subject.number, subject)
    found = Subjects(Points(links.good, findings))
    while rows.points:  # each is let go once it is bound: a thousand rows take a megabyte
        _bind_row(rows.points.popleft(), by_number, found.points, rows, links, findings)
    parents = Parents(rows, findings)
    for meter, subject in zip(rows.meters, meters, strict=True):
        parents.check(meter.row, meter.path)
        found.points.bind_profile(subject)
        found.transformers.extend(transformers(meter.row, subject, found.points, findings))
        found.meters.append(meter_item(meter.row, subject, found.points, rows, findings))
    for unit, subject in zip(rows.equipment, equipment, strict=True):
        found.points.bind_profile(subject)
        machine = bound_machine(subject, by_number, found.points, rows, findings)
        if machine is not None:
            found.machines.append(machine)
        found.equipment.append(equipment_item(unit.row, unit.path, machine, findings))
    return found


def _bind_row(
    placed: Placed[PointRow],
    by_number: Mapping[str, Subject],
    points: Points,
    rows: Rows,
    links: Links,
    findings: Findings,
) -> None:
    row, path = placed.row, placed.path
    if not points.first(row.asset_no, row.signal):  # told by the rows already
        return
    check_connection(row.connection, path, links.names, findings)
    if rows.numbers.lack(row.asset_no):
        hint = findings.near(row.asset_no, rows.numbers.found)
        what = "no equipment and no meter has this number"
        findings.error(f"{path}.asset_no", what, hint, value=row.asset_no)
        return
    points.bind_row(placed, by_number.get(row.asset_no))
