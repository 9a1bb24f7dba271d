"""Whether a value can be true of the world: what mains, meters and machines show, whoever made them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ganpo_drivers import PointFault, Value
from ganpo_model import reference

PHASE_V = (57.7, 63.5, 100.0, 120.0, 127.0, 220.0, 230.0, 240.0)
"""Between a phase and neutral, also behind a transformer of 100 V."""
LINE_V = (100.0, 110.0, 208.0, 380.0, 400.0, 415.0, 480.0, 660.0, 690.0)
"""Between two phases."""
MEDIUM_V = (3000.0, 6000.0, 6300.0, 10_000.0, 10_500.0, 20_000.0, 35_000.0)
"""Between two phases, where a meter counts behind a voltage transformer; to neutral 1.732 times less."""
MAINS_HZ = (50.0, 60.0)
_USUAL_V = (220.0, 230.0, 240.0, 380.0, 400.0)
_NEAR = 0.12
"""How far mains may be off its nominal voltage, as a share."""
_LARGEST = {
    "A": 6300.0,
    "kW": 20_000.0,
    "kvar": 20_000.0,
    "kVA": 20_000.0,
    "kWh": 1e10,
    "kvarh": 1e10,
    "m3": 1e8,
}
_TINY = 1e-6
"""A float below this is the bits of something else."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`weight`: how much it speaks for the value being what it is taken for, below 0 against it. `why`: in words."""

    weight: float
    why: str


def judged(signal: str, value: Value | PointFault, *, medium: bool = False) -> Judgement:
    """A value in the signal's own unit. `medium`: it may lie before a voltage transformer."""
    if isinstance(value, PointFault):
        return Judgement(-1.5, value.text)
    if isinstance(value, str | bool):
        return Judgement(0.0, f"{value!r}")
    number = float(value)
    if not math.isfinite(number):
        return Judgement(-2.0, "no number")
    if number and abs(number) < _TINY:
        return Judgement(-2.0, f"{number:g}: the bits of something else")
    about = reference.signals().get(signal)
    unit = about.unit if about is not None else ""
    if signal.startswith("voltage_l"):
        return _voltage(number, medium=medium)
    if signal == "frequency":
        return _frequency(number)
    if signal == "power_factor":
        return _power_factor(number)
    if about is not None and about.type == "register" and number < 0:
        return Judgement(-2.0, f"{number:g} {unit}: a counter is not below 0")
    largest = _LARGEST.get(unit)
    if largest is not None and abs(number) > largest:
        return Judgement(-2.0, f"{number:g} {unit}: too much to be true")
    if number == 0:
        return Judgement(-0.05, f"0 {unit}".strip())
    return Judgement(0.5 if largest is not None else 0.1, f"{number:.6g} {unit}".strip())


def power_of(values: Mapping[str, float]) -> Judgement | None:
    """Whether power, voltages and currents of one moment belong together; None: they say nothing."""
    apparent = sum(
        abs(values[f"voltage_l{phase}"] * values[f"current_l{phase}"]) / 1000
        for phase in (1, 2, 3)
        if {f"voltage_l{phase}", f"current_l{phase}"} <= values.keys()
    )
    power = values.get("power")
    if power is None or apparent < 0.01 or power == 0:
        return None
    share = abs(power) / apparent
    if share > 1.15:
        return Judgement(-1.0, f"{abs(power):.4g} kW of {apparent:.4g} kVA: more than there is")
    if share < 0.01:
        return Judgement(-0.5, f"{abs(power):.4g} kW of {apparent:.4g} kVA: hardly any")
    return Judgement(1.0, f"{abs(power):.4g} kW of {apparent:.4g} kVA")


def _voltage(number: float, *, medium: bool) -> Judgement:
    """Phase and line alike: on a net of 220 V between phases a meter shows that as both."""
    if number == 0:
        return Judgement(-0.3, "0 V")
    known = [*PHASE_V, *LINE_V]
    if medium:
        known += [volts / factor for volts in MEDIUM_V for factor in (1.0, 1.732)]
    near = min(known, key=lambda volts: abs(number - volts) / volts)
    if abs(number - near) / near <= _NEAR:
        return Judgement(2.0 if near in _USUAL_V else 1.0, f"{number:.4g} V, near {near:.4g}")
    return Judgement(-1.5, f"{number:.6g} V: no mains")


def _frequency(number: float) -> Judgement:
    near = min(MAINS_HZ, key=lambda hertz: abs(number - hertz))
    if abs(number - near) <= 1.5:
        return Judgement(2.5, f"{number:.4g} Hz, near {near:g}")
    return Judgement(-0.5 if number == 0 else -2.0, f"{number:.6g} Hz: no mains")


def _power_factor(number: float) -> Judgement:
    if abs(number) > 1.0005:
        return Judgement(-1.5, f"{number:.6g}: above 1")
    return Judgement(0.0, "0") if number == 0 else Judgement(1.0, f"{number:.3g}, at most 1")
