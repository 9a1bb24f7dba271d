"""What `agent.toml` comes to once everything is bound: the plant as the agent runs it. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ganpo_config.settings import GatewaySettings, UplinkSettings
from ganpo_drivers import Address, ConnectionSettings, Driver
from ganpo_model.facts import CalendarItem, EquipmentItem, Inventory, MeterItem, RegisterItem, SiteItem
from ganpo_model.states import State

SignalValue = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a value read for a signal that is no register means.

    `enum`: the device's value to our word; any other is a fault. `unavailable`: values with which the device
    says that it does not know. A number becomes value x scale + offset, and outside [low, high] is a fault.
    """

    type: str
    """enum | bool | number | string, from the table of signals"""
    enum: Mapping[int | str, str] | None = None
    unavailable: tuple[int | float | str, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """A register as the agent reads it: counts = value x counts_per_value, rounded (floats have a resolution
    of our choice); everything else travels in `item`. `unavailable`: the device's own values that are none."""

    item: RegisterItem
    counts_per_value: int = 1
    unavailable: tuple[int | float | str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundPoint:
    """A point bound to a signal of a subject. `name` is `asset_no/signal`, unique at the site. `by_hand`: a row of
    `[[points]]` says that this one has it; a profile says that of all of its kind."""

    name: str
    subject: str
    signal: str
    address: Address
    interval_s: float
    stale_s: float
    meaning: Meaning | Register
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class BoundConnection:
    """One protocol session or bus with the points that are read on it."""

    name: str
    driver_id: str
    driver: type[Driver[ConnectionSettings, Address]]
    settings: ConnectionSettings
    points: tuple[BoundPoint, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """The signal has one of these values."""

    values: tuple[SignalValue, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """min <= number < below; None is unbounded."""

    min: float | None
    below: float | None


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions must hold for the state; rules are tried in order."""

    state: State
    when: Mapping[str, OneOf | Between]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with a profile. `signals`: signal to the name of the point that carries it (of this subject or of
    the meter whose power it is known by). `absent`: what holds where the device lacks the item.
    `proves`: flag to the signals whose Good value is evidence `controller`. `unneeded`: values that no rule and no
    proof asks for: a device may lack them.
    """

    asset_no: str
    signals: Mapping[str, str]
    absent: Mapping[str, SignalValue]
    rules: tuple[Rule, ...]
    debounce_s: float
    proves: Mapping[str, tuple[str, ...]]
    unneeded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Transformer:
    """A transformer that the list and the meter itself know: `plate` is how the list says it, with both its sides.

    `said`: names of the points with which the meter says it, by `ratio`, or by `primary` and `secondary`.
    """

    meter: str
    kind: str
    """ct | pt"""
    plate: str
    primary: float
    secondary: float
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plant:
    """Everything one gateway runs."""

    gateway: GatewaySettings
    uplink: UplinkSettings
    site: SiteItem
    calendar: CalendarItem
    connections: tuple[BoundConnection, ...]
    machines: tuple[Machine, ...]
    equipment: tuple[EquipmentItem, ...]
    meters: tuple[MeterItem, ...]
    transformers: tuple[Transformer, ...] = ()

    def registers(self) -> tuple[BoundPoint, ...]:
        """The points that are registers, over all connections."""
        return tuple(
            point for link in self.connections for point in link.points if isinstance(point.meaning, Register)
        )

    def inventory(self, at: datetime) -> Inventory:
        """The complete inventory as it is told to the collector."""
        items = tuple(point.meaning.item for point in self.registers() if isinstance(point.meaning, Register))
        return Inventory("inventory", at, self.site, self.calendar, self.equipment, self.meters, items)
