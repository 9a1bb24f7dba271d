"""What commands and the gateway page say, in the language of the person who reads it.

Sources say plain English, f-strings too, and nobody marks anything: the catalogue has the texts and templates that
`tests/support/extracting.py` finds in them. Here an English text is looked up as it is, else recognised by the template
it was made from, the values in it told in the same way; what nobody has translated stays English.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import NamedTuple
from unicodedata import east_asian_width

LANGUAGES = {"zh": "zh_CN", "en": "en"}
_ENTRY = re.compile(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', re.MULTILINE)
_INSIDE = re.compile(r'^#\. inside\nmsgid "(.*)"$', re.MULTILINE)
_QUOTED = re.compile(r'"(.*)"\n?')
_ESCAPED = re.compile(r"\\(.)")
_SIGNS = {"n": "\n", "t": "\t", "r": "\r"}
_HOLE = re.compile(r"(?<!\{)\{(\d*)\}(?!\})")
_BRACES = re.compile(r"\{\{|\}\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_GAPS = re.compile(r"(\s{2,})")
_JOINS = ("; ", ": ")
_BEHIND = re.compile(r"(.*) \((.*)\)")
_LONG = 5
_FULL = {"; ": "；", ": ": "："}
_TOKEN = re.compile(r"\s+|[（《]*(?:[^\s/\u2e80-\uffef]+/*|/+|[\u2e80-\uffef])[，。；：、）》？！…]*")
_CHOICE = re.compile(r"\S+(?: or \S+)+")
_SEPARATORS = (" ", ",", ";", ":", ".")
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
    return text if lang == "en" or not text else _told(text, lang)


def filled(lang: str, message: str, *values: object) -> str:
    """An English text with holes, `{} of {}`, in a language, and in the holes what is given, as it stands."""
    told = message if lang == "en" else _catalogue(lang).entries.get(message, message)
    return _filled(told, [str(value) for value in values])


def tell_part(text: str) -> str:
    """As `tell`, of what stands in a text: a single word is mostly a name there, of a file or a setting, and stays."""
    lang = _language.get()
    return text if lang == "en" or not text else _part(text, lang)


def joined(left: str, join: str, right: str) -> str:
    """Two texts around `: ` or `; `, which is a Chinese sign where one of them is Chinese there."""
    wide = _is_wide(left[-1:]) or _is_wide(right[:1])
    return f"{left}{_FULL[join] if wide else join}{right}"


def _part(text: str, lang: str) -> str:
    single = not any(sign.isspace() for sign in text.strip())
    return text if single and text.strip() not in _catalogue(lang).inside else _told(text, lang)


@lru_cache(maxsize=4096)
def _told(text: str, lang: str) -> str:
    found = _catalogue(lang).find(text)
    if found is not None:
        return found
    if "\n" in text:
        return "\n".join(_told(line, lang) if line else "" for line in text.split("\n"))
    if text.startswith(" (") and (match := _BEHIND.fullmatch(text)):
        return f"（{_part(match[2], lang)}）"
    return _in_columns(text, lang) if _GAPS.search(text) else _joined(text, lang)


def _joined(text: str, lang: str) -> str:
    """`where: what; hint`, taken apart at the first place beside which something is known."""
    for join in _JOINS:
        for match in re.finditer(join, text):
            left, right = text[: match.start()], text[match.end() :]
            told = _part(left, lang), _part(right, lang)
            if told != (left, right):
                return joined(told[0], match[0], told[1])
    behind = _BEHIND.fullmatch(text)
    if behind is not None and (more := _part(behind[2], lang)) != behind[2]:
        return f"{_part(behind[1], lang)}（{more}）"
    return text


def _in_columns(text: str, lang: str) -> str:
    """A line of a table: each cell in its own width."""
    cells = _GAPS.split(text)
    line = ""
    for cell, gap in zip(cells[::2], [*cells[1::2], ""], strict=True):
        told = _part(cell, lang) if cell else ""
        line += told + (
            gap if told == cell else " " * max(1, len(cell) + len(gap) - width(told)) if gap else ""
        )
    return line


class _Template(NamedTuple):
    pattern: re.Pattern[str]
    literal: int
    told: str


class _Catalogue:
    """The texts of one language; templates lie under one of their words, and become patterns when a text has it."""

    def __init__(self, lang: str, entries: Mapping[str, str], inside: set[str]) -> None:
        self._lang = lang
        self.inside = inside
        self.entries = entries
        self._texts: dict[str, str] = {}
        self._under: dict[str, list[tuple[str, str]]] = {}
        for text, told in entries.items():
            if _HOLE.search(text) or text.startswith(_SEPARATORS) or text.endswith(" "):
                self._under.setdefault(_key(text), []).append((text, told))
            else:
                self._texts[_plain(text)] = _plain(told)
        self._made: dict[str, list[_Template]] = {}

    def find(self, text: str) -> str | None:
        """The text in this language; None where it is not known."""
        if (exact := self._texts.get(text)) is not None:
            return exact
        if _CHOICE.fullmatch(text):
            return text.replace(" or ", "或")
        best: tuple[int, _Template, re.Match[str]] | None = None
        for template in self._candidates(text):
            if (best is None or template.literal > best[0]) and (match := template.pattern.fullmatch(text)):
                best = template.literal, template, match
        if best is None:
            return None
        _, template, match = best
        return _filled(template.told, [_part(value, self._lang) if value else "" for value in match.groups()])

    def _candidates(self, text: str) -> Iterator[_Template]:
        for word in {"", *_WORD.findall(text)}:
            if word in self._under:
                if word not in self._made:
                    self._made[word] = [_template(*entry) for entry in self._under[word]]
                yield from self._made[word]


def _key(text: str) -> str:
    """The longest word of a template that stands whole in every text made from it."""
    whole = _HOLE.sub("\0", text)
    return max(re.findall(r"(?<![A-Za-z\0])[A-Za-z]{2,}(?![A-Za-z\0])", whole), key=len, default="")


def _template(text: str, told: str) -> _Template:
    parts = [_plain(part) for part in _HOLE.split(text)[::2]]
    if parts[0].startswith(_SEPARATORS):  # it goes on what stands before it
        parts.insert(0, "")
        told = (
            "{}" + told if "{}" in told else "{0}" + _HOLE.sub(lambda hole: f"{{{int(hole[1]) + 1}}}", told)
        )
    if parts[-1].endswith(" "):  # something follows it
        parts.append("")
        told += "{}" if "{}" in told or not _HOLE.search(told) else f"{{{len(parts) - 2}}}"
    value = "(.*?)" if _telling(parts) else r"(\S*?|\S+(?:, \S+)*?)"
    pattern = re.compile(value.join(re.escape(part) for part in parts), re.DOTALL)
    return _Template(pattern, sum(map(len, parts)), told)


def _telling(parts: list[str]) -> bool:
    """Whether the literal parts are enough to know a template by. One that is little more than a preposition, {} of {},
    would be found in any English text: its values are single words, or names with commas between them."""
    found = _WORD.findall(" ".join(parts))
    enough = len("".join(found)) >= _LONG and (len(found) > 1 or parts[0] != "" or ":" in "".join(parts))
    return enough or ":" in parts[0] or "  " in parts[0]


def _filled(told: str, values: list[str]) -> str:
    parts = _HOLE.split(told)
    holes = [int(number) if number else place for place, number in enumerate(parts[1::2])]
    filled = [values[hole] for hole in holes]
    return "".join(text for pair in zip(map(_plain, parts[::2]), [*filled, ""], strict=True) for text in pair)


def _plain(text: str) -> str:
    return _BRACES.sub(lambda match: match[0][0], text)


@cache
def _catalogue(lang: str) -> _Catalogue:
    from importlib.resources import files  # help in English is quicker without

    path = files("ganpo_service").joinpath("locale", LANGUAGES[lang], "LC_MESSAGES", "ganpo.po")
    text = path.read_text(encoding="utf-8")
    return _Catalogue(lang, entries(text), set(_INSIDE.findall(text)))


def entries(text: str) -> dict[str, str]:
    """What a `.po` file translates. Its head, and what nobody has translated yet, is left out."""
    found = ((_unquoted(match[1]), _unquoted(match[2])) for match in _ENTRY.finditer(text))
    return {message: told for message, told in found if message and told}


def _unquoted(lines: str) -> str:
    text = "".join(_QUOTED.findall(lines))
    return _ESCAPED.sub(lambda match: _SIGNS.get(match[1], match[1]), text)


def width(text: str) -> int:
    """Columns of a terminal that the text takes: two for a Chinese sign."""
    return sum(2 if _is_wide(sign) else 1 for sign in text)


def wrapped(text: str, room: int) -> list[str]:
    """The text in lines of so many columns. It breaks at blanks and slashes, and between Chinese signs."""
    lines = [""]
    for token in _TOKEN.findall(text):
        if width(lines[-1] + token.rstrip()) <= room or not lines[-1]:
            lines[-1] += token
        else:
            lines.append(token.lstrip())
    return [line.rstrip() for line in lines]


def _is_wide(sign: str) -> bool:
    return bool(sign) and east_asian_width(sign) in "WF"
