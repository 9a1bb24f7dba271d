"""Which requests a Modbus client sent, read off its bytes (Modbus Application Protocol 1.1b3, Messaging on TCP/IP 3.1,
over Serial Line 2.5.1), and which of them could change something at the device."""

import struct
from collections.abc import Iterator

_READING = {1, 2, 3, 4}
_IDENTIFICATION = b"\x2b\x0e"
"""Read Device Identification; the same function with another type writes."""
_LONGEST = 256
_EIGHT_BYTES = {*range(1, 7)}


def changes(pdu: bytes) -> bool:
    """Whether a request, from its function code on, could change something: all but those that only read."""
    return pdu[0] not in _READING and pdu[:2] != _IDENTIFICATION


def codes(sent: bytes) -> list[int]:
    """The function codes in the order asked. `sent`: one connection from its start; its end may be cut off.

    Raises ValueError for what is no Modbus TCP.
    """
    return [pdu[0] for pdu in _requests(sent)]


def forbidden(sent: bytes) -> list[str]:
    """The function codes asked for over TCP that could change something at the device."""
    return [f"function code {pdu[0]}" for pdu in _requests(sent) if changes(pdu)]


def forbidden_rtu(sent: bytes) -> list[str]:
    """The same of what was sent over a serial line, or to a converter; what is no request at all is told too."""
    return [f"function code {pdu[0]}" for pdu in _rtu_requests(sent) if changes(pdu)]


def _requests(sent: bytes) -> Iterator[bytes]:
    at = 0
    while at + 9 <= len(sent):
        _, protocol, length = struct.unpack_from(">HHH", sent, at)
        if protocol or length < 2:
            raise ValueError(f"no Modbus TCP at byte {at}: {sent[at : at + 12]!r}")
        yield sent[at + 7 : at + 6 + length]
        at += 6 + length


def _rtu_requests(sent: bytes) -> Iterator[bytes]:
    """Requests follow one another without a mark: each ends where its checksum is right, at the length of its function
    first. A rest that never is whole was cut off, unless it is longer than any request."""
    while len(sent) >= 4:
        sizes = [8, *range(4, _LONGEST + 1)] if sent[1] in _EIGHT_BYTES else range(4, _LONGEST + 1)
        size = next((n for n in sizes if n <= len(sent) and crc(sent[:n]) == 0), None)
        if size is None:
            if len(sent) > _LONGEST:
                raise ValueError(f"no Modbus RTU: {sent[:12]!r}")
            return
        yield sent[1 : size - 2]
        sent = sent[size:]


def crc(data: bytes) -> int:
    """The checksum, bit by bit as the specification does (over Serial Line, appendix B); of a frame with its own 0."""
    found = 0xFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = (found >> 1) ^ 0xA001 if found & 1 else found >> 1
    return found
