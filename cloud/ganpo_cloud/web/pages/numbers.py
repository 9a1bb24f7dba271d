"""Numbers as people read them (ui.md, Words and numbers): counts in full, quantities shortened, rates rounded down."""

from datetime import date
from fractions import Fraction
from typing import Any

from ganpo_model.coverage import percent

NONE = "—"
_ZH = ((10**8, "亿"), (10**4, "万"))
_EN = ((10**6, " million"), (10**3, " thousand"))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def count(number: int | None) -> str:
    """3,712; a dash where nobody knows."""
    return NONE if number is None else f"{number:,}"


def rate(numerator: int | None, denominator: int | None) -> str:
    """62.4%, rounded down; a dash where nothing is counted."""
    return f"{percent(numerator, denominator)}%" if numerator is not None and denominator else NONE


def share(numerator: int | None, denominator: int | None) -> str:
    """A width for a bar: 62.4; empty where nothing is counted."""
    return percent(min(numerator, denominator), denominator) if numerator is not None and denominator else ""


def quantity(value: Fraction | None, lang: str) -> str:
    """At most four digits with 万 and 亿, or thousand and million: 1,214.6万, 2.87 million."""
    if value is None:
        return NONE
    for size, word in _ZH if lang == "zh" else _EN:
        if abs(value) >= size:
            return _digits(value / size) + word
    return _digits(value)


def ones(row: Any) -> float | None:
    """The quantity of a row, as charts draw it; None where there is no row, or nobody knows."""
    return None if row is None or row.millionths is None else row.millionths / 10**6


def decimals(value: Fraction | None, places: int) -> str:
    """With so many places, rounded down; a dash where nobody knows."""
    if value is None:
        return NONE
    whole = int(value * 10**places // 1)
    return f"{whole // 10**places:,}.{whole % 10**places:0{places}d}" if places else f"{whole:,}"


def points(change: Fraction | None) -> str:
    """+1.9, −0.6: a change of a rate in points."""
    if change is None:
        return NONE
    tenths = round(abs(change) * 10)
    sign = "+" if change >= 0 else "−"
    return f"{sign}{tenths // 10}.{tenths % 10}" if tenths else "0.0"


def gap(rate: str, target: str) -> str:
    """How far a shown rate is from a target, in points, so that both add up as they are shown."""
    gap = abs(Fraction(target) - Fraction(rate))
    tenths = -(-gap.numerator * 10 // gap.denominator)
    return f"{tenths // 10}.{tenths % 10}"


def signed(change: int | None) -> str:
    """+46, −3."""
    if change is None:
        return NONE
    return f"+{change:,}" if change >= 0 else f"−{-change:,}"


def month(text: str, lang: str) -> str:
    """2028年6月 / Jun 2028."""
    year, number = int(text[:4]), int(text[5:7])
    return f"{year}年{number}月" if lang == "zh" else f"{_MONTHS[number - 1]} {year}"


def period(text: str, lang: str) -> str:
    """A month, months from one to another, or a year."""
    first, _, last = text.partition("/")
    if "-" not in first:
        return first
    return f"{month(first, lang)} – {month(last, lang)}" if last else month(first, lang)


def day(of: date, lang: str) -> str:
    """2026年11月28日 / 28 Nov 2026."""
    if lang == "zh":
        return f"{of.year}年{of.month}月{of.day}日"
    return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"


def later(of: date, months: int) -> str:
    """The month so many months after a day's: 2028-06."""
    index = of.year * 12 + of.month - 1 + months
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def _digits(value: Fraction) -> str:
    places = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    shown = round(value, places)
    return f"{float(shown):,.{places}f}"
