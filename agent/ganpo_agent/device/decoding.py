"""`ganpo decode`: what some registers may mean, as every type in every order, ranked; which it is, a person decides."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from ganpo_drivers import PointFault
from ganpo_drivers.modbus.values import TYPES, lane, orders
from ganpo_model.errors import ConfigError

_SCALES = range(-6, 7)
_MOVED = 0.02
"""How far a value may have moved since a person read it off the display, as a share."""
_RARE = {
    "float32": 0.0,
    "uint16": 0.1,
    "uint32": 0.1,
    "int16": 0.2,
    "int32": 0.2,
    "uint64": 0.4,
    "int64": 0.5,
    "float64": 0.5,
    "bcd16": 0.9,
    "bcd32": 0.9,
    "bcd64": 1.0,
    "uint8": 1.6,
    "int8": 1.8,
    "sm16": 2.0,
    "sm32": 2.0,
    "float16": 2.2,
}
"""How seldom a type is met; those that are not here are texts."""
_ODD = (0.0, 0.1, 0.6, 0.6)
"""How seldom an order is met, in the order in which the driver has them."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One way to read the registers. `offset`: of its first register from the place asked; `scale`: n of ten to the n;
    `value`: with that; `verdict`: exact, near, or "" where nothing was expected; `rank`: the less, the likelier;
    `same`: other types that read the same here, as a signed one does while nothing is below 0."""

    offset: int
    type: str
    order: str
    raw: float | int | str
    scale: int
    value: float | int | str
    verdict: str
    rank: float
    same: Sequence[str] = ()


def expected_of(text: str) -> Decimal:
    """The number that a display shows. Raises ConfigError."""
    try:
        number = Decimal(text.replace(",", ".").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ConfigError("is no number", where=f"--expect {text}", hint="as the display shows it: 231.4")
    return number


def meanings(words: Sequence[int | PointFault], expected: Decimal | None = None) -> list[Meaning]:
    """All that the registers can mean, the likeliest first; with an expected number only what is it, or near it."""
    found = [
        told
        for offset, kind, order, raw in _readings(words)
        for told in _judged(offset, kind, order, raw, len(words), expected)
    ]
    kept: dict[object, Meaning] = {}
    for one in sorted(found, key=lambda one: one.rank):
        what = one.offset, one.order, TYPES[one.type].words, one.scale, one.raw
        first = kept.get(what)
        kept[what] = one if first is None else replace(first, same=[*first.same, one.type])
    return list(kept.values())


def _readings(words: Sequence[int | PointFault]) -> Iterator[tuple[int, str, str, float | int | str]]:
    for kind in _RARE:
        size = TYPES[kind].words
        for offset in range(len(words) - size + 1):
            some = words[offset : offset + size]
            if any(isinstance(word, PointFault) for word in some):
                continue
            for order in orders(kind) or ("",):
                value = _value(kind, order, [word for word in some if isinstance(word, int)])
                if value is not None:
                    yield offset, kind, order, value
    whole = [word for word in words if isinstance(word, int)]
    if len(whole) == len(words) and 2 <= len(words) <= 32:
        for order in orders("string4"):
            text = _value(f"string{2 * len(words)}", order, whole)
            if isinstance(text, str) and len(text) >= 3:
                yield 0, f"string{2 * len(words)}", order, text


def _value(kind: str, order: str, words: Sequence[int]) -> float | int | str | None:
    how = lane(kind, order)
    data = struct.pack(f"{'<' if how.swap else '>'}{len(words)}H", *words)
    (raw,) = struct.unpack(how.end + TYPES[kind].code, data)
    value = TYPES[kind].read(raw)
    return None if isinstance(value, PointFault) else value


def _judged(
    offset: int, kind: str, order: str, raw: float | int | str, count: int, expected: Decimal | None
) -> Iterator[Meaning]:
    words = TYPES[kind].words
    odd = _ODD[list(orders(kind)).index(order)] if order else 0.0
    rank = offset + _RARE.get(kind, 0.5) + odd - (0.5 if words == count else 0.0)
    if isinstance(raw, str):
        if expected is None:
            yield Meaning(offset, kind, order, raw, 0, raw, "", rank)
        return
    if expected is None:
        yield Meaning(offset, kind, order, raw, 0, raw, "", rank + _unlikely(kind, raw, words))
        return
    step = (
        Decimal(1).scaleb(int(expected.as_tuple().exponent)) if expected.as_tuple().exponent else Decimal(1)
    )
    for scale in _SCALES:
        value = raw * 10**scale if scale >= 0 else raw / 10**-scale
        off = abs(value - float(expected))
        exact = off <= float(step) * 0.5000001
        if not exact and not off <= _MOVED * abs(float(expected)):
            continue
        if value == 0 != scale:
            continue
        times = 0.0 if scale == 0 else 0.4 + 0.2 * abs(scale) if -3 <= scale < 0 else 1.0 + 0.4 * abs(scale)
        proof = -1.0 if exact and kind.startswith("float") and scale == 0 else 0.0
        far = 0.0 if exact else 6.0 + 100 * off / max(abs(float(expected)), 1e-9)
        verdict = "exact" if exact else "near"
        yield Meaning(
            offset, kind, order, raw, scale, value, verdict, rank + times + proof + far + _empty(raw, words)
        )


def _empty(raw: float, words: int) -> float:
    """Of an integer whose highest registers hold nothing: fewer would do."""
    return 1.0 if isinstance(raw, int) and words > 1 and abs(raw).bit_length() <= 16 * (words - 1) else 0.0


def _unlikely(kind: str, raw: float, words: int) -> float:
    """How little a number looks like one that a device would show."""
    if kind.startswith("float"):
        if raw == 0:
            return 2.0
        return 0.0 if 1e-3 <= abs(raw) < 1e8 else 4.0 + min(4.0, abs(math.log10(abs(raw))) / 10)
    if raw == 0:
        return 2.0
    used = abs(raw).bit_length() if isinstance(raw, int) else 0
    if kind.startswith("bcd"):
        return 0.5
    if used > 16 * words - 6 and words > 1:
        return 3.0  # of several registers the highest are rarely full
    return 1.5 if words > 1 and used <= 16 * (words - 1) else 0.6
