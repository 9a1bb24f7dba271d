"""Tags of other gateways, as their exports have them: Kepware (CSV, JSON) and EMQX Neuron (XLSX).

Kepware CSV: a heading record, then a record per tag of one device; commas or semicolons (Kepware: "Comma Separated
Variable File Support", kepware.com feature-csvimportexport). Kepware JSON: a project or a part of one, objects of the
Configuration API: `common.ALLTYPES_NAME`, `servermain.TAG_ADDRESS`, `servermain.TAG_DATA_TYPE` and so on (its numbers:
the enumeration of Kepware's public .NET SDK). Neuron: group, name, address, attribute, type, description, decimal,
precision (docs.emqx.com, Neuron: "Batch Data Tag Configuration"; "Modbus TCP", address format); in newer versions the
interval of the group, and a bias: value x decimal + bias.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ganpo_model import separated, tables
from ganpo_model.errors import ConfigError
from ganpo_model.heads import plain
from ganpo_model.tables import Opener, Sheet, Source
from ganpo_service import workbooks

KEPWARE, NEURON = "Kepware", "Neuron"
_KEPWARE_TYPES = (
    *(
        "String",
        "Boolean",
        "Char",
        "Byte",
        "Short",
        "Word",
        "Long",
        "DWord",
        "Float",
        "Double",
        "BCD",
        "LBCD",
        "Date",
    ),
    *("LLong", "QWord"),
)
_HEADS = {
    KEPWARE: ("tagname", "address", "datatype"),
    NEURON: ("name", "address", "attribute", "type"),
}
_UNITS = ("engunits", "engineeringunits")
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag. `path`: channel, device, groups and name, as far as the export has them; `whole`: it has them all.
    `source` and `number`: where it stands.

    `scale`, `offset`: of a value as it lies in the device; None: not linear. `unit`: id of the device (station),
    `first`: the number of its first register, these and `low_word_first` where the export says it.
    """

    maker: str
    path: tuple[str, ...]
    address: str
    type: str
    source: Source
    number: int
    scale: Fraction | None = Fraction(1)
    offset: Fraction = Fraction(0)
    engineering: str = ""
    note: str = ""
    reads: bool = True
    interval_ms: int = 0
    unit: str = ""
    low_word_first: bool | None = None
    first: int | None = None
    whole: bool = False

    @property
    def where(self) -> str:
        """Its place."""
        return self.source.row(self.number)


def read(raw: bytes, file: str, opener: Opener = workbooks.sheets) -> list[Tag] | None:
    """The tags of an export; None: it is none. Raises ConfigError where it is one and cannot be read."""
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _of_json(raw, file)
    if tables.is_workbook(raw):
        sheets: Sequence[Sheet] = [sheet for sheet in opener(raw, file) if not sheet.hidden]
    else:
        found = separated.read(raw, file, ("Tag Name", "Address", "Data Type", "Description"))
        sheets = [Sheet("", found.rows)]
    tags: list[Tag] | None = None
    for sheet in sheets:
        if not sheet.rows:
            continue
        names = [plain(cell) for cell in sheet.rows[0][1]]
        for maker, needed in _HEADS.items():
            if set(needed) <= set(names):
                tags = tags or []
                tags += _of_rows(maker, names, sheet, Source(file, sheet.name))
    return tags


def _of_rows(maker: str, names: Sequence[str], sheet: Sheet, source: Source) -> Iterator[Tag]:
    for number, row in sheet.rows[1:]:
        cells = dict(zip(names, (cell.strip() for cell in row), strict=False))
        yield (_kepware if maker == KEPWARE else _neuron)(cells, source, number)


def _kepware(cells: Mapping[str, str], source: Source, number: int) -> Tag:
    scaling = cells.get("scaling", "").casefold()
    scale, offset = Fraction(1), Fraction(0)
    if linear := scaling == "linear":
        ends = [_fraction(cells.get(name, "")) for name in ("rawlow", "rawhigh", "scaledlow", "scaledhigh")]
        linear = None not in ends and ends[0] != ends[1]
        if linear:
            low, high, scaled_low, scaled_high = (end or Fraction(0) for end in ends)
            scale = (scaled_high - scaled_low) / (high - low)
            offset = scaled_low - low * scale
            if cells.get("negatevalue", "").casefold() in ("1", "true", "yes"):
                scale, offset = -scale, -offset
    return Tag(
        KEPWARE,
        tuple(cells["tagname"].split(".")),
        cells.get("address", ""),
        cells.get("datatype", ""),
        source,
        number,
        scale if linear or scaling in ("", "none") else None,
        offset,
        next((cells[name] for name in _UNITS if cells.get(name)), ""),
        cells.get("description", ""),
        cells.get("clientaccess", "").upper() not in ("WO", "W"),
        _whole(cells.get("scanrate", "")),
    )


