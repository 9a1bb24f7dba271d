"""The drivers that are installed: entry points of the group `ganpo.drivers`."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ganpo_drivers.api import Browses, Driver, Estimates, Identifies, Reports, Subscribes, Traces
from ganpo_model.errors import ConfigError
from ganpo_model.meant import meant

log = logging.getLogger(__name__)

GROUP = "ganpo.drivers"
OURS = "ganpo"
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ABILITIES: dict[str, type[Any]] = {
    "estimates": Estimates,
    "identifies": Identifies,
    "reports": Reports,
    "browses": Browses,
    "subscribes": Subscribes,
    "traces": Traces,
}


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """One driver as `ganpo driver list` shows it. `error`: why it cannot be used, else empty."""

    id: str
    version: str
    origin: str
    abilities: tuple[str, ...]
    error: str = ""


def load(name: str) -> type[Driver[Any, Any]]:
    """The class of a driver.

    Raises ConfigError: not installed (with the nearest name), of two packages, or it cannot be loaded.
    """
    points = list(entry_points(group=GROUP))
    usable = _usable(points)
    rivals = sorted(_origin(point) for point in points if point.name == name)
    if name not in usable and len(rivals) > 1:
        raise ConfigError(f"driver {name!r} comes with {', '.join(rivals)}", hint="uninstall all but one")
    if name not in usable:
        near = meant(name, usable)
        raise ConfigError(
            f"no driver {name!r} is installed ({', '.join(sorted(usable))})",
            hint=f"did you mean {near}?" if near else "`ganpo driver list` shows what there is",
        )
    found = _class(usable[name])
    if isinstance(found, str):
        raise ConfigError(
            f"driver {name!r} cannot be loaded: {found}", hint="`ganpo driver list` shows the same"
        )
    return found


def listing() -> list[DriverInfo]:
    """Every driver that says it is one, by id, also those that cannot be used. Never raises."""
    points = list(entry_points(group=GROUP))
    usable = _usable(points)
    return sorted((_info(point, usable) for point in points), key=lambda info: (info.id, info.origin))


def _usable(points: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    """By id; ours may not be shadowed, and of two others with one id none is silently the winner."""
    found: dict[str, list[EntryPoint]] = {}
    for point in points:
        if _ID.fullmatch(point.name):
            found.setdefault(point.name, []).append(point)
    usable = {}
    for name, candidates in found.items():
        ours = [point for point in candidates if _origin(point) == OURS]
        if ours or len(candidates) == 1:
            usable[name] = (ours or candidates)[0]
    return usable


def _info(point: EntryPoint, usable: dict[str, EntryPoint]) -> DriverInfo:
    origin = _origin(point)
    version = point.dist.version if point.dist is not None else ""
    if not _ID.fullmatch(point.name):
        return DriverInfo(point.name, version, origin, (), "its id is not lower_snake_case")
    if usable.get(point.name) is not point:
        return DriverInfo(point.name, version, origin, (), "another package has this id")
    found = _class(point)
    if isinstance(found, str):
        return DriverInfo(point.name, version, origin, (), found)
    abilities = tuple(name for name, ability in _ABILITIES.items() if issubclass(found, ability))
    return DriverInfo(point.name, version, origin, abilities)


def _class(point: EntryPoint) -> type[Driver[Any, Any]] | str:
    """The class, or why there is none."""
    try:
        found = point.load()
    except Exception as error:  # whatever a foreign package does when imported stops only its own connections
        log.warning("driver %s of %s cannot be loaded", point.name, _origin(point), exc_info=True)
        return f"{type(error).__name__}: {error}"
    if not (isinstance(found, type) and issubclass(found, Driver)):
        return f"{point.value} is no Driver"
    missing: frozenset[str] = getattr(found, "__abstractmethods__", frozenset())
    return f"{', '.join(sorted(missing))} not implemented" if missing else found


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"
