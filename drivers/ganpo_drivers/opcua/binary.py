"""Read and Publish in their binary form (OPC 10000-6 5.2): requests made once, answers taken apart in one pass.

asyncua makes an object of every field of every answer, which costs more than all the rest of a read. Here numbers,
booleans and texts with a source time are taken straight from the bytes; whatever else a server sends goes through
asyncua's decoder, item by item, and the tests hold both equal. Requests leave and answers arrive through asyncua's
channel. This is the one file that knows how that is built: where it is built otherwise (`fits`), asyncua does all.
"""

# ruff: noqa: SLF001 - asyncua has no way to send bytes

import asyncio
import math
import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, nodeid_to_binary, struct_from_binary, struct_to_binary

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
_LENGTH = struct.Struct("<i")
_HANDLE = struct.Struct("<I")


def _type(name: str) -> bytes:
    """How a request or an answer of this type begins."""
    number = getattr(ua.ObjectIds, f"{name}_Encoding_DefaultBinary")
    return bytes(nodeid_to_binary(ua.FourByteNodeId(number)))


_READ, _READ_ANSWER = _type("ReadRequest"), _type("ReadResponse")
_PUBLISH, _PUBLISH_ANSWER = _type("PublishRequest"), _type("PublishResponse")
_DATA_CHANGE = _type("DataChangeNotification") + b"\1"
_RESULT, _HEADED = 12, 24
_GOOD = frozenset(b"\0\0\0\0" + b"\0" + strings + b"\0\0\0" for strings in (b"\0" * 4, b"\xff" * 4))
"""Between them a ResponseHeader says Good, no diagnostics, no strings (none, or an empty array), and nothing more."""
_READ_HEAD = struct.pack("<di", 0.0, ua.TimestampsToReturn.Source.value)
_PUBLISHED = struct.Struct("<Ii")
_MESSAGE = struct.Struct("<?Iqi")
_CHANGE = struct.Struct("<ii")
_PARTS = ("_setup_request_header", "_connection", "_request_id", "_callbackmap", "transport", "check_answer")


_UNREADABLE = Answer(None, 0, ua.StatusCodes.BadDecodingError, None)


class Unreadable(Exception):
    """A notification holds what asyncua cannot take apart: a structure without a body, a node id without a name."""


class Notification(NamedTuple):
    """What one Publish brought: of which subscription, its number, client handles and what is answered of them in their
    order, and the status to which the subscription changed (None: it lives on)."""

    subscription: int
    number: int
    handles: list[int]
    answers: Answers
    ended: int | None = None


def fits(protocol: Any) -> bool:
    """Whether asyncua's channel is built as this file expects."""
    return all(hasattr(protocol, part) for part in _PARTS)


def encoded(item: Any) -> bytes:
    """A `ua.ReadValueId` as it stands in every request for it."""
    return bytes(struct_to_binary(item))


async def read(transport: Any, items: Sequence[bytes], timeout_s: float) -> Answers:
    """One Read with source times of `encoded` items. Raises what asyncua raises, ValueError, struct.error.

    What asyncua cannot take apart is BadDecodingError; where it ends is not known, so what stands behind it is asked
    for again.
    """
    if not fits(transport.protocol):
        nodes = [struct_from_binary(ua.ReadValueId, Buffer(item)) for item in items]
        request = ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Source, NodesToRead=nodes)
        return _answers_of(await transport.session.read(request))
    answers = Answers([], [], {})
    while True:
        rest = items[len(answers) :]
        body = b"".join((_READ_HEAD, _LENGTH.pack(len(rest)), *rest))
        answers.extend(
            read_response(await _exchange(transport.protocol, _READ, body, _READ_ANSWER, timeout_s))
        )
        last = len(answers) - 1
        if answers.rest.get(last) is not _UNREADABLE or last + 1 >= len(items):
            return answers


async def publish(transport: Any, acknowledged: Sequence[tuple[int, int]]) -> Notification:
    """One Publish, which the server answers when it has something to say. `acknowledged`: subscription and number.

    Raises Unreadable, what asyncua raises, ValueError, struct.error.
    """
    if not fits(transport.protocol):
        acks = [ua.SubscriptionAcknowledgement(*pair) for pair in acknowledged]
        return _by_asyncua((await transport.session.publish(acks)).Parameters)
    body = _LENGTH.pack(len(acknowledged)) + b"".join(struct.pack("<II", *pair) for pair in acknowledged)
    return publish_response(await _exchange(transport.protocol, _PUBLISH, body, _PUBLISH_ANSWER, 0))


