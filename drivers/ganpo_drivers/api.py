"""The contract vendors implement (drivers.md). A driver knows one protocol and nothing else.

It does not schedule, retry, scale, convert units, judge staleness, ask for the time or log outages.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar, final, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

Value = bool | int | float | str


class Caution(NamedTuple):
    """What is probably meant otherwise, but can be run: the key of the setting, and a sentence for a person."""

    key: str
    what: str


@dataclass(frozen=True, slots=True)
class Home:
    """Where a connection belongs, for a driver that has to be known again (a certificate) or to know others again.

    `gateway`: its id. `connection`: its name. `folder`: of this driver alone, shared by its connections, kept over
    restarts; who first writes into it makes it.
    """

    gateway: str
    connection: str
    folder: Path


class ConnectionSettings(BaseModel):
    """How to reach one session or bus: what stands under `[connections.NAME]` in `agent.toml`.

    Frozen, unknown keys refused, every field described. Secrets are `SecretStr`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    driver: str = Field(description="id of the driver, as `ganpo driver list` prints it")
    back_off_max_s: float = Field(
        default=4,
        ge=1,
        le=600,
        description="longest pause between two attempts to connect, in seconds",
    )
    _home: Home | None = PrivateAttr(default=None)

    @property
    def home(self) -> Home | None:
        """Where this connection belongs; None where no configuration stands behind it."""
        return self._home

    def at(self, home: Home) -> Self:
        """The same settings, of a connection that belongs there; the configuration calls it, nobody writes it."""
        placed = self.model_copy()
        placed._home = home  # noqa: SLF001 - of its own class
        return placed

    def columns(self) -> dict[str, Any]:
        """What `Address.parse` has to know of the connection (the addressing of a Modbus point list)."""
        return {}

    @property
    def line(self) -> str:
        """The port that one connection alone can have, by its real name; "" where several may reach the device.
        `check` refuses two connections of one line."""
        return ""

    @property
    def unsecured(self) -> str:
        """What somebody on the way can do, a clause for a person, where the protocol could protect the connection and
        is not asked to: pages show it in red. "" where it does, or knows no protection."""
        return ""

    @property
    def characters(self) -> str:
        """How the characters of a serial port look, `9600 8E1`; "" where no port is opened. `check` compares it with
        how a device leaves its factory."""
        return ""

    def cautions(self) -> Sequence[Caution]:
        """What `check` warns of."""
        return ()


class Address(BaseModel, ABC):
    """Where one point lives on the connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    @abstractmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        """The address of a list's short form. `columns`: the list's other protocol columns that are not
        empty (`type`, `order`), what `ConnectionSettings.columns` gives, and the profile's `addressing` and
        `namespaces` (prefix to URI); a driver takes what it knows and ignores the rest.

        Raises ValueError with the reason; the caller adds file and row.
        """

    @abstractmethod
    def __str__(self) -> str:
        """The short form with the protocol's own 0-based number; it goes into the register's id."""

    @property
    def key(self) -> str:
        """The failure domain: the unit on a bus. Points of one key are read together."""
        return ""

    @property
    def subscribed(self) -> bool:
        """Whether the device is to speak when the value changes (`Subscribes`), instead of being asked."""
        return False

    @property
    def summed(self) -> bool:
        """Whether it adds several places, as `parts` and `exponent` of a profile want it."""
        return False

    @property
    def whole(self) -> bool | None:
        """Whether its values are whole numbers; None: the device's variables know their own type. A register of what
        may have decimals counts in hundredths."""
        return None


ConnectionT = TypeVar("ConnectionT", bound=ConnectionSettings)
AddressT = TypeVar("AddressT", bound=Address)


@dataclass(frozen=True, slots=True)
class Point(Generic[AddressT]):
    """One readable value: its name (unique on the connection) and its address."""

    name: str
    address: AddressT


class FaultKind(StrEnum):
    """Why a point has no value."""

    ABSENT = "absent"
    """Resolving it at open answered that the device does not have it; or it has none while it is as it is."""
    BAD = "bad"
    """The device said so: status Bad, NaN, exception 02 or 03, a node that vanished later."""
    MISSING = "missing"
    """Unanswered while others of the same read were answered."""


@final
@dataclass(frozen=True, slots=True)
class PointFault:
    """A point without a value, and why, for a person."""

    kind: FaultKind
    text: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What one read brought: a value or a fault per point, in the order of the query's points.

    `source_times`: the device's own times in the same order, aware, or None where it has none.
    """

    values: list[Value | PointFault]
    source_times: list[datetime | None] | None = None


