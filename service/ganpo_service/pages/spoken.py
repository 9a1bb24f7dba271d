"""Times as people say them (ui.md, Words and numbers), and which language a page speaks."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ganpo_model.clock import from_ms
from ganpo_service.words import LANGUAGES

DEFAULT = "zh"
DEFAULT_ZONE = "Asia/Shanghai"
NONE = "—"
"""What stands where nobody knows."""


def choose(asked: str | None, accepted: str) -> str:
    """The language of the URL, else the first that the browser accepts, else Chinese."""
    if asked in LANGUAGES:
        return asked
    for part in accepted.lower().split(","):
        if part.strip()[:2] in LANGUAGES:
            return part.strip()[:2]
    return DEFAULT


def age(ms: int | None, lang: str) -> str:
    """How long: 37分 / 37 min, 2时08分 / 2 h 08 min; a dash where nobody knows."""
    if ms is None:
        return NONE
    seconds = max(ms, 0) // 1000
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if minutes < 1:
        return f"{seconds}秒" if lang == "zh" else f"{seconds} s"
    if hours < 1:
        return f"{minutes}分" if lang == "zh" else f"{minutes} min"
    if days < 1:
        return f"{hours}时{minutes % 60:02d}分" if lang == "zh" else f"{hours} h {minutes % 60:02d} min"
    return f"{days}天{hours % 24}时" if lang == "zh" else f"{days} d {hours % 24} h"


def instant(ms: int, lang: str, zone: str = DEFAULT_ZONE) -> str:
    """An instant in full, in a time zone: 2026年11月25日（周三）14:42:00 / Wed 25 Nov 2026, 14:42:00."""
    at = _local(ms, zone)
    if lang == "zh":
        return f"{at.year}年{at.month}月{at.day}日（周{'一二三四五六日'[at.weekday()]}）{at:%H:%M:%S}"
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M:%S}"


def minute(ms: int | None, zone: str = DEFAULT_ZONE) -> str:
    """An instant in tables, in a time zone: 2026-11-22 14:05; a dash where there is none."""
    return NONE if ms is None else f"{_local(ms, zone):%Y-%m-%d %H:%M}"


def clock(ms: int, zone: str = DEFAULT_ZONE) -> str:
    """The time of an instant below a bar: 14:05."""
    return f"{_local(ms, zone):%H:%M}"


def _local(ms: int, zone: str) -> datetime:
    return from_ms(ms).astimezone(ZoneInfo(zone))


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
