"""Gateways, machines and meters as they are now, and when gateways came and went."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection, select

from ganpo_cloud.days import observed
from ganpo_cloud.days.observed import Subject
from ganpo_cloud.inlet.gateways import Gateway, known_gateways
from ganpo_cloud.province import lists
from ganpo_cloud.store.described import Instant, answer, filled, said
from ganpo_cloud.store.tables import gateway, quarantine, transition
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import MOST_ROWS, Asked, Question, asks, named
from ganpo_cloud.web.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPlace(Asked):
    """Where; gateways are known as they are now."""

    area: Annotated[str | None, asks("id of an area; absent: the province", "360100", max_length=40)] = None
    industry: Annotated[str | None, asks("id of an industry; absent: all", "NONFERROUS", max_length=40)] = (
        None
    )
    tag: Annotated[
        str | None, asks("only what this tag marks; absent: everything", "green_factory", max_length=40)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfGateway(Asked):
    """One gateway."""

    number: Annotated[str, named("id of a gateway", "gw-nc-0007", alias="id")]
    limit: Annotated[int, asks("so many rows at most", 1000, ge=1, le=MOST_ROWS)] = 1000


@answer
class Transition:
    """A gateway went online or offline."""

    at: Instant = said("when it went online or offline", "2026-11-25T02:15:00.000Z")
    online: bool = said("whether it was online from then on", True)


def gateways(connection: Connection, question: Question, _asked: OfPlace) -> list[Gateway]:
    """All gateways, with what is missing of them; of a place or an industry those of its enterprises."""
    found = known_gateways(connection, question.now)
    if question.area == question.province.whole and question.industry is None and question.tag is None:
        return found
    codes = lists.codes(question.province, marked.wanted(connection, question))
    here = set(connection.execute(codes).scalars())
    return [row for row in found if row.enterprise in here]


def transitions(connection: Connection, _question: Question, asked: OfGateway) -> list[Transition]:
    """Every time a gateway went online or offline, the newest first."""
    named = select(gateway.c.id).where(gateway.c.id == asked.number)
    waits = select(quarantine.c.gateway).where(quarantine.c.gateway == asked.number)
    if connection.execute(named.union(waits)).first() is None:
        raise Refused(404, "gateway", "no such gateway", "id", "GET /api/v1/gateways")
    mine = select(transition).where(transition.c.gateway == asked.number).order_by(transition.c.at.desc())
    return [filled(Transition, row) for row in connection.execute(mine.limit(asked.limit))]


def subjects(connection: Connection, question: Question, _asked: Asked) -> list[Subject]:
    """All subjects, with state or registers now."""
    return observed.subjects(connection, question.now)
