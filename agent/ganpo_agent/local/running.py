"""What the local API knows of a running agent, and by which words a connection's state is told."""

from collections.abc import Sequence
from typing import Any, Protocol

from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.local.today import Today
from ganpo_agent.local.waited import Waited
from ganpo_agent.observing.observer import Observer
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.reloading.reloading import Reloading
from ganpo_agent.timekeeper import Timekeeper
from ganpo_agent.uplink.uplink import Uplink
from ganpo_config.plant import Plant
from ganpo_model.clock import from_ms, iso, to_ms
from ganpo_model.errors import ConfigError

STATES = {"opening": "connecting", "up": "up", "waiting": "down", "parked": "parked"}
"""A connection's state in the API, by that of its task."""


class Running(Protocol):
    """The agent of this process. `observer`: None while time is not trusted; `began`: monotonic seconds."""

    plant: Plant
    time: Timekeeper
    observer: Observer | None
    keeper: Keeper
    uplink: Uplink
    began: float
    today: Today
    waited: Waited
    reloading: Reloading

    @property
    def connections(self) -> Sequence[ConnectionTask]:
        """A task per connection."""

    def picture(self) -> dict[str, Any]:
        """Connections and subjects, as `live` tells them."""


def now_ms(agent: Running) -> int:
    """The time as it is believed now."""
    return to_ms(agent.time.now())


def past(agent: Running, monotonic: float | None) -> str | None:
    """The wall time of a moment of the monotonic clock; None where there was none, or while time is not trusted."""
    if monotonic is None or not agent.time.trusted():
        return None
    return iso(from_ms(now_ms(agent) - round((agent.time.monotonic() - monotonic) * 1000)))


def task_of(agent: Running, name: str) -> ConnectionTask:
    """The task of a connection. Raises ConfigError where there is none, with the names of those there are."""
    for task in agent.connections:
        if task.bound.name == name:
            return task
    names = ", ".join(task.bound.name for task in agent.connections)
    raise ConfigError("no such connection", where=f"connections.{name}", hint=f"there are: {names or 'none'}")
