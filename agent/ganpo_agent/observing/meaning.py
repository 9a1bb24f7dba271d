"""What a value that was read means: bound once per point, asked with every poll."""

import math
import sys
from collections.abc import Callable, Mapping
from functools import cache

from ganpo_config.plant import Meaning, Register, SignalValue
from ganpo_drivers import FaultKind, PointFault, Value

_MOST = sys.float_info.max
Understand = Callable[[Value], SignalValue | PointFault]


def understanding(meaning: Meaning | Register) -> Understand:
    """The function that turns what the device answers into counts (a register), our word or a number, or into a
    fault that says why it is none."""
    if isinstance(meaning, Register):
        word = _counts(meaning.counts_per_value, meaning.item.modulus or 2**63)
    elif meaning.enum is not None:
        word = _word(meaning.enum)
    elif meaning.type == "bool":
        word = _truth
    elif meaning.type == "number":
        word = _number(meaning.scale, meaning.offset, meaning.low, meaning.high)
    else:
        word = _text
    return _available(word, meaning.unavailable) if meaning.unavailable else word


def _bad(text: str) -> PointFault:
    return PointFault(FaultKind.BAD, text)


@cache
def _counts(factor: int, end: int) -> Understand:
    """Shared by the thousand registers of a plant that have the same factor and end."""

    def counts(value: Value) -> SignalValue | PointFault:
        if value.__class__ is not float and value.__class__ is not int:
            return _bad(f"{value!r} is no register")
        try:
            found = round(value * factor)
        except (ValueError, OverflowError):
            return _bad(f"{value!r} is no register")
        if factor == 1 and found != value:
            return _bad(f"{value!r} is no whole count")
        return found if 0 <= found < end else _bad(f"{value!r} lies outside the register")

    return counts


@cache
def _number(scale: float, offset: float, low: float | None, high: float | None) -> Understand:
    # Neither NaN nor infinity lies between finite ends: one look for nearly every value.
    least, most = -_MOST if low is None else low, _MOST if high is None else high

    def number(value: Value) -> SignalValue | PointFault:
        if isinstance(value, str):
            return _bad(f"{value!r} is no number")
        found = value * scale + offset
        if least <= found <= most:
            return found
        if not math.isfinite(found):
            return _bad(f"{value!r} is no number")
        return _bad(f"{found:g} lies outside {low} ... {high}")

    return number


def _word(enum: Mapping[int | str, str]) -> Understand:
    def word(value: Value) -> SignalValue | PointFault:
        key = int(value) if isinstance(value, bool | float) and value % 1 == 0 else value
        return enum.get(key, _bad(f"{value!r} is none of its values"))  # type: ignore[arg-type]

    return word


def _truth(value: Value) -> SignalValue | PointFault:
    return bool(value) if value in (0, 1) else _bad(f"{value!r} is neither 0 nor 1")


def _text(value: Value) -> SignalValue | PointFault:
    if isinstance(value, float) and not math.isfinite(value):
        return _bad(f"{value!r} is no number")
    return value


def _available(word: Understand, unavailable: tuple[int | float | str, ...]) -> Understand:
    def understand(value: Value) -> SignalValue | PointFault:
        return _bad(f"the device itself says {value!r}") if value in unavailable else word(value)

    return understand
