"""The devices' register table laid out in a server: what each row holds, and what it has to come to.

`drivers/device_registers.csv` is carried over from the reference table: rows with a place of their own, which profile
reads them, and why one is left. A cell in braces is what sources contradict each other about; `beyond` are rows of the
sources that the reference table does not carry.
"""

import csv
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ganpo_config.exact import NumberError, factor

TABLE = Path(__file__).parents[1] / "drivers" / "device_registers.csv"
_STRUCT = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}
_AREAS = {
    "1": ("coil",),
    "2": ("discrete",),
    "3": ("holding",),
    "4": ("input",),
    "3 or 4": ("holding", "input"),
}
_TARGETS = {
    "energy": 54321,
    "power": 4.4,
    "voltage": 231,
    "current": 6.5,
    "frequency": 49,
    "power_factor": 0.87,
}
"""About what a device shows, in the signal's own unit, so that no row lies outside what is believed."""
UNITS = {"W": ("kW", Fraction(1, 1000)), "Wh": ("kWh", Fraction(1, 1000)), "MWh": ("kWh", Fraction(1000))}


@dataclass(frozen=True, slots=True)
class Row:
    """One register of one device. `profiles`: those that read the device."""

    profiles: tuple[str, ...]
    device: str
    signal: str
    areas: tuple[str, ...]
    address: int
    type: str
    order: str
    scale: str
    unit: str
    bit: int | None

    def laid(self, number: int, said: Mapping[str, str]) -> tuple[list[int], Fraction]:
        """The registers (or bits) of a value of its own for the row of this number, and what they come to in `unit`.

        `said`: the plant's answers where the table names no scale.
        """
        if self.type == "parts":  # 24*days + hours, the one sum of the drives
            return [3, 5], Fraction(3 * 24 + 5)
        if self.type == "bit":
            return [int(number == self.bit) for number in range(16)], Fraction(1)
        if self.bit is not None:
            return [1 << self.bit], Fraction(1)
        if self.signal == "run_state":
            return [1], Fraction(1)
        kind = self.signal.partition("_")[0]
        scale = factor(self.scale if _is_number(self.scale) else said[f"{kind}_step"])
        target = next((value for word, value in _TARGETS.items() if self.signal.startswith(word)), 60)
        wanted = Fraction(target) * (1 + Fraction(number, 1000)) / UNITS.get(self.unit, ("", Fraction(1)))[1]
        if self.type.startswith("float"):
            raw: float = struct.unpack(">f", struct.pack(">f", float(wanted / scale)))[0]
        else:
            raw = (
                max(1, round(wanted / scale)) % 30_000 if self.type.endswith("16") else round(wanted / scale)
            )
        return words(self.type, raw, self.order), Fraction(raw) * scale


def words(kind: str, value: float, order: str) -> list[int]:
    """The registers of a value, by the C types of the machine; `order` says which byte of it is sent when."""
    if kind in _STRUCT:
        packed = struct.pack(_STRUCT[kind], value if kind.startswith("float") else int(value))
    else:
        bits = int(kind.removeprefix("sm"))
        packed = (abs(int(value)) | (1 << bits - 1 if value < 0 else 0)).to_bytes(bits // 8, "big")
    sent = bytes(packed[ord(letter) - ord("A")] for letter in order) if order else packed
    return [int.from_bytes(sent[at : at + 2], "big") for at in range(0, len(sent), 2)]


def cells(kind: str) -> list[dict[str, str]]:
    """The rows of `meter` or `machine` as they stand in the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


def rows() -> list[Row]:
    """Those of machines."""
    return [
        Row(
            tuple(row["profile"].split()),
            row["device"],
            row["signal"],
            _AREAS[row["function"]],
            int(row["address"]),
            row["type"],
            row["order"],
            row["scale"],
            row["unit"],
            int(row["bit"]) if row["bit"] else None,
        )
        for row in cells("machine")
    ]


def _is_number(text: str) -> bool:
    try:
        factor(text)
    except NumberError:
        return False
    return True
