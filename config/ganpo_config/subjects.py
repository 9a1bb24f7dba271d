"""Equipment and meters bound to points: what `agent.toml` says of a plant, checked as a whole."""

from collections.abc import Mapping

from ganpo_config.bind import Link, bound
from ganpo_config.document import EquipmentRow, MeterRow, PointRow
from ganpo_config.findings import Findings, nearest
from ganpo_config.machines import asked_for, machine_of, note_missing, states_of
from ganpo_config.meters import EXTRA_PARAMETERS, TRANSFORMER_SIGNALS, Meter, meter_of
from ganpo_config.parameters import Parameters, split
from ganpo_config.plant import BoundPoint, Machine, Transformer
from ganpo_config.profile import Profile, ProfileSignal
from ganpo_config.profile_text import to_change
from ganpo_config.profiles import Profiles
from ganpo_config.rows import Placed, Rows
from ganpo_config.wanted import BindError, Wanted, of_profile, of_row
from ganpo_model import reference
from ganpo_model.energy import InBalance, inside
from ganpo_model.facts import EquipmentItem, MeterItem
from ganpo_model.states import State

NONE = "none"
"""The connection of what stands in the ledger only."""
_PLATE = {"parameters", "ct", "pt", "pulse", "max_rate"}
"""Keys of a row of `[[meters]]`, as against those of a profile."""


