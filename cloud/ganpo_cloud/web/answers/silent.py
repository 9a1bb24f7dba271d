"""Enterprises that have gone silent."""

import datetime
from dataclasses import dataclass
from typing import Annotated, Literal

from sqlalchemy import Connection

from ganpo_cloud.days.reasons import Reason
from ganpo_cloud.province import lists, silence
from ganpo_cloud.store.described import Code, Instant, Listing, answer, said, unsaid
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import Listed, Question, asks
from ganpo_cloud.web.i18n import translator
from ganpo_model.activity import Age


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet(Listed):
    """Enterprises of one age."""

    age: Annotated[
        Literal["silent", "gone"],
        asks("silent: nothing Good for 7 planned and 14 calendar days; gone: for 90 days", "silent"),
    ] = "silent"


@answer
class Silent:
    """An enterprise that was in the cloud, and of none of whose devices anything is seen."""

    code: Code
    name: str = said("name of the enterprise", "江西铜业")
    area: str = said("its statistical home", "360681")
    industry: str = said("industry of the enterprise", "NONFERROUS")
    devices: int = said("its devices that were in the cloud and are not retired", 3, adds=True)
    last_good: datetime.date | None = said(
        "the last day on which one of them was seen; null: not within 180 days", "2026-10-24"
    )
    days: int | None = said("how many days ago that was", 35)
    last_word: Instant | None = said(
        "when anything of its gateways came last; null: never, or asked for a past day",
        "2026-10-24T16:05:00.000Z",
    )
    agent_said: str | None = said(
        "what its gateway said last that was the matter; else that the gateway is away; to programs in English",
        "SB-0141: it does not answer: no answer",
        told="reason",
    )
    agent_said_at: Instant | None = said(
        "when that was; null where it is not known", "2026-10-24T15:00:00.000Z"
    )
    reason: Reason | None = unsaid()


def silent(connection: Connection, question: Question, asked: Quiet) -> Listing[Silent]:
    """Enterprises that have gone silent, the longest first: since when, and what was heard of them last."""
    wanted = marked.wanted(connection, question, asked.text)
    query = silence.enterprises(question.province, wanted, Age(asked.age))
    rows, total = lists.page(connection, query, asked.limit, asked.page)
    words = {}
    if question.past is None:  # what was heard is known of now alone
        words = silence.words(connection, [row.enterprise for row in rows])
    english, found = translator("en"), []
    for row in rows:
        at, last = words.get(row.enterprise, silence.Word(None, None))
        found.append(
            Silent(
                row.enterprise,
                row.name,
                row.area,
                row.industry,
                row.devices,
                row.last_good,
                (question.day - row.last_good).days if row.last_good else None,
                at,
                last.told(english) if last else None,
                last.since if last else None,
                last,
            )
        )
    return Listing(found, total)
