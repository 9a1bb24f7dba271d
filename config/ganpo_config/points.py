"""The points of all subjects, each bound once: by a row of `[[points]]`, else as its subject's profile says."""

from collections.abc import Mapping, Set

from ganpo_config.bind import Link, bound
from ganpo_config.document import PointRow
from ganpo_config.findings import Findings
from ganpo_config.nameplate import TRANSFORMER_SIGNALS
from ganpo_config.plant import BoundPoint, Register
from ganpo_config.profile import ProfileSignal
from ganpo_config.profile_text import to_change
from ganpo_config.registers import wraps_within_a_day
from ganpo_config.rows import Placed
from ganpo_config.subject import NONE, Subject
from ganpo_config.wanted import BindError, Wanted, of_profile, of_row
from ganpo_model import reference

_PLATE = {"parameters", "ct", "pt", "pulse", "max_rate"}
"""Keys of a row of `[[meters]]`, as against those of a profile."""


class Points:
    """By connection, and by subject what was `said` to be read and what could be `bound`."""

    def __init__(self, links: Mapping[str, Link], findings: Findings) -> None:
        """`links`: the good connections."""
        self._links, self._findings = links, findings
        self._on: dict[str, list[BoundPoint]] = {name: [] for name in links}
        self._said: dict[str, set[str]] = {}
        self._bound: dict[str, set[str]] = {}
        self._counted: dict[tuple[str, str, str], str] = {}
        self._doubled: set[tuple[str, str]] = set()

    def on(self, connection: str) -> tuple[BoundPoint, ...]:
        """Read and looked at in this order where all are due at once: what a meter says of its transformers is known
        before a value that it makes wrong is believed."""
        return tuple(sorted(self._on[connection], key=lambda point: point.signal not in TRANSFORMER_SIGNALS))

    def said(self, subject: str) -> Set[str]:
        """The signals of a subject that something says how to read, rightly or not."""
        return self._said.get(subject, frozenset())

    def bound(self, subject: str) -> Set[str]:
        """The signals of a subject that are read."""
        return self._bound.get(subject, frozenset())

    def first(self, subject: str, signal: str) -> bool:
        """Whether nothing said before how a signal is read; it is said now."""
        said = self._said.setdefault(subject, set())
        if signal in said:
            return False
        said.add(signal)
        return True

    def bind_row(self, placed: Placed[PointRow], subject: Subject | None) -> None:
        """A row of `[[points]]`. `subject`: None where its own row is not good, which was told."""
        row, path, findings = placed.row, placed.path, self._findings
        signal = reference.signals().get(row.signal)
        if signal is None:
            hint = findings.near(row.signal, reference.signals())
            findings.error(f"{path}.signal", "no such signal (the table of signals)", hint, value=row.signal)
            return
        link = self._links.get(row.connection)
        if subject is None or link is None or subject.parameters is None:
            return
        profile, parameters = subject.profile, subject.parameters
        about = profile.signals.get(row.signal) if profile is not None else None
        try:
            self._bind(of_row(row, signal, about, profile, parameters), link, subject, path)
        except BindError as error:
            self._told(path, error, subject)

    def bind_profile(self, subject: Subject) -> None:
        """Every signal of a row's profile that is one of its kind (a drive is equipment, and its counter a meter), has
        an address and is not bound by hand. An address whose parameter is empty is none."""
        path, findings = subject.path, self._findings
        profile, parameters = subject.profile, subject.parameters
        if profile is None or parameters is None or all(s.cell is None for s in profile.signals.values()):
            return
        if subject.connection == NONE:
            hint = "the name of one below [connections]"
            findings.error(f"{path}.connection", f"is missing: profile {profile.id} reads a device", hint)
            return
        link = self._links.get(subject.connection)
        if link is not None and link.driver_id != profile.driver:
            what = f"its driver is {link.driver_id}; profile {profile.id} needs {profile.driver}"
            hint = "another connection, or another profile of the device: `ganpo profile list`"
            findings.error(f"{path}.connection", what, hint, value=subject.connection)
            return
        others = []
        blamed: dict[str, BindError] = {}
        for signal, about in profile.signals.items():
            if not parameters.fill(about.cell or "") or signal in self.said(subject.number):
                continue
            if subject.kind not in reference.signals()[signal].subjects:
                others.append(signal)
                continue
            self.first(subject.number, signal)
            if link is None:
                continue
            try:
                wanted = of_profile(subject.number, reference.signals()[signal], about, profile, parameters)
                self._bind(wanted, link, subject, path)
            except BindError as error:
                said = parameters.blamed(_filled(about, error.key), error.what, str(error.value))
                if said:
                    blamed.setdefault(said, error)
                else:
                    self._told(path, error, subject, f"profile {profile.id}: signals.{signal}")
        for said, wrong in blamed.items():
            findings.error(f"{path}.parameters", wrong.what, wrong.hint, value=said)
        if change := to_change(profile, subject.connection, link.settings.characters if link else ""):
            findings.note(f"{subject.number}: {change}")
        if others:
            rows = "[[equipment]]" if subject.kind == "meter" else "[[meters]]"
            read = f"{', '.join(others)} of {profile.id}"
            findings.note(
                f"{subject.number}: for {read} to be read, a row of {rows} has to have this profile too"
            )

    def _bind(self, wanted: Wanted, link: Link, subject: Subject, path: str) -> None:
        """Raises BindError."""
        if subject.kind not in wanted.signal.subjects:
            others = [s.id for s in reference.signals().values() if subject.kind in s.subjects]
            kind = "a meter" if subject.kind == "meter" else subject.kind
            raise BindError("signal", "", f"{wanted.signal.id} is no signal of {kind}", ", ".join(others))
        point, note = bound(wanted, link, subject.meter)
        self._bound.setdefault(subject.number, set()).add(point.signal)
        self._on[link.name].append(point)
        self._findings.note(note)
        if isinstance(point.meaning, Register) and (soon := wraps_within_a_day(point.meaning)):
            what = f"{point.name} can begin at 0 again after {soon}: what it counts in a longer outage is not known"
            self._findings.warn(path, f"{what}; bind a wider register, or state the max_rate that is true")
        if subject.kind == "meter" and wanted.signal.type == "register":
            self._counts_once(link, point, subject)

    def _counts_once(self, link: Link, point: BoundPoint, subject: Subject) -> None:
        """A row copied without its unit reads another meter: what that counts would enter the balance twice."""
        place = link.name, str(point.address), point.signal
        other = self._counted.setdefault(place, subject.number)
        if other != subject.number and (other, subject.number) not in self._doubled:
            self._doubled.add((other, subject.number))
            what = f"{subject.number} reads the registers of {other} ({link.name} {point.address}): counted twice"
            self._findings.warn(subject.path, f"{what}; does each have its own unit or number?")

    def _told(self, path: str, error: BindError, subject: Subject, template: str = "") -> None:
        """`template`: where in a profile the mistake shows, if the row itself has no such key."""
        if error.key == "max_rate" and subject.doubtful:
            return  # what it would be derived from is wrong, which was told
        place = f"{path}.{error.key}"
        if template and error.key not in _PLATE:
            place = f"{path} ({template}.{error.key})"
        self._findings.error(place, error.what, error.hint, value=error.value)


def _filled(about: ProfileSignal, key: str) -> str:
    """The texts of a signal that a mistake under this key may come from."""
    return f"{about.cell} {about.type} {about.order}" if key == "address" else str(getattr(about, key, ""))
