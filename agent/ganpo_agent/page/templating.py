"""The Jinja environments of the page, one a language. Imported when somebody asks for the page: a gateway that nobody
looks at does without."""

from collections.abc import Callable
from functools import cache, partial
from inspect import signature
from typing import Any
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from ganpo_agent.page import shown
from ganpo_model import reference
from ganpo_service import words
from ganpo_service.pages import spoken

SIGNS = {
    "zh": {"comma": "，", "semi": "；", "opening": "（", "closing": "）"},
    "en": {"comma": ", ", "semi": "; ", "opening": " (", "closing": ")"},
}
"""Between pieces that are told by themselves."""
_SHOWN = (shown.value, shown.exact, shown.unit, shown.size, shown.short, shown.ms, shown.lane, shown.level)
_SAID = (shown.state, shown.protocol, shown.place, shown.seen)
_SPOKEN = (spoken.age, spoken.instant, spoken.minute, spoken.clock)


@cache
def environment(lang: str) -> Environment:
    """The templates in a language."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader("ganpo_agent.page"), PackageLoader("ganpo_service", "pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        lang=lang,
        **SIGNS[lang],
        t=partial(words.filled, lang),
        tell=partial(words.tell, lang=lang),
        most=shown.NEEDS,
        few=shown.NAMED,
        machines_shown=shown.MACHINES,
        meters_shown=shown.METERS,
    )
    made.globals["words"] = made.get_template("words.html").module
    filters: tuple[Callable[..., Any], ...] = (
        *_SHOWN,
        *_SAID,
        *_SPOKEN,
        ago,
        begun,
        passed,
        signal,
        host,
        signed,
        down_for,
    )
    for of in filters:
        made.filters[of.__name__] = partial(of, lang=lang) if "lang" in signature(of).parameters else of
    made.tests["alarming"] = lambda one: shown.level(one) == "alarm"
    made.tests["faulty"] = shown.is_faulty
    made.tests["troubled"] = lambda one: shown.level(one) != "ok"
    return made


def passed(seconds: float | None, lang: str) -> str:
    """An age of an answer: below a minute in seconds, with a tenth below ten."""
    if seconds is None or seconds < 60:
        return shown.short(seconds, lang)
    return spoken.age(round(seconds * 1000), lang)


def ago(at: str | None, now: int, lang: str) -> str:
    """How long before `now` an instant of an answer was; a dash where it never was."""
    return passed(None if at is None else (now - shown.ms(at)) / 1000, lang)


def begun(at: str, today: tuple[int, int], zone: str) -> str:
    """When something began: of today the time alone."""
    ms = shown.ms(at)
    return spoken.clock(ms, zone) if ms >= today[0] else spoken.minute(ms, zone)


def signal(number: str, lang: str) -> str:
    """What a register means, by name; its id where no table knows it."""
    found = reference.signals().get(number)
    return number if found is None else found.name_zh if lang == "zh" else found.name_en


def host(url: str) -> str:
    """Where a broker is, without how it is spoken to."""
    return urlsplit(url).netloc or url


def signed(number: int) -> str:
    """+12, −3."""
    return f"{number:+,}".replace("-", "−")


def down_for(connection: shown.Answer, now: int) -> int:
    """How long nothing was heard of a connection, in ms."""
    at = connection["last_answer"] or connection["since"]
    return now - shown.ms(at) if at else 0
