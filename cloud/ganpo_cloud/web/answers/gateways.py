"""Gateways: whether they speak, what is missing of them, and when they came and went."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection, select

from ganpo_cloud.store.tables import transition
from ganpo_cloud.web import views
from ganpo_cloud.web.answers.fields import Instant, answer, filled, said
from ganpo_cloud.web.asking import MOST_ROWS, Asked, Question, asks, named


@dataclass(frozen=True, slots=True, kw_only=True)
class OfGateway(Asked):
    """One gateway."""

    number: Annotated[str, named("id of a gateway", "gw-nc-0007", alias="id")]
    limit: Annotated[int, asks("so many rows at most", 1000, ge=1, le=MOST_ROWS)] = 1000


@answer
class Stream:
    """One run of an agent: issued = stored + missing + lost."""

    stream: str = said("ULID", "01HF7YAT00V3RS3DTR98H6BCFN")
    issued: int = said("largest number known", 1842)
    stored: int = said("applied or quarantined", 1840)
    missing: int = said("neither stored nor declared lost", 0)
    lost: int = said("declared lost", 2)


@answer
class Clone:
    """What one box cannot have sent."""

    kind: str = said(
        "contents: one number came with two; beyond: frames behind the end that the next run tells;"
        " runs: two follow the same one",
        "runs",
    )
    stream: str = said("of the frames, or which both follow", "01JDN0Q7S0ABCDEFGHJKMNPQRS")
    seq: int = said("number of the frame, or of the last one before they part", 1842)
    since: Instant = said("when the second was stored", "2026-11-25T02:15:00.000Z")
    both: bool = said("both still send; else a disk was set back or copied once", True)


@answer
class Gateway:
    """A gateway, registered or waiting for it."""

    id: str = said("its name at the broker", "gw-nc-0007")
    enterprise: str | None = said("null until it is registered", "91360000625912173B")
    site: str | None = said("null until it is registered", "plant-1")
    online: bool = said("it spoke within three of its intervals", True)
    since: Instant | None = said("last change between online and offline", "2026-11-25T01:00:00.000Z")
    last_word: Instant | None = said("last heard", "2026-11-25T02:15:00.000Z")
    streams: list[Stream] = said("newest first")
    quarantined: int = said("frames kept as they came", 0)
    quarantine_reason: str | None = said("of the last one", "time: in 1970")
    quarantine_reasons: dict[str, int] = said("frames by reason", {"time": 12})
    quarantine_dropped: int = said("frames that a full quarantine gave up", 0)
    clock_off_ms: int | None = said("its clock minus ours as it said last; null where it did not", -120)
    clones: list[Clone] = said("what speaks for a second box with this id, newest first")


@answer
class Transition:
    """A gateway went online or offline."""

    at: Instant = said("when", "2026-11-25T02:15:00.000Z")
    online: bool = said("what it was from then on", True)


def gateways(connection: Connection, question: Question, _asked: Asked) -> list[Gateway]:
    """All gateways, with what is missing of them."""
    return [_gateway(view) for view in views.gateways(connection, question.now)]


def transitions(connection: Connection, _question: Question, asked: OfGateway) -> list[Transition]:
    """Every time a gateway went online or offline, the newest first."""
    mine = select(transition).where(transition.c.gateway == asked.number).order_by(transition.c.at.desc())
    return [filled(Transition, row) for row in connection.execute(mine.limit(asked.limit))]


def _gateway(view: views.GatewayView) -> Gateway:
    return filled(
        Gateway,
        view,
        streams=[filled(Stream, stream) for stream in view.streams],
        quarantine_reason=f"{view.kept[0].reason}: {view.kept[0].detail}" if view.kept else None,
        quarantine_reasons={kept.reason: kept.frames for kept in view.kept},
        clock_off_ms=view.said.get("clock_off_ms"),
        clones=[filled(Clone, clone) for clone in view.clones],
    )
