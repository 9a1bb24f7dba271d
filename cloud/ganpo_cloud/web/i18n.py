"""Words in both languages: gettext catalogues, read from their `.po` files at start."""

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Protocol

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from ganpo_service.words import LANGUAGES


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


class Translator(Protocol):
    """A text in a language, its `{names}` filled with what it is given."""

    def __call__(self, message: str, /, **values: object) -> str: ...


def translator(lang: str) -> Translator:
    """`gettext` of a language: `t("{n} rows", n=3)`; without values the text as it is."""
    gettext = translations(lang).gettext

    def text(message: str, /, **values: object) -> str:
        found = gettext(message)
        return found.format(**values) if values else found

    return text
