"""What stands in the cell of an address: one place, or several that are added; perhaps a power of ten."""

import re
from fractions import Fraction
from typing import Literal, NamedTuple, cast, get_args

from ganpo_drivers.modbus.addressing import Numbering, by_protocol

Area = Literal["coil", "discrete", "input", "holding"]
_AREAS = get_args(Area)
_NUMBERINGS = get_args(Numbering)

_PLACE = r"(?:(?P<unit>\d+):)?(?P<area>[a-z]+):(?P<number>\d+)(?:\.(?P<bit>\d+))?(?::(?P<type>[A-Za-z]\w*))?"
_DECIMAL = r"\d{1,15}(?:\.\d{1,15})?"
_TERM = re.compile(
    rf"\s*(?P<sign>[+-]?)\s*{_PLACE}(?:\s*\*\s*(?P<times>-?{_DECIMAL})(?:/(?P<of>{_DECIMAL}))?)?\s*", re.ASCII
)
_RAISED = re.compile(r"\s+e\s+")
_NAMED = re.compile(r"\s*(?P<name>[^*]+?)(?P<type>:[a-z]+\d+)?(?P<times>\s*\*.*)?")
"""A term whose place has a controller's name."""
_NAME = re.compile(r"(?:\d+:)?[A-Za-z]{1,3}\d[\d.]*|(?:\d+:)?\d\d?-\d\d")
WITHOUT_A_LINE = (0, 255)
"""Unit ids of a device that is no unit of a line."""
_PREFIX: dict[str, str] = {"coil": "0", "discrete": "1", "input": "3", "holding": "4"}


class Term(NamedTuple):
    """One place as it is written. `number`: the protocol's own; `written`: as it stands there; `times`: None where
    nothing stands there."""

    text: str
    unit: str
    area: Area
    number: int
    written: str
    bit: int | None
    type: str
    times: Fraction | None

    @property
    def of_bits(self) -> bool:
        """Whether it is a bit: of its area, or of a register."""
        return self.area in ("coil", "discrete") or self.bit is not None


class Cell(NamedTuple):
    """The places of one value, of one unit. `usual`: the order of two registers at this controller, or ""."""

    unit: int
    terms: tuple[Term, ...]
    exponent: Term | None
    usual: str


def cell_of(text: str, unit: str, addressing: str, kind: str, *, alone: bool) -> Cell:
    """What a cell says. `unit`: where no term names one; `kind`: the type of values that say none; `alone`: a device
    may be reached without a line behind it, and then has no address there.

    Raises ValueError with the reason.
    """
    usual = ""
    if addressing not in _NUMBERINGS:
        text, addressing, usual = _without_names(text.strip(), addressing, kind)
    mantissa, *powers = _RAISED.split(text.strip())
    matches: list[re.Match[str]] = []
    at = 0
    while (match := _TERM.match(mantissa, at)) is not None and bool(match["sign"]) == bool(matches):
        matches.append(match)
        at = match.end()
    raised = [match for match in map(_TERM.fullmatch, powers) if match is not None and not match["sign"]]
    if not matches or at < len(mantissa) or len(raised) < len(powers) or len(powers) > 1:
        named = _NAME.fullmatch(text.strip()) is not None
        raise ValueError(
            f"{text!r} is not unit:area:address[.bit], like 1:holding:0, "
            "nor a sum, like 1:holding:0*1 + 1:holding:1*10000"
            f"{'; the names of a controller need its addressing, like delta-dvp' if named else ''}"
        )
    terms = tuple(_term(match, addressing) for match in matches)
    exponent = _term(raised[0], addressing) if raised else None
    number = _unit([*terms, exponent] if exponent else [*terms], unit, alone=alone)
    return Cell(number, terms, exponent, usual)


def _without_names(text: str, addressing: str, kind: str) -> tuple[str, str, str]:
    """What `by_protocol` says of a cell in which the names of a controller may be terms."""
    pieces = re.split(r"(\s+[-+e]\s+)", text)
    usual = numbering = ""
    for at in range(0, len(pieces), 2):
        match = _NAMED.fullmatch(pieces[at])
        if match is not None:
            name, numbering, usual = by_protocol(match["name"], addressing, (match["type"] or "")[1:] or kind)
            pieces[at] = name + (match["type"] or "") + (match["times"] or "")
    return "".join(pieces), numbering, usual


def _term(match: re.Match[str], addressing: str) -> Term:
    sign, unit, area, number, bit, kind, times, of = match.groups()
    text = match[0].strip()
    if area not in _AREAS:
        raise ValueError(f"area {area!r} is none of coil, discrete, input, holding")
    if bit is not None and area in ("coil", "discrete"):
        raise ValueError(f"a {area} is a bit already: no .{bit}")
    if bit is not None and int(bit) > 15:
        raise ValueError(f"bit {bit}: a register has bits 0-15")
    factor = None
    if times:
        if Fraction(of or 1) == 0:
            raise ValueError(f"{text}: nothing can be divided by 0")
        factor = Fraction(times) / Fraction(of or 1)
    if sign == "-":
        factor = Fraction(-1) if factor is None else -factor
    return Term(
        text,
        unit or "",
        cast(Area, area),
        _number(area, number, addressing),
        number,
        None if bit is None else int(bit),
        kind or "",
        factor,
    )


def _unit(terms: list[Term], otherwise: str, *, alone: bool) -> int:
    """The one unit of all; `otherwise`: where none is named. Modbus Messaging on TCP/IP 4.4.2.3: a device that is
    reached by its IP address answers as 255, or 0."""
    named = list(dict.fromkeys([term.unit for term in terms if term.unit])) or [otherwise]
    if named == [""]:
        raise ValueError(f"{terms[0].text!r} is not unit:area:address[.bit]: the unit is missing")
    if len(named) > 1:
        raise ValueError(f"units {' and '.join(named)}: a value is read with one request, from one unit")
    number = int(named[0]) if named[0].isdecimal() and len(named[0]) < 9 else -1
    if not (1 <= number <= 247 or (alone and number in WITHOUT_A_LINE)):
        also = ", nor 0 or 255, as which a device on TCP may answer" if alone else ""
        raise ValueError(f"{named[0]} is not a Modbus unit id (1-247){also}")
    return number


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


def written(unit: int, area: str, number: int, addressing: str) -> str:
    """The protocol's own number as a list with this addressing has it; beside a controller's names it is 0-based."""
    if addressing == "4xxxxx":
        return f"{unit}:{area}:{in_manuals(area, number)}"
    return f"{unit}:{area}:{number + 1 if addressing == '1-based' else number}"


def in_manuals(area: str, number: int) -> str:
    """The protocol's own number as manuals have it: 40001."""
    return f"{_PREFIX[area]}{number + 1:0{4 if number < 9999 else 5}}"
