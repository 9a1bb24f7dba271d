"""The one-pass decoder and asyncua's come to the same, whatever a server answers; requests are the same bytes."""

import struct
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_to_binary, struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from ganpo_drivers.opcua import binary
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.values import Answer, Answers, answer_of, value_of

T = ua.VariantType
SINCE = datetime(1601, 1, 1, tzinfo=UTC)
CODES = sorted(
    value for name, value in vars(ua.StatusCodes).items() if name[0].isupper() and isinstance(value, int)
)


def whole(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    least = -(2 ** (bits - 1)) if signed else 0
    return st.integers(least, least + 2**bits - 1)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
TIMES = st.timedeltas(timedelta(0), timedelta(days=365 * 8000)).map(lambda since: SINCE + since)
NODES = TEXTS | whole(32, signed=False) | st.uuids() | st.binary(min_size=1, max_size=5)
SCALARS = st.one_of(
    st.tuples(st.just(T.Boolean), st.booleans()),
    *(
        st.tuples(st.just(T[f"{'' if signed else 'U'}Int{bits}"]), whole(bits, signed=signed))
        for bits in (16, 32, 64)
        for signed in (True, False)
    ),
    st.tuples(st.just(T.SByte), whole(8, signed=True)),
    st.tuples(st.just(T.Byte), whole(8, signed=False)),
    st.tuples(st.just(T.Float), st.floats(width=32)),
    st.tuples(st.just(T.Double), st.floats()),
    st.tuples(st.just(T.String), TEXTS | st.none()),
    st.tuples(st.just(T.XmlElement), st.builds(ua.XmlElement, TEXTS)),
    st.tuples(st.just(T.ByteString), st.binary(max_size=8) | st.none()),
    st.tuples(st.just(T.Guid), st.uuids()),
    st.tuples(st.just(T.DateTime), TIMES),
    st.tuples(st.just(T.StatusCode), st.sampled_from(CODES).map(ua.StatusCode)),
    st.tuples(st.just(T.LocalizedText), st.builds(ua.LocalizedText, TEXTS, st.none() | st.just("zh-CN"))),
    st.tuples(st.just(T.QualifiedName), st.builds(ua.QualifiedName, TEXTS, whole(15, signed=False))),
    st.tuples(st.just(T.NodeId), st.builds(ua.NodeId, NODES, whole(16, signed=False))),
    st.tuples(st.just(T.ExtensionObject), st.just(ua.Argument(Name="a structure"))),
    st.tuples(st.just(T.Null), st.none()),
)
ARRAYS = st.one_of(
    st.tuples(st.just(T.Int32), st.lists(whole(32, signed=True), max_size=4)),
    st.tuples(st.just(T.String), st.lists(TEXTS, max_size=3)),
)
STATUSES = st.sampled_from([0, 0, 0, *CODES]) | whole(32, signed=False)
ITEMS = st.builds(
    lambda typed, status, time, picoseconds: ua.DataValue(
        ua.Variant(typed[1], typed[0], is_array=isinstance(typed[1], list)),
        ua.StatusCode(status),
        time,
        SourcePicoseconds=picoseconds,
    ),
    SCALARS | ARRAYS,
    STATUSES,
    st.none() | TIMES,
    st.none() | st.integers(0, 9999),
)


ADDRESS = OpcUaAddress.parse("i=2258")
URIS = ["http://opcfoundation.org/UA/", "urn:server"]


def same(answers: Answers, items: list[Any]) -> None:
    """Both decoders come to the same values, faults and times; what is not plain is the same answer (NaN is equal to
    nothing: compared as it is written)."""
    theirs = [answer_of(item) for item in items]
    for accept in (False, True):
        assert [answers.value(place, ADDRESS, URIS, accept) for place in range(len(answers))] == [
            value_of(answer, ADDRESS, URIS, accept) for answer in theirs
        ]
    assert answers.times == [answer.source_time for answer in theirs]
    assert repr(answers.rest) == repr(
        {place: answer for place, answer in enumerate(theirs) if not answer.is_plain}
    )


def later(response: Any) -> bytes:
    """A response as the channel hands it on: from its header on."""
    return bytes(struct_to_binary(response)[len(nodeid_to_binary(response.TypeId)) :])


@given(st.lists(ITEMS, max_size=6))
def test_a_read_is_taken_apart_as_asyncua_does(items: list[Any]) -> None:
    response = ua.ReadResponse(Results=items)
    decoded = struct_from_binary(ua.ReadResponse, Buffer(struct_to_binary(response)))
    same(binary.read_response(later(response)), decoded.Results)


@given(
    st.lists(st.tuples(whole(32, signed=False), ITEMS), max_size=8), st.lists(st.integers(1, 9), max_size=3)
)
def test_a_notification_is_taken_apart_as_asyncua_does(found: list[Any], available: list[int]) -> None:
    change = ua.DataChangeNotification(
        MonitoredItems=[ua.MonitoredItemNotification(handle, item) for handle, item in found]
    )
    message = ua.NotificationMessage(SequenceNumber=7, NotificationData=[change] if found else [])
    result = ua.PublishResult(3, available, NotificationMessage=message, Results=[ua.StatusCode(0)])
    response = ua.PublishResponse(Parameters=result)
    word = binary.publish_response(later(response))
    decoded = struct_from_binary(ua.PublishResponse, Buffer(struct_to_binary(response))).Parameters
    assert repr(word) == repr(binary._by_asyncua(decoded))
    assert (word.subscription, word.number, word.ended) == (3, 7, None)
    assert word.handles == [handle for handle, _ in found]
    same(word.answers, [item for _, item in found])


def test_a_subscription_that_the_server_ends_says_why() -> None:
    ended = ua.StatusChangeNotification(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))
    result = ua.PublishResult(3, NotificationMessage=ua.NotificationMessage(1, NotificationData=[ended]))
    word = binary.publish_response(later(ua.PublishResponse(Parameters=result)))
    assert (word.handles, word.ended) == ([], ua.StatusCodes.BadTimeout)


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (T.LocalizedText, ua.LocalizedText(None), "no value (null)"),
        (T.QualifiedName, ua.QualifiedName(None, 0), "no value (null)"),
        (T.XmlElement, ua.XmlElement(None), "no value (null)"),
        (T.DateTime, SINCE, "no value (null)"),
        (T.NodeId, ua.NodeId("A", 2), "a namespace without a name"),
        (T.NodeId, ua.NodeId("A", 3), "a namespace without a name"),
        (T.NodeId, ua.NodeId("A", 4), "namespace 4, which the server does not have"),
        (T.NodeId, ua.NodeId("\udcff", 1), "not UTF-8"),
    ],
)
def test_a_text_that_was_never_set_and_a_node_nobody_can_name_are_no_value(
    kind: Any, value: Any, told: str
) -> None:
    """Good, and nothing in it: an empty text would be a state that no rule knows, which is IDLE (F09)."""
    answer = Answer(value, kind.value, 0, None)
    assert told in str(value_of(answer, ADDRESS, [*URIS, "", None], False))  # type: ignore[list-item]


