"""From rows to points: addresses, scales, registers (formats.md; uplink.md for the register's id)."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from ganpo_config.document import MeterRow, PointRow
from ganpo_config.plant import BoundPoint, Meaning, Register
from ganpo_config.profiles import Parameters, Profile, ProfileSignal
from ganpo_drivers import Address, ConnectionSettings, Driver
from ganpo_model.facts import RegisterItem
from ganpo_model.reference import Signal, carriers, signals
from ganpo_model.units import fraction

SIGNAL_INTERVAL_S = 5.0
REGISTER_INTERVAL_S = 10.0
MARGIN = Fraction(6, 5)
"""Of a rate that is derived from a transformer or a pipe; a stated one has none."""
VOLTAGE = 400
WATER_MS = 3
"""Metres a second: faster than any water pipe is laid out for."""
FLOAT_COUNTS = 100
"""Counts per unit of a register that is read as a float: a resolution of 0.01 of the meter's own unit."""

_SCALES = {
    ("Wh", "kWh"): Fraction(1, 1000),
    ("MWh", "kWh"): Fraction(1000),
    ("L", "m3"): Fraction(1, 1000),
    ("g", "kg"): Fraction(1, 1000),
    ("t", "kg"): Fraction(1000),
    ("GJ", "MJ"): Fraction(1000),
    ("kJ", "MJ"): Fraction(1, 1000),
    ("W", "kW"): Fraction(1, 1000),
    ("MW", "kW"): Fraction(1000),
}


class BindError(ValueError):
    """What is wrong with one point, and under which key: `(key, value, what, hint)`."""

    def __init__(self, key: str, value: object, what: str, hint: str = "") -> None:
        super().__init__(key, value, what, hint)
        self.key, self.value, self.what, self.hint = key, value, what, hint


@dataclass(frozen=True, slots=True)
class Link:
    """A connection whose settings are good."""

    name: str
    driver_id: str
    driver: type[Driver[Any, Any]]
    settings: ConnectionSettings


def from_profile(
    subject: str,
    signal: str,
    about: ProfileSignal,
    profile: Profile,
    parameters: Parameters,
    link: Link,
    meter: MeterRow | None,
) -> tuple[BoundPoint, list[str]]:
    """The point of a profile's signal. Raises BindError."""
    columns: dict[str, Any] = {"type": about.type, "order": about.order, "namespaces": profile.namespaces}
    if profile.addressing:
        columns["addressing"] = profile.addressing
    address = _address(parameters.fill(about.address or ""), link, columns)
    kind = signals()[signal]
    if kind.type == "register":
        # A pulse meter's signal counts pulses: what one is worth stands in the meter's row.
        scale = meter.pulse if meter is not None and meter.pulse else about.scale
        rate = (meter.max_rate if meter is not None else "") or about.max_rate
        raw = _Raw(scale, about.unit, about.modulus, rate, about.resets)
        register, notes = _register(subject, kind, address, raw, meter, parameters)
        return _point(subject, signal, address, register, about.interval_s, about.stale_s), notes
    low, high = _range(about, parameters)
    if signal == "power" and high is None and meter is not None:
        low, high = _power_range(meter, low)
    try:
        factor, offset = float(fraction(about.scale)), parameters.number(about.offset)
    except (ValueError, ZeroDivisionError) as error:
        raise BindError("scale", about.scale, "no number") from error
    enum: Mapping[int | str, str] | None = None
    if about.enum is not None:
        words = about.enum if isinstance(about.enum, dict) else {word: word for word in about.enum}
        enum = {value: word for word, value in words.items()}
    if about.unit and about.unit != kind.unit:
        factor *= float(_unit_factor(about.unit, kind.unit))
    if signal == "power" and meter is not None:
        factor *= float(_transformers(meter))
    meaning = Meaning(kind.type, enum, tuple(about.unavailable), factor, offset, low, high)
    return _point(subject, signal, address, meaning, about.interval_s, about.stale_s), []


