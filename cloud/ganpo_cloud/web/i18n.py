"""Words in both languages: gettext catalogues, read from their `.po` files at start."""

import io
from collections.abc import Callable
from datetime import datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"zh": "zh_CN", "en": "en"}
DEFAULT = "zh"


@cache
def translations(lang: str) -> NullTranslations:
    """The catalogue of a language; English is what stands in the source."""
    if lang == "en":
        return NullTranslations()
    path = files("ganpo_cloud.web").joinpath("locale", LANGUAGES[lang], "LC_MESSAGES", "messages.po")
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(path.read_bytes())))
    compiled.seek(0)
    return GNUTranslations(compiled)


def translator(lang: str) -> Callable[[str], str]:
    """`gettext` of a language."""
    return translations(lang).gettext


def choose(asked: str | None, accepted: str) -> str:
    """The language of the URL, else the first that the browser accepts, else Chinese."""
    if asked in LANGUAGES:
        return asked
    for part in accepted.lower().split(","):
        if part.strip()[:2] in LANGUAGES:
            return part.strip()[:2]
    return DEFAULT


def age(ms: int, lang: str) -> str:
    """How long: 37分 / 37 min, 2时08分 / 2 h 08 min."""
    seconds = max(ms, 0) // 1000
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if minutes < 1:
        return f"{seconds}秒" if lang == "zh" else f"{seconds} s"
    if hours < 1:
        return f"{minutes}分" if lang == "zh" else f"{minutes} min"
    if days < 1:
        return f"{hours}时{minutes % 60:02d}分" if lang == "zh" else f"{hours} h {minutes % 60:02d} min"
    return f"{days}天{hours % 24}时" if lang == "zh" else f"{days} d {hours % 24} h"


def instant(local: datetime, lang: str) -> str:
    """A local instant in full: 11月25日（周三）14:42:00 / Wed 25 Nov 2026, 14:42:00."""
    if lang == "zh":
        return f"{local.month}月{local.day}日（周{'一二三四五六日'[local.weekday()]}）{local:%H:%M:%S}"
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M:%S}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