class Query(Protocol):
    """Points packed into requests. `str(query)` is what `ganpo plan` prints."""

    @property
    def points(self) -> Sequence[Point[Any]]:
        """The points in the order in which `read` answers them."""

    def __str__(self) -> str:
        """The requests, a line each."""


class Driver(ABC, Generic[ConnectionT, AddressT]):
    """One session or bus. The agent calls `open`, then `read` any number of times, never two at once, then
    `close`; while no read is due, `keep_alive`. `subscribe` of a driver that `Subscribes` runs beside the others, whose
    calls come one after another. Any call may be cancelled and followed by `close`.
    """

    connection_type: ClassVar[type[ConnectionSettings]]
    address_type: ClassVar[type[Address]]

    def __init__(self, connection: ConnectionT) -> None:
        self.connection = connection

    @abstractmethod
    async def open(self) -> None:
        """Reach the device.

        Raises TransientError (unreachable, timeout: say where) or PermanentError (refused, not trusted, another
        protocol). After an error `close` follows, then perhaps `open` again.
        """

    @abstractmethod
    def prepare(self, points: Sequence[Point[AddressT]]) -> Query:
        """Pack points of one key into requests. Pure and offline."""

    @abstractmethod
    async def read(self, query: Query) -> Scan:
        """Read all points of a query of this driver, once.

        One bad point is a PointFault in the Scan, never an exception. Raises UnitSilent at the first unanswered
        request of the key, UnitBusy, TransientError (the session is of no use) or PermanentError.
        """

    async def keep_alive(self) -> float:
        """Called while no read is due. Ask the device the least there is if it would forget the session otherwise.

        Returns the seconds after which it wants to be called again; infinite where a session needs no care.
        Raises what `read` raises of the session: TransientError or PermanentError.
        """
        return math.inf

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Around what people ask through the open session, between the reads of the configuration: what was learned
        keeps no question of theirs from being asked, and what is learned meanwhile is forgotten after it. A driver that
        remembers nothing has nothing to do."""
        yield

    @abstractmethod
    async def close(self) -> None:
        """Leave the device and free everything. Safe before open, after errors, twice; raises nothing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a controller says of itself."""

    vendor: str = ""
    model: str = ""
    serial: str = ""
    controller: str = ""


@runtime_checkable
class Identifies(Protocol):
    """Ability: ask the controller who it is; the evidence for proven CNC coverage."""

    async def identify(self) -> Identity:
        """What the device says of itself. Errors as in `Driver.read`."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a driver met on the line since it was made.

    `reopened`: sessions it opened again within a read. `faults`: how often requests failed, by key and a short word
    of its own for the kind (lower_snake_case). `notes`: what a person should know of this device, a sentence each.
    `expire`: when the certificates end with which the session is secured, by whose they are (`own`, `server`, `user`).
    `holes`: by key, what a unit was found not to have, so that it is asked for rarely; a line each.
    """

    reopened: int
    faults: Mapping[tuple[str, str], int]
    notes: Sequence[str] = ()
    expire: Mapping[str, datetime] = field(default_factory=dict)
    holes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@runtime_checkable
class Reports(Protocol):
    """Ability: say what it met on the line; for `/metrics` and `/health`."""

    def report(self) -> Report:
        """So far. Cheap, and raises nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading a query once costs: requests; registers, bits or nodes asked for, and those of them that no point
    wants; the seconds of the line where every answer comes in its usual time, and where none comes."""

    requests: int
    items: int
    waste: int
    seconds: float
    silent_s: float
    assumed: str
    """What was taken for granted, a clause for a person."""


@runtime_checkable
class Estimates(Protocol):
    """Ability: say offline what a query costs; for `ganpo plan`."""

    def estimate(self, query: Query) -> Cost:
        """Of a query of this driver. Pure and offline."""


@runtime_checkable
class Browses(Protocol):
    """Ability: list what the device offers."""

    def browse(self, start: str) -> AsyncIterator[str]:
        """Addresses below `start` in their short form."""


@runtime_checkable
class Subscribes(Protocol):
    """Ability: let the device speak when something changes."""

    async def subscribe(
        self, points: Sequence[Point[Any]], deliver: Callable[[Scan], Awaitable[None]]
    ) -> None:
        """Deliver scans of all `points`, which are of one key, in their order, until cancelled.

        Every delivery, also one in which nothing changed, confirms all points: their last word holds at its receipt.
        A point of which nothing was heard yet is a fault of kind `missing`. Several values of one point that came at
        once are several scans. Runs beside reads; raises what `read` raises, also where the device fell silent.
        """


@runtime_checkable
class Traces(Protocol):
    """Ability: the raw bytes of the last exchange."""

    def trace(self) -> list[tuple[str, bytes]]:
        """(`>` or `<`, bytes) of the last read, oldest first."""
