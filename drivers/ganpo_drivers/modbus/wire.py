"""One session with a line of units, whatever its frames: it takes no answer but the one that is due."""

import asyncio
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

from ganpo_drivers.lines import ByteLine, Trace
from ganpo_drivers.modbus.answers import Answer
from ganpo_drivers.modbus.requests import Request
from ganpo_model.errors import ConnectionLost

MOMENT_S = 1.0


class BrokeOff(ConnectionLost):
    """The rest of an answer did not come in time."""


class Owed(NamedTuple):
    """An answer that did not come: when its request was sent, in the loop's time. `met`: while nothing older was owed
    something else came from that unit, which can hardly be anything but its answer to this request."""

    sent: float
    met: bool = False


@dataclass(slots=True)
class Habits:
    """What a line has shown of itself; it outlives the session.

    `known`: it has spoken Modbus. `nameless`: over TCP it answers with transaction id 0, so that after an unanswered
    request no later answer of the session can be believed. `brief`: it ends a session soon after an answer, with the
    next request in it, so that each request gets a session of its own. `owing`: of frames without ids, the requests
    whose answers may still come, by unit and shape.
    """

    known: bool = False
    nameless: bool = False
    brief: bool = False
    owing: dict[int, dict[tuple[int, int | None], Owed]] = field(default_factory=dict)


class Wire(ABC):
    """One session. `timeout_s`: how long a unit may take to begin its answer. Every error names where."""

    def __init__(self, line: ByteLine, timeout_s: float, habits: Habits) -> None:
        self.where = line.where
        self._line = line
        self._timeout_s = timeout_s
        self._habits = habits

    def traced(self, trace: Trace) -> None:
        """Note there what goes over the line."""
        self._line.trace = trace

    @property
    def open(self) -> bool:
        """Whether the session stands."""
        return self._line.is_open

    @property
    def heard(self) -> bool:
        """Whether anything came in this session."""
        return self._line.heard_at > -math.inf

    @property
    def hasty(self) -> bool:
        """Whether something came in this session a moment ago: what ends now was not left idle."""
        return asyncio.get_running_loop().time() - self._line.heard_at < MOMENT_S

    @property
    @abstractmethod
    def blind(self) -> bool:
        """Whether its answers carry nothing that tells a late one, so that any error ends the session."""

    async def connect(self) -> None:
        """Open the session. Raises what `ByteLine.open` does."""
        await self._line.open()

    @abstractmethod
    async def ask(self, request: Request) -> Answer:
        """The answer to this request and no other.

        Raises WrongAnswer (whole, and to something else), UnitSilent, ConnectionLost (the other side closed, or what
        came is no frame: close), BrokeOff, UnsupportedProtocol (it never spoke Modbus).
        """

    def close(self) -> None:
        """Leave. Safe at any time."""
        self._line.close()
