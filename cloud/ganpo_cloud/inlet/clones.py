"""What one box cannot have sent: the id, the card or the image of a gateway is in use twice (uplink.md, Stream).

Worked out from the stored frames and events whenever somebody looks. Numbers need nothing: every frame is stored once,
whichever box it came from.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, select

from ganpo_cloud.store.tables import event, frame
from ganpo_model.clock import DAY_MS
from ganpo_model.facts import EventKind


@dataclass(frozen=True, slots=True)
class Clone:
    """`kind`: `contents` (one number came with two), `beyond` (frames behind what the next run says was the last),
    `runs` (two follow the same one). `since`: ms, when the second was stored. `both`: both branches still send, else
    the disk was set back or copied once."""

    kind: str
    stream: str
    seq: int
    since: int
    both: bool


_NOTHING = (0, 0)
"""Number and time of the last frame where none is stored."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that began: of which stream, after which, and when that was stored."""

    stream: str
    last_seq: int
    at: int


def of_gateways(connection: Connection, gateways: Sequence[str], now_ms: int) -> dict[str, list[Clone]]:
    """What speaks for a second box under each of these ids, newest first: of the last day, and as long as both send."""
    after = _runs(connection, gateways)
    ends = _ends(connection, after)
    found = _contents(connection, gateways)
    for gateway, streams in after.items():
        for stream, runs in streams.items():
            found[gateway] += _branches(stream, runs, streams, ends.get(gateway, {}), now_ms)
    return {
        gateway: sorted(
            (clone for clone in clones if clone.both or now_ms - clone.since < DAY_MS),
            key=lambda clone: clone.since,
            reverse=True,
        )
        for gateway, clones in found.items()
    }


def _contents(connection: Connection, gateways: Sequence[str]) -> defaultdict[str, list[Clone]]:
    """The newest number of each stream that came with two contents."""
    key = (frame.c.gateway, frame.c.stream, frame.c.seq)
    twice = select(*key).where(frame.c.gateway.in_(gateways)).group_by(*key).having(func.count() > 1)
    names = twice.subquery()
    same = and_(*(column == names.c[column.name] for column in key))
    query = select(*key, func.max(frame.c.committed_at)).join(names, same).group_by(*key).order_by(key[2])
    newest = {(row[0], row[1]): row for row in connection.execute(query)}
    found: defaultdict[str, list[Clone]] = defaultdict(list)
    for gateway, stream, seq, at in newest.values():
        found[gateway].append(Clone("contents", stream, seq, at, both=False))
    return found


def _runs(connection: Connection, gateways: Sequence[str]) -> Mapping[str, Mapping[str, Sequence[_Run]]]:
    """By gateway what followed each stream, as the next run told it."""
    query = (
        select(frame.c.gateway, frame.c.stream, frame.c.committed_at, event.c.data)
        .join(frame, frame.c.id == event.c.frame)
        .where(event.c.gateway.in_(gateways) & (event.c.kind == str(EventKind.BEGUN)))
        .order_by(frame.c.committed_at, frame.c.id)
    )
    found: dict[str, dict[str, dict[str, _Run]]] = {}
    for row in connection.execute(query):
        data: dict[str, Any] = json.loads(row.data)
        previous, last = data.get("previous"), data.get("last_seq")
        if isinstance(previous, str) and isinstance(last, int):
            runs = found.setdefault(row.gateway, {}).setdefault(previous, {})
            runs.setdefault(row.stream, _Run(row.stream, last, row.committed_at))
    return {
        gateway: {stream: list(runs.values()) for stream, runs in streams.items()}
        for gateway, streams in found.items()
    }


def _ends(
    connection: Connection, after: Mapping[str, Mapping[str, Sequence[_Run]]]
) -> dict[str, dict[str, tuple[int, int]]]:
    """By gateway and stream the largest number that is stored, and when it was."""
    newest = select(frame.c.gateway, frame.c.stream, func.max(frame.c.seq).label("seq"))
    newest = newest.where(frame.c.gateway.in_(list(after))).group_by(frame.c.gateway, frame.c.stream)
    last = newest.subquery()
    same = (
        (frame.c.gateway == last.c.gateway) & (frame.c.stream == last.c.stream) & (frame.c.seq == last.c.seq)
    )
    found: dict[str, dict[str, tuple[int, int]]] = {}
    query = select(frame.c.gateway, frame.c.stream, frame.c.seq, frame.c.committed_at)
    for gateway, stream, seq, at in connection.execute(query.join(last, same)) if after else ():
        found.setdefault(gateway, {})[stream] = (seq, at)
    return found


def _branches(
    stream: str,
    runs: Sequence[_Run],
    after: Mapping[str, Sequence[_Run]],
    ends: Mapping[str, tuple[int, int]],
    now_ms: int,
) -> Iterator[Clone]:
    """Where more than one thing follows a stream: its own frames behind the end it was told to have, or two runs."""
    alive = [
        now_ms - max(ends.get(name, _NOTHING)[1] for name in _line(run.stream, after)) < DAY_MS
        for run in runs
    ]
    seq, at = ends.get(stream, _NOTHING)
    if seq > min(run.last_seq for run in runs):
        both = any(alive) and now_ms - at < DAY_MS and at > min(run.at for run in runs)
        yield Clone("beyond", stream, seq, max(at, min(run.at for run in runs)), both)
    if len(runs) > 1:
        yield Clone("runs", stream, min(run.last_seq for run in runs), runs[1].at, sum(alive) > 1)


def _line(stream: str, after: Mapping[str, Sequence[_Run]]) -> Iterator[str]:
    """A stream and everything that followed it; a circle, which no honest box tells, ends."""
    seen: set[str] = set()
    waiting = [stream]
    while waiting:
        if (name := waiting.pop()) not in seen:
            seen.add(name)
            yield name
            waiting += [run.stream for run in after.get(name, ())]
