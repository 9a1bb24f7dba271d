"""The Jinja environments of the pages, one a language: words by gettext, and a filter for everything that is written
for people. Models hold values; templates say how they read."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from inspect import signature
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ganpo_cloud.web import i18n
from ganpo_cloud.web.pages import figures, numbers, words

ECHARTS = "vendor/echarts.min.js"
FILTERS: Mapping[str, Callable[..., str]] = {
    "count": numbers.count,
    "rate": numbers.rate,
    "percent": numbers.percent,
    "ratio": numbers.ratio,
    "share": numbers.share,
    "quantity": numbers.quantity,
    "exact": numbers.exact,
    "decimals": numbers.decimals,
    "points": numbers.points,
    "signed": numbers.signed,
    "names": numbers.names,
    "unit": numbers.unit,
    "month": numbers.month,
    "period": numbers.period,
    "day": numbers.day,
    "minute": i18n.minute,
    "clock": i18n.clock,
    "instant": i18n.instant,
    "age": i18n.age,
    "shown": figures.shown,
    "carrier": words.carrier,
}
"""Each takes a value, `None` where nobody knows it, and is one function of `numbers` or `i18n`, in the language of its
environment: `{{ row.checked | rate(row.main, goal) }}`."""


def environments(*, exposed: bool) -> Mapping[str, Environment]:
    """The templates of all pages by language; `exposed` shows that anybody may read."""
    return {lang: _environment(lang, exposed=exposed) for lang in i18n.LANGUAGES}


def _environment(lang: str, *, exposed: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("ganpo_cloud.web"),
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

    environment.globals.update(
        gettext=gettext,
        ngettext=i18n.translations(lang).ngettext,
        css=files("ganpo_cloud.web").joinpath("static", "page.css").read_text(encoding="utf-8"),
        exposed=exposed,
        words=words,
        charts_installed=files("ganpo_cloud.web").joinpath("static", ECHARTS).is_file(),
        lang=lang,
    )
    environment.filters.update({name: _spoken(filter_, lang) for name, filter_ in FILTERS.items()})
    return environment


def _spoken(filter_: Callable[..., str], lang: str) -> Callable[..., Any]:
    return partial(filter_, lang=lang) if "lang" in signature(filter_).parameters else filter_
