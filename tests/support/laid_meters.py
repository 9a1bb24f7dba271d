"""Every meter of the library laid out in a server by the table of registers: what it holds, and what has to be read.

What is laid out comes from the table (`support/device_table.py`), not from what is read. A cell in braces is laid out
both ways, as the plant says.
"""

import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from ganpo_config.profiles import Profiles
from support.device_table import cells, words

ROWS = cells("meter")
PROFILES = Profiles(Path("nowhere"))
METERS = sorted({name for row in ROWS for name in row["profile"].split()} & set(PROFILES))
"""The profiles that read a meter of the table."""
SAID = [
    {
        "order": "ABCD",
        "energy_unit": "kWh",
        "export": "2174",
        "frequency": "55",
        "energy": "2752",
        "voltage_scale": "1",
        "current_scale": "1",
        "frequency_scale": "0.01",
        "power_scale": "1000",
        "volume_unit": "m3",
        "heat_unit": "GJ",
    },
    {
        "order": "CDAB",
        "energy_unit": "MWh",
        "export": "2180",
        "frequency": "46",
        "energy": "2638",
        "voltage_scale": "0.1",
        "current_scale": "0.001",
        "frequency_scale": "0.001",
        "power_scale": "0.1",
        "volume_unit": "L",
        "heat_unit": "kWh",
    },
]
"""Both answers to what is asked for."""
CT, PT = (200, 5), (1000, 100)
OURS = {
    "tariff_energy": "energy_tariff_1",
    "heat_flow": "heat_power",
    "alarm": "no_signal",
    "power_import": "power",
    "power_export": "power",
}
"""Signals that are called otherwise in the table; where a profile has no such signal, the import is the total."""
ONE_OF = {
    ("W", "kW"): Fraction(1, 1000),
    ("MWh", "kWh"): Fraction(1000),
    ("Wh", "kWh"): Fraction(1, 1000),
    ("L", "m3"): Fraction(1, 1000),
    ("GJ", "MJ"): Fraction(1000),
    ("kWh", "MJ"): Fraction(18, 5),
    ("var", "kvar"): Fraction(1, 1000),
    ("VA", "kVA"): Fraction(1, 1000),
    ("GJ/h", "kW"): Fraction(10**6, 3600),
}
SHOWN = {
    "V": 231.4,
    "A": 7.25,
    "kW": -0.5,
    "kWh": 123_456.75,
    "kvarh": 98_765.5,
    "kvar": 0.25,
    "kVA": 0.5625,
    "Hz": 49.98,
    "1": 0.913,
    "m3": 23_456.789,
    "MJ": 345_678.9,
    "m3/h": 0.1128,
    "degC": 17.95,
    "h": 4321.0,
}
"""What the meter shows, about, in our unit; powers that cannot be negative are laid out positive."""
UNITS = {
    **dict.fromkeys(("voltage_l1", "voltage_l2", "voltage_l3", "voltage_l1_l2"), "V"),
    **dict.fromkeys(("current_l1", "current_l2", "current_l3"), "A"),
    **dict.fromkeys(("power", "power_l1", "power_l2", "power_l3", "heat_power"), "kW"),
    **dict.fromkeys(("energy_import", "energy_export", "energy_total"), "kWh"),
    **{f"energy_tariff_{number}": "kWh" for number in (1, 2, 3, 4)},
    "reactive_power": "kvar",
    "apparent_power": "kVA",
    "reactive_energy": "kvarh",
    "frequency": "Hz",
    "power_factor": "1",
    "operating_hours": "h",
    "volume_total": "m3",
    "heat_total": "MJ",
    "flow": "m3/h",
    "temperature_supply": "degC",
    "temperature_return": "degC",
}
SECONDARY_TAKES = {"V": ("pt",), "A": ("ct",), "kW": ("ct", "pt"), "kWh": ("ct", "pt"), "kvarh": ("ct", "pt")}
_STRUCT = {"float32": ">f", "float64": ">d"}


class Laid(NamedTuple):
    """Registers of an area, and what is to be read from them."""

    signal: str
    value: Fraction | bool
    blocks: list[tuple[str, int, list[int]]]


def _exact(kind: str, raw: Fraction) -> Fraction:
    """What the type can hold of it."""
    if kind in _STRUCT:
        return Fraction(struct.unpack(_STRUCT[kind], struct.pack(_STRUCT[kind], float(raw)))[0])
    return Fraction(round(raw))


def signal_of(row: Mapping[str, str], name: str) -> str:
    """Our name of a row's signal."""
    known = PROFILES[name].signals
    ours = OURS.get(row["signal"], row["signal"])
    if row["signal"] == "ct_ratio" and "ct_primary" in known:
        return "ct_primary"
    if ours == "energy_total" and ours not in known:
        return "energy_import"
    return ours


