"""What is wanted of one point, whoever wrote it: a profile, or a row of `[[points]]`."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ganpo_config.document import PointRow
from ganpo_config.exact import ONE, NumberError, factor, plain
from ganpo_config.nameplate import UNITS
from ganpo_config.parameters import Parameters
from ganpo_config.profile import Profile, ProfileSignal
from ganpo_model.reference import Signal

_COLUMNS = ("type", "order", "mode", "sampling_ms", "deadband")
"""Of a row, for the protocol."""


class BindError(ValueError):
    """What is wrong with one point, and under which key: `(key, value, what, hint)`."""

    def __init__(self, key: str, value: object, what: str, hint: str = "") -> None:
        super().__init__(key, value, what, hint)
        self.key, self.value, self.what, self.hint = key, value, what, hint


@dataclass(frozen=True, slots=True)
class Wanted:
    """One point. Texts are as they were written; `columns`: for the protocol, those that say something; `enum`: the
    device's value to our word.

    `update`: what its own row says; that of its meter stands before `profile_update`.
    """

    subject: str
    signal: Signal
    address: str
    columns: Mapping[str, Any]
    scale: str = "1"
    offset: float = 0.0
    unit: str = ""
    interval_s: float | None = None
    stale_s: float | None = None
    modulus: int | None = None
    max_rate: str = ""
    update: str = ""
    profile_update: str = ""
    resets: bool = False
    enum: Mapping[int | str, str] | None = None
    unavailable: tuple[int | float | str, ...] = ()
    low: float | None = None
    high: float | None = None
    by_hand: bool = False


def of_profile(
    subject: str, signal: Signal, about: ProfileSignal, profile: Profile, parameters: Parameters
) -> Wanted:
    """What a profile wants of a signal that has an address. Raises BindError."""
    fill = parameters.fill
    columns = {
        "type": fill(about.type),
        "order": fill(about.order),
        "mode": about.mode,
        "sampling_ms": about.sampling_ms,
        "deadband": about.deadband,
        "unit": parameters.values.get("unit", ""),
        "summed": bool(about.parts or about.exponent),
        "namespaces": profile.namespaces,
        "max_registers": profile.max_registers,
        "addressing": fill(profile.addressing or ""),
    }
    low, high = _bounds(about, parameters)
    return Wanted(
        subject,
        signal,
        address=fill(about.cell or ""),
        columns={name: value for name, value in columns.items() if value},
        scale=fill(about.scale),
        offset=_number(about.offset, parameters),
        unit=fill(about.unit),
        interval_s=about.interval_s,
        stale_s=about.stale_s,
        modulus=about.modulus,
        max_rate=fill(about.max_rate),
        profile_update=fill(about.update),
        resets=about.resets,
        enum=_words(about),
        unavailable=tuple(about.unavailable),
        low=low,
        high=high,
    )


def of_row(
    row: PointRow,
    signal: Signal,
    about: ProfileSignal | None,
    profile: Profile | None,
    parameters: Parameters,
) -> Wanted:
    """What a row wants; `about`: what the subject's profile says of the meaning of this signal, where it has one.
    Raises BindError."""
    if signal.type != "register":
        for key in ("modulus", "max_rate", "update", "resets"):
            if (text := getattr(row, key)) not in ("", "no"):
                raise BindError(key, text, f"{signal.id} is a {signal.type}, no register")
    try:
        offset = plain(row.offset) if row.offset else 0.0
    except NumberError as error:
        raise BindError("offset", row.offset, error.what, error.hint) from error
    if offset and signal.type != "number":
        raise BindError("offset", row.offset, f"{signal.id} is a {signal.type}: only a number has an offset")
    low, high = (None, None) if about is None else _bounds(about, parameters)
    columns: dict[str, Any] = {name: text for name in _COLUMNS if (text := getattr(row, name))}
    for name in () if profile is None else ("namespaces", "max_registers"):
        if value := getattr(profile, name):
            columns[name] = value
    return Wanted(
        row.asset_no,
        signal,
        address=row.address,
        columns=columns,
        scale=row.scale or "1",
        offset=offset,
        unit=row.unit,
        interval_s=_seconds("interval_s", row.interval_s),
        stale_s=_seconds("stale_s", row.stale_s),
        modulus=int(row.modulus) if row.modulus else None,
        max_rate=row.max_rate,
        update=row.update,
        profile_update="" if about is None else parameters.fill(about.update),
        resets=row.resets == "yes",
        enum=None if about is None else _words(about),
        unavailable=() if about is None else tuple(about.unavailable),
        low=low,
        high=high,
        by_hand=True,
    )


@lru_cache
def scale_of(scale: str, unit: str, wanted: str) -> Fraction:
    """What a value of 1 is in `wanted`, exactly, where `scale` and `unit` stand beside it: few differ among the points
    of a plant. Raises BindError."""
    try:
        return factor(scale) * unit_factor(unit, wanted)
    except NumberError as error:
        raise BindError("scale", scale, error.what, error.hint) from error


def unit_factor(unit: str, wanted: str) -> Fraction:
    """What one `unit` is in `wanted`, exactly. Raises BindError."""
    if unit in ("", wanted):
        return ONE
    found = UNITS.get((unit, wanted))
    if found is None:
        others = ", ".join(known for known, target in UNITS if target == wanted)
        raise BindError(
            "unit",
            unit,
            f"cannot become {wanted or 'what has no unit'}",
            f"write one of {others}" if others else "",
        )
    return found


def _words(about: ProfileSignal) -> dict[int | str, str] | None:
    if about.enum is None:
        return None
    words = about.enum if isinstance(about.enum, dict) else {word: word for word in about.enum}
    return {value: word for word, value in words.items()}


def _bounds(about: ProfileSignal, parameters: Parameters) -> tuple[float | None, float | None]:
    if about.valid is None:
        return None, None
    low, high = (
        None if end is None else _number(end, parameters) for end in (about.valid.min, about.valid.max)
    )
    return low, high


def _number(template: float | str, parameters: Parameters) -> float:
    try:
        return parameters.number(template)
    except NumberError as error:
        raise BindError("parameters", "", error.what, error.hint) from error


def _seconds(key: str, text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = plain(text)
    except NumberError as error:
        raise BindError(key, text, "no number of seconds") from error
    if not 0 < seconds <= 86_400:
        raise BindError(key, text, "above 0 and at most a day")
    return seconds
