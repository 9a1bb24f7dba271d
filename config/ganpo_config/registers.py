"""A register: its exact factor, its id (uplink.md), the most it can count, and what `check` says of it."""

import hashlib
import math
from fractions import Fraction

from ganpo_config.exact import NumberError, positive, told
from ganpo_config.nameplate import TRANSFORMED, Meter, update_ms
from ganpo_config.plant import Register
from ganpo_config.wanted import BindError, Wanted, scale_of, unit_factor
from ganpo_drivers import Address
from ganpo_model.bounds import register_wrong
from ganpo_model.clock import DAY_MS, HOUR_MS
from ganpo_model.facts import RegisterItem

FLOAT_COUNTS = 100
"""Counts of a register that is read as a float: a resolution of 0.01 of the device's own unit, or of the signal's where
that is smaller: a meter that shows MWh does not move in steps of 10 kWh."""


def register_of(wanted: Wanted, address: Address, meter: Meter | None) -> tuple[Register, str]:
    """The register of a point, and the words of its note. Raises BindError."""
    kind = wanted.signal
    if wanted.offset:
        raise BindError("offset", wanted.offset, f"{kind.id} is a register: it has no offset")
    if wanted.modulus is not None and wanted.resets:
        raise BindError("resets", "yes", "a register that resets has no modulus: they exclude each other")
    if address.whole and (
        fractions := [part for part in getattr(address, "parts", ()) if part.times.denominator > 1]
    ):
        common = math.lcm(*(part.times.denominator for part in fractions))
        what = f"a part counts {fractions[0].times} times: a register counts whole numbers, and the rest would be lost"
        hint = f"{common} times as much for every part, and a scale of 1/{common}"
        raise BindError("address" if wanted.by_hand else "parts", wanted.address, what, hint)
    whole = kind.unit == "1" if address.whole is None else address.whole
    per_value = 1 if whole else FLOAT_COUNTS * max(1, math.ceil(unit_factor(wanted.unit, kind.unit)))
    count, how = _count(wanted, meter)
    count /= per_value
    rate, rate_from = _max_rate(wanted, meter)
    max_rate = math.ceil(rate / count)
    modulus = wanted.modulus * per_value if wanted.modulus is not None else None
    if (found := register_wrong(count.numerator, count.denominator, max_rate, modulus)) is not None:
        raise BindError(
            found[0], {"scale": wanted.scale, "modulus": wanted.modulus}.get(found[0], told(rate)), found[1]
        )
    carrier = meter.carrier if meter is not None else None
    item = RegisterItem(
        _id(wanted, address, count),
        wanted.subject,
        kind.id,
        carrier.id if carrier is not None and meter is not None and meter.measures(kind.unit) else None,
        kind.unit,
        count.numerator,
        count.denominator,
        modulus,
        max_rate,
        wanted.resets,
        _update_ms(wanted, meter),
    )
    note = (
        f"a count is {_amount(count, kind.unit)}{how}, at most {_rate(rate, kind.unit)} an hour ({rate_from})"
    )
    if modulus is not None:
        note += f"; begins at 0 again after {modulus} counts, which bridges an outage of {_hours(modulus, max_rate)}"
    if item.update_ms is not None:
        most = _amount(count * (max_rate * item.update_ms // HOUR_MS + 1), kind.unit)
        note += f"; shows a new number every {item.update_ms / HOUR_MS:g} h, risen by up to {most}"
    if wanted.resets:
        note += "; people set it to 0"
    if str(getattr(address, "type", "")) == "float32" and kind.unit != "1":
        note += f"; a float32 loses 0.01 above 131,072: bind an integer register of {kind.id} if there is one"
    return Register(item, per_value, wanted.unavailable), note


def wraps_within_a_day(register: Register) -> str:
    """How soon it can begin at 0 again, where that is within an outage of a day; else empty."""
    item = register.item
    if item.modulus is None or item.modulus * HOUR_MS >= item.max_rate * DAY_MS:
        return ""
    return _hours(item.modulus, item.max_rate)


def _count(wanted: Wanted, meter: Meter | None) -> tuple[Fraction, str]:
    """What one value is, in the signal's unit, and what it comes from."""
    value = scale_of(wanted.scale, wanted.unit, wanted.signal.unit)
    if value <= 0:
        raise BindError("scale", wanted.scale, "must be above 0")
    how = []
    if meter is not None and wanted.signal.unit != "1":
        if meter.pulse is not None and meter.measures(wanted.signal.unit):
            value *= meter.pulse
            how.append(f"pulse {told(meter.pulse)}")
        if meter.ratio_from and wanted.signal.unit in TRANSFORMED:
            value *= meter.factor(wanted.signal.unit)
            how.append(meter.ratio_from)
    return value, f" ({', '.join(how)})" if how else ""


def _max_rate(wanted: Wanted, meter: Meter | None) -> tuple[Fraction, str]:
    """Units per hour, and where they come from."""
    unit = wanted.signal.unit
    if wanted.max_rate:
        try:
            return positive(wanted.max_rate), "stated"
        except NumberError as error:
            raise BindError("max_rate", wanted.max_rate, error.what, error.hint) from error
    if meter is not None and meter.max_rate is not None and meter.measures(unit):
        return meter.max_rate, "stated"
    if unit == "kWh" and meter is not None and meter.full_load_kw is not None:
        return meter.full_load_kw, meter.full_load_from
    if unit == "m3" and meter is not None and meter.pipe_m3_h is not None:
        return meter.pipe_m3_h, meter.pipe_from
    derived = {"kWh": ", or give ct", "m3": ", or give pipe=DN50 in the meter's parameters"}
    hint = "state it" + (derived.get(unit, "") if meter is not None else "")
    raise BindError("max_rate", "", f"is missing: the most {wanted.signal.id} can count in an hour", hint)


def _update_ms(wanted: Wanted, meter: Meter | None) -> int | None:
    """The cell of the point before that of its meter, before what the profile says."""
    try:
        return update_ms(
            wanted.update or (meter.update if meter is not None else "") or wanted.profile_update
        )
    except NumberError as error:
        raise BindError("update", wanted.update, error.what, error.hint) from error


def _id(wanted: Wanted, address: Address, count: Fraction) -> str:
    value_type, order = str(getattr(address, "type", "")), str(getattr(address, "order", ""))
    number = f"{count.numerator}/{count.denominator}"
    seed = "|".join((wanted.signal.id, str(address), value_type, order, number))
    return f"{wanted.subject}/{wanted.signal.id}#{hashlib.sha256(seed.encode()).hexdigest()[:8]}"


def _amount(count: Fraction, unit: str) -> str:
    return f"{told(count)}{'' if unit == '1' else f' {unit}'}"


def _rate(rate: Fraction, unit: str) -> str:
    return f"{float(rate):,.6g}{'' if unit == '1' else f' {unit}'}"


def _hours(modulus: int, max_rate: int) -> str:
    """Rounded down, so that the promise holds."""
    minutes = modulus * 60 // max_rate
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 72 * 60:
        return f"{minutes // 60} h"
    days = minutes // 1440
    return f"{minutes // 60:,} h ({days} days)" if days < 3650 else "more than ten years"
