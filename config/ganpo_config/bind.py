"""From what is wanted to a bound point: the driver's address, the meaning or the register, the times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ganpo_config.nameplate import TRANSFORMER_SIGNALS, Meter
from ganpo_config.plant import BoundPoint, Meaning, Register
from ganpo_config.registers import register_of
from ganpo_config.wanted import BindError, Wanted, scale_of
from ganpo_drivers import Address, ConnectionSettings, Driver
from ganpo_model.reference import Signal

SIGNAL_INTERVAL_S = 5.0
REGISTER_INTERVAL_S = 10.0
STALE_AT_LEAST_S = 60.0
SUBSCRIBE = "subscribe"
POWERS = ("kW", "kvar", "kVA")
BELIEVED_KW = 20_000.0
"""The most power that is believed, either way, where no CT says what can be measured: a float that is none (3.4e38)
is far beyond."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection whose settings are good. `columns`: what they say of every address on it."""

    name: str
    driver_id: str
    driver: type[Driver[Any, Any]]
    settings: ConnectionSettings
    columns: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", self.settings.columns())


def bound(wanted: Wanted, link: Link, meter: Meter | None) -> tuple[BoundPoint, str]:
    """The point, and what `check` says of it. `meter`: the meter it belongs to. Raises BindError."""
    default = REGISTER_INTERVAL_S if wanted.signal.type == "register" else SIGNAL_INTERVAL_S
    interval = wanted.interval_s if wanted.interval_s is not None else default
    address = address_of(wanted, link, interval)
    meaning: Meaning | Register
    if wanted.signal.type == "register":
        meaning, about = register_of(wanted, address, meter)
        about = f"; {about}"
    else:
        meaning = _meaning(wanted, meter)
        about = ""
        if _electric(wanted.signal, meter):
            about = f"; believed from {meaning.low:g} to {meaning.high:g} {wanted.signal.unit}"
    stale = wanted.stale_s if wanted.stale_s is not None else max(3 * interval, STALE_AT_LEAST_S)
    if stale < interval:
        raise BindError("stale_s", f"{stale:g}", f"is shorter than the interval of {interval:g} s")
    name = f"{wanted.subject}/{wanted.signal.id}"
    point = BoundPoint(
        name, wanted.subject, wanted.signal.id, address, interval, stale, meaning, wanted.by_hand
    )
    parts = str(address), str(getattr(address, "type", "")), str(getattr(address, "order", ""))
    form = " ".join(filter(None, parts))
    told = f"{name}: {link.name} {form} every {interval:g} s"
    if address.subscribed:
        looked_ms = getattr(address, "sampling_ms", None)
        looked_s = interval if looked_ms is None else looked_ms / 1000
        told = f"{name}: {link.name} {form} when it changes, looked at every {looked_s:g} s"
    return point, told + about


def address_of(wanted: Wanted, link: Link, interval_s: float) -> Address:
    """The driver's address. Raises BindError, also where the protocol does not do what is wanted: speak by itself, add
    values."""
    ours, own = link.columns, wanted.columns
    columns = {**ours, **own}
    if "max_registers" in ours and "max_registers" in own:  # of the connection, and of the device
        columns["max_registers"] = min(ours["max_registers"], own["max_registers"])
    if columns.get("mode") == SUBSCRIBE:
        columns.setdefault("sampling_ms", round(interval_s * 1000))
    address = _parsed(wanted, link, columns)
    if columns.get("mode") == SUBSCRIBE and not address.subscribed:
        raise BindError("mode", SUBSCRIBE, f"points of the driver {link.driver_id} can only be polled")
    if columns.get("summed") and not address.summed:
        raise BindError("parts", "", f"values of the driver {link.driver_id} are not added")
    for key in ("sampling_ms", "deadband"):
        if columns.get(key) and not address.subscribed:
            raise BindError(key, columns[key], f"means something with mode = {SUBSCRIBE} only")
    return address


def _parsed(wanted: Wanted, link: Link, columns: Mapping[str, Any]) -> Address:
    try:
        return link.driver.address_type.parse(wanted.address, **columns)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
        raise BindError("address", wanted.address, f"{key}: {what}" if key else what) from error
    except ValueError as error:
        raise BindError("address", wanted.address, str(error)) from error


def _meaning(wanted: Wanted, meter: Meter | None) -> Meaning:
    """What values mean. Power, current and voltage of a meter count behind its transformers as its energy does, and
    power cannot exceed what the CT admits."""
    kind = wanted.signal
    scale = scale_of(wanted.scale, wanted.unit, kind.unit)
    if kind.type != "number" and scale != 1:
        raise BindError("scale", wanted.scale, f"{kind.id} is a {kind.type}: only a number has a scale")
    low, high = wanted.low, wanted.high
    if meter is not None and kind.id not in TRANSFORMER_SIGNALS and (ratio := meter.factor(kind.unit)) != 1:
        scale *= ratio
    if _electric(kind, meter):
        most = BELIEVED_KW
        if meter is not None and meter.full_load_kw is not None:
            most = float(meter.full_load_kw)
        low, high = -most if low is None else low, most if high is None else high
    return Meaning(kind.type, wanted.enum, wanted.unavailable, float(scale), wanted.offset, low, high)


def _electric(kind: Signal, meter: Meter | None) -> bool:
    """Whether it is power that a current transformer bounds: no heat flow."""
    carrier = None if meter is None else meter.carrier
    return kind.unit in POWERS and (carrier is None or carrier.id == "electricity")
