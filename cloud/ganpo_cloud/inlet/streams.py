"""What gateways sent, stream by stream, from the stored frames and events (uplink.md): what is missing (I6: issued =
stored + lost + still at the gateway), and what one box cannot have sent: an id, a card or an image is in use twice.

Numbers need nothing of the latter: every frame is stored once, whichever box it came from.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeGuard

from sqlalchemy import Connection, func, select

from ganpo_cloud.inlet.decode import MAX_SEQ
from ganpo_cloud.store import sql
from ganpo_cloud.store.described import Instant, answer, said
from ganpo_cloud.store.tables import event, frame, quarantine
from ganpo_model.clock import DAY_MS
from ganpo_model.facts import EventKind

_STORED = (
    "SELECT count(*) FROM (SELECT seq FROM frame WHERE gateway = ? AND stream = ? AND seq BETWEEN ? AND ?"
    " UNION SELECT seq FROM quarantine WHERE gateway = ? AND stream = ? AND seq BETWEEN ? AND ?) AS numbers"
)
_TWICE = (
    "SELECT seq, max(committed_at) FROM frame WHERE gateway = ? AND stream = ?"
    " GROUP BY seq HAVING count(*) > 1 ORDER BY seq DESC LIMIT 1"
)


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


class Sent(NamedTuple):
    """What a gateway sent, newest first: its streams, and what speaks for a second box under its id, of the last day
    and as long as both send."""

    streams: list[Stream]
    clones: list[Clone]


@dataclass(slots=True)
class _Known:
    """What is known of one stream. `last`: its largest applied number, `at`: when that was stored; `runs`: those that
    follow it, each with its last number as they tell it, and when that was stored."""

    issued: int = 0
    stored: int = 0
    twice: bool = False
    last: int = 0
    at: int = 0
    lost: list[tuple[int, int]] = field(default_factory=list)
    runs: dict[str, tuple[int, int]] = field(default_factory=dict)

    def told(self, last: object) -> None:
        """Somebody tells of a number of it."""
        if _is_seq(last):
            self.issued = max(self.issued, last)


_All = defaultdict[tuple[str, str], _Known]
"""By gateway and stream."""


def of_gateways(
    connection: Connection, gateways: Sequence[str], said: Mapping[str, Mapping[str, object]], now_ms: int
) -> dict[str, Sent]:
    """What each of these gateways sent. `said`: what each told of itself last."""
    known = _stored(connection, gateways)
    for gateway in said.keys() & set(gateways):
        if isinstance(stream := said[gateway].get("stream"), str):
            known[gateway, stream].told(said[gateway].get("issued"))
    _told(connection, gateways, known)
    found = {gateway: Sent([], []) for gateway in gateways}
    declared = [(name, *span) for name, about in known.items() for span in _apart(about.lost)]
    asked = [(*name, first, last) * 2 for name, first, last in declared]
    gone: Counter[tuple[str, str]] = Counter()
    for (name, first, last), ((stored,),) in zip(declared, sql.each(connection, _STORED, asked), strict=True):
        gone[name] += last - first + 1 - stored
    for name in sorted((name for name in known if known[name].issued), reverse=True):
        gateway, stream = name
        about = known[name]
        missing = about.issued - about.stored - gone[name]
        found[gateway].streams.append(Stream(stream, about.issued, about.stored, missing, gone[name]))
        clones = list(_branches(known, name, now_ms))
        if about.twice:
            seq, since = sql.first(connection, _TWICE, name)
            clones.append(Clone("contents", stream, seq, since, both=False))
        found[gateway].clones.extend(one for one in clones if one.both or now_ms - one.since < DAY_MS)
    for sent in found.values():
        sent.clones.sort(key=lambda clone: clone.since, reverse=True)
    return found


def _stored(connection: Connection, gateways: Sequence[str]) -> _All:
    """The streams of which anything is stored, counted from an index alone; a frame that is applied and quarantined is
    stored once."""
    key = (frame.c.gateway, frame.c.stream)
    numbers = func.count(frame.c.seq.distinct())
    applied = select(*key, numbers, func.max(frame.c.seq), func.count() > numbers)
    other = frame.alias()
    mine = (other.c.gateway == frame.c.gateway) & (other.c.stream == frame.c.stream)
    newest = select(other.c.committed_at).where(mine).order_by(other.c.seq.desc()).limit(1)
    applied = applied.add_columns(newest.correlate(frame).scalar_subquery())
    known: _All = defaultdict(_Known)
    for *name, count, last, twice, at in connection.execute(
        applied.where(frame.c.gateway.in_(gateways)).group_by(*key)
    ):
        known[name[0], name[1]] = _Known(last, count, twice, last, at)
    kept = (quarantine.c.gateway, quarantine.c.stream)
    here = (frame.c.gateway == kept[0]) & (frame.c.stream == kept[1]) & (frame.c.seq == quarantine.c.seq)
    only = kept[0].in_(gateways) & kept[1].is_not(None) & ~select(frame.c.id).where(here).exists()
    waiting = select(*kept, func.count(quarantine.c.seq.distinct()), func.max(quarantine.c.seq))
    for gateway, stream, count, last in connection.execute(waiting.where(only).group_by(*kept)):
        known[gateway, stream].told(last)
        known[gateway, stream].stored += count
    return known


def _told(connection: Connection, gateways: Sequence[str], known: _All) -> None:
    """What gateways told of streams: the next run of their end, a loss of what will never come."""
    query = (
        select(event.c.gateway, event.c.kind, event.c.data, frame.c.stream, frame.c.committed_at)
        .join(frame, frame.c.id == event.c.frame)
        .where(event.c.gateway.in_(gateways) & event.c.kind.in_((EventKind.BEGUN, EventKind.LOSS)))
        .order_by(frame.c.committed_at, frame.c.id)
    )
    for row in connection.execute(query):
        data = json.loads(row.data)
        if row.kind == EventKind.BEGUN:
            previous, last = data.get("previous"), data.get("last_seq")
            if isinstance(previous, str) and isinstance(last, int):
                known[row.gateway, previous].told(last)
                known[row.gateway, previous].runs.setdefault(row.stream, (last, row.committed_at))
            continue
        spans = data.get("seqs")
        for span in spans if isinstance(spans, list) else []:
            if isinstance(span, list) and len(span) == 2 and all(map(_is_seq, span)) and span[0] <= span[1]:
                known[row.gateway, str(data.get("stream"))].told(span[1])
                known[row.gateway, str(data.get("stream"))].lost.append((span[0], span[1]))


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same numbers in ranges that rise and do not overlap."""
    behind = 0
    for first, last in sorted(spans):
        if last > behind:
            yield max(first, behind + 1), last
            behind = last


def _branches(known: _All, name: tuple[str, str], now_ms: int) -> Iterator[Clone]:
    """Where more than one thing follows a stream: its own frames behind the end it was told to have, or two runs."""
    gateway, stream = name
    about = known[name]
    if not about.runs:
        return
    ends, times = zip(*about.runs.values(), strict=True)
    end, begun = min(ends), times[0]
    alive = [now_ms - max(_line(known, gateway, run)) < DAY_MS for run in about.runs]
    if about.last > end:
        both = any(alive) and now_ms - about.at < DAY_MS and about.at > begun
        yield Clone("beyond", stream, about.last, max(about.at, begun), both)
    if len(times) > 1:
        yield Clone("runs", stream, end, times[1], sum(alive) > 1)


def _line(known: _All, gateway: str, stream: str) -> Iterator[int]:
    """When the last frame of a stream was stored, and of everything that followed it; a circle, which no honest box
    tells, ends."""
    seen: set[str] = set()
    waiting = [stream]
    while waiting:
        if (one := waiting.pop()) not in seen:
            seen.add(one)
            yield known[gateway, one].at
            waiting += known[gateway, one].runs


def _is_seq(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 < value < MAX_SEQ
