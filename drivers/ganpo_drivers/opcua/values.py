"""One answered item of a Read or a notification to a value or the fault of its point."""

import base64
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from asyncua import ua

from ganpo_drivers.api import FaultKind, PointFault, Value
from ganpo_drivers.opcua.address import NAMESPACE_0, OpcUaAddress
from ganpo_model.clock import iso

NO_TIME = datetime(1601, 1, 1, tzinfo=UTC)
"""Where the times of the protocol begin: no device means it."""
_TYPES = ua.VariantType
_AS_IT_IS = frozenset(
    getattr(_TYPES, name).value
    for name in ("Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")
)
_FLOATS = frozenset((_TYPES.Float.value, _TYPES.Double.value))
_SEVERITY = 0xC0000000
_UNCERTAIN = 0x40000000
_OVERFLOW = 0x480
"""InfoType DataValue with the bit Overflow: values before this one were lost in the server's queue."""
_UNKNOWN_NODE = frozenset((ua.StatusCodes.BadNodeIdUnknown, ua.StatusCodes.BadNodeIdInvalid))
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,400})(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_IDENTIFIERS = {
    ua.NodeIdType.String: "s",
    ua.NodeIdType.Guid: "g",
    ua.NodeIdType.ByteString: "b",
}


class Answer(NamedTuple):
    """What a server says of one item: `value` as asyncua gives it (an array as a list), `kind` the number of its
    built-in type, `status` the code, `source_time` None where the device has none."""

    value: Any
    kind: int
    status: int
    source_time: datetime | None
    is_array: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether `value` is all there is to say: one Good number, boolean or text."""
        if self.status or self.is_array or self.value is None:
            return False
        if self.kind in _FLOATS:
            return math.isfinite(self.value)
        return self.kind in _AS_IT_IS or (self.kind == _TYPES.String.value and self.value.isascii())

    @property
    def is_unknown(self) -> bool:
        """Whether the server says that it has no such node."""
        return self.status & 0xFFFF0000 in _UNKNOWN_NODE

    @property
    def overflowed(self) -> bool:
        """Whether values before this one were lost in the queue of its monitored item."""
        return self.status & _OVERFLOW == _OVERFLOW


@dataclass(slots=True)
class Answers:
    """What a server answered, in its order: `values` as Python has them with their source `times`; and in `rest`, by
    place, whatever is more than one Good number, boolean or text: its value is `value_of` it."""

    values: list[Any]
    times: list[datetime | None]
    rest: dict[int, Answer]

    def __len__(self) -> int:
        return len(self.values)

    def extend(self, more: Self) -> None:
        """Add those of the next request."""
        self.rest.update((len(self) + place, answer) for place, answer in more.rest.items())
        self.values += more.values
        self.times += more.times

    def value(
        self, place: int, address: OpcUaAddress, uris: Sequence[str], accept_uncertain: bool
    ) -> Value | PointFault:
        """The value at a place, as `address` wants it."""
        answer = self.rest.get(place)
        if answer is not None:
            return value_of(answer, address, uris, accept_uncertain)
        value = self.values[place]
        if address.index:
            return _element(value, address.index)  # type: ignore[no-any-return]
        return _number(value) if address.number and isinstance(value, str) else value


def answer_of(item: Any) -> Answer:
    """The answer that a `ua.DataValue` is."""
    variant, at = item.Value, item.SourceTimestamp
    return Answer(
        variant.Value,
        variant.VariantType.value,
        item.StatusCode.value,
        at if isinstance(at, datetime) and at > NO_TIME else None,
        bool(variant.is_array or variant.Dimensions),
    )


def value_of(
    answer: Answer, address: OpcUaAddress, uris: Sequence[str], accept_uncertain: bool
) -> Value | PointFault:
    """The Python value: bool, int, float, str; a DateTime as ISO text, a LocalizedText as its text, a NodeId in the
    form of addresses (`uris`: the server's namespaces by index). Of an array the element that the address names; of a
    text the number it holds, where the address says that it holds one.

    A fault of kind `bad` for Bad, Uncertain (unless accepted), no value (a text or a time that was never set is none),
    NaN and infinity, whole arrays, structures; of kind `absent` for the state of a state machine that is not active
    (OPC 10000-16, sub-states), which has none.
    """
    value, kind, status, _, is_array = answer
    if status & _SEVERITY and not (accept_uncertain and status & _SEVERITY == _UNCERTAIN):
        inactive = status & 0xFFFF0000 == ua.StatusCodes.BadStateNotActive
        return absent(status_text(status)) if inactive else bad(status_text(status))
    if value is None:
        return bad("no value (null)")
    if is_array or address.index:
        value = _element(value, address.index)
        if isinstance(value, PointFault):
            return value
    if kind in _AS_IT_IS:
        return value  # type: ignore[no-any-return]
    if kind in _FLOATS:
        return value if math.isfinite(value) else bad(f"no number ({value})")
    text = _text(value, kind, uris)
    return _number(text) if address.number and isinstance(text, str) else text


def status_text(code: int) -> str:
    """A status code by its name, with what the standard says about it."""
    name, meaning = ua.status_codes.get_name_and_doc(code & 0xFFFF0000)
    return f"{name}: {meaning}" if meaning else str(name)


def bad(text: str) -> PointFault:
    """A fault the device states."""
    return PointFault(FaultKind.BAD, text)


def absent(text: str) -> PointFault:
    """The device does not have it."""
    return PointFault(FaultKind.ABSENT, text)


def _element(value: Any, index: Sequence[int]) -> Any:
    """One element of an array, which may have several dimensions."""
    if not isinstance(value, list):
        return bad("a single value and no array: take the [...] out of the address")
    if not index:
        return bad("an array: name one of its elements, [0] before the address for the first")
    for depth, number in enumerate(index):
        if not isinstance(value, list):
            return bad(f"an array of {depth} dimensions, asked for with {len(index)}")
        if number >= len(value):
            return bad(f"an array of {len(value)} elements, which has no [{number}]")
        value = value[number]
    return bad("an array of more dimensions than the address names") if isinstance(value, list) else value


def _text(value: Any, kind: int, uris: Sequence[str]) -> str | PointFault:
    if kind == _TYPES.LocalizedText.value:
        value = value.Text
    elif kind == _TYPES.QualifiedName.value:
        value = value.Name
    elif kind == _TYPES.DateTime.value:
        value = iso(value) if value > NO_TIME else None
    elif kind == _TYPES.Guid.value:
        value = str(value)
    elif kind == _TYPES.XmlElement.value:
        value = value.Value
    elif kind in (_TYPES.NodeId.value, _TYPES.ExpandedNodeId.value):
        value = node_text(value, uris)
        if isinstance(value, PointFault):
            return value
    elif kind != _TYPES.String.value:
        name = ua.VariantType(kind).name if kind <= 25 else f"number {kind}"
        return bad(
            f"a value of type {name}; only single numbers, booleans, texts, times and node ids can be read"
        )
    if value is None:
        return bad("no value (null)")
    text = str(value)
    # asyncua keeps bytes that are no UTF-8 as lone surrogates, which nothing downstream could write
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        return bad("a text that is not UTF-8")
    return text


def node_text(node: Any, uris: Sequence[str]) -> str | PointFault:
    """A `ua.NodeId` as an address writes it; `uris`: the server's namespaces by index."""
    uri = getattr(node, "NamespaceUri", None)
    if getattr(node, "ServerIndex", 0):
        return bad("a node id of another server")
    if uri is None:
        if node.NamespaceIndex >= len(uris):
            return bad(f"a node id of namespace {node.NamespaceIndex}, which the server does not have")
        uri = uris[node.NamespaceIndex] if node.NamespaceIndex else NAMESPACE_0
    if not uri:
        return bad("a node id of a namespace without a name")
    kind, identifier = _IDENTIFIERS.get(node.NodeIdType, "i"), node.Identifier
    if kind == "b":
        identifier = base64.b64encode(identifier).decode()
    return str(OpcUaAddress(uri=uri, identifier=f"{kind}={identifier}"))


def _number(text: str) -> Value | PointFault:
    """The number that a text holds: a whole one as int, so that a register loses no count."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return bad(f"the text {text[:40]!r}, which is no number")
    whole, fraction, power = match.groups()
    if power is None and not (fraction or "").strip(".0"):
        return int(whole)
    value = float(text)
    return value if math.isfinite(value) else bad(f"no number ({value})")
