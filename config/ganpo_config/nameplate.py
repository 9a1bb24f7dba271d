"""What a meter's nameplate says of all its registers: transformers, pulse, and the most that can pass in an hour."""

import math
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from fractions import Fraction

from ganpo_config.document import MeterRow
from ganpo_config.exact import ONE, NumberError, duration, positive, ratio
from ganpo_config.findings import Findings
from ganpo_config.parameters import Parameters
from ganpo_config.profile import Profile
from ganpo_model import reference
from ganpo_model.facts import MAX_UPDATE_MS
from ganpo_model.reference import Carrier

MARGIN = Fraction(6, 5)
"""Of a rate that is derived from a transformer or a pipe; a stated one has none."""
VOLTAGE = 400
WATER_M_S = 3
"""Metres a second: faster than any water pipe is laid out for."""
EXTRA_PARAMETERS = frozenset({"pipe", "voltage"})
"""What every meter may say besides the parameters of its profile."""
TRANSFORMED = {
    "A": ("ct",),
    "V": ("pt",),
    **dict.fromkeys(("kW", "kvar", "kVA", "kWh", "kvarh", "kVAh"), ("ct", "pt")),
}
"""Which transformers stand before what is measured in a unit."""
TRANSFORMER_SIGNALS = frozenset(
    f"{kind}_{side}" for kind in ("ct", "pt") for side in ("ratio", "primary", "secondary")
)
"""The signals with which a meter says itself which transformers it counts behind."""
_ROOT_3 = Fraction(17321, 10000)
_PI = Fraction(314159, 100000)

UNITS = {
    ("Wh", "kWh"): Fraction(1, 1000),
    ("MWh", "kWh"): Fraction(1000),
    ("GWh", "kWh"): Fraction(1_000_000),
    ("L", "m3"): Fraction(1, 1000),
    ("g", "kg"): Fraction(1, 1000),
    ("t", "kg"): Fraction(1000),
    ("kJ", "MJ"): Fraction(1, 1000),
    ("GJ", "MJ"): Fraction(1000),
    ("kWh", "MJ"): Fraction(18, 5),
    ("MWh", "MJ"): Fraction(3600),
    ("W", "kW"): Fraction(1, 1000),
    ("MW", "kW"): Fraction(1000),
    ("var", "kvar"): Fraction(1, 1000),
    ("VA", "kVA"): Fraction(1, 1000),
    ("varh", "kvarh"): Fraction(1, 1000),
    ("Mvarh", "kvarh"): Fraction(1000),
    ("mA", "A"): Fraction(1, 1000),
    ("kV", "V"): Fraction(1000),
    ("min", "h"): Fraction(1, 60),
    ("s", "h"): Fraction(1, 3600),
}
"""One of the first is so many of the second, exactly."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter as its registers see it."""

    carrier: Carrier | None
    ratios: Mapping[str, Fraction] = field(default_factory=dict)
    """By `ct` and `pt`: what one ampere or volt of a meter is in truth that counts its secondary side."""
    ratio_from: str = ""
    plates: Mapping[str, tuple[Fraction, Fraction]] = field(default_factory=dict)
    """By `ct` and `pt`: both sides of what the list says."""
    pulse: Fraction | None = None
    max_rate: Fraction | None = None
    full_load_kw: Fraction | None = None
    full_load_from: str = ""
    update: str = ""
    pipe_m3_h: Fraction | None = None
    pipe_from: str = ""

    def factor(self, unit: str) -> Fraction:
        """What one of the meter's own is in truth of what is measured in `unit`."""
        ratios = [self.ratios[kind] for kind in TRANSFORMED.get(unit, ()) if kind in self.ratios]
        return math.prod(ratios[1:], start=ratios[0]) if ratios else ONE

    def measures(self, unit: str) -> bool:
        """Whether a register in `unit` measures the meter's carrier."""
        if self.carrier is None or unit == "1":
            return False
        wanted = self.carrier.unit
        return unit == wanted or (unit, wanted) in UNITS or (wanted, unit) in UNITS


def meter_of(
    row: MeterRow,
    profile: Profile | None,
    says: Set[str],
    parameters: Parameters,
    path: str,
    findings: Findings,
) -> Meter:
    """What the row says; mistakes are found and left out. `says`: the signals with which the meter itself says its
    transformers (`TRANSFORMER_SIGNALS`)."""
    carrier = reference.carriers().get(row.carrier)
    ct, pt = _sides("ct", row.ct, path, findings), _sides("pt", row.pt, path, findings)
    reads = _reads(row, profile, carrier, says, path, findings)
    plates = {kind: sides for kind, sides in (("ct", ct), ("pt", pt)) if sides is not None}
    ratios = {
        kind: primary / secondary for kind, (primary, secondary) in plates.items() if reads == "secondary"
    }
    names = [f"ct {row.ct}" if row.ct else "", f"pt {row.pt}" if row.pt else ""]
    load, load_from = _full_load(ct, pt, row, parameters, path, findings)
    pipe, pipe_from = _pipe(parameters, path, findings)
    return Meter(
        carrier,
        ratios,
        " x ".join(name for name in names if name) if ratios else "",
        plates,
        _positive("pulse", row.pulse, path, findings),
        _positive("max_rate", row.max_rate, path, findings),
        load,
        load_from,
        _update(row, path, findings),
        pipe,
        pipe_from,
    )


