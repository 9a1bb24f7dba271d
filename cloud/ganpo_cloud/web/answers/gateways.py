"""Gateways: whether they speak, what is missing of them, and when they came and went."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query
from sqlalchemy import Connection, select

from ganpo_cloud.store.tables import transition
from ganpo_cloud.web import views
from ganpo_cloud.web.answers.fields import Instant, filled, said
from ganpo_cloud.web.asking import MOST_ROWS, TEXT, Asked, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class OfGateway(Asked):
    """One gateway."""

    number: Annotated[
        str,
        Path(alias="id", max_length=80, pattern=TEXT, description="id of a gateway", examples=["gw-nc-0007"]),
    ]
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="so many rows at most", examples=[1000])] = (
        1000
    )


@dataclass(frozen=True, slots=True)
class Stream:
    """One run of an agent: issued = stored + missing + lost."""

    stream: Annotated[str, said("ULID", "01HF7YAT00V3RS3DTR98H6BCFN")]
    issued: Annotated[int, said("largest number known", 1842)]
    stored: Annotated[int, said("applied or quarantined", 1840)]
    missing: Annotated[int, said("neither stored nor declared lost", 0)]
    lost: Annotated[int, said("declared lost", 2)]


@dataclass(frozen=True, slots=True)
class Clone:
    """What one box cannot have sent."""

    kind: Annotated[
        str,
        said(
            "contents: one number came with two; beyond: frames behind the end that the next run tells;"
            " runs: two follow the same one",
            "runs",
        ),
    ]
    stream: Annotated[str, said("of the frames, or which both follow", "01JDN0Q7S0ABCDEFGHJKMNPQRS")]
    seq: Annotated[int, said("number of the frame, or of the last one before they part", 1842)]
    since: Annotated[Instant, said("when the second was stored", "2026-11-25T02:15:00.000Z")]
    both: Annotated[bool, said("both still send; else a disk was set back or copied once", True)]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway, registered or waiting for it."""

    id: Annotated[str, said("its name at the broker", "gw-nc-0007")]
    enterprise: Annotated[str | None, said("null until it is registered", "91360000625912173B")]
    site: Annotated[str | None, said("null until it is registered", "plant-1")]
    online: Annotated[bool, said("it spoke within three of its intervals", True)]
    since: Annotated[
        Instant | None, said("last change between online and offline", "2026-11-25T01:00:00.000Z")
    ]
    last_word: Annotated[Instant | None, said("last heard", "2026-11-25T02:15:00.000Z")]
    streams: Annotated[list[Stream], said("newest first")]
    quarantined: Annotated[int, said("frames kept as they came", 0)]
    quarantine_reason: Annotated[str | None, said("of the last one", "time: in 1970")]
    quarantine_reasons: Annotated[dict[str, int], said("frames by reason", {"time": 12})]
    quarantine_dropped: Annotated[int, said("frames that a full quarantine gave up", 0)]
    clock_off_ms: Annotated[
        int | None, said("its clock minus ours as it said last; null where it did not", -120)
    ]
    clones: Annotated[list[Clone], said("what speaks for a second box with this id, newest first")]


@dataclass(frozen=True, slots=True)
class Transition:
    """A gateway went online or offline."""

    at: Annotated[Instant, said("when", "2026-11-25T02:15:00.000Z")]
    online: Annotated[bool, said("what it was from then on", True)]


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
