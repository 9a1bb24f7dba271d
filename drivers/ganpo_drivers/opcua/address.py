"""Where an OPC UA variable lives: a node id by namespace URI, or a browse path from Objects."""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field

from ganpo_drivers.api import Address

NAMESPACE_0 = "http://opcfoundation.org/UA/"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STEPS = re.compile(r"/((?:<[^>]*>)?[^/]*)")
_INDEX = re.compile(r"\[([0-9]{1,9}(?:,[0-9]{1,9})*)\]\s*")
_ESCAPED = re.compile("%(?:25|2F|3B|3E)", re.IGNORECASE)


class Step(NamedTuple):
    """One level of a browse path: a browse name and the URI of its namespace, None for any."""

    uri: str | None
    name: str


class OpcUaAddress(Address):
    """Either `identifier` (`s=...`, `i=...`, `g=...`, `b=...`) in namespace `uri`, or `path` from Objects.

    The short form needs no prefixes, so that it means the same everywhere: `nsu=URI;s=Name` (OPC 10000-6 5.3.1.11),
    `i=2258` in namespace 0, and a path of steps `<URI>:Name`, `0:Name` (namespace 0) or `*:Name` (any). A `%`, a `;`
    in the URI of a node id, a `>` in the URI of a step and a `/` in a browse name are written %25, %3B, %3E and %2F.
    An element of an array is named before all that, `[2]nsu=URI;s=Name`, counted from 0: behind it brackets belong to
    the id, as in `"DB"."Count"[2]` of a Siemens controller.

    How the value comes is no part of the short form: `mode`, `sampling_ms` (how often the server looks), `deadband`
    (a number has to change by more than so much of the device's unit to be told), `number` (a text holds a number).
    """

    type: ClassVar[str] = ""
    order: ClassVar[str] = ""

    uri: str = ""
    identifier: str = ""
    path: tuple[Step, ...] = ()
    index: tuple[int, ...] = ()
    number: bool = False
    mode: Literal["poll", "subscribe"] = "poll"
    sampling_ms: int | None = Field(default=None, ge=10, le=86_400_000)
    deadband: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @classmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        """The address of `text`; `columns`: `namespaces` (prefix to URI), `type` (empty, or number), `order` (must be
        empty), `mode`, `sampling_ms`, `deadband`."""
        if columns.get("order"):
            raise ValueError("an OPC UA variable knows its own type: leave order empty")
        if columns.get("type") not in (None, "", "number"):
            raise ValueError(
                "an OPC UA variable knows its own type: leave type empty, or write number where a text holds one"
            )
        how: dict[str, Any] = {
            key: columns[key] for key in ("mode", "sampling_ms", "deadband") if columns.get(key)
        }
        how["number"] = bool(columns.get("type"))
        text = text.strip()
        if _CONTROL.search(text):
            raise ValueError(f"control characters in {text!r}")
        if (match := _INDEX.match(text)) is not None:
            how["index"] = tuple(int(number) for number in match[1].split(","))
            text = text[match.end() :]
        if text.startswith("/"):
            namespaces = columns.get("namespaces") or {}
            return cls(path=tuple(_step(step, namespaces) for step in _STEPS.findall(text)), **how)
        uri, identifier = NAMESPACE_0, text
        if text.startswith("nsu="):
            escaped, semicolon, identifier = text.removeprefix("nsu=").partition(";")
            if not escaped or not semicolon:
                raise ValueError(f"{text!r}: nsu=URI has to be followed by a semicolon and s=, i=, g= or b=")
            uri = _unescape(escaped)
        return cls(uri=uri, identifier=_identifier(identifier), **how)

    def __str__(self) -> str:
        index = f"[{','.join(map(str, self.index))}]" if self.index else ""
        if not self.path:
            prefix = "" if self.uri == NAMESPACE_0 else f"nsu={_escape(self.uri, '%;')};"
            return index + prefix + self.identifier
        return index + "".join("/" + _print(step) for step in self.path)

    @property
    def subscribed(self) -> bool:
        """Whether the server is to speak when the value changes."""
        return self.mode == "subscribe"


def _identifier(text: str) -> str:
    kind, equals, value = text.partition("=")
    if kind == "ns" and equals:
        raise ValueError(
            "namespace indexes change when a PLC is loaded anew: write nsu=URI;s=... instead of ns=N"
        )
    if kind not in ("s", "i", "g", "b") or not equals or not value:
        raise ValueError(
            f"{text!r} is no node id (nsu=URI;s=NAME, i=NUMBER, g=GUID, b=BASE64) and no browse path (/prefix:NAME/...)"
        )
    if kind == "i":
        if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) >= 2**32:
            raise ValueError(f"i={value} is not a number from 0 to 4294967295")
        return f"i={int(value)}"
    if kind == "g":
        try:
            return f"g={uuid.UUID(value)}"
        except ValueError:
            raise ValueError(f"g={value} is not a GUID") from None
    if kind == "b":
        try:
            return "b=" + base64.b64encode(base64.b64decode(value, validate=True)).decode()
        except binascii.Error:
            raise ValueError(f"b={value} is not base64") from None
    return text


def _step(text: str, namespaces: Mapping[str, str]) -> Step:
    if text.startswith("<"):
        uri, colon, name = text[1:].partition(">:")
        if not uri or not colon:
            raise ValueError(f"{text!r} is no step <URI>:NAME")
        return Step(_unescape(uri), _name(name, text))
    prefix, colon, name = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} has no namespace: write prefix:{text}, or *:{text} for any")
    if prefix == "*":
        return Step(None, _name(name, text))
    if prefix == "0":
        return Step(NAMESPACE_0, _name(name, text))
    if prefix.isdecimal():
        raise ValueError(
            f"{text!r}: namespace indexes change when a PLC is loaded anew: write a prefix, or *:{name}"
        )
    if prefix not in namespaces:
        known = ", ".join(sorted(namespaces)) or "none"
        raise ValueError(
            f"{text!r}: unknown prefix {prefix!r} (the profile's [namespaces]: {known}; *: is any)"
        )
    return Step(namespaces[prefix], _name(name, text))


def _name(text: str, step: str) -> str:
    if not text:
        raise ValueError(f"{step!r} has no browse name")
    return _unescape(text)


def _print(step: Step) -> str:
    name = _escape(step.name, "%/")
    if step.uri is None:
        return f"*:{name}"
    if step.uri == NAMESPACE_0:
        return f"0:{name}"
    return f"<{_escape(step.uri, '%>')}>:{name}"


def _escape(text: str, signs: str) -> str:
    return re.sub(f"[{signs}]", lambda match: f"%{ord(match[0]):02X}", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[0][1:], 16)), text)