def from_row(
    row: PointRow, link: Link, meter: MeterRow | None, about: ProfileSignal | None
) -> tuple[BoundPoint, list[str]]:
    """The point of a list's row; `about`: what the subject's profile says of the signal. Raises BindError."""
    kind = signals().get(row.signal)
    if kind is None:
        raise BindError("signal", row.signal, "no such signal (the table of signals)")
    address = _address(row.address, link, {"type": row.type, "order": row.order})
    interval, stale = _seconds(row.interval_s, "interval_s"), _seconds(row.stale_s, "stale_s")
    if kind.type == "register":
        modulus = int(row.modulus) if row.modulus else None
        rate = row.max_rate or (meter.max_rate if meter is not None else "")
        raw = _Raw(row.scale, row.unit, modulus, rate, row.resets == "yes")
        register, notes = _register(row.asset_no, kind, address, raw, meter, Parameters({}))
        return _point(row.asset_no, row.signal, address, register, interval, stale), notes
    try:
        scale, offset = float(fraction(row.scale)), float(row.offset or 0)
    except (ValueError, ZeroDivisionError) as error:
        raise BindError("scale", row.scale, "no number") from error
    if row.unit and row.unit != kind.unit:
        scale *= float(_unit_factor(row.unit, kind.unit))
    enum = None
    if about is not None and about.enum is not None:
        words = about.enum if isinstance(about.enum, dict) else {word: word for word in about.enum}
        enum = {value: word for word, value in words.items()}
    unavailable = tuple(about.unavailable) if about is not None else ()
    meaning = Meaning(kind.type, enum, unavailable, scale, offset)
    return _point(row.asset_no, row.signal, address, meaning, interval, stale), []


@dataclass(frozen=True, slots=True)
class _Raw:
    scale: str
    unit: str
    modulus: int | None
    max_rate: str
    resets: bool


