"""DataValues in their binary form (OPC 10000-6 5.2.2.17), taken apart in one pass.

asyncua makes an object of every field of every answer, which costs more than all the rest of a read. Here numbers,
booleans and texts with a source time are taken straight from the bytes; whatever else a server sends goes through
asyncua's decoder, item by item, and the tests hold both equal.
"""

import math
import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary

from ganpo_drivers.opcua.values import NO_TIME, Answer, Answers, answer_of

_STRING = ua.VariantType.String.value
_NUMBERS = {
    ua.VariantType.Boolean: "?",
    ua.VariantType.SByte: "b",
    ua.VariantType.Byte: "B",
    ua.VariantType.Int16: "h",
    ua.VariantType.UInt16: "H",
    ua.VariantType.Int32: "i",
    ua.VariantType.UInt32: "I",
    ua.VariantType.Int64: "q",
    ua.VariantType.UInt64: "Q",
    ua.VariantType.Float: "f",
    ua.VariantType.Double: "d",
}
_HAS_VALUE, _HAS_STATUS, _HAS_TIME = 1, 2, 4
_TAILS = {
    mask: struct.Struct("<" + "I" * bool(mask & _HAS_STATUS) + "q" * bool(mask & _HAS_TIME))
    for mask in (1, 3, 5, 7)
}
_COMMON = {
    bytes((mask, kind.value)): (layout.unpack_from, layout.size, bool(mask & _HAS_STATUS))
    for mask in (5, 7)
    for kind, code in _NUMBERS.items()
    if (layout := struct.Struct(f"<xx{code}{'I' * bool(mask & _HAS_STATUS)}q"))
}
"""By the first two bytes of an item, its mask and the type of its value: numbers with a time, the commonest of all."""
_OTHERS = {
    bytes((mask, kind.value)): (struct.Struct("<" + code), kind.value)
    for mask in _TAILS
    for kind, code in _NUMBERS.items()
}
_TEXTS = {bytes((mask, _STRING)) for mask in _TAILS}
_FIRST_TICKS = 10
_LAST_TICKS = 2_650_467_743_990_000_000
"""Of 100 ns since 1601: the first microsecond, and the end of the year 9999. What lies beyond is cut by asyncua."""
LENGTH = struct.Struct("<i")
"""Of an array or a text."""
_HANDLE = struct.Struct("<I")
UNREADABLE = Answer(None, 0, ua.StatusCodes.BadDecodingError, None)
"""What asyncua cannot take apart: where it ends is not known."""


class Unreadable(Exception):
    """A notification holds what asyncua cannot take apart: a structure without a body, a node id without a name."""


def take(data: bytes, at: int, count: int, answers: Answers, handles: list[int] | None) -> None:
    """Add the answers of `count` DataValues from `at` on, each behind its client handle where `handles` takes them."""
    values, rest = answers.values, answers.rest
    common, finite = _COMMON.get, math.isfinite
    stamps: list[int] = []
    rarer: list[tuple[int, Answer]] = []
    for _ in repeat(None, count):
        if handles is not None:
            handles.append(_HANDLE.unpack_from(data, at)[0])
            at += 4
        form = common(data[at : at + 2])
        if form is not None:
            unpack, size, has_status = form
            if has_status:
                value, status, ticks = unpack(data, at)
            else:
                value, ticks = unpack(data, at)
                status = 0
            if not status and finite(value):
                values.append(value)
                stamps.append(ticks)
                at += size
                continue
        try:
            answer, at = _rarer(data, at)
        except (ua.UaError, ValueError) as error:
            if handles is not None:
                raise Unreadable(str(error)) from error
            answer = UNREADABLE
        rarer.append((len(values), answer))
        values.append(answer.value)
        stamps.append(_FIRST_TICKS)
        if answer is UNREADABLE:
            break
    # all at once: one by one it takes half as long again
    if stamps and min(stamps) >= _FIRST_TICKS and max(stamps) < _LAST_TICKS:
        answers.times += [NO_TIME + timedelta(0, 0, ticks // 10) for ticks in stamps]
    else:
        answers.times += [_time(ticks) for ticks in stamps]
    for place, answer in rarer:
        answers.times[place] = answer.source_time
        if not answer.is_plain:
            rest[place] = answer


def _rarer(data: bytes, at: int) -> tuple[Answer, int]:
    """The answer of the DataValue at `at`, and where the next thing begins."""
    head = data[at : at + 2]
    end = at + 2
    other = _OTHERS.get(head)
    if other is not None:
        layout, kind = other
        (value,) = layout.unpack_from(data, end)
        end += layout.size
    elif head in _TEXTS:
        kind = _STRING
        (length,) = LENGTH.unpack_from(data, end)
        end += 4
        if length < 0 or end + length > len(data):
            return _item_by_asyncua(data, at)
        value = data[end : end + length].decode(errors="surrogateescape")
        end += length
    else:
        return _item_by_asyncua(data, at)
    mask = head[0]
    tail = _TAILS[mask]
    rest = tail.unpack_from(data, end)
    status = rest[0] if mask & _HAS_STATUS else 0
    return Answer(value, kind, status, _time(rest[-1]) if mask & _HAS_TIME else None), end + tail.size


def _time(ticks: int) -> datetime | None:
    at = ua.win_epoch_to_datetime(ticks)
    return at if at > NO_TIME else None


def _item_by_asyncua(data: bytes, at: int) -> tuple[Answer, int]:
    buffer = Buffer(data, at)
    item = struct_from_binary(ua.DataValue, buffer)
    return answer_of(item), buffer.cur_pos


def answers_of(items: Sequence[Any]) -> Answers:
    """The answers that `ua.DataValue`s are."""
    found = [answer_of(item) for item in items]
    rest = {place: answer for place, answer in enumerate(found) if not answer.is_plain}
    return Answers([answer.value for answer in found], [answer.source_time for answer in found], rest)
