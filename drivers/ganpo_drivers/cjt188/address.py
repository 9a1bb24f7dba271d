"""Where a value of CJ/T 188 lives: `TYPE:METER:ITEM:UNIT`."""

import re
from typing import Any, Self

from pydantic import Field

from ganpo_drivers.api import Address
from ganpo_drivers.cjt188.layout import KINDS, Item, items, units
from ganpo_model.meant import meant

WILDCARD = "AA" * 7
_TEXT = re.compile(r"([^:]*):([^:]*):([^:]*)(?::([^:]+))?")
_USUAL = {"volume": "m3", "flow": "m3/h", "power": "kW"}
"""The unit where none is said. Of heat there is none: meters count in kWh, MWh and GJ alike."""
_WORDS = {
    "low_first": ("low_first", True),
    "high_first": ("low_first", False),
    "unit_last": ("unit_first", False),
    "unit_first": ("unit_first", True),
}


class Cjt188Address(Address):
    """One value of one meter."""

    kind: str = Field(description="meter type, two hexadecimal digits: 10 cold water, 20 heat")
    meter: str = Field(description="14 digits, or AAAAAAAAAAAAAA: the only meter of the line")
    item: str = Field(description="what of the answer: total, heat, flow, status")
    unit: str = Field(default="", description="in which the meter counts it: the answer has to say the same")
    low_first: bool = Field(default=True, description="the identifier 901F is sent as 1F 90, not as 90 1F")
    unit_first: bool = Field(default=False, description="the byte of the unit stands before the number")

    @classmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        """`10:78330011223344:total:m3`. The column `order` says what is odd about the meter: `high_first` (the
        identifier goes out as 90 1F), `unit_first`; else the connection's `identifier_order` and `unit_place` hold.

        Raises ValueError with the reason.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is not TYPE:METER:ITEM or TYPE:METER:ITEM:UNIT, like 10:78330011223344:total:m3"
            )
        kind, meter, name, unit = match[1].upper(), match[2].upper(), match[3], match[4] or ""
        known = items(kind) if re.fullmatch(r"[1-4][0-9]", kind) else {}
        if not known:
            told = ", ".join(f"{code} {word}" for code, word in KINDS.items())
            raise ValueError(f"{match[1]!r} is no meter type: {told}")
        if meter != WILDCARD and not re.fullmatch(r"[0-9A-F]{14}", meter):
            raise ValueError(f"{match[2]!r} is no meter: 14 digits, the maker's code first, or {WILDCARD}")
        if name not in known:
            near = meant(name, known)
            hint = f": did you mean {near}?" if near else f": {', '.join(known)}"
            raise ValueError(f"{name!r} is no item of a meter of type {kind}{hint}")
        return cls(
            kind=kind,
            meter=meter,
            item=name,
            unit=_unit(known[name], unit),
            **_order(columns),
        )

    def __str__(self) -> str:
        return f"{self.key}:{self.item}" + (f":{self.unit}" if self.unit else "")

    @property
    def key(self) -> str:
        """The meter."""
        return f"{self.kind}:{self.meter}"

    @property
    def layout(self) -> Item:
        """Where it lies in the answer."""
        return items(self.kind)[self.item]

    @property
    def unit_code(self) -> int | None:
        """The byte with which the answer has to say the unit; None: it has none."""
        return next((unit.code for unit in units() if unit.name == self.unit), None)


def _unit(item: Item, unit: str) -> str:
    if not item.quantity:
        if unit:
            raise ValueError(f"{item.name} has no unit in the answer: leave {unit!r} out")
        return ""
    allowed = [known.name for known in units() if known.quantity == item.quantity]
    unit = unit or _USUAL.get(item.quantity, "")
    if unit not in allowed:
        known_units = ", ".join(allowed)
        if unit:
            raise ValueError(f"{unit!r} is no unit of {item.name}: {known_units}")
        raise ValueError(f"the unit is missing in which the meter counts {item.name}: {known_units}")
    return unit


def _order(columns: dict[str, Any]) -> dict[str, bool]:
    """What is odd about the meter."""
    found = {
        "low_first": columns.get("identifier_order", "low_first") == "low_first",
        "unit_first": columns.get("unit_place", "last") == "first",
    }
    for word in str(columns.get("order") or "").split():
        if word not in _WORDS:
            raise ValueError(f"order {word!r} is none of {', '.join(_WORDS)}")
        name, value = _WORDS[word]
        found[name] = value
    return found