@pytest.mark.parametrize("mask", [1, 3, 5, 7])
@pytest.mark.parametrize(("kind", "code"), [(6, "i"), (11, "d"), (1, "?"), (9, "Q")])
def test_a_status_good_that_is_written_out_and_a_time_left_out_are_understood(
    mask: int, kind: int, code: str
) -> None:
    tail = struct.pack("<I", 0) * bool(mask & 2) + struct.pack("<q", 10_000_000) * bool(mask & 4)
    item = bytes((mask, kind)) + struct.pack("<" + code, 1) + tail
    head = later(ua.ReadResponse())[: binary._checked_header(later(ua.ReadResponse()))]
    found = binary.read_response(head + struct.pack("<i", 1) + item)
    assert found == Answers([1], [SINCE + timedelta(seconds=1) if mask & 4 else None], {})


@pytest.mark.parametrize("mask", [5, 7])
def test_times_at_the_ends_of_time_are_cut_as_asyncua_cuts_them(mask: int) -> None:
    ends = (-(2**63), -1, 0, 9, 10, 2_650_467_743_989_999_999, 2_650_467_743_990_000_000, 2**63 - 1)
    status = struct.pack("<I", 0) * bool(mask & 2)
    items = [bytes((mask, 6)) + struct.pack("<i", 7) + status + struct.pack("<q", ticks) for ticks in ends]
    head = later(ua.ReadResponse())[: binary._checked_header(later(ua.ReadResponse()))]
    for some in (items, *([item] for item in items)):
        data = head + struct.pack("<i", len(some)) + b"".join(some)
        same(binary.read_response(data), [struct_from_binary(ua.DataValue, Buffer(item)) for item in some])