def _reads(
    row: MeterRow,
    profile: Profile | None,
    carrier: Carrier | None,
    says: Set[str],
    path: str,
    findings: Findings,
) -> str:
    """Which side of its transformers the meter counts: what the profile knows, else what the row says."""
    known = "" if profile is None else profile.reads
    if (row.ct or row.pt) and carrier is not None and carrier.id != "electricity":
        findings.error(
            f"{path}.{'ct' if row.ct else 'pt'}", f"{carrier.id} has no transformers", "leave it empty"
        )
    elif known and row.reads not in ("", known):
        what = f"the registers of {row.profile} count the {known} side"
        findings.error(f"{path}.reads", what, f"leave it empty, or write {known}", value=row.reads)
    elif not row.ct and (said := sorted(signal for signal in says if signal.startswith("ct"))):
        what = (
            f"is missing: the meter has a register for it ({', '.join(said)}), and the list has to say it too"
        )
        findings.error(
            f"{path}.ct", what, "as the transformer's nameplate says it, 400/5; 1/1 where there is none"
        )
    elif not row.ct and known == "secondary":
        what = f"is missing: the registers of {row.profile} count the secondary side"
        findings.error(
            f"{path}.ct", what, "as the transformer's nameplate says it, 400/5; 1/1 where there is none"
        )
    elif (row.ct or row.pt) and not (row.reads or known):
        what = "is missing: with a ct or pt it has to be said what the meter counts, primary or secondary"
        hint = (
            "secondary where what it shows has to be multiplied by the ratio, primary where it does so itself"
        )
        findings.error(f"{path}.reads", what, hint)
    elif row.reads == "secondary" and not row.ct and not row.pt:
        what, hint = "the secondary side of what? ct or pt is missing", "ct as the nameplate says it, 400/5"
        findings.error(f"{path}.reads", what, hint, value=row.reads)
    return row.reads or known


def _full_load(
    ct: tuple[Fraction, Fraction] | None,
    pt: tuple[Fraction, Fraction] | None,
    row: MeterRow,
    parameters: Parameters,
    path: str,
    findings: Findings,
) -> tuple[Fraction | None, str]:
    """What CT and voltage admit, three-phase, in kW, with the margin; and what it comes from."""
    voltage = _positive("parameters", parameters.values.get("voltage", ""), path, findings)
    if ct is None or ct[0] == ct[1]:  # 1/1: no transformer, and what may pass is not said
        return None, ""
    if voltage is None:
        voltage = pt[0] if pt is not None else Fraction(VOLTAGE)
    power = _ROOT_3 * voltage * ct[0] / 1000 * MARGIN
    return power, f"from ct {row.ct} at {float(voltage):g} V three-phase, margin {float(MARGIN):g}"


def _pipe(parameters: Parameters, path: str, findings: Findings) -> tuple[Fraction | None, str]:
    """What a pipe lets through in an hour, in m3, with the margin; and what it comes from."""
    text = parameters.values.get("pipe", "")
    if not text:
        return None, ""
    match = re.fullmatch(r"DN([1-9][0-9]{0,3})", text, re.IGNORECASE)
    if match is None:
        hint = "DN and the millimetres, pipe=DN50"
        findings.error(f"{path}.parameters", "no nominal diameter like DN50", hint, value=f"pipe={text}")
        return None, ""
    radius = Fraction(int(match[1]), 2000)
    rate = _PI * radius * radius * WATER_M_S * 3600 * MARGIN
    return rate, f"from pipe {text.upper()} at {WATER_M_S} m/s, margin {float(MARGIN):g}"


def _sides(key: str, text: str, path: str, findings: Findings) -> tuple[Fraction, Fraction] | None:
    """Primary and secondary side; no transformer raises what flows or the voltage."""
    try:
        sides = ratio(text) if text else None
    except NumberError as error:
        findings.error(f"{path}.{key}", error.what, error.hint, value=text)
        return None
    if sides is not None and sides[0] < sides[1]:
        primary, secondary = text.replace(":", "/").split("/")
        hint = f"the primary side stands first: {secondary.strip()}/{primary.strip()}"
        findings.error(f"{path}.{key}", "the sides are exchanged", hint, value=text)
        return None
    return sides


def update_ms(text: str) -> int | None:
    """How often a register shows a new number, where that is said. Raises NumberError."""
    if not text:
        return None
    found = duration(text)
    if not 0 < found <= MAX_UPDATE_MS:
        raise NumberError("above 0 and at most 7d")
    return found


def _update(row: MeterRow, path: str, findings: Findings) -> str:
    try:
        update_ms(row.update)
    except NumberError as error:
        findings.error(f"{path}.update", error.what, error.hint, value=row.update)
        return ""
    return row.update


def _positive(key: str, text: str, path: str, findings: Findings) -> Fraction | None:
    try:
        return positive(text) if text else None
    except NumberError as error:
        findings.error(f"{path}.{key}", error.what, error.hint, value=text)
        return None
