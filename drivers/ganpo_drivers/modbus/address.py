"""Where a Modbus value lives: `unit:area:address[.bit]`, kept with the protocol's own 0-based number.

Or a sum of registers, `1:holding:0*1 + 1:holding:1*10000`, and a power of ten that another register holds,
`1:holding:0 e 1:holding:5`.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple, Self, get_args

from pydantic import Field

from ganpo_drivers.api import Address
from ganpo_drivers.modbus.addressing import Numbering, by_protocol
from ganpo_drivers.modbus.values import TYPES
from ganpo_drivers.modbus.words import checked_order, checked_type

Area = Literal["coil", "discrete", "input", "holding"]

MOST_REGISTERS = 125
"""Registers that one request may ask for, by the protocol."""
_PLACE = r"(?:(?P<unit>\d+):)?(?P<area>[a-z]+):(?P<number>\d+)(?:\.(?P<bit>\d+))?(?::(?P<type>[A-Za-z]\w*))?"
_DECIMAL = r"\d{1,15}(?:\.\d{1,15})?"
_TERM = re.compile(
    rf"\s*(?P<sign>[+-]?)\s*{_PLACE}(?:\s*\*\s*(?P<times>-?{_DECIMAL})(?:/(?P<of>{_DECIMAL}))?)?\s*", re.ASCII
)
_NAMED = re.compile(r"\s*(?P<name>[^*]+?)(?P<type>:[a-z]+\d+)?(?P<times>\s*\*.*)?")
"""A term whose place has a controller's name."""
_PREFIX = {"coil": "0", "discrete": "1", "input": "3", "holding": "4"}
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


class ModbusAddress(Address):
    """One value on a unit. `number` is what goes over the wire; of a sum the lowest."""

    unit: int = Field(ge=1, le=247, description="unit (slave) id")
    area: Area = Field(description="coil, discrete, input or holding")
    number: int = Field(ge=0, le=65535, description="the protocol's own 0-based number")
    bit: int | None = Field(default=None, ge=0, le=15, description="bit of a register, 0 is the lowest")
    type: str = Field(description="of the value; of a sum that of the parts that say none of their own")
    order: str = Field(default="", description="of the bytes of two registers or more; CDAB: low word first")
    parts: tuple[Part, ...] = Field(default=(), description="of a value that is a sum")
    exponent: Exponent | None = Field(default=None, description="by which power of ten it is multiplied")

    @classmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        """`unit:area:address[.bit]`, or `[unit:]NAME` where `addressing` is that of a controller, with the columns
        `type`, `order` and `addressing` (0-based where absent).

        Or a sum: `1:holding:0*1 + 1:holding:1:uint16*10000`, each part with a type of its own where the column does
        not say it; `... e 1:holding:5`: times ten to the power that stands there. `unit`: of an address that names
        none; `max_registers`: what the connection asks for in one request.

        Raises ValueError with the reason.
        """
        kind, addressing = str(columns.get("type") or ""), str(columns.get("addressing") or "0-based")
        usual = ""
        if addressing not in get_args(Numbering):
            text, addressing, usual = _by_protocol(text.strip(), addressing, kind)
        terms, raised = _cell(text)
        unit = _unit([*terms, *raised], str(columns.get("unit") or ""))
        area = _area(terms[0])
        most = int(columns.get("max_registers") or MOST_REGISTERS)
        given: Any = {"unit": unit, "area": area, "bit": None, "parts": (), "exponent": None}
        if len(terms) == 1 and not raised:
            if terms[0]["times"]:
                raise ValueError("one register times a number: that is its scale")
            if terms[0]["type"]:
                raise ValueError(f"the type of one register stands in its column: {terms[0]['type']}")
            names = [_kind(area, terms[0]["bit"], kind)]
            given["bit"] = _bit(terms[0]["bit"])
            given["number"] = _number(area, terms[0]["number"], addressing)
            end = given["number"] + _words(names[0])
            if end > 65536:
                raise ValueError(
                    f"{terms[0]['number']} is the last register there is, and {names[0]} takes {_words(names[0])}"
                )
        else:
            parts = given["parts"] = tuple(_part(term, area, kind, addressing) for term in terms)
            names = [part.type for part in parts]
            given["number"], end = _span(parts)
            if raised:
                exponent = _exponent(raised[0], addressing)
                low, high = min(given["number"], exponent.number), max(end, exponent.number + 1)
                near = exponent.area == area and high - low <= most
                given["number"], end = (low, high) if near else (given["number"], end)
                given["exponent"] = exponent._replace(near=near)
        if end - given["number"] > most:
            what = "its parts lie" if given["parts"] else "it lies"
            raise ValueError(
                f"{what} over {end - given['number']} registers, and one request asks for at most {most}: "
                "they have to be read at once"
            )
        given["type"] = names[0] if not given["parts"] else kind if kind in names else ""
        given["order"] = checked_order(str(columns.get("order") or ""), names, usual)
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
        end = _span(self.parts)[1]
        if self.exponent is not None and self.exponent.near:
            end = max(end, self.exponent.number + 1)
        return end - self.number

    @property
    def apart(self) -> "ModbusAddress | None":
        """The exponent, where it has to be read with a request of its own."""
        power = self.exponent
        if power is None or power.near:
            return None
        return ModbusAddress(unit=self.unit, area=power.area, number=power.number, type=power.type)


