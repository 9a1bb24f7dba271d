"""Where a Modbus value lives: `unit:area:address[.bit]`, kept with the protocol's own 0-based number."""

import re
from typing import Any, Literal, Self, get_args

from pydantic import Field

from ganpo_drivers.api import Address
from ganpo_drivers.modbus.addressing import by_protocol

Area = Literal["coil", "discrete", "input", "holding"]
Type = Literal["bit", "int16", "uint16", "int32", "uint32", "float32"]
Order = Literal["ABCD", "CDAB"]

_TEXT = re.compile(r"(\d+):([a-z]+):(\d+)(?:\.(\d+))?")
_PREFIX = {"coil": "0", "discrete": "1", "input": "3", "holding": "4"}
_LATER = re.compile(r"u?int(?:8|64)|float(?:16|64)|sm(?:16|32)|bcd(?:16|32|64)?|string\d*")


class ModbusAddress(Address):
    """One value on a unit. `number` is what goes over the wire."""

    unit: int = Field(ge=1, le=247, description="unit (slave) id")
    area: Area = Field(description="coil, discrete, input or holding")
    number: int = Field(ge=0, le=65535, description="the protocol's own 0-based number")
    bit: int | None = Field(default=None, ge=0, le=15, description="bit of a register, 0 is the lowest")
    type: Type = Field(description="bit, int16, uint16, int32, uint32 or float32")
    order: Literal["", "ABCD", "CDAB"] = Field(
        default="", description="of two registers; CDAB: low word first"
    )

    @classmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        """`unit:area:address[.bit]`, or `[unit:]NAME` where `addressing` is that of a controller, with the columns
        `type`, `order` and `addressing` (0-based where absent).

        Raises ValueError with the reason.
        """
        kind, addressing = str(columns.get("type") or ""), str(columns.get("addressing") or "0-based")
        text, addressing, usual = by_protocol(text.strip(), addressing, kind)
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not unit:area:address[.bit], like 1:holding:0")
        unit, area, number, bit = match.groups()
        if area not in get_args(Area):
            raise ValueError(f"area {area!r} is none of coil, discrete, input, holding")
        if not 1 <= int(unit) <= 247:
            raise ValueError(f"{unit} is not a Modbus unit id (1-247)")
        kind = _kind(area, bit, kind)
        words = 2 if kind.endswith("32") else 1
        order = _order(str(columns.get("order") or "") or (usual if words > 1 else ""), words)
        first = _number(area, number, addressing)
        if first + words > 65536:
            raise ValueError(f"{number} is the last register there is, and {kind} takes {words}")
        if bit is not None and int(bit) > 15:
            raise ValueError(f"bit {bit}: a register has bits 0-15")
        given: Any = {"unit": int(unit), "area": area, "number": first, "type": kind, "order": order}
        given["bit"] = None if bit is None else int(bit)
        # All of it is checked above. A thousand addresses share the set of what was given: 0.7 MB of a small gateway.
        return cls.model_construct(_FIELDS, **given)  # type: ignore[return-value]  # the plug-in knows no Self

    def __str__(self) -> str:
        bit = "" if self.bit is None else f".{self.bit}"
        return f"{self.unit}:{self.area}:{self.number}{bit}"

    @property
    def key(self) -> str:
        """The unit: one that is silent stops none of the others."""
        return str(self.unit)

    @property
    def words(self) -> int:
        """How many registers (or bits of a bit area) it takes."""
        return 2 if self.type in ("int32", "uint32", "float32") else 1


_FIELDS = set(ModbusAddress.model_fields)


def _kind(area: str, bit: str | None, kind: str) -> Any:
    bits = area in ("coil", "discrete")
    if bits or bit is not None:
        if bits and bit is not None:
            raise ValueError(f"a {area} is a bit already: no .{bit}")
        if kind not in ("", "bit"):
            raise ValueError(f"type {kind!r} for a bit: leave it empty or say bit")
        return "bit"
    if _LATER.fullmatch(kind):
        raise ValueError(f"type {kind} is not in this version (int16, uint16, int32, uint32, float32)")
    if kind not in get_args(Type):
        raise ValueError(f"type {kind!r} is none of int16, uint16, int32, uint32, float32")
    if kind == "bit":
        raise ValueError("type bit of a register needs its number: unit:area:address.bit")
    return kind


def _order(order: str, words: int) -> Any:
    if words == 1:
        if order:
            raise ValueError(f"order {order!r} is for two registers and more: leave it empty")
        return ""
    if order in ("BADC", "DCBA"):
        raise ValueError(f"order {order} is not in this version (ABCD, CDAB)")
    if order not in ("", "ABCD", "CDAB"):
        raise ValueError(f"order {order!r} is none of ABCD, CDAB")
    return order or "ABCD"


def _number(area: str, text: str, addressing: str) -> int:
    """The protocol's own number. What is beyond an end is told in the same addressing."""
    if addressing == "4xxxxx":
        prefix = _PREFIX[area]
        if len(text) not in (5, 6) or text[0] != prefix:
            others = [
                f" ({sign} is for {name})" for name, sign in _PREFIX.items() if sign == text[0] != prefix
            ]
            raise ValueError(
                f"{text} with 4xxxxx addressing: a {area} address is {prefix}0001 ... {prefix}65536{''.join(others)}"
            )
        number, first, last = int(text[1:]) - 1, prefix + "1".zfill(len(text) - 1), f"{prefix}65536"
    elif addressing == "1-based":
        number, first, last = int(text) - 1, "1", "65536"
    else:
        number, first, last = int(text), "0", "65535"
    if number < 0:
        raise ValueError(f"{text} with {addressing} addressing: the first is {first}")
    if number > 65535:
        raise ValueError(f"{text} with {addressing} addressing: the last is {last}")
    return number
