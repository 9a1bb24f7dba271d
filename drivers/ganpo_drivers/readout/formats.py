"""How values lie in their bytes, spelt as the standards do: `XXXXXX.XX` is eight BCD digits, of which two are decimals.

The least significant byte comes first (DL/T 645-2007 appendix A, CJ/T 188-2004 appendix A).
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, NoReturn

from ganpo_drivers.api import FaultKind, PointFault, Value

_PIECE = re.compile(r"(?P<sign>±?)(?P<whole>X+)(?:\.(?P<decimals>X+))?|(?P<digits>[NYMDWhms]+)|(?P<bits>b+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """One value of `size` bytes. A number has `decimals`, and `signed` the top bit of its highest byte for a sign;
    digits are text as it stands (an address, a date); bits are a whole number."""

    size: int
    kind: Literal["number", "digits", "bits"]
    decimals: int = 0
    signed: bool = False

    def value(self, data: bytes) -> Value | PointFault:
        """The value of exactly `size` bytes; a fault where they are none, also where all are FF: the meter has none."""
        if self.kind == "bits":
            return int.from_bytes(data, "little")
        if set(data) == {0xFF}:
            return PointFault(FaultKind.BAD, "the meter says that it has no value (all bytes FF)")
        negative = self.signed and bool(data[-1] & 0x80)
        digits = (data[:-1] + bytes((data[-1] & 0x7F,)) if negative else data)[::-1].hex()
        if not digits.isdecimal():
            return PointFault(FaultKind.BAD, f"its bytes are no BCD: {data.hex(' ').upper()}")
        if self.kind == "digits":
            return digits
        number = -int(digits) if negative else int(digits)
        return number / 10**self.decimals if self.decimals else number


@cache
def pieces(text: str) -> tuple[Piece, ...]:
    """The values of a format, in the order of their bytes: `XXX.X`, `±XX.XXXX`, `YYMMDDhhmm`, `NNNN` (digits),
    `bbbbbbbb` (bits); several with spaces between.

    Raises ValueError with the reason.
    """
    found = tuple(map(_piece, text.split()))
    if not found:
        _refuse(text)
    return found


def _piece(text: str) -> Piece:
    match = _PIECE.fullmatch(text)
    if match is None:
        _refuse(text)
    if match["bits"]:
        size, rest = divmod(len(match["bits"]), 8)
        kind: Literal["number", "digits", "bits"] = "bits"
    else:
        decimals = len(match["decimals"] or "")
        size, rest = divmod(len(match["digits"] or match["whole"]) + decimals, 2)
        kind = "digits" if match["digits"] else "number"
    if rest:
        raise ValueError(f"{text!r} fills no whole bytes: two digits or eight bits to the byte")
    if kind == "number":
        return Piece(size, kind, decimals, bool(match["sign"]))
    return Piece(size, kind)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text!r} is no format like XXXXXX.XX, ±XX.XXXX, YYMMDDhhmm or bbbbbbbb")
