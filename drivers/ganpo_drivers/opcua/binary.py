"""Read and Publish in their binary form (OPC 10000-6 5.2): requests made once, answers taken apart in one pass.

Requests leave and answers arrive through asyncua's channel. This is the one file that knows how that is built: where it
is built otherwise (`fits`), asyncua does all. What stands in the answers is taken apart in `data_values.py`.
"""

# ruff: noqa: SLF001 - asyncua has no way to send bytes

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, nodeid_to_binary, struct_from_binary, struct_to_binary

from ganpo_drivers.opcua.data_values import LENGTH, UNREADABLE, answers_of, take
from ganpo_drivers.opcua.values import Answers


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
        return answers_of(await transport.session.read(request))
    answers = Answers([], [], {})
    while True:
        rest = items[len(answers) :]
        body = b"".join((_READ_HEAD, LENGTH.pack(len(rest)), *rest))
        answers.extend(
            read_response(await _exchange(transport.protocol, _READ, body, _READ_ANSWER, timeout_s))
        )
        last = len(answers) - 1
        if answers.rest.get(last) is not UNREADABLE or last + 1 >= len(items):
            return answers


async def publish(transport: Any, acknowledged: Sequence[tuple[int, int]]) -> Notification:
    """One Publish, which the server answers when it has something to say. `acknowledged`: subscription and number.

    Raises Unreadable, what asyncua raises, ValueError, struct.error.
    """
    if not fits(transport.protocol):
        acks = [ua.SubscriptionAcknowledgement(*pair) for pair in acknowledged]
        return _by_asyncua((await transport.session.publish(acks)).Parameters)
    body = LENGTH.pack(len(acknowledged)) + b"".join(struct.pack("<II", *pair) for pair in acknowledged)
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
    (count,) = LENGTH.unpack_from(data, at)
    answers = Answers([], [], {})
    take(data, at + 4, count, answers, None)
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
        take(data, at + len(_DATA_CHANGE) + _CHANGE.size, count, answers, handles)
        at = end
    return Notification(subscription, number, handles, answers)


def _checked_header(data: bytes) -> int:
    """Where the body begins behind a ResponseHeader that says Good; mostly it says nothing else."""
    if data[_RESULT:_HEADED] in _GOOD:
        return _HEADED
    buffer = Buffer(data)
    struct_from_binary(ua.ResponseHeader, buffer).ServiceResult.check()
    return int(buffer.cur_pos)


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
    answers = answers_of([item.Value for item in items])
    handles = [item.ClientHandle for item in items]
    return Notification(result.SubscriptionId, message.SequenceNumber, handles, answers, ended)