@given(st.lists(ITEMS, min_size=1, max_size=3), st.data())
def test_a_response_that_is_cut_off_is_an_error_behind_what_is_whole(items: list[Any], data: Any) -> None:
    whole_one = later(ua.ReadResponse(Results=items))
    cut = data.draw(
        st.integers(0, len(whole_one) - 5)
    )  # the last four bytes are diagnostics, which nobody reads
    try:
        found = binary.read_response(whole_one[:cut])
    except (struct.error, ua.UaError, ValueError, IndexError):
        return
    *before, broken = (found.value(place, ADDRESS, URIS, True) for place in range(len(found)))
    everything = binary.read_response(whole_one)
    assert before == [everything.value(place, ADDRESS, URIS, True) for place in range(len(before))]
    assert "BadDecodingError" in str(broken)


def test_a_header_that_says_more_is_read_too_and_a_bad_one_raised() -> None:
    item = ua.DataValue(ua.Variant(7, T.Int32))
    told = ua.ResponseHeader(StringTable=["a", "b"], ServiceDiagnostics=ua.DiagnosticInfo(SymbolicId=1))
    assert binary.read_response(later(ua.ReadResponse(ResponseHeader=told, Results=[item]))).values == [7]
    refused = ua.ResponseHeader(ServiceResult=ua.StatusCode(ua.StatusCodes.BadTooManyOperations))
    with pytest.raises(ua.UaStatusCodeError, match="BadTooManyOperations"):
        binary.read_response(later(ua.ReadResponse(ResponseHeader=refused)))


class Channel(UASocketProtocol):  # type: ignore[misc]
    """A channel without a socket: what is sent is answered with `answer`."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.transport = SimpleNamespace(write=self._answered)
        self.answer = answer

    def _answered(self, _data: bytes) -> None:
        self._call_callback(self._request_id, Buffer(self.answer))


async def test_an_answer_whose_type_is_written_otherwise_is_one_and_a_fault_is_raised() -> None:
    node = binary.encoded(ua.ReadValueId(NodeId=ua.NodeId("A", 2), AttributeId=ua.AttributeIds.Value))
    response = ua.ReadResponse(Results=[ua.DataValue(ua.Variant(7, T.Int32))])
    for kind in (ua.FourByteNodeId, ua.NumericNodeId):
        encoded = nodeid_to_binary(kind(ua.ObjectIds.ReadResponse_Encoding_DefaultBinary)) + later(response)
        transport = SimpleNamespace(protocol=Channel(encoded))
        assert (await binary.read(transport, [node], 1.0)).values == [7]
    fault = ua.ServiceFault(ResponseHeader=ua.ResponseHeader(ServiceResult=ua.StatusCode(0x80100000)))
    with pytest.raises(ua.UaStatusCodeError, match="BadTooManyOperations"):
        await binary.read(SimpleNamespace(protocol=Channel(struct_to_binary(fault))), [node], 1.0)


def test_a_read_request_is_what_asyncua_would_send() -> None:
    nodes = [ua.NodeId(1, 0), ua.NodeId("Ä", 2), ua.NodeId(uuid.UUID(int=5), 3), ua.NodeId(b"\1", 4)]
    items = [ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value) for node in nodes]
    theirs = ua.ReadRequest()
    theirs.Parameters.NodesToRead = items
    ours = binary._READ + struct_to_binary(theirs.RequestHeader) + binary._READ_HEAD
    ours += struct.pack("<i", 4) + b"".join(map(binary.encoded, items))
    assert ours == struct_to_binary(theirs)


async def test_where_asyncua_is_built_otherwise_it_does_all() -> None:
    asked: list[Any] = []
    item = ua.DataValue(ua.Variant(7, T.Int32))

    class Session:
        async def read(self, request: Any) -> list[Any]:
            asked.extend(request.NodesToRead)
            return [item]

        async def publish(self, acks: list[Any]) -> Any:
            asked.extend(acks)
            change = ua.DataChangeNotification(MonitoredItems=[ua.MonitoredItemNotification(1, item)])
            message = ua.NotificationMessage(4, NotificationData=[change])
            return ua.PublishResponse(Parameters=ua.PublishResult(3, NotificationMessage=message))

    transport = SimpleNamespace(protocol=object(), session=Session())
    node = ua.ReadValueId(NodeId=ua.NodeId("A", 2), AttributeId=ua.AttributeIds.Value)
    seven = Answers([7], [None], {})
    assert await binary.read(transport, [binary.encoded(node)], 1.0) == seven
    assert await binary.publish(transport, [(3, 9)]) == binary.Notification(3, 4, [1], seven)
    assert asked == [node, ua.SubscriptionAcknowledgement(3, 9)]
