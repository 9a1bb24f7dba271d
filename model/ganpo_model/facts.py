"""The facts that travel (uplink.md): observations, never sums. JSON Schema is printed from these classes."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Self, TypeVar

from ganpo_model.states import State

MAX_RUNS = 500
MAX_STATES_MS = 24 * 3_600_000
MAX_RAW = 2**63
MAX_UPDATE_MS = 7 * 24 * 3_600_000
"""Of a register that shows a new number only so often: no longer than a standstill that is ever believed."""
ASSET_NO = r"[^\x00-\x1f\s/#,]{1,64}"
REGISTER = ASSET_NO + r"/[a-z0-9_]{1,64}#[0-9a-f]{8}"
GATEWAY = r"[a-z0-9-]{8,40}"
SITE = r"[a-z0-9-]{1,40}"
MAX_PARTS = 1000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reading:
    """A register stood at `raw` (integer counts, 0 <= raw < 2^63) at `at`."""

    type: Literal["reading"]
    register: str
    at: datetime
    raw: int


@dataclass(frozen=True, slots=True)
class States:
    """The runs of one subject in one slot: `(ms after start, state)`, from 0, rising, at most 500, at most 24 h."""

    type: Literal["states"]
    subject: str
    start: datetime
    end: datetime
    runs: tuple[tuple[int, State], ...]


@dataclass(frozen=True, slots=True)
class SiteItem:
    """The site as its gateway knows it; whose it is says the registry. `slot_ms` packs runs, it means nothing."""

    id: str
    name: str
    timezone: str
    slot_ms: int


@dataclass(frozen=True, slots=True)
class ShiftItem:
    """A shift: it belongs to the day on which it starts. Times `HH:MM`, local; `days` like `mon-fri`."""

    name: str
    days: str
    start: str
    end: str
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExceptionItem:
    """Days that differ: `plan` is `off`, or `like` and a weekday."""

    first: date
    last: date
    plan: str
    why: str


@dataclass(frozen=True, slots=True)
class CalendarItem:
    """Weekly shifts and dated exceptions (`ganpo_model.calendar`)."""

    shifts: tuple[ShiftItem, ...]
    exceptions: tuple[ExceptionItem, ...]


@dataclass(frozen=True, slots=True)
class EquipmentItem:
    """A machine of the ledger. `states`: those that can arise with the signals really bound."""

    asset_no: str
    name: str
    profile: str | None
    states: tuple[State, ...]
    proves: tuple[str, ...]
    flags: tuple[str, ...]
    status: str
    since: date | None
    planned_run_time_s: int | None


@dataclass(frozen=True, slots=True)
class MeterItem:
    """A meter and its place in the balance of its carrier."""

    asset_no: str
    name: str
    carrier: str
    role: str
    parent: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class RegisterItem:
    """A register: one count is `num/den` of `unit`; `max_rate` in integer counts per hour.

    `update_ms`: it shows a new number only so often.
    """

    id: str
    subject: str
    signal: str
    carrier: str | None
    unit: str
    num: int
    den: int
    modulus: int | None
    max_rate: int
    resets: bool
    update_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything a gateway observes, complete; what it no longer names is withdrawn.

    `part`: number i of n, from 1, of one that is too large for a frame: together they are complete.
    """

    type: Literal["inventory"]
    at: datetime
    site: SiteItem
    calendar: CalendarItem
    equipment: tuple[EquipmentItem, ...]
    meters: tuple[MeterItem, ...]
    registers: tuple[RegisterItem, ...]
    part: tuple[int, int] | None = None

    def parts(self, number: int) -> list[Self]:
        """The same in `number` facts with one `at`, site and calendar in each."""

        def share(items: tuple[_T, ...], place: int) -> tuple[_T, ...]:
            return items[len(items) * place // number : len(items) * (place + 1) // number]

        return [
            replace(
                self,
                equipment=share(self.equipment, place),
                meters=share(self.meters, place),
                registers=share(self.registers, place),
                part=(place + 1, number),
            )
            for place in range(number)
        ]


class EventKind(StrEnum):
    """What may happen at a gateway (uplink.md, table of events)."""

    BEGUN = "begun"
    LINK_UP = "link_up"
    LINK_DOWN = "link_down"
    CLOCK_STEP = "clock_step"
    LOSS = "loss"
    SUSPECT = "suspect"
    COMMISSIONED = "commissioned"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with its evidence in `data`."""

    type: Literal["event"]
    at: datetime
    kind: EventKind
    subject: str | None
    data: dict[str, Any]


Fact = Reading | States | Inventory | Event
KINDS: dict[str, type[Reading] | type[States] | type[Inventory] | type[Event]] = {
    "reading": Reading,
    "states": States,
    "inventory": Inventory,
    "event": Event,
}
