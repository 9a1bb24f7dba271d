"""Under which conditions an export was made, in words: place, instant, filters."""

from dataclasses import fields
from typing import Any

from ganpo_cloud.web.asking import Question
from ganpo_cloud.web.exports.heads import HEADS
from ganpo_cloud.web.exports.people import Names
from ganpo_model.clock import to_ms
from ganpo_service.pages import spoken

_SAID = ("area", "industry", "as_of")


_CALLED = {"number": "id"}
"""What is called otherwise where it is asked for."""


def conditions(question: Question, asked: Any, names: Names, whole: int | None) -> list[tuple[str, str]]:
    """What was asked for; what is at its default but place and instant is left out. `whole`: how many rows there are,
    of a list that comes in pages."""
    at = question.at or question.now
    found = [
        (names.t("area"), f"{names.area(question.area)} {question.area}"),
        (
            names.t("industry"),
            names.industry(question.industry) if question.industry else names.t("all industries"),
        ),
        (names.t("as of"), f"{spoken.instant(to_ms(at), names.lang)} ({names.t('Beijing time')})"),
    ]
    for field in fields(asked):
        value = getattr(asked, field.name)
        if field.name not in _SAID and value not in (None, "", field.default):
            name = _CALLED.get(field.name, field.name)
            found.append((names.t(HEADS.get(name, name)), str(value)))
    if whole is not None and whole > asked.limit:
        found.append((names.t("rows of the whole list, here a part of them"), str(whole)))
    return found
