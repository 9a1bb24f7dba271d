"""Exact quantities: a count is `num/den` of a unit, sums are integer millionths (metrics.md section 5)."""

from fractions import Fraction

MILLION = 1_000_000


def fraction(text: str) -> Fraction:
    """The exact value of a decimal text (`0.01`) or a ratio (`400/5`, `10:5`). Raises ValueError."""
    cleaned = text.strip().replace(":", "/")
    if "/" in cleaned:
        upper, _, lower = cleaned.partition("/")
        result = Fraction(upper.strip()) / Fraction(lower.strip())
    else:
        result = Fraction(cleaned)
    return result


def millionths(raw: int, num: int, den: int) -> int:
    """floor(raw x num x 10^6 / den): what `raw` counts are in millionths of the unit."""
    return raw * num * MILLION // den


def decimal_text(amount: int, decimals: int) -> str:
    """Millionths as decimal text with `decimals` places, rounded towards zero: for display alone."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), MILLION)
    digits = f"{part:06d}"[:decimals]
    return f"{sign}{whole:,}.{digits}" if decimals else f"{sign}{whole:,}"
