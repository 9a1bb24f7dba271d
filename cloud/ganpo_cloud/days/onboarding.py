"""When a device came onto the network and into the cloud: the least times of a Good value that is stored
(onboarding.md). Good: a `link_up` with its value, a reading, a run other than UNKNOWN."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ganpo_cloud.days.subjects import Subject
from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_cloud.store.registry_tables import onboarding
from ganpo_cloud.store.runs import packed, unpacked
from ganpo_cloud.store.slots import OF, OVERLAPPING, overlapping
from ganpo_model.states import State

_NOTHING = packed([(0, State.UNKNOWN)])
_KNOWN = "SELECT networked_at, evidence FROM onboarding WHERE enterprise = ? AND asset_no = ?"
_LINKED = (
    "SELECT at, frame, data FROM event WHERE enterprise = ? AND subject = ? AND kind = 'link_up'"
    " AND at >= ? AND at < ? ORDER BY at, data LIMIT 1"
)
_READ = (
    "SELECT at, frame, raw FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?"
    " ORDER BY at, raw LIMIT 1"
)
_SLOTS = (
    f"SELECT s.start, s.frame, s.runs FROM {OVERLAPPING} AND s.start < (SELECT s.start + s.length"
    f" FROM {OVERLAPPING} AND s.runs <> ? ORDER BY s.start LIMIT 1) ORDER BY s.start"
)
"""The first slot in which anything is known, and those that may know it earlier."""
_COMMITTED = "SELECT f.committed_at, f.id FROM {} ORDER BY f.committed_at, f.id LIMIT 1"
_COMMITTED_SLOTS = _COMMITTED.format(f"states s JOIN frame f ON f.id = s.frame WHERE {OF} AND s.runs <> ?")
_COMMITTED_LINKS = _COMMITTED.format(
    "event s JOIN frame f ON f.id = s.frame WHERE s.enterprise = ? AND s.subject = ? AND s.kind = 'link_up'"
)
_COMMITTED_READINGS = _COMMITTED.format(
    "reading s JOIN frame f ON f.id = s.frame WHERE s.enterprise = ? AND s.register = ?"
)


class Good(NamedTuple):
    """One Good value: when it was true, what it was, and in which frame."""

    at: int
    evidence: str
    frame: int


_Key = tuple[str, str]
"""Enterprise and asset_no."""


def look(connection: Connection, asked: Sequence[tuple[Subject, Sequence[date]]]) -> set[str]:
    """Bring the dates of subjects up to date, after something of these days arrived. Gives the enterprises of which a
    device has a new one.

    The first date falls when an older observation arrives late. The other one cannot, but where years are replayed with
    their own times of commit: it is looked at again together with the first.
    """
    known = dict(_each(connection, _KNOWN, [(_key(of), _key(of)) for of, _ in asked]))
    spans = [(of, span) for of, days in asked for span in _spans(of, days, known[_key(of)])]
    found: dict[_Key, Good] = {}
    for key, good in _good(connection, spans):
        if key not in found or good.at < found[key].at:
            found[key] = good
    new = [of for of, _ in asked if _key(of) in found and found[_key(of)][:2] not in known[_key(of)]]
    committed = _committed(connection, new)
    sql.replace(connection, onboarding, ((*_key(of), *found[_key(of)], *committed[_key(of)]) for of in new))
    return {of.enterprise for of in new}


def _key(of: Subject) -> _Key:
    return of.enterprise, of.asset_no


def _each(
    connection: Connection, statement: str, asked: Sequence[tuple[Any, sql.Row]]
) -> Iterator[tuple[Any, list[Any]]]:
    """What each asks for, and the rows that it gets."""
    rows = sql.each(connection, statement, [values for _, values in asked])
    return zip((one for one, _ in asked), rows, strict=True)


def _spans(of: Subject, days: Sequence[date], known: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Where a Good value may be that comes before the one that is known; at the same instant one may say more."""
    if not known:
        yield 0, 2**62
    for at, _ in known:
        for day in days:
            if day <= day_of(at, of.zone):
                start, end = bounds(day, of.zone)
                yield start, min(end, at + 1)


def _good(
    connection: Connection, spans: Sequence[tuple[Subject, tuple[int, int]]]
) -> Iterator[tuple[_Key, Good]]:
    """The least Good values within spans; of those at one instant the one that says most comes first."""
    linked = [(_key(of), (*_key(of), *span)) for of, span in spans]
    for key, rows in _each(connection, _LINKED, linked):
        for at, frame, data in rows:
            said = json.loads(data)
            about = {name: said.get(name) for name in ("point", "value", "driver", "source_time")}
            yield key, Good(at, _evidence(kind="link_up", **about), frame)
    read = [
        ((_key(of), counter.id), (of.enterprise, counter.id, *span))
        for of, span in spans
        for counter in of.registers
    ]
    for (key, number), rows in _each(connection, _READ, read):
        for at, frame, raw in rows:
            yield key, Good(at, _evidence(kind="reading", point=number, value=raw), frame)
    slots = []
    for of, span in spans:
        within = overlapping(*_key(of), *span)
        slots.append(((_key(of), span), (*within, *within, _NOTHING)))
    for (key, (begin, end)), rows in _each(connection, _SLOTS, slots):
        seen = []
        for start, frame, runs in rows:
            first = next((one for one in unpacked(runs) if one[1] != State.UNKNOWN), None)
            if first is not None and (at := max(start + first[0], begin)) < end:
                seen.append(Good(at, _evidence(kind="states", value=first[1]), frame))
        if seen:
            yield key, min(seen)


def _evidence(**said: Any) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _committed(connection: Connection, of: Sequence[Subject]) -> dict[_Key, tuple[int, int]]:
    """The least commit time of a Good value of each, of which there is one, and its frame."""
    found: dict[_Key, tuple[int, int]] = {}
    for statement, asked in (
        (_COMMITTED_SLOTS, [(_key(one), (*_key(one), _NOTHING)) for one in of]),
        (_COMMITTED_LINKS, [(_key(one), _key(one)) for one in of]),
        (_COMMITTED_READINGS, [(_key(one), (one.enterprise, c.id)) for one in of for c in one.registers]),
    ):
        for key, rows in _each(connection, statement, asked):
            for row in rows:
                found[key] = min(row, found.get(key, row))
    return found
