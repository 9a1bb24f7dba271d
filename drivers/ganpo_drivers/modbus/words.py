"""What other programs call the types and orders of registers: refused, with the right word."""

from collections.abc import Iterable

from ganpo_drivers.modbus.values import NAMES, TYPES, orders

_OTHER_WORDS = {
    "bit": "bool boolean coil flag",
    "int8": "i8 s8 sint sbyte char",
    "uint8": "u8 usint byte",
    "int16": "i16 s16 int short integer signed",
    "uint16": "u16 uint ushort word unsigned",
    "int32": "i32 s32 dint long",
    "uint32": "u32 udint ulong dword",
    "int64": "i64 s64 lint longlong",
    "uint64": "u64 ulint ulonglong lword qword",
    "float16": "f16 half",
    "float32": "f32 float single real",
    "float64": "f64 double lreal",
    "sm16 or sm32": "sm signmagnitude signedmagnitude",
    "bcd16, bcd32 or bcd64": "bcd",
    "string2 ... string64, with the number of characters": "string str text ascii char[] varchar",
}
_RIGHT = {other: word for word, others in _OTHER_WORDS.items() for other in others.split()}
_PLACES = {
    0: "big bigendian be msb msbfirst highwordfirst 1234 ab",
    1: "littleswap wordswap wordswapped lowwordfirst lswfirst 3412",
    2: "bigswap byteswap byteswapped 2143",
    3: "little littleendian le lsb lsbfirst 4321 ba",
}
_PLACE = {other: place for place, others in _PLACES.items() for other in others.split()} | {
    word.lower(): place for name in ("int32", "int64") for place, word in enumerate(orders(name))
}


def checked_type(name: str) -> str:
    """A type of whole registers. Raises ValueError, which says the right word where another program has one."""
    if name in TYPES:
        return name
    if name == "bit":
        raise ValueError("type bit of a register needs its number: unit:area:address.bit")
    plain = "".join(sign for sign in name.lower() if sign not in " _-")
    right = _RIGHT.get(plain, plain if plain in TYPES or plain == "bit" else "")
    if right:
        raise ValueError(f"type {name!r} is called {right} here")
    raise ValueError(f"type {name!r} is none of {NAMES}")


def checked_order(order: str, names: Iterable[str], usual: str = "") -> str:
    """The order of values of these types, where it is empty the `usual` one of two registers. Raises ValueError."""
    allowed = {tuple(orders(name)): name for name in names if orders(name)}
    if not allowed:
        if order:
            raise ValueError(f"order {order!r} is for two registers and more: leave it empty")
        return ""
    if len(allowed) > 1:
        raise ValueError(f"{' and '.join(allowed.values())} have no order in common")
    ((words, name),) = allowed.items()
    default = words[_PLACE.get(usual.lower(), 0)] if len(words) == len(_PLACES) else words[0]
    if not order or order in words:
        return order or default
    place = _PLACE.get("".join(sign for sign in order.lower() if sign not in " _-"))
    if place is not None and len(words) == len(_PLACES):
        raise ValueError(f"order {order!r} is called {words[place]} of {name}")
    raise ValueError(f"order {order!r} is none of {', '.join(words)}")
