"""Whether one reading may follow another: rule 1 of judging registers (metrics.md section 5)."""

from typing import NamedTuple

from ganpo_model.clock import DAY_MS, HOUR_MS
from ganpo_model.steps import Reading, Register

STANDSTILL_MS = HOUR_MS
"""How much of its standstill a register may catch up with one rise."""
LONG_STANDSTILL_MS = 7 * DAY_MS
"""The same where three readings agree: a concentrator that repeated a cached value."""
GRACE_MS = HOUR_MS
"""A person's watch: what a step that ends or begins at a declared value has more."""


class Fit(NamedTuple):
    """How a reading may follow another: by what amount, and whether a return may long look behind it."""

    amount: int
    doubtful: bool = False
    reset: bool = False


def fits(
    register: Register,
    a: Reading,
    b: Reading,
    last_rise: int | None,
    *,
    declared: bool = False,
    standstill_ms: int = STANDSTILL_MS,
) -> Fit | None:
    """How b may follow a; None where it does not.

    `last_rise`: since when at the latest the register stands at a, None where that is not known;
    `declared`: a or b is a value that a person stated.
    """
    modulus = register.modulus
    dt = b.at - a.at + (GRACE_MS if declared else 0)
    limit = _limit(register, dt)
    if modulus is not None and limit >= modulus:
        return None  # a whole turn may be hidden in it
    amount = b.raw - a.raw
    if amount >= 0:
        if amount <= limit:
            return Fit(amount)
        stood_ms = min(b.at - last_rise, standstill_ms) if last_rise is not None else 0
        for longer_ms in (stood_ms, register.update_ms or 0):
            longer = _limit(register, longer_ms)
            if amount <= longer and (modulus is None or longer < modulus):
                return Fit(amount, doubtful=True)
    elif modulus is not None and 0 <= amount + modulus <= limit:
        return Fit(amount + modulus, doubtful=True)
    elif register.resets and b.raw <= limit:
        return Fit(b.raw, doubtful=True, reset=True)
    return None


def _limit(register: Register, dt: int) -> int:
    return register.max_rate * dt // HOUR_MS + 1
