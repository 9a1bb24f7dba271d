"""Equipment as the collector knows it, and its machine with the points that carry its signals."""

from collections.abc import Mapping

from ganpo_config.document import EquipmentRow
from ganpo_config.findings import Findings, nearest
from ganpo_config.machines import asked_for, machine_of, note_missing, states_of
from ganpo_config.plant import Machine
from ganpo_config.points import Points
from ganpo_config.rows import Rows
from ganpo_config.subject import Subject
from ganpo_model import reference
from ganpo_model.facts import EquipmentItem


def equipment_item(
    row: EquipmentRow, path: str, machine: Machine | None, findings: Findings
) -> EquipmentItem:
    """The equipment; `machine`: None where its states are not known."""
    flags = tuple(row.flags.replace(",", " ").split())
    for flag in flags:
        if flag not in reference.flags():
            hint = nearest(flag, reference.flags())
            what = f"no such flag ({', '.join(reference.flags())})"
            findings.error(f"{path}.flags", what, hint, value=flag)
    return EquipmentItem(
        row.asset_no,
        row.name,
        row.profile or None,
        () if machine is None else states_of(machine),
        () if machine is None else tuple(sorted(machine.proves)),
        tuple(dict.fromkeys(flags)),
        row.status,
        row.since,
        int(row.planned_run_time_s) if row.planned_run_time_s else None,
    )


def bound_machine(
    subject: Subject, by_number: Mapping[str, Subject], points: Points, rows: Rows, findings: Findings
) -> Machine | None:
    """The machine of a profile with states, once all points are bound; None: it has none, or an error was found."""
    profile, parameters, path = subject.profile, subject.parameters, subject.path
    if profile is None or parameters is None or not profile.states:
        return None
    carriers: dict[str, str] = {}
    asked = asked_for(profile)
    for signal, about in profile.signals.items():
        if "equipment" not in reference.signals()[signal].subjects:
            continue
        if signal in points.said(subject.number):
            if signal in points.bound(subject.number):
                carriers[signal] = f"{subject.number}/{signal}"
        elif about.meter is not None:
            meter = parameters.fill(about.meter)
            if signal in points.said(meter):
                carriers[signal] = f"{meter}/{signal}"
            else:
                _no_such_meter(meter, signal, path, by_number, rows, findings)
        elif about.absent is None and signal in asked and rows.points_known(subject.number):
            what = f"{signal} of {profile.id} has no address and no value for its absence"
            findings.error(path, what, "bind it in [[points]]")
    machine = machine_of(subject.number, profile, parameters, carriers, path, findings)
    if machine is not None:
        note_missing(machine, profile, states_of(machine), findings)
    return machine


def _no_such_meter(
    number: str, signal: str, path: str, by_number: Mapping[str, Subject], rows: Rows, findings: Findings
) -> None:
    """Why a machine that is known by a meter has no value of it; nothing where that follows from what was told."""
    found = by_number.get(number)
    if found is None and not rows.numbers.lack(number):
        return  # its own row is not good
    what, hint = f"meter {number} is equipment, no meter", ""
    if found is None:
        what = "no meter has this number"
        hint = findings.near(number, [n for n, other in by_number.items() if other.kind == "meter"])
    elif found.kind == "meter":
        if not rows.points_known(number):
            return
        what = f"meter {number} has no point {signal}"
        hint = "its profile or a row of [[points]] has to read it"
    findings.error(f"{path}.parameters", what, hint, value=f"meter={number}")
