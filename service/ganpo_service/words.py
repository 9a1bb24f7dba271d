"""What commands and the gateway page say, in the language of the person who reads it.

Sources say plain English, f-strings too, and nobody marks anything: `catalogue.py` knows them again. Here stands what
English needs, so that a command of few words is quick.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from unicodedata import east_asian_width

LANGUAGES = {"zh": "zh_CN", "en": "en"}
_FULL = {"; ": "；", ": ": "："}
_PIECE = r"\s+|[（《]*(?:[^\s/\u2e80-\uffef]+/*|/+|[\u2e80-\uffef])[，。；：、）》？！…]*"
_language: ContextVar[str] = ContextVar("language", default="en")


def choose(asked: str | None, environment: Mapping[str, str], encoding: str | None, *, terminal: bool) -> str:
    """The language that was asked for, else that of the environment. English where it cannot be shown: in this
    encoding, or on the console of Linux, whose font has no Chinese (who asks for it there has another)."""
    named = (environment.get(key) for key in ("LC_ALL", "LC_MESSAGES", "LANG"))
    wanted = asked or next((name[:2] for name in named if name), "en")
    if wanted not in LANGUAGES or (
        asked is None and terminal and environment.get("TERM") in ("linux", "dumb")
    ):
        return "en"
    try:
        "中".encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return "en"
    return wanted


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Inside, `tell` says it in this language."""
    before = _language.set(lang)
    try:
        yield
    finally:
        _language.reset(before)


def language() -> str:
    """The language of `speaking`, `en` outside."""
    return _language.get()


def tell(text: str, lang: str | None = None) -> str:
    """An English text of ours in a language, `zh` or `en`; without `lang` in that of `speaking`."""
    lang = lang or _language.get()
    if lang == "en" or not text:
        return _agreed(text)
    from ganpo_service import catalogue

    return catalogue.spoken(text, lang)


def filled(lang: str, message: str, *values: object) -> str:
    """An English text with holes, `{} of {}`, in a language, and in the holes what is given, as it stands."""
    from ganpo_service import catalogue

    text = catalogue.filled(lang, message, [str(value) for value in values])
    return _agreed(text) if lang == "en" else text


def tell_part(text: str) -> str:
    """As `tell`, of what stands in a text: a single word is mostly a name there, of a file or a setting, and stays."""
    lang = _language.get()
    if lang == "en" or not text:
        return _agreed(text)
    from ganpo_service import catalogue

    return catalogue.part(text, lang)


def _agreed(text: str) -> str:
    """English in which one is not many."""
    if "1 " not in text:
        return text
    from ganpo_service.english import agreed

    return agreed(text)


def joined(left: str, join: str, right: str) -> str:
    """Two texts around `: ` or `; `, which is a Chinese sign where one of them is Chinese there."""
    wide = is_wide(left[-1:]) or is_wide(right[:1])
    return f"{left}{_FULL[join] if wide else join}{right}"


def width(text: str) -> int:
    """Columns of a terminal that the text takes: two for a Chinese sign."""
    return sum(2 if is_wide(sign) else 1 for sign in text)


def wrapped(text: str, room: int) -> list[str]:
    """The text in lines of so many columns. It breaks at blanks and slashes, and between Chinese signs."""
    lines = [""]
    for token in re.findall(_PIECE, text):
        if width(lines[-1] + token.rstrip()) <= room or not lines[-1]:
            lines[-1] += token
        else:
            lines.append(token.lstrip())
    return [line.rstrip() for line in lines]


def is_wide(sign: str) -> bool:
    """Whether a sign takes two columns of a terminal."""
    return bool(sign) and east_asian_width(sign) in "WF"