def _neuron(cells: Mapping[str, str], source: Source, number: int) -> Tag:
    attribute = cells.get("attribute", "").casefold()
    return Tag(
        NEURON,
        tuple(part for part in (cells.get("group", ""), cells["name"]) if part),
        cells.get("address", ""),
        cells.get("type", ""),
        source,
        number,
        _fraction(cells.get("decimal", "") or "1") or Fraction(1),
        _fraction(cells.get("bias", "") or "0") or Fraction(0),
        note=cells.get("description", ""),
        reads=("read" in attribute or "subscribe" in attribute) and "static" not in attribute,
        interval_ms=_whole(cells.get("interval", "")),
    )


def _of_json(raw: bytes, file: str) -> list[Tag] | None:
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        hint = "export it once more"
        raise ConfigError(f"no JSON: {str(error)[:100]}", where=file, hint=hint) from error
    whole = isinstance(document, dict) and "project" in document
    found = [
        _of_object(tag, path, said, Source(f"{file} tag {'.'.join(path)}"), number, whole=whole)
        for number, (tag, path, said) in enumerate(_walk(document, (), {}, 0), start=1)
    ]
    return found or None


def _walk(
    found: Any, path: tuple[str, ...], said: Mapping[str, Any], depth: int
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...], Mapping[str, Any]]]:
    """The objects of tags, each with the names above it and its own, and what its device says."""
    if isinstance(found, dict) and depth < _DEEPEST:
        if "servermain.TAG_ADDRESS" in found:
            yield found, path, said
            return
        said = {**said, **{key: value for key, value in found.items() if ".DEVICE_" in key}}
        for below in found.values():
            if isinstance(below, dict):
                yield from _walk(below, path, said, depth + 1)
            elif isinstance(below, list):
                yield from _walk(below, path, said, depth)
    elif isinstance(found, list):
        for one in found:
            name = one.get("common.ALLTYPES_NAME") if isinstance(one, dict) else None
            yield from _walk(one, (*path, str(name)) if name else path, said, depth + 1)


def _of_object(
    tag: Mapping[str, Any],
    path: tuple[str, ...],
    said: Mapping[str, Any],
    source: Source,
    number: int,
    *,
    whole: bool,
) -> Tag:
    def of(name: str, otherwise: Any = None) -> Any:
        return tag.get(f"servermain.TAG_{name}", otherwise)

    kind = of("DATA_TYPE", -1)
    known = isinstance(kind, int) and 0 <= kind < len(_KEPWARE_TYPES)
    cells = {
        "tagname": path[-1] if path else "",
        "address": str(of("ADDRESS", "")),
        "datatype": _KEPWARE_TYPES[kind] if known else "",
        "scaling": {0: "", 1: "linear"}.get(of("SCALING_TYPE", 0), "other"),
        "rawlow": str(of("SCALING_RAW_LOW", "")),
        "rawhigh": str(of("SCALING_RAW_HIGH", "")),
        "scaledlow": str(of("SCALING_SCALED_LOW", "")),
        "scaledhigh": str(of("SCALING_SCALED_HIGH", "")),
        "scanrate": str(of("SCAN_RATE_MILLISECONDS", "")),
        "description": str(tag.get("common.ALLTYPES_DESCRIPTION", "")),
        "engunits": str(of("SCALING_UNITS", "")),
        "negatevalue": str(of("SCALING_NEGATE_VALUE", "")),
    }
    low = said.get("modbus_ethernet.DEVICE_FIRST_WORD_LOW")
    zero_based = said.get("modbus_ethernet.DEVICE_ZERO_BASED_ADDRESSING")
    device = str(said.get("servermain.DEVICE_ID_STRING", "")).rpartition(">.")[2]
    return replace(
        _kepware(cells, source, number),
        path=path,
        unit=device if device.isdecimal() else "",
        low_word_first=low if isinstance(low, bool) else None,
        first=(1 if zero_based else 0) if isinstance(zero_based, bool) else None,
        whole=whole,
    )


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text.replace(",", "."))
    except (ValueError, ZeroDivisionError):
        return None


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0
