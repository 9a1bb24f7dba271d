"""The Jinja environments of the pages, one a language: words by gettext, and a filter for everything that is written
for people. Models hold values; templates say how they read."""

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.resources import files
from inspect import isfunction, signature
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ganpo_cloud.days import reasons
from ganpo_cloud.province import ranking
from ganpo_cloud.web import i18n
from ganpo_cloud.web.exports import heads
from ganpo_cloud.web.pages import figures, numbers
from ganpo_cloud.web.pages.terms import terms
from ganpo_model import coverage
from ganpo_service import words
from ganpo_service.english import agreed
from ganpo_service.pages import SHARED, spoken

ECHARTS = "vendor/echarts.min.js"
FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: of for name, of in vars(numbers).items() if isfunction(of) and not name.startswith("_")},
    **{of.__name__: of for of in (spoken.minute, spoken.clock, spoken.instant, spoken.age, figures.shown)},
}
"""Every function of `numbers`, and those of `spoken` that tell a time: each takes a value, `None` where nobody knows
it, in the language of its environment: `{{ row.checked | rate(row.main, goal) }}`."""


@cache
def environments(*, exposed: bool) -> Mapping[str, Environment]:
    """The templates of all pages by language; `exposed` shows that anybody may read."""
    return {lang: _environment(lang, exposed=exposed) for lang in words.LANGUAGES}


def _environment(lang: str, *, exposed: bool) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("ganpo_cloud.web"), PackageLoader("ganpo_service", "pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    text = i18n.translations(lang).gettext

    def gettext(message: str, /, **values: object) -> Markup:
        """A text with what it is given: marked where that is marked, escaped otherwise."""
        return escape(text(message)).format(**values) if values else escape(text(message))

    static = files("ganpo_cloud.web").joinpath("static")
    environment.globals.update(
        gettext=gettext,
        ngettext=i18n.translations(lang).ngettext,
        css=SHARED.joinpath("base.css").read_text(encoding="utf-8")
        + static.joinpath("page.css").read_text(encoding="utf-8"),
        exposed=exposed,
        charts_installed=static.joinpath(ECHARTS).is_file(),
        lang=lang,
        STATUS=reasons.STATUS,
        REASONS=reasons.REASONS,
        STEPS=reasons.STEPS,
        Figures=figures.Figures,
        MEASURES=coverage.MEASURES,
        ENTERPRISES=coverage.ENTERPRISES,
        RANKED_FROM=ranking.RANKED_FROM,
        HEADS=heads.HEADS,
    )
    environment.globals["words"] = environment.get_template("words.html").module
    environment.tests.update(ranked=ranking.ranked, falling=ranking.falling, rising=ranking.rising)
    environment.filters["from_json"] = json.loads

    def told(html: str) -> Markup:
        """A page as it is read: of one in the singular, and its words with their links."""
        return Markup(terms(agreed(str(html)) if lang == "en" else str(html), lang))  # noqa: S704 - our own templates

    environment.filters["terms"] = told
    for name, of in FILTERS.items():
        translated = "lang" in signature(of).parameters
        environment.filters[name] = partial(of, lang=lang) if translated else of
    return environment