async def _exchange(protocol: Any, service: bytes, body: bytes, wanted: bytes, timeout_s: float) -> bytes:
    """The answer of the type `wanted` to a request, from its ResponseHeader on.

    A request that is given up stays known to the channel, so that its late answer is taken for no other.
    """
    if protocol.transport is None:
        raise ConnectionError("connection is closed")
    header = ua.RequestHeader()
    protocol._setup_request_header(header, timeout_s)
    protocol.revolve_security_token()
    number = protocol._request_id + 1
    message = protocol._connection.message_to_binary(
        b"".join((service, struct_to_binary(header), body)), request_id=number
    )
    protocol._request_id = number
    answer = protocol._callbackmap[number] = asyncio.get_running_loop().create_future()
    protocol.transport.write(message)
    data = await answer
    found = bytes(data)
    if found.startswith(wanted):
        return found[len(wanted) :]
    protocol.check_answer(data, "")  # raises what a fault says
    nodeid_from_binary(data)  # the type, in another form
    return bytes(data)


def read_response(data: bytes) -> Answers:
    """The answers of a ReadResponse, from its ResponseHeader on, as far as they can be taken apart."""
    at = _checked_header(data)
    (count,) = _LENGTH.unpack_from(data, at)
    answers = Answers([], [], {})
    _take(data, at + 4, count, answers, None)
    return answers


def publish_response(data: bytes) -> Notification:
    """The notification of a PublishResponse, from its ResponseHeader on."""
    start = at = _checked_header(data)
    subscription, available = _PUBLISHED.unpack_from(data, at)
    at += _PUBLISHED.size + 4 * max(available, 0)
    _, number, _, parts = _MESSAGE.unpack_from(data, at)
    at += _MESSAGE.size
    handles: list[int] = []
    answers = Answers([], [], {})
    for _ in range(parts):
        if not data.startswith(_DATA_CHANGE, at):  # a status change, or what nobody ordered
            return _by_asyncua(struct_from_binary(ua.PublishResult, Buffer(data, start)))
        size, count = _CHANGE.unpack_from(data, at + len(_DATA_CHANGE))
        if size < 4:
            return _by_asyncua(struct_from_binary(ua.PublishResult, Buffer(data, start)))
        end = at + len(_DATA_CHANGE) + 4 + size
        _take(data, at + len(_DATA_CHANGE) + _CHANGE.size, count, answers, handles)
        at = end
    return Notification(subscription, number, handles, answers)


def _checked_header(data: bytes) -> int:
    """Where the body begins behind a ResponseHeader that says Good; mostly it says nothing else."""
    if data[_RESULT:_HEADED] in _GOOD:
        return _HEADED
    buffer = Buffer(data)
    struct_from_binary(ua.ResponseHeader, buffer).ServiceResult.check()
    return int(buffer.cur_pos)


def _take(data: bytes, at: int, count: int, answers: Answers, handles: list[int] | None) -> None:
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
            answer = _UNREADABLE
        rarer.append((len(values), answer))
        values.append(answer.value)
        stamps.append(_FIRST_TICKS)
        if answer is _UNREADABLE:
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
        (length,) = _LENGTH.unpack_from(data, end)
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


def _answers_of(items: Sequence[Any]) -> Answers:
    """The answers that `ua.DataValue`s are."""
    found = [answer_of(item) for item in items]
    rest = {place: answer for place, answer in enumerate(found) if not answer.is_plain}
    return Answers([answer.value for answer in found], [answer.source_time for answer in found], rest)


def _by_asyncua(result: Any) -> Notification:
    """The notification of a `ua.PublishResult`."""
    message = result.NotificationMessage
    items: list[Any] = []
    ended = None
    for part in message.NotificationData or ():
        if isinstance(part, ua.DataChangeNotification):
            items += part.MonitoredItems
        elif isinstance(part, ua.StatusChangeNotification):
            ended = part.Status.value
    answers = _answers_of([item.Value for item in items])
    handles = [item.ClientHandle for item in items]
    return Notification(result.SubscriptionId, message.SequenceNumber, handles, answers, ended)
