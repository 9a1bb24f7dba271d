"""What is wanted of one point, whoever wrote it: a profile, or a row of `[[points]]`."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ganpo_config.document import PointRow
from ganpo_config.exact import NumberError, plain
from ganpo_config.nameplate import UNITS
from ganpo_config.parameters import Parameters
from ganpo_config.profile import Profile, ProfileSignal
from ganpo_model.reference import Signal


class BindError(ValueError):
    """What is wrong with one point, and under which key: `(key, value, what, hint)`."""

    def __init__(self, key: str, value: object, what: str, hint: str = "") -> None:
        super().__init__(key, value, what, hint)
        self.key, self.value, self.what, self.hint = key, value, what, hint


@dataclass(frozen=True, slots=True)
class Wanted:
    """One point. Texts are as they were written; `enum`: the device's value to our word.

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
    columns: dict[str, Any] = {"type": fill(about.type), "order": fill(about.order)}
    columns["namespaces"] = profile.namespaces
    columns |= {"mode": about.mode, "sampling_ms": about.sampling_ms, "deadband": about.deadband}
    columns |= {"unit": parameters.values.get("unit", ""), "summed": bool(about.parts or about.exponent)}
    columns["max_registers"] = profile.max_registers
    if profile.addressing:
        columns["addressing"] = fill(profile.addressing)
    low, high = _bounds(about, parameters)
    return Wanted(
        subject,
        signal,
        fill(about.cell or ""),
        columns,
        fill(about.scale),
        _number(about.offset, parameters),
        fill(about.unit),
        about.interval_s,
        about.stale_s,
        about.modulus,
        fill(about.max_rate),
        "",
        fill(about.update),
        about.resets,
        _words(about),
        tuple(about.unavailable),
        low,
        high,
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
        raise BindError("offset", row.offset, error.what) from error
    if offset and signal.type != "number":
        raise BindError("offset", row.offset, f"{signal.id} is a {signal.type}: only a number has an offset")
    low, high = (None, None) if about is None else _bounds(about, parameters)
    columns: dict[str, Any] = {"type": row.type, "order": row.order}
    columns |= {"mode": row.mode, "sampling_ms": row.sampling_ms, "deadband": row.deadband}
    if profile is not None:
        columns |= {"namespaces": profile.namespaces, "max_registers": profile.max_registers}
    return Wanted(
        row.asset_no,
        signal,
        row.address,
        columns,
        row.scale or "1",
        offset,
        row.unit,
        _seconds("interval_s", row.interval_s),
        _seconds("stale_s", row.stale_s),
        int(row.modulus) if row.modulus else None,
        row.max_rate,
        row.update,
        "" if about is None else parameters.fill(about.update),
        row.resets == "yes",
        None if about is None else _words(about),
        () if about is None else tuple(about.unavailable),
        low,
        high,
        by_hand=True,
    )


def unit_factor(unit: str, wanted: str) -> Fraction:
    """What one `unit` is in `wanted`, exactly. Raises BindError."""
    if unit in ("", wanted):
        return Fraction(1)
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
        raise BindError("parameters", "", error.what) from error


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
