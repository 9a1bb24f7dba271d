"""When a device came onto the network and into the cloud: the least times of a Good value that is stored
(onboarding.md). Good: a `link_up` with its value, a reading, a run other than UNKNOWN."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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

_ALL = (0, 2**62)
_KNOWN = "SELECT networked_at, evidence FROM onboarding WHERE enterprise = ? AND asset_no = ?"
_STATES = f"FROM states s JOIN frame f ON f.id = s.frame WHERE {OF}"
_EVENTS = "FROM event s JOIN frame f ON f.id = s.frame WHERE s.enterprise = ? AND s.subject = ?"


@dataclass(frozen=True, slots=True)
class Good:
    """One Good value: when it was true, in which frame, and what it was."""

    at: int
    frame: int
    evidence: str


class Known(NamedTuple):
    """When a subject came onto the network as far as is known, and what says so."""

    at: int
    evidence: str


def known(connection: Connection, names: Sequence[tuple[str, str]]) -> list[Known | None]:
    """What is known of each, by enterprise and asset_no."""
    found = sql.each(connection, _KNOWN, names)
    return [Known(*rows[0]) if rows else None for rows in found]


def look(connection: Connection, of: Subject, days: Sequence[date], before: Known | None) -> bool:
    """Bring the dates of one subject up to date, after something of these days arrived. Gives whether one is new.

    `before`: what is known. The first date falls when an older observation arrives late. The other one cannot, but
    where years are replayed with their own times of commit: it is looked at again together with the first.
    """
    spans = [_ALL]
    if before is not None:
        borders = [bounds(day, of.zone) for day in days if day <= day_of(before.at, of.zone)]
        # At the same instant another may say more.
        spans = [(start, min(end, before.at + 1)) for start, end in borders]
    for span in spans:
        first = _first(connection, of, span)
        if first is None or before == (first.at, first.evidence):
            continue
        cloud = _committed(connection, of)
        row = (of.enterprise, of.asset_no, first.at, first.evidence, first.frame, *cloud)
        sql.replace(connection, onboarding, [row])
        return True
    return False


def _first(connection: Connection, of: Subject, span: tuple[int, int]) -> Good | None:
    """The least Good value within a span; of several at one instant the one that says most."""
    found = [
        *_linked(connection, of.enterprise, of.asset_no, span),
        *_read(connection, of, span),
        *_known(connection, of.enterprise, of.asset_no, span),
    ]
    return min(found, key=lambda good: good.at, default=None)


def _linked(connection: Connection, enterprise: str, asset_no: str, span: tuple[int, int]) -> Iterable[Good]:
    row = sql.first(
        connection,
        "SELECT at, frame, data FROM event WHERE enterprise = ? AND subject = ? AND kind = 'link_up'"
        " AND at >= ? AND at < ? ORDER BY at, data LIMIT 1",
        (enterprise, asset_no, *span),
    )
    if row is not None:
        said = json.loads(row[2])
        about = {key: said.get(key) for key in ("point", "value", "driver", "source_time")}
        yield Good(row[0], row[1], json.dumps({"kind": "link_up", **about}, ensure_ascii=False))


def _read(connection: Connection, of: Subject, span: tuple[int, int]) -> Iterable[Good]:
    for counter in of.registers:
        row = sql.first(
            connection,
            "SELECT at, frame, raw FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?"
            " ORDER BY at, raw LIMIT 1",
            (of.enterprise, counter.id, *span),
        )
        if row is not None:
            yield Good(row[0], row[1], json.dumps({"kind": "reading", "point": counter.id, "value": row[2]}))


def _known(connection: Connection, enterprise: str, asset_no: str, span: tuple[int, int]) -> Iterable[Good]:
    rows = sql.rows(
        connection,
        f"SELECT s.start, s.frame, s.runs FROM {OVERLAPPING} ORDER BY s.start",
        overlapping(enterprise, asset_no, *span),
    )
    best: Good | None = None
    for start, frame, runs in rows:
        if best is not None and start > best.at:
            break
        for offset, state in unpacked(runs):
            if state != State.UNKNOWN:
                at = max(start + offset, span[0])
                said = json.dumps({"kind": "states", "value": state})
                if best is None or (at, said) < (best.at, best.evidence):
                    best = Good(at, frame, said)
                break
    if best is not None:
        yield best


def _committed(connection: Connection, of: Subject) -> tuple[int, int]:
    """The least commit time of a Good value, of which there is one, and its frame."""
    unknown = packed([(0, State.UNKNOWN)])
    readings = "FROM reading s JOIN frame f ON f.id = s.frame WHERE s.enterprise = ? AND s.register = ?"
    queries: list[tuple[str, tuple[Any, ...]]] = [
        (f"{_STATES} AND s.runs <> ?", (of.enterprise, of.asset_no, unknown)),
        (f"{_EVENTS} AND s.kind = 'link_up'", (of.enterprise, of.asset_no)),
        *((readings, (of.enterprise, counter.id)) for counter in of.registers),
    ]
    found = []
    for query, values in queries:
        statement = f"SELECT f.committed_at, f.id {query} ORDER BY f.committed_at, f.id LIMIT 1"
        found += sql.rows(connection, statement, values)
    at, frame = min(found)
    return at, frame
