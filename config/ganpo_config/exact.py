"""Numbers as people write them, exact: `0.01`, `400/5`, `10:5`, `24h`; and what a spreadsheet made of them."""

import math
import re
from fractions import Fraction
from functools import lru_cache

from ganpo_model.clock import DAY_MS, HOUR_MS, MINUTE_MS

_NUMBER = r"\d{1,15}(?:\.\d{1,15})?"
_DECIMAL = re.compile(rf"-?{_NUMBER}(?:[eE][+-]?\d{{1,2}})?", re.ASCII)
_RATIO = re.compile(rf"({_NUMBER})\s*[/:]\s*({_NUMBER})", re.ASCII)
_DURATION = re.compile(r"(\d{1,4})(s|min|h|d)", re.ASCII)
_UNIT_MS = {"s": 1000, "min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_SPREADSHEET = re.compile(
    r"\d+([-/:.年])\d+[-/:.月]\d+.*|\d*\s*月.*|\d+-[A-Za-z]{3,9}|[A-Za-z]{3,9}-\d+|\d+-\d+", re.ASCII
)


ONE = Fraction(1)


class NumberError(ValueError):
    """No such number: `(what, hint)`."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint


@lru_cache
def exact(text: str) -> Fraction:
    """The value of a decimal text. Raises NumberError."""
    if _DECIMAL.fullmatch(text.strip()) is None:
        raise NumberError("no number like 0.01", "digits and a point, without a unit")
    return Fraction(text.strip())


def positive(text: str) -> Fraction:
    """The value of a decimal text above 0. Raises NumberError."""
    value = exact(text)
    if value <= 0:
        raise NumberError("must be above 0", "leave it empty where nobody knows it")
    return value


def ratio(text: str) -> tuple[Fraction, Fraction]:
    """Both sides of `400/5` or `400:5`, each above 0. Raises NumberError, which names the spreadsheet if it was one."""
    match = _RATIO.fullmatch(text.strip())
    if match is None:
        if _SPREADSHEET.fullmatch(text.strip()):
            raise NumberError(
                "a date or a time: Excel made it of a ratio", "format the column as text and enter it again"
            )
        raise NumberError("no ratio like 400/5", "both sides, as the nameplate of the transformer has them")
    return positive(match[1]), positive(match[2])


def factor(text: str) -> Fraction:
    """A decimal text or a ratio, not 0. Raises NumberError."""
    if _RATIO.fullmatch(text.strip()):
        upper, lower = ratio(text)
        return upper / lower
    value = exact(text)
    if value == 0:
        raise NumberError("must not be 0")
    return value


def duration(text: str) -> int:
    """Milliseconds of `24h`, `15min`, `30s`, `7d`. Raises NumberError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise NumberError("no duration like 24h or 15min", "a number and s, min, h or d")
    return int(match[1]) * _UNIT_MS[match[2]]


def plain(text: str | float) -> float:
    """A finite number. Raises NumberError."""
    try:
        value = float(text)
    except ValueError:
        raise NumberError("no number") from None
    if not math.isfinite(value):
        raise NumberError("no finite number")
    return value


def told(value: Fraction) -> str:
    """For a person: a decimal text where it is short, else a ratio."""
    text = f"{float(value):.6g}"
    return text if Fraction(text) == value else f"{value.numerator}/{value.denominator}"
