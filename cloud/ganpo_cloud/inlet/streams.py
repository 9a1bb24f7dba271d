"""What of each stream is here, and what is missing (I6): issued = stored + lost + still at the gateway."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import Connection, func, select

from ganpo_cloud.inlet.decode import MAX_SEQ
from ganpo_cloud.store.tables import event, frame, quarantine
from ganpo_model.facts import EventKind

_Name = tuple[str, str]
"""Gateway and stream."""
_Said = tuple[str, str, dict[str, Any]]
"""An event: gateway, kind and data."""


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


def of_gateways(
    connection: Connection, gateways: Sequence[str], said: Mapping[str, Mapping[str, object]]
) -> dict[str, list[Stream]]:
    """The streams of gateways, newest first. `said`: what each told of itself last."""
    stored: dict[_Name, int] = {}
    issued: dict[_Name, int] = {}
    # A frame that is applied and quarantined is stored once; both are counted from an index alone.
    applied = select(
        frame.c.gateway, frame.c.stream, func.count(frame.c.seq.distinct()), func.max(frame.c.seq)
    )
    here = (frame.c.gateway == quarantine.c.gateway) & (frame.c.stream == quarantine.c.stream)
    twice = select(frame.c.id).where(here & (frame.c.seq == quarantine.c.seq)).exists()
    kept = select(
        quarantine.c.gateway,
        quarantine.c.stream,
        func.count(quarantine.c.seq.distinct()),
        func.max(quarantine.c.seq),
    )
    for query in (
        applied.where(frame.c.gateway.in_(gateways)).group_by(frame.c.gateway, frame.c.stream),
        kept.where(quarantine.c.gateway.in_(gateways) & quarantine.c.stream.is_not(None) & ~twice).group_by(
            quarantine.c.gateway, quarantine.c.stream
        ),
    ):
        for gateway, stream, number, highest in connection.execute(query):
            name = gateway, stream
            stored[name] = stored.get(name, 0) + number
            issued[name] = max(highest, issued.get(name, 0))
    events = _events(connection, gateways)
    lost = _lost(events)
    for name, last in [*_told(events, said), *((name, ranges[-1][1]) for name, ranges in lost.items())]:
        issued[name] = max(last, issued.get(name, 0))
    found: dict[str, list[Stream]] = {}
    for name in sorted(issued, reverse=True):
        gone = _gone(connection, name, lost[name]) if name in lost else 0
        found.setdefault(name[0], []).append(Stream(name[1], issued[name], stored.get(name, 0), gone))
    return found


def _told(events: Sequence[_Said], said: Mapping[str, Mapping[str, object]]) -> Iterable[tuple[_Name, int]]:
    """Last numbers that were told: by the next `begun`, and by `live`."""
    told = [
        (gateway, data.get("previous"), data.get("last_seq"))
        for gateway, kind, data in events
        if kind == EventKind.BEGUN
    ]
    told += [(gateway, live.get("stream"), live.get("issued")) for gateway, live in said.items()]
    for gateway, stream, last in told:
        if isinstance(stream, str) and _is_seq(last):
            yield (gateway, stream), last


def _lost(events: Sequence[_Said]) -> dict[_Name, list[tuple[int, int]]]:
    """The ranges that were declared lost, by stream: rising, without overlaps."""
    found: dict[_Name, list[tuple[int, int]]] = {}
    for gateway, kind, data in events:
        ranges = data.get("seqs") if kind == EventKind.LOSS else None
        for item in ranges if isinstance(ranges, list) else []:
            if isinstance(item, list) and len(item) == 2 and all(map(_is_seq, item)) and item[0] <= item[1]:
                found.setdefault((gateway, str(data.get("stream"))), []).append((item[0], item[1]))
    for name, ranges in found.items():
        apart: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            begin = max(first, apart[-1][1] + 1) if apart else first
            if begin <= last:
                apart.append((begin, last))
        found[name] = apart
    return found


def _gone(connection: Connection, name: _Name, lost: Sequence[tuple[int, int]]) -> int:
    """How many numbers were declared lost and are not stored."""
    numbers = []
    for table in (frame, quarantine):
        mine = (table.c.gateway == name[0]) & (table.c.stream == name[1])
        numbers.append(select(table.c.seq).where(mine & table.c.seq.between(lost[0][0], lost[-1][1])))
    stored = list(connection.execute(numbers[0].union(numbers[1]).order_by("seq")).scalars())
    return sum(
        last - first + 1 - (bisect_right(stored, last) - bisect_left(stored, first)) for first, last in lost
    )


def _events(connection: Connection, gateways: Sequence[str]) -> list[_Said]:
    mine = event.c.gateway.in_(gateways) & event.c.kind.in_([str(EventKind.BEGUN), str(EventKind.LOSS)])
    query = select(event.c.gateway, event.c.kind, event.c.data).where(mine)
    return [(gateway, kind, json.loads(data)) for gateway, kind, data in connection.execute(query)]


def _is_seq(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 < value < MAX_SEQ
