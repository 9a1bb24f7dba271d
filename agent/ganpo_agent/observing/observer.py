"""Everything the gateway observes: scans in, facts out. Synchronous; time is an argument."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import repeat
from typing import Any

from ganpo_agent.observing import limits
from ganpo_agent.observing.journal import Journal
from ganpo_agent.observing.links import Link
from ganpo_agent.observing.machine import MachineRuns
from ganpo_agent.observing.nameplate import nameplates
from ganpo_agent.observing.signals import PointState
from ganpo_agent.observing.together import Together
from ganpo_config.plant import BoundPoint, Plant, Register, SignalValue
from ganpo_drivers import FaultKind, Identity, Scan
from ganpo_model import reference
from ganpo_model.clock import DAY_MS, from_ms, iso, to_ms
from ganpo_model.facts import Event, EventKind, Fact, States


class Observer:
    """Turns scans into facts and hands them to `emit(facts)`, which must not wait.

    `feed` takes what was read; `tick` brings everything else to `now`: values that went stale, slots that
    ended, the inventory of the day. `now` is ms since 1970 and never falls, but through `step`.
    """

    def __init__(self, plant: Plant, emit: Callable[[Sequence[Fact]], None], now: int) -> None:
        self.seen: dict[str, PointState] = {}
        self.machines: dict[str, MachineRuns] = {}
        self.links: dict[str, Link] = {}
        self._emit = emit
        self._slot_ms = plant.site.slot_ms
        self.slot = now // self._slot_ms
        self._day = -1
        self._stale_at: float = now
        """When the first value of any machine goes stale, at the earliest."""
        self._groups: dict[int, Together] = {}
        self._journal = Journal()
        self._hold(plant, now)
        self.tick(now)

    def become(self, plant: Plant, changed: Set[str], now: int) -> None:
        """Another plant from `now` on. The `changed` subjects begin as at a start, their slots end; all others go on
        with what they know. The inventory is told."""
        self.tick(now)
        self._send(self._close(now, changed))
        self._journal.forget(name for name, state in self.seen.items() if state.point.subject in changed)
        for subject in changed:
            self.machines.pop(subject, None)
            self.links.pop(subject, None)
        self.seen = {name: state for name, state in self.seen.items() if state.point.subject not in changed}
        self._groups.clear()
        self._hold(plant, now)
        self.tell_again()
        self.tick(now)

    def feed(self, points: Sequence[BoundPoint], scan: Scan, identity: Identity | None, now: int) -> None:
        """What one read of a connection brought, at its receipt."""
        group = self._group(points)
        # what ended before it is looked at before anything of it is known
        ended = group.one_ended(now)
        if ended or now >= self._stale_at or now // self._slot_ms != self.slot:
            self.tick(now)
        times = scan.source_times or repeat(None)
        found = [
            state.point.name
            for state, value, source_time in zip(group.states, scan.values, times, strict=False)
            if state.observe(value, source_time, now)
        ]
        if found:
            self._journal.look([self.seen[name] for name in found if not self._may_lack(name)], now)
        facts: list[Fact] = []
        touched: dict[Link, list[str]] = {}
        for name in found:
            for link in self._watching.get(name, ()):
                touched.setdefault(link, []).append(name)
        for link, names in touched.items():
            link.due = now
            if not link.settled and (event := link.look(self.seen, now, names, identity)) is not None:
                facts.append(event)
            if (machine := self.machines.get(link.subject)) is not None:
                facts += machine.advance(self.seen, now)
                self._stale_at = min(self._stale_at, machine.stale_at)
        for state, register in group.registers:
            if state.at == now and isinstance(state.value, int):
                facts += register.feed(now, state.value, self.slot)
        self._send(facts)

    def tell_again(self) -> None:
        """The next `tick` tells the inventory, as if a day began."""
        self._day = -1

    def tick(self, now: int) -> None:
        """Bring everything to `now` without a new scan: what falls due is looked at, the rest stays as it is."""
        facts: list[Fact] = []
        if now // DAY_MS != self._day:
            self._day = now // DAY_MS
            facts.append(self._plant.inventory(from_ms(now)))
        while self.slot < now // self._slot_ms:
            self.slot += 1
            facts += self._close(self.slot * self._slot_ms)
            self._journal.look_again(now)
        for machine in self.machines.values():
            if machine.due <= now:
                facts += machine.fall_due(self.seen, now)
        self._stale_at = min((machine.stale_at for machine in self.machines.values()), default=math.inf)
        for link in self.links.values():
            if link.due <= now and (event := link.look(self.seen, now)) is not None:
                facts.append(event)
        self._send(facts)

    def step(self, now: int, by: int) -> None:
        """The wall clock stepped by `by` ms to `now`: the slot ends at the old time, another begins."""
        facts = self._close(now - by)
        facts.append(Event("event", from_ms(now), EventKind.CLOCK_STEP, None, {"by_ms": by}))
        for state in self.seen.values():
            state.shift(by)
            if state.register is not None:
                state.register.restart()
        self._groups.clear()
        self._journal.shift(by)
        for machine in self.machines.values():
            machine.restart(now, by)
        for link in self.links.values():
            link.due = now
        self._stale_at = now
        self.slot = now // self._slot_ms
        self._send(facts)

    def failed(self, subjects: Iterable[str], reason: str) -> None:
        """Subjects could not be read: remembered as the reason, should their values go stale."""
        for subject in subjects:
            if (link := self.links.get(subject)) is not None:
                link.reason = reason

    def open_slots(self, now: int) -> list[States]:
        """The runs of the slots that are open, up to `now`: what a power cut would otherwise cost."""
        return [machine.open_fact(now) for machine in self.machines.values() if from_ms(now) > machine.start]

    def finish(self, now: int) -> None:
        """The process ends in order: open slots become short ones."""
        self.tick(now)
        self._send(self._close(now))

    def subjects(self) -> dict[str, dict[str, str]]:
        """Each subject's state now and since when: for the running picture."""
        picture = {
            no: {"state": str(m.state), "since": iso(from_ms(m.since))} for no, m in self.machines.items()
        }
        for subject, link in self.links.items():
            if subject not in picture:
                picture[subject] = {
                    "state": "up" if link.up else "down",
                    "since": iso(from_ms(link.since)),
                }
        return picture

    def points(self, now: int, subject: str | None = None) -> dict[str, dict[str, Any]]:
        """Each point's last word, for people: a value that is not stale, in the unit of its signal, when it was read,
        and the device's own time with its age, which nothing is judged by: a PLC in STOP goes on answering with what
        it knew."""
        return {
            name: {
                "value": _shown(state) if state.good(now) else None,
                "unit": reference.signals()[state.point.signal].unit or None,
                "quality": "absent" if self._may_lack(name) else state.quality(now),
                "raw": None if state.raw is None else str(state.raw),
                "read": iso(from_ms(state.at)) if state.at else None,
                "age_s": (now - state.at) / 1000 if state.at else None,
                "source_time": iso(state.source_time) if state.source_time else None,
                "source_age_s": (now - to_ms(state.source_time)) / 1000 if state.source_time else None,
                "fault": state.fault.text if state.fault else None,
            }
            for name, state in self.seen.items()
            if subject in (None, state.point.subject)
        }

    def faults(self) -> dict[str, str]:
        """Why points have no value: their address, and the words of device or driver."""
        return {
            name: f"{state.point.address}: {state.fault.text}"
            for name, state in self.seen.items()
            if state.fault is not None
        }

    def since(self, name: str) -> int | None:
        """Since when (ms) a point is at fault; None where it is not, or where its fault is none of ours to tell."""
        return self._journal.since(name)

    def at_fault(self) -> set[str]:
        """The points with a fault, without those that a profile says may be absent and that are."""
        return {n for n, state in self.seen.items() if state.fault is not None and not self._may_lack(n)}

    def _may_lack(self, name: str) -> bool:
        fault = self.seen[name].fault
        return fault is not None and fault.kind is FaultKind.ABSENT and name in self._optional

    def _group(self, points: Sequence[BoundPoint]) -> Together:
        """Of the points of one query, which is the same object at every poll."""
        found = self._groups.get(id(points))
        if found is None:
            found = self._groups[id(points)] = Together(points, self.seen)
        return found

    def _hold(self, plant: Plant, now: int) -> None:
        """Everything of a plant: as it is held already, else as at a start."""
        edges, watched, plates = limits.edges(plant), limits.reversals(plant), nameplates(plant)
        self.seen = {
            p.name: self.seen.get(p.name)
            or PointState(p, edges.get(p.name), watched.get(p.name), plates.get(p.name))
            for connection in plant.connections
            for p in connection.points
        }
        self.machines = {
            m.asset_no: self.machines.get(m.asset_no) or MachineRuns(m, now) for m in plant.machines
        }
        self.links = {link.subject: self.links.get(link.subject) or link for link in _links(plant, now)}
        self._plant = plant
        self._stale_at = now
        self._optional = {
            m.signals[s] for m in plant.machines for s in m.absent.keys() | m.unneeded if s in m.signals
        }
        self._watching: dict[str, list[Link]] = {}
        for link in self.links.values():
            for name in link.points:
                self._watching.setdefault(name, []).append(link)

    def _close(self, end: int, only: Set[str] | None = None) -> list[Fact]:
        """The runs of all machines, or of these, end."""
        facts: list[Fact] = []
        for machine in self.machines.values():
            if only is not None and machine.machine.asset_no not in only:
                continue
            facts += machine.advance(self.seen, end)
            if from_ms(end) > machine.start:
                facts.append(machine.cut(end))
        return facts

    def _send(self, facts: Sequence[Fact]) -> None:
        """Frames hold facts of one type: hand them on type by type, in the order in which they came."""
        by_type: dict[str, list[Fact]] = {}
        for fact in facts:
            by_type.setdefault(fact.type, []).append(fact)
        for kind in ("inventory", "event", "reading", "states"):
            if kind in by_type:
                self._emit(by_type[kind])


_NOTHING: Mapping[str, frozenset[str]] = {}


def _shown(state: PointState) -> SignalValue | None:
    """Counts of a register in its unit; a number without the digits that its scale left behind (499 x 0.1); every
    other value as it is."""
    meaning, value = state.point.meaning, state.value
    if isinstance(meaning, Register) and isinstance(value, int):
        return value * meaning.item.num / meaning.item.den
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _links(plant: Plant, now: int) -> Iterable[Link]:
    """A link per machine with signals and per meter with points."""
    drivers: dict[str, str] = {}
    own: dict[str, list[str]] = {}
    for connection in plant.connections:
        for point in connection.points:
            drivers[point.name] = connection.driver_id
            own.setdefault(point.subject, []).append(point.name)
    for machine in plant.machines:
        if names := [name for name in machine.signals.values() if name in drivers]:
            proves = {
                flag: frozenset(machine.signals[s] for s in signals if s in machine.signals)
                & frozenset(own.get(machine.asset_no, ()))
                for flag, signals in machine.proves.items()
            }
            yield Link(machine.asset_no, names, drivers, proves, now)
    for meter in plant.meters:
        if meter.asset_no in own:
            yield Link(meter.asset_no, own[meter.asset_no], drivers, _NOTHING, now)
