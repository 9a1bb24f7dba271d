"""Numbers as people read them (ui.md, Words and numbers): counts in full, quantities shortened, rates below a target
rounded down. Pure; what nobody knows is a dash, and has no unit."""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

from ganpo_model import coverage, reference
from ganpo_model.units import MILLION
from ganpo_service.pages.spoken import NONE as NONE

_ZH = ((10**8, "亿"), (10**4, "万"))
_EN = ((10**6, " million"), (10**3, " thousand"))


def count(number: int | None) -> str:
    """3,712; a dash where nobody knows."""
    return NONE if number is None else f"{number:,}"


def percent(numerator: int | None, denominator: int | None, goal: Fraction | None = None) -> str:
    """62.4, as `coverage.percent` rounds against a goal in percent; a dash where nothing is counted."""
    return coverage.percent(numerator, denominator, goal) if numerator is not None and denominator else NONE


def rate(numerator: int | None, denominator: int | None, goal: Fraction | None = None) -> str:
    """62.4%; a dash where nothing is counted."""
    return f"{percent(numerator, denominator, goal)}%".replace(f"{NONE}%", NONE)


def ratio(of: tuple[int, int] | None) -> str:
    """The same of a numerator and its denominator, or of nothing."""
    return NONE if of is None else rate(*of)


def share(numerator: int | None, denominator: int | None) -> str:
    """A width for a bar: 62.4; empty where nothing is counted."""
    return percent(min(numerator, denominator), denominator) if numerator is not None and denominator else ""


def quantity(value: Fraction | int | None, lang: str, unit: str = "") -> str:
    """At most four digits with 万 and 亿, or thousand and million: 1,214.6万 tce, 2.87 million m³; counts whole."""
    if value is None:
        return NONE
    exact = Fraction(value)
    for size, word in _ZH if lang == "zh" else _EN:
        if abs(exact) >= size:
            return _digits(exact / size) + word + _behind(unit)
    shown = f"{value:,}".replace("-", "−") if isinstance(value, int) else _digits(exact)
    return shown + _behind(unit)


def millionths(number: int | None) -> Fraction | None:
    """In ones."""
    return None if number is None else Fraction(number, MILLION)


def exact(number: int | None, unit: str = "") -> str:
    """Millionths with two decimals: 50,403.00 kWh."""
    return NONE if number is None else decimals(millionths(number), 2) + _behind(unit)


def unit(of: str) -> str:
    """A unit as it is written: m³; nothing for plain counts."""
    return "" if of == "1" else of.replace("m3", "m³")


def names(of: Iterable[str], lang: str) -> str:
    """One after the other: 电、水 / electricity, water."""
    return ("、" if lang == "zh" else ", ").join(of)


def carrier(number: str, lang: str) -> str:
    """The name of a carrier; its number where no table of ours knows it."""
    found = reference.carriers().get(number)
    return number if found is None else found.name_zh if lang == "zh" else found.name_en


def signal(of: str, lang: str) -> str:
    """What a point or register means, `DB-0101/energy_import#d49de94b`, by name; its id where no table knows it."""
    number = of.partition("/")[2].partition("#")[0]
    found = reference.signals().get(number)
    return number if found is None else found.name_zh if lang == "zh" else found.name_en


def observed(value: object) -> str:
    """What a device said, as short as it can be read: 1.2443, true, counts in full."""
    if isinstance(value, bool):
        return f"{value}".lower()
    if isinstance(value, float):
        return f"{value:,.6g}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int) else f"{value}"


def decimals(value: Fraction | int | None, places: int) -> str:
    """With so many places, rounded towards zero; a dash where nobody knows."""
    if value is None:
        return NONE
    whole = int(abs(value) * 10**places)
    sign = "−" if value < 0 and whole else ""
    shown = f"{whole // 10**places:,}"
    return f"{sign}{shown}.{whole % 10**places:0{places}d}" if places else sign + shown


def signed(change: Fraction | int | None, places: int = 0) -> str:
    """+46, −3, +0.12: a change, rounded; no sign stands before what reads as zero."""
    if change is None:
        return NONE
    shown = f"{float(round(abs(Fraction(change)), places)):,.{places}f}"
    sign = "" if not shown.strip("0.,") else "+" if change > 0 else "−"
    return sign + shown


def fine(change: Fraction | int | None, places: int = 2) -> str:
    """The same of what may be small: of what is below 0.1 two places more, +0.0020."""
    return signed(
        change, places if change is None or abs(Fraction(change)) >= Fraction(1, 10) else places + 2
    )


def month(text: str, lang: str) -> str:
    """2028年6月 / Jun 2028; of a day its month."""
    first = date.fromisoformat(f"{text[:7]}-01")
    return f"{first.year}年{first.month}月" if lang == "zh" else f"{first:%b %Y}"


def period(text: str, lang: str) -> str:
    """A month, months from one to another, or a year."""
    first, _, last = text.partition("/")
    if "-" not in first:
        return f"{first}年" if lang == "zh" else first
    return f"{month(first, lang)} – {month(last, lang)}" if last else month(first, lang)


def day(of: date, lang: str) -> str:
    """2026年11月28日 / 28 Nov 2026."""
    return f"{of.year}年{of.month}月{of.day}日" if lang == "zh" else f"{of.day} {of:%b %Y}"


def _digits(value: Fraction) -> str:
    places = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    shown = round(value, places)
    return f"{float(shown):,.{places}f}".replace("-", "−")


def _behind(of: str) -> str:
    return f" {unit(of)}".rstrip()
