"""What differs between the plant that runs and another one: what has to begin anew, and what goes on. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ganpo_agent.observing import limits
from ganpo_config.plant import Plant


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of one kind, each sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def all(self) -> set[str]:
        """Whatever it is that changed of them."""
        return {*self.added, *self.changed, *self.removed}


@dataclass(frozen=True, slots=True)
class Difference:
    """`restart`: settings that hold from the next start on, and keep everything else of the file from being applied.
    `subjects`: those that are read otherwise, or no more. `inventory`: whether they are described otherwise."""

    restart: tuple[str, ...] = ()
    uplink: bool = False
    connections: Changes = Changes()
    subjects: Changes = Changes()
    inventory: bool = False

    def __bool__(self) -> bool:
        return bool(self.restart or self.uplink or self.connections or self.subjects or self.inventory)

    def as_json(self) -> dict[str, Any]:
        """As the local API tells it."""
        told = asdict(self)
        del told["restart"]
        return told

    def __str__(self) -> str:
        """For the log: `uplink, connections: +1 ~2 -0, subjects: ...`."""
        parts = ["uplink"] if self.uplink else []
        for kind, found in (("connections", self.connections), ("subjects", self.subjects)):
            if found:
                parts.append(f"{kind} +{len(found.added)} ~{len(found.changed)} -{len(found.removed)}")
        parts += ["inventory"] if self.inventory else []
        return ", ".join(parts) or "nothing"


def difference(old: Plant, new: Plant) -> Difference:
    """Of two plants; some 10 ms for 1,000 points."""
    gateway = type(old.gateway).model_fields
    restart = [f"gateway.{key}" for key in gateway if getattr(old.gateway, key) != getattr(new.gateway, key)]
    site = {"slot": "slot_ms", "timezone": "timezone"}
    restart += [f"site.{key}" for key, of in site.items() if getattr(old.site, of) != getattr(new.site, of)]
    return Difference(
        tuple(restart),
        old.uplink != new.uplink,
        _compared(
            {link.name: link for link in old.connections}, {link.name: link for link in new.connections}
        ),
        _compared(_subjects(old), _subjects(new)),
        _described(old) != _described(new),
    )


def _compared(old: Mapping[str, object], new: Mapping[str, object]) -> Changes:
    return Changes(
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(name for name in new.keys() & old.keys() if old[name] != new[name])),
        tuple(sorted(old.keys() - new.keys())),
    )


def _described(plant: Plant) -> tuple[object, ...]:
    registers = tuple(point.meaning for point in plant.registers())
    return plant.site, plant.calendar, plant.equipment, plant.meters, registers


def _subjects(plant: Plant) -> dict[str, object]:
    """By the number of each subject, everything that what is observed of it is made from."""
    edges, watched = limits.edges(plant), limits.watched(plant)
    numbers = [item.asset_no for item in plant.equipment] + [item.asset_no for item in plant.meters]
    own: dict[str, list[object]] = {number: [] for number in numbers}
    whose: dict[str, str] = {}
    for link in plant.connections:
        session = link.name, link.driver, link.settings
        for point in link.points:
            whose[point.name] = point.subject
            own.setdefault(point.subject, []).append(
                (point, session, edges.get(point.name), watched.get(point.name))
            )
    for transformer in plant.transformers:
        own[transformer.meter].append(transformer)
    found: dict[str, object] = dict(own)
    for machine in plant.machines:
        read = {whose[name] for name in machine.signals.values() if name in whose} - {machine.asset_no}
        found[machine.asset_no] = (
            machine,
            own.get(machine.asset_no),
            [own[subject] for subject in sorted(read)],
        )
    return found
