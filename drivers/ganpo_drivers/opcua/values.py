"""One answered item of a Read to a value or the fault of its point."""

import math
from datetime import UTC, datetime
from typing import Any

from asyncua import ua

from ganpo_drivers.api import FaultKind, PointFault, Value
from ganpo_model.clock import iso

_AS_IT_IS = frozenset(
    getattr(ua.VariantType, name)
    for name in ("Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")
)
_FLOATS = frozenset((ua.VariantType.Float, ua.VariantType.Double))
_SEVERITY = 0xC0000000
_UNCERTAIN = 0x40000000
_UNKNOWN_NODE = frozenset((ua.StatusCodes.BadNodeIdUnknown, ua.StatusCodes.BadNodeIdInvalid))
_NO_TIME = datetime(1601, 1, 1, tzinfo=UTC)


def value_of(item: Any, accept_uncertain: bool) -> Value | PointFault:
    """The Python value of a `ua.DataValue`: bool, int, float, str; a DateTime as ISO text, a LocalizedText as its
    text. A fault of kind `bad` for Bad, Uncertain (unless accepted), no value, NaN and infinity, arrays, structures.
    """
    status = item.StatusCode.value
    if status & _SEVERITY and not (accept_uncertain and status & _SEVERITY == _UNCERTAIN):
        return bad(status_text(status))
    variant = item.Value
    value, kind = variant.Value, variant.VariantType
    if value is None:
        return bad("no value (null)")
    if variant.is_array or variant.Dimensions:
        return bad("an array; only single values can be read")
    if kind in _AS_IT_IS:
        return value  # type: ignore[no-any-return]
    if kind in _FLOATS:
        return value if math.isfinite(value) else bad(f"no number ({value})")
    return _text(value, kind)


def source_time_of(item: Any) -> datetime | None:
    """When the device says the value became so, or None."""
    at = item.SourceTimestamp
    return at if isinstance(at, datetime) and at > _NO_TIME else None


def is_unknown(item: Any) -> bool:
    """Whether the server says that it has no such node."""
    return item.StatusCode.value & 0xFFFF0000 in _UNKNOWN_NODE


def status_text(code: int) -> str:
    """A status code by its name, with what the standard says about it."""
    name, meaning = ua.status_codes.get_name_and_doc(code & 0xFFFF0000)
    return f"{name}: {meaning}" if meaning else str(name)


def bad(text: str) -> PointFault:
    """A fault the device states."""
    return PointFault(FaultKind.BAD, text)


def _text(value: Any, kind: Any) -> str | PointFault:
    types = ua.VariantType
    if kind == types.LocalizedText:
        value = value.Text or ""
    elif kind == types.QualifiedName:
        value = value.Name or ""
    elif kind == types.DateTime:
        value = iso(value)
    elif kind == types.Guid:
        value = str(value)
    elif kind not in (types.String, types.XmlElement):
        return bad(f"a value of type {kind.name}; only single numbers, booleans, texts and times can be read")
    text = str(value)
    # asyncua keeps bytes that are no UTF-8 as lone surrogates, which nothing downstream could write
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        return bad("a text that is not UTF-8")
    return text
