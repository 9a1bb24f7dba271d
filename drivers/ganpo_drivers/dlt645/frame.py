"""Frames of DL/T 645: 68H, address, 68H, control, length, data (each byte +33H), sum, 16H.

DL/T 645-2007 section 5, DL/T 645-1997 section 5. Read only: no other control than these exists here (I10).
"""

from dataclasses import dataclass
from typing import NamedTuple

from ganpo_drivers.readout.frames import START, WAKE_UP, closed, whole_frames

READ_ADDRESS = 0x13
"""Of 2007, with the wildcard address: asks the only meter of a line for its own."""
ANSWER, REFUSED, MORE = 0x80, 0x40, 0x20
"""Bits of the control byte: from the meter, an error, more frames follow."""
FUNCTION = 0x1F
_HEADER = 10
_MOST = 200
"""Bytes of data in an answer (5.2.5)."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What 1997 and 2007 do differently. `numbered`: follow-up frames carry a number, from 1. `errors`: the bits of
    the error byte, lowest first."""

    year: int
    read: int
    follow: int
    numbered: bool
    errors: tuple[str, ...]


_EDITIONS = {
    8: Edition(
        2007,
        0x11,
        0x12,
        True,
        (
            "another error",
            "it has no such data",
            "password wrong or no permission",
            "the baud rate cannot be changed",
            "too many year zones",
            "too many day periods",
            "too many tariffs",
            "reserved bit 7",
        ),
    ),
    4: Edition(
        1997,
        0x01,
        0x02,
        False,
        (
            "illegal data",
            "no such data identifier",
            "password wrong",
            "reserved bit 3",
            "too many year zones",
            "too many day periods",
            "too many tariffs",
            "reserved bit 7",
        ),
    ),
}


def edition_of(di: str) -> Edition:
    """That of an identifier: its length says it."""
    return _EDITIONS[len(di)]


class Frame(NamedTuple):
    """`meter`: 12 digits (or A), most significant first; `data` without the 33H."""

    meter: str
    control: int
    data: bytes


def encoded(frame: Frame, wake_up: int = 0) -> bytes:
    """The bytes of a frame behind `wake_up` bytes FEH."""
    head = bytes((START, *bytes.fromhex(frame.meter)[::-1], START, frame.control, len(frame.data)))
    return bytes((WAKE_UP,)) * wake_up + closed(head + bytes((byte + 0x33) & 0xFF for byte in frame.data))


def frames(data: bytes) -> list[tuple[Frame, int]]:
    """Every whole frame in what came over the line, and where it ends."""
    return [
        (
            Frame(
                raw[6:0:-1].hex().upper(),
                raw[8],
                bytes((byte - 0x33) & 0xFF for byte in raw[_HEADER:-2]),
            ),
            end,
        )
        for raw, end in whole_frames(data, _HEADER, _MOST)
        if raw[7] == START
    ]


def size(data: int) -> int:
    """The bytes of a frame with so many of data."""
    return _HEADER + data + 2


def told(edition: Edition, error: int) -> str:
    """What the meter says with its error byte, bit by bit."""
    words = [word for bit, word in enumerate(edition.errors) if error >> bit & 1]
    return f"the meter refuses: {', '.join(words) or 'no bit says why'} (error byte {error:02X})"
