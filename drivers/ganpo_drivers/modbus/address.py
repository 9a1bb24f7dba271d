"""Where a Modbus value lives: `unit:area:address[.bit]`, kept with the protocol's own 0-based number.

Or a sum of registers, `1:holding:0*1 + 1:holding:1*10000`, and a power of ten that another register holds,
`1:holding:0 e 1:holding:5`.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Self

from pydantic import Field

from ganpo_drivers.api import Address
from ganpo_drivers.modbus.cells import Area, Term, cell_of
from ganpo_drivers.modbus.values import TYPES
from ganpo_drivers.modbus.words import checked_order, checked_type

MOST_REGISTERS = 125
"""Registers that one request may ask for, by the protocol."""
_EXPONENTS = ("int8", "uint8", "int16", "uint16")


class Part(NamedTuple):
    """A register (or some) of a sum: its value counts `times` as much."""

    number: int
    type: str
    times: Fraction


class Exponent(NamedTuple):
    """A register that says by which power of ten a value is to be multiplied. `near`: it fits into the request that
    reads the value, and is read with it."""

    area: Area
    number: int
    type: str
    near: bool

    def together(self, low: int, end: int) -> tuple[int, int]:
        """The first register that is asked for, and the one after the last, of a value from `low` to `end`."""
        return (min(low, self.number), max(end, self.number + 1)) if self.near else (low, end)


class ModbusAddress(Address):
    """One value on a unit. `number` is what goes over the wire; of a sum the lowest."""

    unit: int = Field(ge=0, le=255, description="unit (slave) id")
    area: Area = Field(description="coil, discrete, input or holding")
    number: int = Field(ge=0, le=65535, description="the protocol's own 0-based number")
    bit: int | None = Field(default=None, ge=0, le=15, description="bit of a register, 0 is the lowest")
    type: str = Field(description="of the value; of a sum that of the parts that say none of their own")
    order: str = Field(default="", description="of the bytes of two registers or more; CDAB: low word first")
    parts: tuple[Part, ...] = Field(default=(), description="of a value that is a sum")
    exponent: Exponent | None = Field(default=None, description="by which power of ten it is multiplied")
    max_registers: int = Field(default=MOST_REGISTERS, description="the most that its unit answers at once")

    @classmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        """`unit:area:address[.bit]`, or `[unit:]NAME` where `addressing` is that of a controller, with the columns
        `type`, `order` and `addressing` (0-based where absent).

        Or a sum: `1:holding:0*1 + 1:holding:1:uint16*10000`, each part with a type of its own where the column does
        not say it; `... e 1:holding:5`: times ten to the power that stands there. `unit`: of an address that names
        none; `max_registers`: what one request may ask for.

        Raises ValueError with the reason.
        """
        kind, order = str(columns.get("type") or ""), str(columns.get("order") or "")
        most = int(columns.get("max_registers") or MOST_REGISTERS)
        cell = cell_of(
            text,
            str(columns.get("unit") or ""),
            str(columns.get("addressing") or "0-based"),
            kind,
            alone=bool(columns.get("alone")),
        )
        first = cell.terms[0]
        given: dict[str, Any] = {"unit": cell.unit, "area": first.area, "bit": first.bit, "parts": ()}
        given |= {"exponent": None, "max_registers": most}
        if len(cell.terms) == 1 and cell.exponent is None:
            names = [_alone(first, kind)]
            low, end = first.number, first.number + _words(names[0])
        else:
            parts = given["parts"] = tuple(_part(term, first.area, kind) for term in cell.terms)
            names = [part.type for part in parts]
            low, end = _span(parts)
            if cell.exponent is not None:
                exponent = given["exponent"] = _exponent(cell.exponent, first.area, (low, end), most)
                low, end = exponent.together(low, end)
        if end - low > most:
            raise ValueError(
                f"{'its parts lie' if given['parts'] else 'it lies'} over {end - low} registers, and one request asks "
                f"for at most {most}: they have to be read at once"
            )
        given["number"] = low
        given["type"] = names[0] if not given["parts"] else kind if kind in names else ""
        given["order"] = checked_order(order, names, cell.usual)
        # All of it is checked above. A thousand addresses share the set of what was given: 0.7 MB of a small gateway.
        return cls.model_construct(_FIELDS, **given)  # type: ignore[return-value]  # the plug-in knows no Self

    def __str__(self) -> str:
        begin = f"{self.unit}:{self.area}:"
        if not self.parts:
            return f"{begin}{self.number}{'' if self.bit is None else f'.{self.bit}'}"
        text = ""
        for part in self.parts:
            kind, times = "" if part.type == self.type else f":{part.type}", part.times
            sign, times = (" - ", -times) if text and times < 0 else (" + " if text else "", times)
            text += f"{sign}{begin}{part.number}{kind}*{times}"
        if self.exponent is not None:
            kind = "" if self.exponent.type == "int16" else f":{self.exponent.type}"
            text += f" e {self.unit}:{self.exponent.area}:{self.exponent.number}{kind}"
        return text

    @property
    def key(self) -> str:
        """The unit: one that is silent stops none of the others."""
        return str(self.unit)

    @property
    def summed(self) -> bool:
        """Whether it is a sum, perhaps of one part, times a power of ten."""
        return bool(self.parts)

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        names = [part.type for part in self.parts] or [self.type]
        return not any(name.startswith("float") for name in names)

    @property
    def words(self) -> int:
        """How many registers (or bits of a bit area) it takes, from `number` on."""
        if not self.parts:
            return _words(self.type)
        low, end = _span(self.parts)
        if self.exponent is not None:
            low, end = self.exponent.together(low, end)
        return end - low

    @property
    def apart(self) -> "ModbusAddress | None":
        """The exponent, where it has to be read with a request of its own."""
        power = self.exponent
        if power is None or power.near:
            return None
        return ModbusAddress(unit=self.unit, area=power.area, number=power.number, type=power.type)


_FIELDS = set(ModbusAddress.model_fields)


def _alone(term: Term, kind: str) -> str:
    """The type of a value that is one place."""
    if term.times is not None:
        raise ValueError("one register times a number: that is its scale")
    if term.type:
        raise ValueError(f"the type of one register stands in its column: {term.type}")
    if term.of_bits:
        if kind not in ("", "bit"):
            raise ValueError(f"type {kind!r} for a bit: leave it empty or say bit")
        return "bit"
    return _fitting(term, checked_type(kind))


def _part(term: Term, area: Area, kind: str) -> Part:
    if term.area != area:
        raise ValueError(
            f"{area} and {term.area}: the parts of a value are read with one request, of one area"
        )
    if term.of_bits:
        raise ValueError(f"a bit is no part of a sum: {term.text}")
    name = checked_type(term.type or kind)
    if name.startswith("string"):
        raise ValueError(f"a part of a sum is a number, no {name}")
    if term.times == 0:
        raise ValueError(f"{term.text}: times 0 is nothing")
    return Part(term.number, _fitting(term, name), Fraction(1) if term.times is None else term.times)


def _exponent(term: Term, area: Area, span: tuple[int, int], most: int) -> Exponent:
    """`area` and `span`: of what it raises."""
    if term.of_bits or term.times is not None:
        raise ValueError(f"an exponent is a register, like 1:holding:5: {term.text}")
    name = checked_type(term.type or "int16")
    if name not in _EXPONENTS:
        raise ValueError(f"an exponent is {', '.join(_EXPONENTS)}, no {name}")
    near = Exponent(term.area, term.number, name, near=True)
    low, end = near.together(*span)
    return near._replace(near=term.area == area and end - low <= most)


def _fitting(term: Term, name: str) -> str:
    """The type, if there are as many registers from here on."""
    if term.number + _words(name) > 65536:
        raise ValueError(f"{term.written} is the last register there is, and {name} takes {_words(name)}")
    return name


def _span(parts: Sequence[Part]) -> tuple[int, int]:
    """The first register, and the one after the last."""
    return min(part.number for part in parts), max(part.number + _words(part.type) for part in parts)


def _words(name: str) -> int:
    return 1 if name == "bit" else TYPES[name].words
