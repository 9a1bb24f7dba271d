"""What of each stream is here, and what is missing (I6): issued = stored + lost + still at the gateway."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ganpo_cloud.lives import picture
from ganpo_cloud.tables import event, frame, live, quarantine


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
    stored: dict[str, tuple[int, int]] = {}
    for table in (frame, quarantine):
        query = (
            select(table.c.stream, func.count(func.distinct(table.c.seq)), func.max(table.c.seq))
            .where((table.c.gateway == gateway) & table.c.stream.is_not(None))
            .group_by(table.c.stream)
        )
        for stream, number, highest in connection.execute(query):
            before = stored.get(stream, (0, 0))
            stored[stream] = (before[0] + number, max(before[1], highest))
    issued = {stream: highest for stream, (_, highest) in stored.items()}
    for stream, last in _told(connection, gateway):
        issued[stream] = max(last, issued.get(stream, 0))
    lost = _lost(connection, gateway)
    return [
        Stream(
            stream,
            issued[stream],
            stored.get(stream, (0, 0))[0],
            _uncovered(connection, gateway, stream, lost),
        )
        for stream in sorted(issued, reverse=True)
    ]


def _told(connection: Connection, gateway: str) -> Iterable[tuple[str, int]]:
    """Last numbers that were told: by the next `begun`, and by `live`."""
    begun = select(event.c.data).where((event.c.gateway == gateway) & (event.c.kind == "begun"))
    for (data,) in connection.execute(begun):
        told = json.loads(data)
        if isinstance(told.get("previous"), str) and isinstance(told.get("last_seq"), int):
            yield told["previous"], told["last_seq"]
    body = connection.execute(select(live.c.body).where(live.c.gateway == gateway)).scalar()
    if body is not None:
        said = picture(body)
        stream, issued = said.get("stream"), said.get("issued")
        if isinstance(stream, str) and isinstance(issued, int) and issued > 0:
            yield stream, issued


def _lost(connection: Connection, gateway: str) -> dict[str, list[tuple[int, int]]]:
    """The ranges that were declared lost, by stream."""
    found: dict[str, list[tuple[int, int]]] = {}
    query = select(event.c.data).where((event.c.gateway == gateway) & (event.c.kind == "loss"))
    for (data,) in connection.execute(query):
        told = json.loads(data)
        ranges = told.get("seqs") if isinstance(told.get("seqs"), list) else []
        for item in ranges:
            if isinstance(item, list) and len(item) == 2 and all(isinstance(n, int) for n in item):
                found.setdefault(str(told.get("stream")), []).append((item[0], item[1]))
    return found


def _uncovered(
    connection: Connection, gateway: str, stream: str, lost: dict[str, list[tuple[int, int]]]
) -> int:
    """How many numbers were declared lost and are not stored."""
    total, reached = 0, 0
    for first, last in sorted(lost.get(stream, [])):
        begin = max(first, reached + 1)
        if begin > last:
            continue
        reached = last
        mine = (frame.c.gateway == gateway) & (frame.c.stream == stream) & frame.c.seq.between(begin, last)
        here = connection.execute(select(func.count(func.distinct(frame.c.seq))).where(mine)).scalar_one()
        total += last - begin + 1 - here
    return total
