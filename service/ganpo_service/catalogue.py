"""An English text of ours in another language: looked up as it is, else recognised by the template it was made from.

The catalogue has the texts and templates that `tests/support/extracting.py` finds in the sources. The values in a
template are told in the same way; what nobody has translated stays English.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from ganpo_service.words import LANGUAGES, joined, width

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
_CHOICE = re.compile(r"\S+(?: or \S+)+")
_SEPARATORS = (" ", ",", ";", ":", ".")


def filled(lang: str, message: str, values: Sequence[str]) -> str:
    """An English text with holes, `{} of {}`, in a language, and in the holes what is given, as it stands."""
    told = message if lang == "en" else _catalogue(lang).entries.get(message, message)
    return _filled(told, values)


def part(text: str, lang: str) -> str:
    """What stands in a text: a single word is mostly a name there, of a file or a setting, and stays."""
    single = not any(sign.isspace() for sign in text.strip())
    return text if single and text.strip() not in _catalogue(lang).inside else spoken(text, lang)


@lru_cache(maxsize=4096)
def spoken(text: str, lang: str) -> str:
    """A text that is not empty."""
    found = _catalogue(lang).find(text)
    if found is not None:
        return found
    if "\n" in text:
        return "\n".join(spoken(line, lang) if line else "" for line in text.split("\n"))
    if text.startswith(" (") and (match := _BEHIND.fullmatch(text)):
        return f"（{part(match[2], lang)}）"
    return _in_columns(text, lang) if _GAPS.search(text) else _joined(text, lang)


def _joined(text: str, lang: str) -> str:
    """`where: what; hint`, taken apart at the first place beside which something is known."""
    for join in _JOINS:
        for match in re.finditer(join, text):
            left, right = text[: match.start()], text[match.end() :]
            told = part(left, lang), part(right, lang)
            if told != (left, right):
                return joined(told[0], match[0], told[1])
    behind = _BEHIND.fullmatch(text)
    if behind is not None:
        told = part(behind[1], lang), part(behind[2], lang)
        if told != (behind[1], behind[2]):
            return f"{told[0]}（{told[1]}）"
    return text


def _in_columns(text: str, lang: str) -> str:
    """A line of a table: each cell in its own width."""
    cells = _GAPS.split(text)
    line = ""
    for cell, gap in zip(cells[::2], [*cells[1::2], ""], strict=True):
        told = part(cell, lang) if cell else ""
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
        return _filled(template.told, [part(value, self._lang) if value else "" for value in match.groups()])

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


def _filled(told: str, values: Sequence[str]) -> str:
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
