"""What a device shows on its own display beside what was read of it at that moment (uplink.md: `commissioned`)."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ganpo_model.errors import ConfigError

MAX_TEXT = 100
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,15})?", re.ASCII)
_TYPED = re.compile(r"([+-]?)\s*([\d.,'\u2019 ]*\d)\s*(\D.*)?", re.ASCII)
_GROUPED = {sign: re.compile(rf"\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+", re.ASCII) for sign in ",.'\u2019 "}
_HINT = "type the digits as they stand on the display, with a point before decimals: 48203.1"


@dataclass(frozen=True, slots=True)
class Commissioned:
    """The `data` of the event. `displayed` and `read` are in `unit`; a number is written in plain digits.

    `register`: where the point is one, and `raw` its counts; `by`: who stood at the device.
    """

    point: str
    register: str | None
    displayed: str
    read: str
    raw: int | None
    unit: str | None
    by: str

    def compared(self) -> "Compared":
        """Whether the two agree."""
        return compare(self.displayed, self.read)


class Compared(NamedTuple):
    """`step`: the least digit of the display; `off`: read minus displayed; both None where a word was compared."""

    agrees: bool
    step: Decimal | None = None
    off: Decimal | None = None


def compare(displayed: str, read: str) -> Compared:
    """Numbers agree within one step of the display, words where they are the same.

    A display cuts off what it has no digit for, and both move between the two looks: so one whole step.
    """
    if not (_NUMBER.fullmatch(displayed) and _NUMBER.fullmatch(read)):
        return Compared(displayed.strip().casefold() == read.strip().casefold())
    shown = Decimal(displayed)
    step = Decimal(1).scaleb(-len(displayed.partition(".")[2]))
    off = Decimal(read) - shown
    return Compared(abs(off) <= step, step, off)


def number_typed(text: str) -> tuple[str, str]:
    """What a person typed of a display, as plain digits, and the unit behind them (empty: none).

    Full-width digits, grouped thousands and a decimal comma are understood. Raises ConfigError for what is no number,
    and for what may be two.
    """
    plain = unicodedata.normalize("NFKC", text).replace("。", ".").replace("−", "-").strip()
    found = _TYPED.fullmatch(plain)
    if found is None or len(plain) > MAX_TEXT:
        raise ConfigError(f"{text[:40]!r} is no number", where="displayed", hint=_HINT)
    sign, digits, unit = found.groups()
    return sign.replace("+", "") + _plain_digits(digits, text), (unit or "").strip()


def _plain_digits(digits: str, text: str) -> str:
    """One decimal point and no grouping."""
    whole, part = digits, ""
    signs = [sign for sign in digits if not sign.isdigit()]
    if signs and signs[-1] in ".," and signs.count(signs[-1]) == 1:
        whole, _, part = digits.rpartition(signs[-1])
        if signs == [","] and len(part) == 3 and len(whole) <= 3 and whole != "0":
            raise ConfigError(
                f"{text[:40]!r} may be {whole}{part} or {whole}.{part}",
                where="displayed",
                hint="type it without grouping, and with a point before decimals",
            )
    grouped = {sign for sign in whole if not sign.isdigit()}
    for sign in grouped:
        if len(grouped) > 1 or not _GROUPED[sign].fullmatch(whole):
            raise ConfigError(f"{text[:40]!r} is no number", where="displayed", hint=_HINT)
        whole = whole.replace(sign, "")
    plain = f"{whole or '0'}.{part}" if part else whole
    if not _NUMBER.fullmatch(plain):
        raise ConfigError(f"{text[:40]!r} is no number", where="displayed", hint=_HINT)
    return plain
