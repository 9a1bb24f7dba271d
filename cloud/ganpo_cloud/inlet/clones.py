"""What one box cannot have sent: the id, the card or the image of a gateway is in use twice (uplink.md, Stream).

Worked out from the stored frames and events whenever somebody looks. Numbers need nothing: every frame is stored once,
whichever box it came from.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

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


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that began: of which stream, after which, and when that was stored."""

    stream: str
    last_seq: int
    at: int


def of_gateway(connection: Connection, gateway: str, now_ms: int) -> list[Clone]:
    """What speaks for a second box under this id, newest first: of the last day, and as long as both send."""
    found = [*_contents(connection, gateway)]
    after = _runs(connection, gateway)
    for stream, runs in after.items():
        found += _branches(connection, gateway, stream, runs, after, now_ms)
    shown = [clone for clone in found if clone.both or now_ms - clone.since < DAY_MS]
    return sorted(shown, key=lambda clone: clone.since, reverse=True)


def _contents(connection: Connection, gateway: str) -> Iterator[Clone]:
    """The newest number of each stream that came with two contents."""
    twice = (
        select(frame.c.stream, frame.c.seq)
        .where(frame.c.gateway == gateway)
        .group_by(frame.c.stream, frame.c.seq)
        .having(func.count() > 1)
        .subquery()
    )
    newest = select(twice.c.stream, func.max(twice.c.seq)).group_by(twice.c.stream)
    for stream, seq in connection.execute(newest).all():
        mine = (frame.c.gateway == gateway) & (frame.c.stream == stream) & (frame.c.seq == seq)
        at = connection.execute(select(func.max(frame.c.committed_at)).where(mine)).scalar_one()
        yield Clone("contents", stream, seq, at, both=False)


def _runs(connection: Connection, gateway: str) -> Mapping[str, Sequence[_Run]]:
    """What followed each stream, as the next run told it."""
    query = (
        select(frame.c.stream, frame.c.committed_at, event.c.data)
        .join(frame, frame.c.id == event.c.frame)
        .where((event.c.gateway == gateway) & (event.c.kind == str(EventKind.BEGUN)))
        .order_by(frame.c.committed_at, frame.c.id)
    )
    found: dict[str, dict[str, _Run]] = defaultdict(dict)
    for row in connection.execute(query):
        data: dict[str, Any] = json.loads(row.data)
        previous, last = data.get("previous"), data.get("last_seq")
        if isinstance(previous, str) and isinstance(last, int):
            found[previous].setdefault(row.stream, _Run(row.stream, last, row.committed_at))
    return {stream: list(runs.values()) for stream, runs in found.items()}


def _branches(
    connection: Connection,
    gateway: str,
    stream: str,
    runs: Sequence[_Run],
    after: Mapping[str, Sequence[_Run]],
    now_ms: int,
) -> Iterator[Clone]:
    """Where more than one thing follows a stream: its own frames behind the end it was told to have, or two runs."""
    alive = [
        now_ms - max(_last(connection, gateway, name)[1] for name in _line(run.stream, after)) < DAY_MS
        for run in runs
    ]
    seq, at = _last(connection, gateway, stream)
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


def _last(connection: Connection, gateway: str, stream: str) -> tuple[int, int]:
    """The largest number of a stream that is stored, and when it was; zeros where none is."""
    mine = (frame.c.gateway == gateway) & (frame.c.stream == stream)
    query = select(frame.c.seq, frame.c.committed_at).where(mine).order_by(frame.c.seq.desc()).limit(1)
    row = connection.execute(query).first()
    return (row.seq, row.committed_at) if row is not None else (0, 0)
