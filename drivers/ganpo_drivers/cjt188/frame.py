"""Frames of CJ/T 188: 68H, type, address, control, length, data, sum, 16H.

CJ/T 188-2004 section 7; that of 2018 has the same. Read only: no other control than these exists here (I10).
"""

from typing import NamedTuple

from ganpo_drivers.readout.frames import START, WAKE_UP, closed, whole_frames

READ, READ_ADDRESS = 0x01, 0x03
ANSWER, REFUSED = 0x80, 0x40
"""Bits of the control byte: from the meter, an error."""
FUNCTION = 0x1F
_HEADER = 11
_MOST = 0x64
"""Bytes of data in an answer (7.2.6)."""


class Frame(NamedTuple):
    """`kind`: meter type, 2 hexadecimal digits; `meter`: 14, most significant first."""

    kind: str
    meter: str
    control: int
    data: bytes


def encoded(frame: Frame, wake_up: int = 0) -> bytes:
    """The bytes of a frame behind `wake_up` bytes FEH."""
    address = bytes.fromhex(frame.meter)[::-1]
    head = bytes((START, int(frame.kind, 16), *address, frame.control, len(frame.data)))
    return bytes((WAKE_UP,)) * wake_up + closed(head + frame.data)


def frames(data: bytes) -> list[tuple[Frame, int]]:
    """Every whole frame in what came over the line, and where it ends."""
    return [
        (Frame(f"{raw[1]:02X}", raw[8:1:-1].hex().upper(), raw[9], raw[_HEADER:-2]), end)
        for raw, end in whole_frames(data, _HEADER, _MOST)
    ]


def size(data: int) -> int:
    """The bytes of a frame with so many of data."""
    return _HEADER + data + 2
