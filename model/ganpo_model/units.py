"""Exact quantities: a count is `num/den` of a unit, sums are integer millionths (metrics.md section 5)."""

MILLION = 1_000_000


def millionths(raw: int, num: int, den: int) -> int:
    """floor(raw x num x 10^6 / den): what `raw` counts are in millionths of the unit."""
    return raw * num * MILLION // den


def decimal_text(amount: int, decimals: int) -> str:
    """Millionths as decimal text with `decimals` places, rounded towards zero: for display alone."""
    whole, part = divmod(abs(amount), MILLION)
    digits = f"{part:06d}"[:decimals]
    text = f"{whole:,}.{digits}" if decimals else f"{whole:,}"
    return f"-{text}" if amount < 0 and text.strip("0.,") else text
