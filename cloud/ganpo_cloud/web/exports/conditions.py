"""Under which conditions an export was made, in words: place, instant, filters."""

from dataclasses import fields
from typing import Any

from ganpo_cloud.web.asking import Question
from ganpo_cloud.web.exports.heads import HEADS
from ganpo_cloud.web.exports.people import Names
from ganpo_model.clock import to_ms
from ganpo_service.pages import spoken

_SAID = ("area", "industry", "as_of")


def conditions(question: Question, asked: Any, names: Names) -> list[tuple[str, str]]:
    """What was asked for; what is at its default but place and instant is left out."""
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
            found.append((names.t(HEADS.get(field.name, field.name)), str(value)))
    return found
