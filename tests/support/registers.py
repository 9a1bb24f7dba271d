"""What registers hold, byte by byte and by the letters of an order: no code of ours is asked."""

import struct
from collections.abc import Sequence
from typing import Any

ORDERS = {
    2: ("ABCD", "CDAB", "BADC", "DCBA"),
    4: ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"),
}
SIZES = {
    **{f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float16": 2,
    "float32": 4,
    "float64": 8,
    "sm16": 2,
    "sm32": 4,
    "bcd16": 2,
    "bcd32": 4,
    "bcd64": 8,
}
_FLOATS = {2: ">e", 4: ">f", 8: ">d"}


def orders(kind: str) -> tuple[str, ...]:
    """The orders that a type may have; `("",)` where it lies in one register."""
    if kind.startswith("string"):
        return ("",) if int(kind[6:]) <= 2 else ("ABCD", "BADC")
    return ORDERS.get(SIZES[kind] // 2, ("",))


def laid_out(content: bytes, order: str) -> list[int]:
    """The registers that hold a value whose bytes, the highest first, are `content`, in an order."""
    content = content.rjust(2, b"\0")
    if len(content) in (4, 8) and len(order) == len(content):
        content = bytes(content["ABCDEFGH".index(letter)] for letter in order)
    elif order == "BADC":
        content = b"".join(content[at : at + 2][::-1] for at in range(0, len(content), 2))
    return [int.from_bytes(content[at : at + 2], "big") for at in range(0, len(content), 2)]


def worth(kind: str, order: str, words: Sequence[int]) -> Any:
    """The value that registers hold, None for what is no value."""
    content = b"".join(word.to_bytes(2, "big") for word in words)
    if kind.startswith("string"):
        if order == "BADC":
            content = b"".join(content[at : at + 2][::-1] for at in range(0, len(content), 2))
        return _text(content[: int(kind[6:])])
    if order:
        content = bytes(content[order.index(letter)] for letter in "ABCDEFGH"[: len(content)])
    content = content[-SIZES[kind] :]
    bits, whole = 8 * len(content), int.from_bytes(content, "big")
    if kind.startswith("float"):
        value = struct.unpack(_FLOATS[len(content)], content)[0]
        largest = {4: 0x7F7F_FFFF, 8: 0x7FEF_FFFF_FFFF_FFFF}.get(len(content), whole + 1)
        return value if abs(value) < float("inf") and whole & (2 ** (bits - 1) - 1) != largest else None
    if kind.startswith("bcd"):
        return int(content.hex()) if content.hex().isdecimal() else None
    if kind.startswith("sm"):
        magnitude, negative = whole & (2 ** (bits - 1) - 1), whole >> (bits - 1)
        return None if magnitude == 2 ** (bits - 1) - 1 else -magnitude if negative else magnitude
    if kind.startswith("u"):
        return None if bits > 8 and whole == 2**bits - 1 else whole
    value = int.from_bytes(content, "big", signed=True)
    return None if bits > 8 and value in (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) else value


def _text(content: bytes) -> str | None:
    content = content.split(b"\0")[0].rstrip(b" ")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None
