"""A row of equipment or meters with what it names: its profile, its parameters, its connection, its nameplate."""

from collections.abc import Set
from dataclasses import dataclass

from ganpo_config.document import EquipmentRow, MeterRow
from ganpo_config.findings import Findings, nearest
from ganpo_config.nameplate import EXTRA_PARAMETERS, TRANSFORMER_SIGNALS, Meter, meter_of
from ganpo_config.names import Names
from ganpo_config.parameters import Parameters, split
from ganpo_config.profile import Profile
from ganpo_config.profiles import Profiles
from ganpo_config.rows import Placed

NONE = "none"
"""The connection of what stands in the ledger only."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row names, as far as that is good; what is not was told.

    `profile`: None where it names none, or one that is not there. `parameters`: None where they are wrong or cannot be
    judged. `meter`: None for equipment. `doubtful`: what a largest rate would be derived from is wrong.
    """

    number: str
    path: str
    connection: str
    profile: Profile | None
    parameters: Parameters | None
    meter: Meter | None = None
    doubtful: bool = False

    @property
    def kind(self) -> str:
        """As the table of signals says it."""
        return "equipment" if self.meter is None else "meter"


def equipment_subject(
    placed: Placed[EquipmentRow], profiles: Profiles, connections: Names, findings: Findings
) -> Subject:
    """Of a row of `[[equipment]]`."""
    profile, parameters = _named(placed, frozenset(), profiles, connections, findings)
    return Subject(placed.row.asset_no, placed.path, placed.row.connection, profile, parameters)


def meter_subject(
    placed: Placed[MeterRow], by_hand: Set[str], profiles: Profiles, connections: Names, findings: Findings
) -> Subject:
    """Of a row of `[[meters]]`; `by_hand`: the signals that `[[points]]` binds to it."""
    row = placed.row
    profile, parameters = _named(placed, EXTRA_PARAMETERS, profiles, connections, findings)
    before = len(findings.errors)
    says = (TRANSFORMER_SIGNALS & by_hand) | _says(profile)
    meter = meter_of(row, profile, says, parameters or Parameters({}), placed.path, findings)
    doubtful = not placed.sound or parameters is None or len(findings.errors) > before
    return Subject(row.asset_no, placed.path, row.connection, profile, parameters, meter, doubtful)


def check_connection(name: str, path: str, connections: Names, findings: Findings) -> None:
    """An error where a row names a connection that stands nowhere."""
    if connections.lack(name):
        what = f"no such connection ({', '.join(sorted(connections.found)) or 'there is none'})"
        findings.error(f"{path}.connection", what, nearest(name, connections.found), value=name)


def _named(
    placed: Placed[EquipmentRow] | Placed[MeterRow],
    extra: Set[str],
    profiles: Profiles,
    connections: Names,
    findings: Findings,
) -> tuple[Profile | None, Parameters | None]:
    row, path = placed.row, placed.path
    profile = profiles.get(row.profile)
    if row.profile and profiles.names.lack(row.profile):
        hint = profiles.meant(row.profile)
        findings.error(f"{path}.profile", "no such profile", hint, value=row.profile)
    if row.connection != NONE:
        check_connection(row.connection, path, connections, findings)
    if row.profile and profile is None:
        return None, None
    defaults = {} if profile is None else {name: about.default for name, about in profile.parameters.items()}
    return profile, split(row.parameters, defaults, extra, f"{path}.parameters", findings)


def _says(profile: Profile | None) -> set[str]:
    """The signals of a profile with which a meter says its transformers."""
    own = {} if profile is None else profile.signals
    return {signal for signal in TRANSFORMER_SIGNALS & own.keys() if own[signal].cell is not None}
