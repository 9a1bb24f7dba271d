"""Tags of other gateways as rows of points: what is known of them is taken over, the rest is told.

A tag says an address and a type; whose value it is and what it means nobody asked. Both are taken where its name says
them: a number of the ledger, and the id or the name of a signal.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ganpo_agent.listing.tags import KEPWARE, NEURON, Tag
from ganpo_config.document import PointRow
from ganpo_model import reference
from ganpo_model.errors import ConfigError
from ganpo_model.heads import plain
from ganpo_model.tables import List, Row

_TYPES = {
    KEPWARE: {
        "Boolean": "bit", "Char": "int8", "Byte": "uint8", "Short": "int16", "Word": "uint16", "Long": "int32",
        "DWord": "uint32", "Float": "float32", "Double": "float64", "BCD": "bcd16", "LBCD": "bcd32",
        "LLong": "int64", "QWord": "uint64",
    },
    NEURON: {
        "BIT": "bit", "BOOL": "bit", "INT8": "int8", "UINT8": "uint8", "INT16": "int16", "UINT16": "uint16",
        "INT32": "int32", "UINT32": "uint32", "INT64": "int64", "UINT64": "uint64", "FLOAT": "float32",
        "DOUBLE": "float64", "WORD": "uint16", "DWORD": "uint32", "LWORD": "uint64",
    },
}  # fmt: skip
_AREAS = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}
_KEPWARE_ADDRESS = re.compile(r"([0134])(\d{4,5})(?:\.(\d{1,2}))?", re.ASCII)
_NEURON_ADDRESS = re.compile(r"(\d{1,3})!([0134])(\d{4,5})(?:\.(\d{1,2}))?(?:#([LB]{1,2}))?", re.ASCII)
_NEURON_ORDERS = {"LL": "ABCD", "LB": "BADC", "BL": "CDAB", "BB": "DCBA"}
_SEPARATOR = re.compile(r"[./\\_ -]")


@dataclass(frozen=True, slots=True)
class Line:
    """The connection that tags are read over. `unit`, `order`: of those that say none; `prefix`: channel and device of
    an export that names neither, `Channel1.Device1`."""

    name: str
    driver: str
    addressing: str = "0-based"
    unit: str = ""
    order: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """What tags come to. `taken`: rows of points; `open`: rows that lack whose they are or what they mean; `told`: why
    others are not taken."""

    taken: List
    open: Sequence[Mapping[str, str]]
    told: Sequence[str]


class _Untaken(ValueError):
    """Why a tag is not taken."""


def points(tags: Sequence[Tag], line: Line, subjects: Collection[str]) -> Points:
    """The rows of points that tags come to; `subjects`: the numbers of the ledger."""
    rows: list[Row] = []
    left: list[dict[str, str]] = []
    told: list[str] = []
    for tag in tags:
        try:
            cells = _cells(tag, line)
        except _Untaken as why:
            told.append(f"{tag.where}: {why}")
            continue
        cells["asset_no"], cells["signal"] = _named(tag, subjects)
        if cells["asset_no"] and cells["signal"]:
            every = dict.fromkeys(PointRow.model_fields, "") | cells
            rows.append(Row(tag.number, every, tag.source))
        else:
            left.append(cells)
    columns = frozenset(("asset_no", "signal", "connection", "address", "type", "order", "scale", "offset"))
    return Points(List(tuple(rows), (), columns=columns), left, told)


def _named(tag: Tag, subjects: Collection[str]) -> tuple[str, str]:
    """Whose value it is and what it means, each empty where no part of its path says it."""
    known = {plain(number): number for number in subjects}
    signals = {
        plain(word): s.id for s in reference.signals().values() for word in (s.id, s.name_zh, s.name_en)
    }
    subject = next((known[plain(part)] for part in reversed(tag.path) if plain(part) in known), "")
    name = tag.path[-1] if tag.path else ""
    if plain(name) in signals:
        return subject, signals[plain(name)]
    for cut in _SEPARATOR.finditer(name):
        left, right = name[: cut.start()], name[cut.end() :]
        if plain(right) in signals:
            return subject or known.get(plain(left), ""), signals[plain(right)]
    return subject, ""


def _cells(tag: Tag, line: Line) -> dict[str, str]:
    """What a row of points has of a tag. Raises _Untaken."""
    if not tag.reads:
        raise _Untaken("is written only, or a constant: there is nothing to read")
    note = f"{'.'.join(tag.path)} {tag.note}".strip()[:200]
    cells = {"connection": line.name, "note": note, "unit": tag.engineering}
    if tag.interval_ms >= 1000:
        cells["interval_s"] = _text(Fraction(tag.interval_ms, 1000))
    if line.driver == "opcua":
        cells["address"] = _node(tag, line)
        return cells
    if line.driver != "modbus":
        raise _Untaken(f"the driver of {line.name} is {line.driver}: modbus and opcua are taken over")
    if tag.scale is None:
        raise _Untaken("its scaling is not linear")
    cells |= _registers(tag, line)
    if tag.scale != 1:
        cells["scale"] = _text(tag.scale)
    if tag.offset:
        cells["offset"] = _text(tag.offset)
    return cells


def _node(tag: Tag, line: Line) -> str:
    """A tag that is read from Kepware's own OPC UA server, which names its nodes after their path."""
    if tag.maker != KEPWARE:
        raise _Untaken("its namespace is an index, which changes: `ganpo browse` prints addresses that last")
    prefix = tuple(line.prefix.split(".")) if line.prefix else ()
    if not tag.whole and not prefix:
        raise _Untaken("of which channel and device? say --prefix Channel1.Device1")
    return f"nsu=KEPServerEX;s={'.'.join(tag.path if tag.whole else (*prefix, *tag.path))}"