def meter_laid(name: str, said: Mapping[str, str]) -> Iterator[Laid]:
    secondary = PROFILES[name].reads == "secondary"
    ratio = {"ct": Fraction(*CT), "pt": Fraction(*PT)} if secondary else {}
    for row in ROWS:
        if name not in row["profile"].split():
            continue
        row = {key: cell.format(**said) for key, cell in row.items()}
        signal, area = signal_of(row, name), "input" if row["function"] == "4" else "holding"
        if row["type"] == "parts" or (name, row["signal"]) in _BY_HAND:
            yield from _BY_HAND[name, row["signal"]](said)
            continue
        if signal in _PLATES:
            raw = Fraction(_PLATES[signal]) / Fraction(row["scale"])
            yield Laid(
                signal,
                Fraction(_PLATES[signal]),
                [(area, int(row["address"]), words(row["type"], float(raw), ""))],
            )
            continue
        unit = UNITS[signal]
        one = Fraction(row["scale"]) * (1 if row["unit"] == unit else ONE_OF[row["unit"], unit])
        shown = Fraction(SHOWN[unit])
        shown = abs(shown) if row["type"].startswith("uint") else shown
        if row["type"] in ("int64", "uint64", "float64"):
            shown *= 12_345  # all four words count
        raw = _exact(row["type"], shown / one)
        registers = words(row["type"], float(raw), row["order"])
        sides = SECONDARY_TAKES.get(unit, ())
        factor = ratio.get("ct", Fraction(1)) if "ct" in sides else Fraction(1)
        factor *= ratio.get("pt", Fraction(1)) if "pt" in sides else Fraction(1)
        yield Laid(signal, raw * one * factor, [(area, int(row["address"]), registers)])


def _diris(_: Mapping[str, str]) -> Iterator[Laid]:
    yield Laid("energy_import", Fraction(12_345_678), [("holding", 1835, [5678, 1234])])


def _nemo(_: Mapping[str, str]) -> Iterator[Laid]:
    registers = [*words("uint32", 765_432, "ABCD"), *words("uint32", 98_765, "ABCD")]
    yield Laid("energy_import", Fraction(98_765_765_432, 1000), [("holding", 5888, registers)])


def _difference(_: Mapping[str, str]) -> Iterator[Laid]:
    registers = [*words("uint32", 70_000, "ABCD"), *words("uint32", 95_000, "ABCD")]
    yield Laid("power", Fraction(-2500, 1000), [("holding", 0, registers)])


def _nothing(_: Mapping[str, str]) -> Iterator[Laid]:
    yield from ()


def _volume(said: Mapping[str, str]) -> Iterator[Laid]:
    """N = 123,456, f = 0.75, n = 1: 12,345.6 of the unit, and the fraction of a count."""
    registers = [*words("int32", 123_456, "CDAB"), *words("float32", 0.75, "CDAB")]
    one = ONE_OF.get((said["volume_unit"], "m3"), Fraction(1))
    yield Laid(
        "volume_total", Fraction(123_456, 100) * one, [("holding", 8, registers), ("holding", 1438, [1])]
    )


def _heat(said: Mapping[str, str]) -> Iterator[Laid]:
    registers = [*words("int32", 123_456, "CDAB"), *words("float32", 0.75, "CDAB")]
    one = ONE_OF[said["heat_unit"], "MJ"]
    yield Laid(
        "heat_total", Fraction(1234_56, 100) * one, [("holding", 16, registers), ("holding", 1439, [2])]
    )


def _signal_lost(_: Mapping[str, str]) -> Iterator[Laid]:
    yield Laid("no_signal", True, [("holding", 71, [0b101])])


def _quality(_: Mapping[str, str]) -> Iterator[Laid]:
    yield Laid("signal_quality", Fraction(87), [("holding", 91, [0x0357])])


_BY_HAND = {
    ("socomec_diris_a40", "energy_import"): _diris,
    ("ime_nemo_d4_le", "energy_import"): _nemo,
    ("dzg_dvh4013", "power_import"): _difference,
    ("dzg_dvh4013", "power_export"): _nothing,
    **{
        (name, signal): by_hand
        for name in ("tuf2000m", "tuf2000m_heat")
        for signal, by_hand in {
            "volume_total": _volume,
            "heat_total": _heat,
            "alarm": _signal_lost,
            "signal_quality": _quality,
        }.items()
    },
}
_PLATES = {
    "ct_ratio": Fraction(*CT),
    "pt_ratio": Fraction(*PT),
    "ct_primary": Fraction(CT[0]),
    "ct_secondary": Fraction(CT[1]),
}