class Subjects:
    """Binds everything once: `points` by connection, `machines`, `equipment`, `meters`, `transformers`."""

    def __init__(
        self,
        rows: Rows,
        profiles: Profiles,
        links: Mapping[str, Link],
        connections: frozenset[str],
        findings: Findings,
    ) -> None:
        """`links`: the good ones of `connections`."""
        self.points: dict[str, list[BoundPoint]] = {name: [] for name in links}
        self.machines: list[Machine] = []
        self.equipment: list[EquipmentItem] = []
        self.meters: list[MeterItem] = []
        self.transformers: list[Transformer] = []
        self._rows, self._profiles, self._links = rows, profiles, links
        self._connections, self._findings = connections, findings
        self._tried: set[str] = set()
        self._bound: set[str] = set()
        self._profile_of: dict[str, tuple[Profile | None, Parameters | None]] = {}
        self._path_of: dict[str, str] = {}
        self._meter_of: dict[str, Meter] = {}
        self._doubtful: set[str] = set()
        self._counted: dict[tuple[str, str, str], str] = {}
        self._doubled: set[tuple[str, str]] = set()
        self._placed = {
            placed.row.asset_no: InBalance(placed.row.carrier, placed.row.role, placed.row.parent or None)
            for placed in rows.meters
        }
        by_hand: dict[str, set[str]] = {}
        for point in rows.points:
            if point.row.signal in TRANSFORMER_SIGNALS:
                by_hand.setdefault(point.row.asset_no, set()).add(point.row.signal)
        for placed in rows.meters:
            found = self._profile(placed, EXTRA_PARAMETERS)
            before = len(findings.errors)
            says = by_hand.get(placed.row.asset_no, set()) | _says(found[0])
            meter = meter_of(placed.row, found[0], says, found[1] or Parameters({}), placed.path, findings)
            if not placed.sound or found[1] is None or len(findings.errors) > before:
                self._doubtful.add(placed.row.asset_no)
            self._meter_of.setdefault(placed.row.asset_no, meter)
        for unit in rows.equipment:
            self._profile(unit, frozenset())
        for point in rows.points:
            self._bind_row(point)
        for placed in rows.meters:
            self._meter(placed)
        for unit in rows.equipment:
            self._equipment(unit)
        # Read and looked at in this order where all are due at once: what a meter says of its transformers is known
        # before a value that it makes wrong is believed.
        for points in self.points.values():
            points.sort(key=lambda point: point.signal not in TRANSFORMER_SIGNALS)

    def _profile(
        self, placed: Placed[EquipmentRow] | Placed[MeterRow], extra: frozenset[str]
    ) -> tuple[Profile | None, Parameters | None]:
        """The profile of a row and its parameters; None and None where it has none or they are wrong."""
        row, path = placed.row, placed.path
        profile = self._profiles.get(row.profile)
        if row.profile and profile is None:
            hint = self._profiles.meant(row.profile)
            self._findings.error(f"{path}.profile", "no such profile", hint, value=row.profile)
        if row.connection != NONE:
            self._connection(row.connection, path)
        parameters = None
        if profile is not None or not row.profile:
            defaults = (
                {} if profile is None else {n: about.default for n, about in profile.parameters.items()}
            )
            parameters = split(row.parameters, defaults, extra, f"{path}.parameters", self._findings)
        self._profile_of[path] = (profile, parameters)
        self._path_of.setdefault(row.asset_no, path)
        return profile, parameters

    def _connection(self, name: str, path: str) -> None:
        if name not in self._connections:
            what = f"no such connection ({', '.join(sorted(self._connections)) or 'there is none'})"
            self._findings.error(f"{path}.connection", what, nearest(name, self._connections), value=name)

    def _bind_row(self, placed: Placed[PointRow]) -> None:
        row, path, findings = placed.row, placed.path, self._findings
        name = f"{row.asset_no}/{row.signal}"
        if name in self._tried:  # told by the rows already
            return
        self._tried.add(name)
        self._connection(row.connection, path)
        if row.asset_no not in self._rows.claimed:
            hint = findings.near(row.asset_no, self._rows.claimed)
            what = "no equipment and no meter has this number"
            findings.error(f"{path}.asset_no", what, hint, value=row.asset_no)
            return
        signal = reference.signals().get(row.signal)
        if signal is None:
            hint = nearest(row.signal, reference.signals())
            findings.error(f"{path}.signal", "no such signal (the table of signals)", hint, value=row.signal)
            return
        if row.asset_no not in self._path_of:  # its own row is not good
            return
        profile, parameters = self._profile_of[self._path_of[row.asset_no]]
        about = profile.signals.get(row.signal) if profile is not None else None
        link = self._links.get(row.connection)
        if link is None or (profile is not None and parameters is None):
            return
        try:
            self._bind(of_row(row, signal, about, profile, parameters or Parameters({})), link, row.asset_no)
        except BindError as error:
            self._told(path, error, row.asset_no)

    def _bind(self, wanted: Wanted, link: Link, asset_no: str) -> None:
        """Raises BindError."""
        kind = self._kind(asset_no)
        if kind not in wanted.signal.subjects:
            others = [s.id for s in reference.signals().values() if kind in s.subjects]
            what = f"{wanted.signal.id} is no signal of {'a meter' if kind == 'meter' else kind}"
            raise BindError("signal", "", what, f"{', '.join(others)}")
        point, note = bound(wanted, link, self._meter_of.get(asset_no))
        self._bound.add(point.name)
        self.points[link.name].append(point)
        self._findings.note(note)
        if kind == "meter" and wanted.signal.type == "register":
            self._counts_once(asset_no, link, point)

    def _counts_once(self, asset_no: str, link: Link, point: BoundPoint) -> None:
        """A row copied without its unit reads another meter: what that counts would enter the balance twice."""
        place = link.name, str(point.address), point.signal
        other = self._counted.setdefault(place, asset_no)
        if other != asset_no and (other, asset_no) not in self._doubled:
            self._doubled.add((other, asset_no))
            what = f"{asset_no} reads the registers of {other} ({link.name} {point.address}): counted twice"
            self._findings.warn(self._path_of[asset_no], f"{what}; does each have its own unit or number?")

    def _kind(self, asset_no: str) -> str:
        return "meter" if asset_no in self._meter_of else "equipment"

    def _bind_profile(self, placed: Placed[EquipmentRow] | Placed[MeterRow]) -> None:
        """Every signal of a row's profile that is one of its kind (a drive is equipment, and its counter a meter), has
        an address and is not bound by hand. An address whose parameter is empty is none."""
        row, path, findings = placed.row, placed.path, self._findings
        profile, parameters = self._profile_of[path]
        if profile is None or parameters is None or all(s.cell is None for s in profile.signals.values()):
            return
        if row.connection == NONE:
            findings.error(f"{path}.connection", f"is missing: profile {profile.id} reads a device")
            return
        link = self._links.get(row.connection)
        if link is not None and link.driver_id != profile.driver:
            what = f"its driver is {link.driver_id}; profile {profile.id} needs {profile.driver}"
            findings.error(f"{path}.connection", what, value=row.connection)
            return
        kind, others = self._kind(row.asset_no), []
        blamed: dict[str, BindError] = {}
        for signal, about in profile.signals.items():
            name = f"{row.asset_no}/{signal}"
            if not parameters.fill(about.cell or "") or name in self._tried:
                continue
            if kind not in reference.signals()[signal].subjects:
                others.append(signal)
                continue
            self._tried.add(name)
            if link is None:
                continue
            try:
                wanted = of_profile(row.asset_no, reference.signals()[signal], about, profile, parameters)
                self._bind(wanted, link, row.asset_no)
            except BindError as error:
                said = parameters.blamed(_filled(about, error.key), error.what, str(error.value))
                if said:
                    blamed.setdefault(said, error)
                else:
                    self._told(path, error, row.asset_no, f"profile {profile.id}: signals.{signal}")
        for said, wrong in blamed.items():
            findings.error(f"{path}.parameters", wrong.what, wrong.hint, value=said)
        if change := to_change(profile):
            findings.note(f"{row.asset_no}: {profile.id} {change}")
        if others:
            rows = "[[equipment]]" if kind == "meter" else "[[meters]]"
            what = f"{', '.join(others)} of {profile.id} {'is' if len(others) == 1 else 'are'} read where a row of"
            findings.note(f"{row.asset_no}: {what} {rows} has this profile too")

    def _told(self, path: str, error: BindError, asset_no: str, template: str = "") -> None:
        """`template`: where in a profile the mistake shows, if the row itself has no such key."""
        if error.key == "max_rate" and asset_no in self._doubtful:
            return  # what it would be derived from is wrong, which was told
        place = f"{path}.{error.key}"
        if template and error.key not in _PLATE:
            place = f"{path} ({template}.{error.key})"
        self._findings.error(place, error.what, error.hint, value=error.value)

    def _meter(self, placed: Placed[MeterRow]) -> None:
        row, path, findings = placed.row, placed.path, self._findings
        meter = self._meter_of[row.asset_no]
        if meter.carrier is None:
            hint = nearest(row.carrier, reference.carriers())
            findings.error(
                f"{path}.carrier", "no such carrier (the table of carriers)", hint, value=row.carrier
            )
        self._parent(row, path)
        self._bind_profile(placed)
        self._transformers(row, meter)
        found = [s for s in reference.signals().values() if f"{row.asset_no}/{s.id}" in self._tried]
        told = self._profile_of[path][1] is None  # what it needs to be bound is wrong or missing
        counts = any(meter.measures(s.unit) for s in found if s.type == "register")
        if meter.carrier is not None and not counts and not told:
            findings.warn(
                path, f"{row.asset_no} has no register that measures {row.carrier}: it counts nothing"
            )
        self.meters.append(
            MeterItem(row.asset_no, row.name, row.carrier, row.role, row.parent or None, row.since)
        )

    def _transformers(self, row: MeterRow, meter: Meter) -> None:
        """What the meter says of its transformers is compared with the list; no pt there is one of 1/1."""
        for kind, plate in (("ct", row.ct), ("pt", row.pt)):
            names = {side: f"{row.asset_no}/{kind}_{side}" for side in ("ratio", "primary", "secondary")}
            said = {side: name for side, name in names.items() if name in self._bound}
            if said and (kind in meter.plates or (kind == "pt" and not plate)):
                primary, secondary = map(float, meter.plates.get(kind, (1, 1)))
                self.transformers.append(
                    Transformer(row.asset_no, kind, plate or "1/1", primary, secondary, said)
                )
                self._findings.note(
                    f"{row.asset_no}: {kind} {plate or '1/1'} is compared with what the meter says"
                )

    def _parent(self, row: MeterRow, path: str) -> None:
        if not row.parent:
            return
        if row.parent not in self._placed:
            if row.parent not in self._rows.claimed:
                hint = self._findings.near(row.parent, self._placed)
                self._findings.error(f"{path}.parent", "no meter has this number", hint, value=row.parent)
            elif any(row.parent == placed.row.asset_no for placed in self._rows.equipment):
                self._findings.error(f"{path}.parent", "is equipment, no meter", value=row.parent)
            return
        above, chain = row.parent or None, {row.asset_no: None}
        while above and above not in chain:
            chain[above] = None
            above = self._placed[above].parent if above in self._placed else None
        if above == row.asset_no:
            what = f"a circle: {' below '.join([*chain, above])}"
            self._findings.error(f"{path}.parent", what, value=row.parent)
            return
        if (outer := inside(row.asset_no, self._placed)) is not None:
            told = "too" if self._placed[outer].role == row.role else self._placed[outer].role
            what = f"is {row.role} below {outer}, which is {told}: it counts as a sub-meter, not in the total"
            self._findings.warn(f"{path}.role", f"{row.asset_no} {what}")

    def _equipment(self, placed: Placed[EquipmentRow]) -> None:
        row, path, findings = placed.row, placed.path, self._findings
        flags = tuple(row.flags.replace(",", " ").split())
        for flag in flags:
            if flag not in reference.flags():
                hint = nearest(flag, reference.flags())
                findings.error(
                    f"{path}.flags", f"no such flag ({', '.join(reference.flags())})", hint, value=flag
                )
        self._bind_profile(placed)
        machine = self._machine(row, path)
        states: tuple[State, ...] = ()
        if machine is not None:
            self.machines.append(machine)
            states = states_of(machine)
        self.equipment.append(
            EquipmentItem(
                row.asset_no,
                row.name,
                row.profile or None,
                states,
                () if machine is None else tuple(sorted(machine.proves)),
                tuple(dict.fromkeys(flags)),
                row.status,
                row.since,
                int(row.planned_run_time_s) if row.planned_run_time_s else None,
            )
        )

    def _machine(self, row: EquipmentRow, path: str) -> Machine | None:
        profile, parameters = self._profile_of[path]
        if profile is None or parameters is None or not profile.states:
            return None
        carriers: dict[str, str] = {}
        asked = asked_for(profile)
        for signal, about in profile.signals.items():
            own = f"{row.asset_no}/{signal}"
            if "equipment" not in reference.signals()[signal].subjects:
                continue
            if own in self._tried:
                carriers |= {signal: own} if own in self._bound else {}
            elif about.meter is not None:
                meter = parameters.fill(about.meter)
                if (name := f"{meter}/{signal}") in self._tried:
                    carriers[signal] = name
                else:
                    self._no_such_meter(meter, signal, path)
            elif about.absent is None and signal in asked:
                what = f"{signal} of {profile.id} has no address and no value for its absence"
                self._findings.error(path, what, "bind it in [[points]]")
        machine = machine_of(row.asset_no, profile, parameters, carriers, path, self._findings)
        if machine is not None:
            note_missing(machine, profile, states_of(machine), self._findings)
        return machine

    def _no_such_meter(self, meter: str, signal: str, path: str) -> None:
        if meter in self._meter_of:
            what, hint = (
                f"meter {meter} has no point {signal}",
                "its profile or a row of [[points]] has to read it",
            )
        elif meter in self._rows.claimed:
            if all(placed.row.asset_no != meter for placed in self._rows.equipment):
                return  # its own row is not good, which was told
            what, hint = f"{meter} is equipment, no meter", ""
        else:
            what, hint = "no meter has this number", self._findings.near(meter, self._meter_of)
        self._findings.error(f"{path}.parameters", what, hint, value=f"meter={meter}")


def _filled(about: ProfileSignal, key: str) -> str:
    """The texts of a signal that a mistake under this key may come from."""
    return f"{about.cell} {about.type} {about.order}" if key == "address" else str(getattr(about, key, ""))


def _says(profile: Profile | None) -> set[str]:
    """The signals of a profile with which a meter says its transformers."""
    own = {} if profile is None else profile.signals
    return {signal for signal in TRANSFORMER_SIGNALS & own.keys() if own[signal].cell is not None}