_FIELDS = set(ModbusAddress.model_fields)


def _by_protocol(text: str, addressing: str, kind: str) -> tuple[str, str, str]:
    """What `by_protocol` says of a cell in which the names of a controller may be parts and exponent."""
    pieces = re.split(r"(\s+[-+e]\s+)", text)
    usual = numbering = ""
    for at in range(0, len(pieces), 2):
        match = _NAMED.fullmatch(pieces[at])
        if match is not None:
            name, numbering, usual = by_protocol(match["name"], addressing, (match["type"] or "")[1:] or kind)
            pieces[at] = name + (match["type"] or "") + (match["times"] or "")
    return "".join(pieces), numbering, usual


def _cell(text: str) -> tuple[list[re.Match[str]], list[re.Match[str]]]:
    """The terms of a sum, and the exponent where there is one."""
    mantissa, *powers = re.split(r"\s+e\s+", text.strip())
    terms: list[re.Match[str]] = []
    at = 0
    while (match := _TERM.match(mantissa, at)) is not None and bool(match["sign"]) == bool(terms):
        terms.append(match)
        at = match.end()
    raised = [match for match in map(_TERM.fullmatch, powers) if match is not None and not match["sign"]]
    if not terms or at < len(mantissa) or len(raised) < len(powers) or len(powers) > 1:
        raise ValueError(
            f"{text!r} is not unit:area:address[.bit], like 1:holding:0, "
            "nor a sum, like 1:holding:0*1 + 1:holding:1*10000"
        )
    return terms, raised


def _unit(terms: Sequence[re.Match[str]], otherwise: str) -> int:
    """The one unit of all; `otherwise`: where none is named."""
    named = list(dict.fromkeys(term["unit"] for term in terms if term["unit"])) or [otherwise]
    if named == [""]:
        raise ValueError(f"{terms[0][0].strip()!r} is not unit:area:address[.bit]: the unit is missing")
    if len(named) > 1:
        raise ValueError(f"units {' and '.join(named)}: a value is read with one request, from one unit")
    if not named[0].isdecimal() or not 1 <= int(named[0]) <= 247:
        raise ValueError(f"{named[0]} is not a Modbus unit id (1-247)")
    return int(named[0])


def _area(term: re.Match[str]) -> Any:
    area = term["area"]
    if area not in get_args(Area):
        raise ValueError(f"area {area!r} is none of coil, discrete, input, holding")
    return area


def _part(term: re.Match[str], area: str, kind: str, addressing: str) -> Part:
    if _area(term) != area:
        raise ValueError(
            f"{area} and {term['area']}: the parts of a value are read with one request, of one area"
        )
    if area in ("coil", "discrete") or term["bit"]:
        raise ValueError(f"a bit is no part of a sum: {term[0].strip()}")
    name = checked_type(term["type"] or kind)
    if name.startswith("string"):
        raise ValueError(f"a part of a sum is a number, no {name}")
    times = Fraction(1)
    if term["times"]:
        of = Fraction(term["of"] or 1)
        if of == 0:
            raise ValueError(f"{term[0].strip()}: nothing can be divided by 0")
        times = Fraction(term["times"]) / of
    times = -times if term["sign"] == "-" else times
    if times == 0:
        raise ValueError(f"{term[0].strip()}: times 0 is nothing")
    number = _number(area, term["number"], addressing)
    if number + _words(name) > 65536:
        raise ValueError(f"{term['number']} is the last register there is, and {name} takes {_words(name)}")
    return Part(number, name, times)


def _exponent(term: re.Match[str], addressing: str) -> Exponent:
    area = _area(term)
    if area in ("coil", "discrete") or term["bit"] or term["times"]:
        raise ValueError(f"an exponent is a register, like 1:holding:5: {term[0].strip()}")
    name = checked_type(term["type"] or "int16")
    if name not in _EXPONENTS:
        raise ValueError(f"an exponent is {', '.join(_EXPONENTS)}, no {name}")
    return Exponent(area, _number(area, term["number"], addressing), name, near=False)


def _span(parts: Sequence[Part]) -> tuple[int, int]:
    """The first register, and the one after the last."""
    return min(part.number for part in parts), max(part.number + _words(part.type) for part in parts)


def _words(name: str) -> int:
    return 1 if name == "bit" else TYPES[name].words


def _bit(bit: str | None) -> int | None:
    if bit is not None and int(bit) > 15:
        raise ValueError(f"bit {bit}: a register has bits 0-15")
    return None if bit is None else int(bit)


def _kind(area: str, bit: str | None, kind: str) -> str:
    bits = area in ("coil", "discrete")
    if bits or bit is not None:
        if bits and bit is not None:
            raise ValueError(f"a {area} is a bit already: no .{bit}")
        if kind not in ("", "bit"):
            raise ValueError(f"type {kind!r} for a bit: leave it empty or say bit")
        return "bit"
    return checked_type(kind)


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
    elif addressing == "0-based":
        number, first, last = int(text), "0", "65535"
    else:
        raise ValueError(f"addressing {addressing!r} is none of 0-based, 1-based, 4xxxxx")
    if number < 0:
        raise ValueError(f"{text} with {addressing} addressing: the first is {first}")
    if number > 65535:
        raise ValueError(f"{text} with {addressing} addressing: the last is {last}")
    return number
