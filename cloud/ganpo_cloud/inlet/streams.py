"""What of each stream is here, and what is missing (I6): issued = stored + lost + still at the gateway."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import CompoundSelect, Connection, func, select

from ganpo_cloud.inlet.decode import MAX_SEQ
from ganpo_cloud.inlet.lives import picture
from ganpo_cloud.store.tables import event, frame, live, quarantine
from ganpo_model.facts import EventKind


@dataclass(frozen=True, slots=True)
class Stream:
    """Counts of one stream. `issued`: the largest number known; stored wins over lost."""

    stream: str
    issued: int
    stored: int
    lost: int

    @property
    def missing(self) -> int:
        """Issued, and neither stored nor declared lost: still at the gateway, or gone without a word."""
        return self.issued - self.stored - self.lost


def of_gateway(connection: Connection, gateway: str) -> list[Stream]:
    """The streams of a gateway, newest first."""
    stored: dict[str, int] = {}
    issued: dict[str, int] = {}
    mine = _stored(gateway).subquery()
    query = select(mine.c.stream, func.count(), func.max(mine.c.seq)).group_by(mine.c.stream)
    for stream, number, highest in connection.execute(query):
        stored[stream], issued[stream] = number, highest
    lost = _lost(connection, gateway)
    told = [*_told(connection, gateway), *((stream, ranges[-1][1]) for stream, ranges in lost.items())]
    for stream, last in told:
        issued[stream] = max(last, issued.get(stream, 0))
    return [
        Stream(
            stream,
            issued[stream],
            stored.get(stream, 0),
            _gone(connection, gateway, stream, lost.get(stream, [])),
        )
        for stream in sorted(issued, reverse=True)
    ]


def _stored(gateway: str) -> CompoundSelect[tuple[str, int]]:
    """(stream, seq) of every frame that is applied or quarantined, once each."""
    applied = select(frame.c.stream, frame.c.seq).where(frame.c.gateway == gateway)
    kept = select(quarantine.c.stream, quarantine.c.seq).where(
        (quarantine.c.gateway == gateway) & quarantine.c.stream.is_not(None)
    )
    return applied.union(kept)


def _told(connection: Connection, gateway: str) -> Iterable[tuple[str, int]]:
    """Last numbers that were told: by the next `begun`, and by `live`."""
    said = [
        (data.get("previous"), data.get("last_seq")) for data in _events(connection, gateway, EventKind.BEGUN)
    ]
    body = connection.execute(select(live.c.body).where(live.c.gateway == gateway)).scalar()
    if body is not None:
        heard = picture(body)
        said.append((heard.get("stream"), heard.get("issued")))
    for stream, last in said:
        if isinstance(stream, str) and _is_seq(last):
            yield stream, last


def _lost(connection: Connection, gateway: str) -> dict[str, list[tuple[int, int]]]:
    """The ranges that were declared lost, by stream: rising, without overlaps."""
    found: dict[str, list[tuple[int, int]]] = {}
    for data in _events(connection, gateway, EventKind.LOSS):
        ranges = data.get("seqs")
        for item in ranges if isinstance(ranges, list) else []:
            if isinstance(item, list) and len(item) == 2 and all(map(_is_seq, item)) and item[0] <= item[1]:
                found.setdefault(str(data.get("stream")), []).append((item[0], item[1]))
    for stream, ranges in found.items():
        apart: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            begin = max(first, apart[-1][1] + 1) if apart else first
            if begin <= last:
                apart.append((begin, last))
        found[stream] = apart
    return found


def _gone(connection: Connection, gateway: str, stream: str, lost: Sequence[tuple[int, int]]) -> int:
    """How many numbers were declared lost and are not stored."""
    mine = _stored(gateway).subquery()
    total = 0
    for first, last in lost:
        here = (mine.c.stream == stream) & mine.c.seq.between(first, last)
        stored = connection.execute(select(func.count()).select_from(mine).where(here)).scalar_one()
        total += last - first + 1 - stored
    return total


def _events(connection: Connection, gateway: str, kind: EventKind) -> list[dict[str, Any]]:
    mine = (event.c.gateway == gateway) & (event.c.kind == str(kind))
    return [json.loads(data) for data in connection.execute(select(event.c.data).where(mine)).scalars()]


def _is_seq(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 < value < MAX_SEQ
