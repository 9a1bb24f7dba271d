"""Binding equipment and meters to points: what `agent.toml` says of a plant, checked as a whole."""

import shlex
from collections.abc import Mapping
from typing import Any

from ganpo_config.bind import BindError, Link, from_profile, from_row
from ganpo_config.document import Document, EquipmentRow, MeterRow
from ganpo_config.plant import Between, BoundPoint, Machine, OneOf, Rule
from ganpo_config.profiles import Band, Parameters, Profile
from ganpo_model import reference
from ganpo_model.errors import ConfigError
from ganpo_model.facts import EquipmentItem, MeterItem
from ganpo_model.states import State

_EXTRA = {"pipe"}
"""Parameters that every meter may have."""


class Subjects:
    """Fills `points` (by connection), `machines`, `equipment`, `meters`, `notes`; collects `errors`, `warnings`."""

    def __init__(
        self,
        document: Document,
        profiles: Mapping[str, Profile],
        links: Mapping[str, Link],
        connections: set[str],
        file: str,
    ) -> None:
        self.points: dict[str, list[BoundPoint]] = {name: [] for name in links}
        self.machines: list[Machine] = []
        self.equipment: list[EquipmentItem] = []
        self.meters: list[MeterItem] = []
        self.notes: list[str] = []
        self.errors: list[ConfigError] = []
        self.warnings: list[str] = []
        self._document = document
        self._profiles = profiles
        self._links = links
        self._connections = connections
        self._file = file
        self._places: dict[str, str] = {}
        self._meter_rows = {row.asset_no: row for row in document.meters}
        self._by_hand: set[tuple[str, str]] = set()
        self._bound: dict[str, BoundPoint] = {}
        self._own_profile = {
            asset_no: profiles[profile]
            for asset_no, profile in (
                *((row.asset_no, row.profile) for row in document.equipment),
                *((row.asset_no, row.profile) for row in document.meters),
            )
            if profile in profiles
        }

    def bind(self) -> None:
        """Do it all."""
        for number, row in enumerate(self._document.equipment):
            self._place(row.asset_no, f"equipment[{number}]")
        for number, meter in enumerate(self._document.meters):
            self._place(meter.asset_no, f"meters[{number}]")
        self._warn_zeros()
        self._bind_rows()
        for number, meter in enumerate(self._document.meters):
            self._bind_meter(meter, f"meters[{number}]")
        for number, row in enumerate(self._document.equipment):
            self._bind_equipment(row, f"equipment[{number}]")

    def _error(self, path: str, what: str, hint: str = "") -> None:
        self.errors.append(ConfigError(what, where=f"{self._file}: {path}", hint=hint))

    def _place(self, asset_no: str, path: str) -> None:
        if asset_no in self._places:
            self._error(
                f"{path}.asset_no = {asset_no}", f"stands in {self._places[asset_no]} too: numbers are unique"
            )
        self._places.setdefault(asset_no, path)

    def _warn_zeros(self) -> None:
        seen: dict[str, str] = {}
        for asset_no in self._places:
            short = asset_no.lstrip("0")
            if short in seen:
                text = (
                    f"{seen[short]} and {asset_no} differ only in leading zeros: did a spreadsheet eat some?"
                )
                self.warnings.append(f"{self._file}: {text}")
            seen[short] = asset_no

    def _bind_rows(self) -> None:
        taken: dict[tuple[str, str], str] = {}
        for number, row in enumerate(self._document.points):
            path = f"points[{number}]"
            key = (row.asset_no, row.signal)
            if key in taken:
                self._error(path, f"{row.asset_no}/{row.signal} stands in {taken[key]} too")
                continue
            taken[key] = path
            if row.asset_no not in self._places:
                self._error(f"{path}.asset_no = {row.asset_no}", "no equipment and no meter has this number")
                continue
            link = self._link(row.connection, path)
            if link is None:
                continue
            profile = self._own_profile.get(row.asset_no)
            about = profile.signals.get(row.signal) if profile is not None else None
            try:
                point, notes = from_row(row, link, self._meter_rows.get(row.asset_no), about)
            except BindError as error:
                self._told(path, error)
                continue
            self.notes += notes
            self._by_hand.add(key)
            self._bound[point.name] = point
            self.points[link.name].append(point)

    def _link(self, name: str, path: str) -> Link | None:
        if name not in self._connections:
            names = ", ".join(sorted(self._connections)) or "none is there"
            self._error(f"{path}.connection = {name}", f"no such connection ({names})")
        return self._links.get(name)

    def _told(self, path: str, error: BindError) -> None:
        value = f" = {error.value}" if error.value not in ("", None) else ""
        self._error(f"{path}.{error.key}{value}", error.what, error.hint)

    def _bind_meter(self, row: MeterRow, path: str) -> None:
        if row.carrier not in reference.carriers():
            self._error(f"{path}.carrier = {row.carrier}", "no such carrier (the table of carriers)")
        if row.parent and (row.parent == row.asset_no or row.parent not in self._meter_rows):
            self._error(f"{path}.parent = {row.parent}", "no other meter has this number")
        parameters, profile = self._profile(row.profile, row.parameters, path)
        if profile is not None and parameters is not None:
            if (link := self._profile_link(row.connection, profile, path)) is not None:
                for signal in profile.signals:
                    self._bind_signal(row.asset_no, signal, profile, parameters, link, row, path)
        elif not row.profile and row.connection != "none":
            self._link(row.connection, path)
        self.meters.append(
            MeterItem(row.asset_no, row.name, row.carrier, row.role, row.parent or None, row.since)
        )

    def _bind_equipment(self, row: EquipmentRow, path: str) -> None:
        flags = tuple(row.flags.split())
        for flag in flags:
            if flag not in reference.flags():
                self._error(f"{path}.flags = {flag}", f"no such flag ({', '.join(reference.flags())})")
        states: tuple[State, ...] = ()
        proves: tuple[str, ...] = ()
        parameters, profile = self._profile(row.profile, row.parameters, path)
        if profile is not None and parameters is not None:
            machine = self._machine(row, profile, parameters, path)
            if machine is not None:
                self.machines.append(machine)
                states, proves = self._states(row, profile, machine), tuple(sorted(machine.proves))
        self.equipment.append(
            EquipmentItem(
                row.asset_no,
                row.name,
                row.profile or None,
                states,
                proves,
                flags,
                row.status,
                row.since,
                int(row.planned_run_time_s) if row.planned_run_time_s else None,
            )
        )

    def _profile(self, name: str, text: str, path: str) -> tuple[Parameters | None, Profile | None]:
        if not name:
            return None, None
        profile = self._profiles.get(name)
        if profile is None:
            known = ", ".join(sorted(self._profiles))
            self._error(f"{path}.profile = {name}", f"no such profile ({known})")
            return None, None
        values = {
            key: about.default for key, about in profile.parameters.items() if about.default is not None
        }
        try:
            words = shlex.split(text)
        except ValueError as error:
            self._error(f"{path}.parameters = {text}", str(error))
            return None, profile
        for word in words:
            key, equals, value = word.partition("=")
            if not equals or (key not in profile.parameters and key not in _EXTRA):
                known = ", ".join(profile.parameters) or "it has none"
                self._error(f"{path}.parameters = {word}", f"no parameter of {name} ({known})")
                return None, profile
            values[key] = value
        missing = [key for key in profile.parameters if key not in values]
        if missing:
            about = profile.parameters[missing[0]]
            self._error(f"{path}.parameters", f"{missing[0]} is missing: {about.en}", f"{missing[0]}=...")
            return None, profile
        return Parameters(values), profile

    def _profile_link(self, name: str, profile: Profile, path: str) -> Link | None:
        if not any(about.address for about in profile.signals.values()):
            return None
        if name == "none":
            self._error(f"{path}.connection", f"profile {profile.id} reads a device: name its connection")
            return None
        link = self._link(name, path)
        if link is not None and profile.driver and link.driver_id != profile.driver:
            self._error(
                f"{path}.connection = {name}", f"driver {link.driver_id}; {profile.id} needs {profile.driver}"
            )
            return None
        return link

    def _bind_signal(
        self,
        asset_no: str,
        signal: str,
        profile: Profile,
        parameters: Parameters,
        link: Link,
        meter: MeterRow | None,
        path: str,
    ) -> None:
        about = profile.signals[signal]
        if about.address is None or (asset_no, signal) in self._by_hand or signal not in reference.signals():
            return
        try:
            point, notes = from_profile(asset_no, signal, about, profile, parameters, link, meter)
        except BindError as error:
            place = (
                path
                if error.key in ("ct", "pt", "reads", "max_rate", "parameters", "pulse")
                else f"{path} ({profile.id}: signals.{signal})"
            )
            self._told(place, error)
            return
        self.notes += notes
        self._bound[point.name] = point
        self.points[link.name].append(point)

    def _machine(
        self, row: EquipmentRow, profile: Profile, parameters: Parameters, path: str
    ) -> Machine | None:
        link = self._profile_link(row.connection, profile, path)
        if link is not None:
            for signal in profile.signals:
                self._bind_signal(row.asset_no, signal, profile, parameters, link, None, path)
        names: dict[str, str] = {}
        absent: dict[str, Any] = {}
        for signal, about in profile.signals.items():
            own = f"{row.asset_no}/{signal}"
            if own in self._bound:
                names[signal] = own
            elif about.meter is not None:
                meter = parameters.fill(about.meter)
                if f"{meter}/{signal}" not in self._bound:
                    what = f"meter {meter} has no point {signal}"
                    self._error(
                        f"{path}.parameters", what, "its profile or a row of [[points]] has to read it"
                    )
                names[signal] = f"{meter}/{signal}"
            elif about.absent is None and about.address is None:
                self._error(path, f"{signal} of {profile.id} has no address", "bind it in [[points]]")
            if about.absent is not None:
                absent[signal] = about.absent
        try:
            rules = tuple(_rule(rule.state, rule.when, parameters) for rule in profile.states)
            debounce = parameters.number(profile.debounce_s)
        except ValueError as error:
            self._error(f"{path}.parameters", f"{error}", f"profile {profile.id} wants numbers here")
            return None
        proves = {flag: tuple(signals) for flag, signals in profile.proves.items()}
        return Machine(row.asset_no, names, absent, rules, debounce, proves)

    def _states(self, row: EquipmentRow, profile: Profile, machine: Machine) -> tuple[State, ...]:
        """The states that can arise with what is really bound; which cannot, and what to bind, is noted."""
        possible = {rule.state for rule in machine.rules if _possible(rule, machine)} | {
            State.IDLE,
            State.UNKNOWN,
        }
        for state in (State.FAULT, State.HELD, State.OFF):
            if state not in possible:
                wanted = sorted({s for rule in profile.states if rule.state == state for s in rule.when})
                what = f"bind {', '.join(wanted)}" if wanted else f"profile {profile.id} has no rule for it"
                self.notes.append(f"{row.asset_no}: cannot show {state}: {what}")
        return tuple(state for state in State if state in possible)


def _rule(state: str, when: Mapping[str, Any], parameters: Parameters) -> Rule:
    conditions: dict[str, OneOf | Between] = {}
    for signal, condition in when.items():
        if isinstance(condition, Band):
            ends = [
                None if end is None else parameters.number(end) for end in (condition.min, condition.below)
            ]
            conditions[signal] = Between(ends[0], ends[1])
        else:
            conditions[signal] = OneOf(tuple(condition if isinstance(condition, list) else [condition]))
    return Rule(State(state), conditions)


def _possible(rule: Rule, machine: Machine) -> bool:
    for signal, condition in rule.when.items():
        if signal in machine.signals:
            continue
        value = machine.absent.get(signal)
        if value is None or not (isinstance(condition, OneOf) and value in condition.values):
            return False
    return True