def _address(text: str, link: Link, columns: dict[str, Any]) -> Address:
    given = link.settings.columns() | {name: value for name, value in columns.items() if value}
    try:
        return link.driver.address_type.parse(text, **given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BindError("address", text, first["msg"].removeprefix("Value error, ")) from error
    except ValueError as error:
        raise BindError("address", text, str(error)) from error


def _point(
    subject: str,
    signal: str,
    address: Address,
    meaning: Meaning | Register,
    interval_s: float | None,
    stale_s: float | None,
) -> BoundPoint:
    default = REGISTER_INTERVAL_S if isinstance(meaning, Register) else SIGNAL_INTERVAL_S
    interval = interval_s if interval_s is not None else default
    stale = stale_s if stale_s is not None else max(3 * interval, 60.0)
    return BoundPoint(f"{subject}/{signal}", subject, signal, address, interval, stale, meaning)


def _register(
    subject: str, kind: Signal, address: Address, raw: _Raw, meter: MeterRow | None, parameters: Parameters
) -> tuple[Register, list[str]]:
    carrier = carriers().get(meter.carrier) if meter is not None else None
    unit = kind.unit
    floating = str(getattr(address, "type", "")).startswith("float") or (
        not getattr(address, "type", "") and unit != "1"
    )
    per_value = FLOAT_COUNTS if floating else 1
    try:
        factor = fraction(raw.scale) * _unit_factor(raw.unit or unit, unit)
        if meter is not None:
            factor *= _transformers(meter)
    except (ValueError, ZeroDivisionError) as error:
        raise BindError("scale", raw.scale, "no exact number like 0.01 or 400/5") from error
    if factor <= 0:
        raise BindError("scale", raw.scale, "must be above 0")
    factor /= per_value
    if raw.modulus is not None and raw.resets:
        raise BindError("resets", "yes", "a register that resets has no modulus: they exclude each other")
    modulus = raw.modulus * per_value if raw.modulus is not None else None
    rate, how = _max_rate(raw.max_rate, kind, meter, parameters)
    counts = math.ceil(rate / factor)
    number = f"{factor.numerator}/{factor.denominator}"
    order, value_type = str(getattr(address, "order", "")), str(getattr(address, "type", ""))
    seed = "|".join((kind.id, str(address), value_type, order, number))
    register_id = f"{subject}/{kind.id}#{hashlib.sha256(seed.encode()).hexdigest()[:8]}"
    item = RegisterItem(
        register_id,
        subject,
        kind.id,
        carrier.id if carrier is not None and kind.unit != "1" else None,
        unit,
        factor.numerator,
        factor.denominator,
        modulus,
        max(counts, 1),
        raw.resets,
    )
    notes = [
        f"{subject}: {kind.id} counts {float(factor):g} {unit}; at most {float(rate):g} {unit}/h ({how})"
    ]
    if modulus is not None:
        notes.append(
            f"{subject}: {kind.id} wraps at {modulus}: an outage of {_hours(modulus, counts)} is bridged"
        )
    if value_type == "float32":
        notes.append(
            f"{subject}: {kind.id} is a float32: above 131,072 it loses 0.01; prefer an integer register"
        )
    return Register(item, per_value), notes


def _hours(modulus: int, counts: int) -> str:
    hours = modulus / counts
    return f"{hours / 24:.0f} days" if hours > 72 else f"{hours:.1f} h" if hours < 10 else f"{int(hours)} h"


def _transformers(meter: MeterRow) -> Fraction:
    """What one unit of the meter's own is in truth: CT x PT where it counts its secondary side."""
    if meter.ct and not meter.reads:
        raise BindError(
            "reads", "", "with a ct it has to be said what the meter counts: primary or secondary"
        )
    if meter.reads != "secondary":
        return Fraction(1)
    ratio = Fraction(1)
    for key, text in (("ct", meter.ct), ("pt", meter.pt)):
        if text:
            ratio *= _ratio(key, text)
    return ratio


def _ratio(key: str, text: str) -> Fraction:
    if text.count("-") == 2 or "月" in text:
        raise BindError(key, text, "this is a date: Excel made it of a ratio", "format the column as text")
    try:
        value = fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise BindError(key, text, "no ratio like 400/5") from error
    if value <= 0:
        raise BindError(key, text, "must be above 0")
    return value


def _primary(meter: MeterRow) -> Fraction | None:
    """Primary current of the transformer, in A."""
    if not meter.ct:
        return None
    _ratio("ct", meter.ct)
    return fraction(meter.ct.replace(":", "/").partition("/")[0])


def _full_load_kw(meter: MeterRow) -> Fraction | None:
    """What CT and voltage admit, three-phase, with the margin of a derived rate."""
    current = _primary(meter)
    if current is None:
        return None
    voltage = fraction(meter.pt.replace(":", "/").partition("/")[0]) if meter.pt else Fraction(VOLTAGE)
    return Fraction(1732, 1000) * voltage * current / 1000 * MARGIN


def _max_rate(
    stated: str, kind: Signal, meter: MeterRow | None, parameters: Parameters
) -> tuple[Fraction, str]:
    """Units per hour, and where they come from."""
    if stated:
        try:
            rate = fraction(stated)
        except (ValueError, ZeroDivisionError) as error:
            raise BindError("max_rate", stated, "no number of units per hour") from error
        if rate <= 0:
            raise BindError("max_rate", stated, "must be above 0")
        return rate, "stated"
    if kind.unit == "kWh" and meter is not None and (power := _full_load_kw(meter)) is not None:
        return power, f"from ct {meter.ct}, {meter.pt or f'{VOLTAGE} V'}, margin 1.2"
    pipe = parameters.values.get("pipe", "")
    if kind.unit == "m3" and pipe:
        if not pipe.upper().startswith("DN") or not pipe[2:].isdigit():
            raise BindError("parameters", f"pipe={pipe}", "no nominal diameter like DN50")
        diameter = Fraction(int(pipe[2:]), 1000)
        area = Fraction(314159, 400000) * diameter * diameter
        return area * WATER_MS * 3600 * MARGIN, f"from {pipe}, {WATER_MS} m/s, margin 1.2"
    raise BindError(
        "max_rate", "", "is missing: the most it can count in an hour", "state it, or give ct or pipe=DN50"
    )


def _power_range(meter: MeterRow, low: float | None) -> tuple[float | None, float | None]:
    power = _full_load_kw(meter)
    if power is None:
        return low, None
    return (-float(power) if low is None else low), float(power)


def _range(about: ProfileSignal, parameters: Parameters) -> tuple[float | None, float | None]:
    if about.valid is None:
        return None, None
    try:
        ends = [None if end is None else parameters.number(end) for end in (about.valid.min, about.valid.max)]
    except ValueError as error:
        raise BindError("valid", about.valid, "no number") from error
    return ends[0], ends[1]


def _unit_factor(unit: str, wanted: str) -> Fraction:
    if unit == wanted:
        return Fraction(1)
    factor = _SCALES.get((unit, wanted))
    if factor is None:
        raise BindError("unit", unit, f"cannot become {wanted}")
    return factor


def _seconds(text: str, key: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError as error:
        raise BindError(key, text, "no number of seconds") from error
    if not 0 < seconds <= 86_400:
        raise BindError(key, text, "above 0 and at most a day")
    return seconds
