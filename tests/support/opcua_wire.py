"""Which services an OPC UA client asked for, read off the bytes it sent (OPC 10000-6 6.7, security None)."""

import struct
from collections.abc import Iterator

READING = {
    446: "OpenSecureChannel",
    452: "CloseSecureChannel",
    461: "CreateSession",
    467: "ActivateSession",
    473: "CloseSession",
    527: "Browse",
    533: "BrowseNext",
    554: "TranslateBrowsePathsToNodeIds",
    631: "Read",
    751: "CreateMonitoredItems",
    787: "CreateSubscription",
    826: "Publish",
}
OTHERS = {
    488: "AddNodes",
    494: "AddReferences",
    500: "DeleteNodes",
    506: "DeleteReferences",
    664: "HistoryRead",
    673: "Write",
    700: "HistoryUpdate",
    712: "Call",
}
CHANGING = frozenset({488, 494, 500, 506, 673, 700, 712})
"""Of the others, those that could change something at the device, whoever asks."""
_HEADER = struct.Struct("<3scI")
_SECURE = {b"MSG": 8, b"CLO": 8}  # bytes between header and sequence header: channel and token
_SEQUENCE = 8


def services(sent: bytes) -> list[str]:
    """The names of the services in the order asked; an unknown one as its number.

    `sent`: one connection from its start; its end may be cut off. Raises ValueError for what is no OPC UA.
    """
    return [name(number) for number in _requests(sent)]


def forbidden(sent: bytes) -> list[str]:
    """The services asked for that could change something at the device: all but those that only read."""
    return [name(number) for number in _requests(sent) if number not in READING]


def name(number: int) -> str:
    """The service of a request's type id."""
    return READING.get(number) or OTHERS.get(number) or f"service {number}"


def _requests(sent: bytes) -> Iterator[int]:
    begins = True
    at = 0
    while at + _HEADER.size <= len(sent):
        kind, chunk, size = _HEADER.unpack_from(sent, at)
        if kind not in (b"HEL", b"OPN", b"MSG", b"CLO") or size < _HEADER.size:
            raise ValueError(f"no OPC UA at byte {at}: {sent[at : at + 16]!r}")
        if kind in _SECURE and begins and at + size <= len(sent):
            yield _type_id(sent, at + _HEADER.size + _SECURE[kind] + _SEQUENCE)
        begins = chunk != b"C"
        at += size


def _type_id(sent: bytes, at: int) -> int:
    encoding = sent[at]
    if encoding == 0:
        return sent[at + 1]
    if encoding == 1:
        return int(struct.unpack_from("<H", sent, at + 2)[0])
    return int(struct.unpack_from("<I", sent, at + 3)[0])