def _registers(tag: Tag, line: Line) -> dict[str, str]:
    kind = next((kind for word, kind in _TYPES[tag.maker].items() if word.upper() == tag.type.upper()), None)
    if kind is None:
        raise _Untaken(f"type {tag.type or 'of the device'} is not taken over")
    swapped = ""
    if tag.maker == KEPWARE:
        # A coil that lost its zeros in a spreadsheet: every other area has five digits without them.
        lost = kind == "bit" and tag.address.isdecimal() and len(tag.address) < 5
        match = _KEPWARE_ADDRESS.fullmatch(tag.address.zfill(5) if lost else tag.address)
        unit, area, number, bit = ("", *match.groups()) if match else ("", "", "", None)
    else:
        match = _NEURON_ADDRESS.fullmatch(tag.address)
        unit, area, number, bit, swapped = match.groups() if match else ("", "", "", None, "")
    if not match:
        raise _Untaken(f"address {tag.address} is none of Modbus that is taken over")
    unit = unit or tag.unit or line.unit
    if not unit:
        raise _Untaken("of which unit? say --unit 1")
    found = int(number) - (1 if tag.first is None else tag.first)
    if found < 0:
        raise _Untaken(f"address {tag.address} lies before the first")
    if area in "01" or bit is not None:
        if kind != "bit":
            raise _Untaken(f"type {tag.type} of a single bit")
    elif kind == "bit":
        raise _Untaken("a bit of which bit of the register?")
    return {
        "address": _address(unit, area, found, bit, line.addressing),
        "type": "" if area in "01" else kind,
        "order": _order(tag, kind, swapped or "", line.order),
    }


def _address(unit: str, area: str, number: int, bit: str | None, addressing: str) -> str:
    """`number` from 0, as the connection writes it."""
    shown = {"1-based": str(number + 1), "4xxxxx": f"{area}{number + 1:05}"}.get(addressing, str(number))
    return f"{unit}:{_AREAS[area]}:{shown}" + (f".{bit}" if bit is not None else "")


def _order(tag: Tag, kind: str, swapped: str, otherwise: str) -> str:
    if kind in ("bit", "int8", "uint8", "int16", "uint16", "bcd16"):
        if swapped == "B":
            raise _Untaken("its two bytes are swapped")
        return ""
    long = kind.endswith("64")
    if swapped:
        if long or swapped not in _NEURON_ORDERS:
            raise _Untaken(f"order #{swapped} of {kind} is not taken over")
        return _NEURON_ORDERS[swapped]
    if tag.low_word_first is not None and not long:
        return "CDAB" if tag.low_word_first else "ABCD"
    if not otherwise:
        raise _Untaken("in which order are its words? say --order CDAB (Kepware's usual one) or ABCD")
    return {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB"}.get(otherwise, otherwise) if long else otherwise


def _text(value: Fraction) -> str:
    """A decimal text where it is exact, else a fraction."""
    told = f"{float(value):.12g}"
    return told if "e" not in told and Fraction(told) == value else f"{value.numerator}/{value.denominator}"


def refuse_all(found: Points, where: str) -> None:
    """Raises ConfigError where nothing of an export can be taken over, with the first reason."""
    if not found.taken.rows and not found.open:
        first = found.told[0] if found.told else "it has no tags"
        raise ConfigError("nothing of it can be taken over", where=where, hint=first)
