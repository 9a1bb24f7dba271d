"""When a device came onto the network and into the cloud: the least times of a Good value that is stored
(onboarding.md). Good: a `link_up` with its value, a reading, a run other than UNKNOWN."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, update

from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_cloud.store.registry_tables import onboarding
from ganpo_model.states import State

_ALL = (0, 2**62)
_STATES = "FROM states s JOIN frame f ON f.id = s.frame WHERE s.enterprise = ? AND s.subject = ?"
_EVENTS = "FROM event s JOIN frame f ON f.id = s.frame WHERE s.enterprise = ? AND s.subject = ?"


@dataclass(frozen=True, slots=True)
class Good:
    """One Good value: when it was true, in which frame, and what it was."""

    at: int
    frame: int
    evidence: str


def look(
    connection: Connection,
    enterprise: str,
    asset_no: str,
    days: Sequence[date],
    registers: Sequence[str],
    zone: str,
) -> bool:
    """Bring the dates of one subject up to date, after something of these days arrived. Gives whether one is new.

    The first date falls when an older observation arrives late. The other one cannot, but where years are replayed with
    their own times of commit: it is looked at again together with the first.
    """
    query = "SELECT networked_at, evidence FROM onboarding WHERE enterprise = ? AND asset_no = ?"
    known = sql.first(connection, query, (enterprise, asset_no))
    if known is None:
        first = _first(connection, enterprise, asset_no, registers, _ALL)
        cloud = _committed(connection, enterprise, asset_no, registers)
        if first is not None and cloud is not None:
            connection.execute(
                insert(onboarding).values(
                    enterprise=enterprise,
                    asset_no=asset_no,
                    networked_at=first.at,
                    evidence=first.evidence,
                    networked_frame=first.frame,
                    cloud_at=cloud[0],
                    cloud_frame=cloud[1],
                )
            )
            return True
        return False
    before, evidence = known
    networked = day_of(before, zone)
    for day in days:
        if day > networked:
            return False
        start, end = bounds(day, zone)
        # At the same instant another may say more.
        found = _first(connection, enterprise, asset_no, registers, (start, min(end, before + 1)))
        if found is not None and (found.at, found.evidence) != (before, evidence):
            mine = (onboarding.c.enterprise == enterprise) & (onboarding.c.asset_no == asset_no)
            values = {"networked_at": found.at, "evidence": found.evidence, "networked_frame": found.frame}
            if (cloud := _committed(connection, enterprise, asset_no, registers)) is not None:
                values |= {"cloud_at": cloud[0], "cloud_frame": cloud[1]}
            connection.execute(update(onboarding).where(mine).values(**values))
            return True
    return False


def _first(
    connection: Connection, enterprise: str, asset_no: str, registers: Iterable[str], span: tuple[int, int]
) -> Good | None:
    """The least Good value within a span; of several at one instant the one that says most."""
    found = [
        *_linked(connection, enterprise, asset_no, span),
        *_read(connection, enterprise, registers, span),
        *_known(connection, enterprise, asset_no, span),
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


def _read(
    connection: Connection, enterprise: str, registers: Iterable[str], span: tuple[int, int]
) -> Iterable[Good]:
    for number in registers:
        row = sql.first(
            connection,
            "SELECT at, frame, raw FROM reading WHERE enterprise = ? AND register = ? AND at >= ? AND at < ?"
            " ORDER BY at, raw LIMIT 1",
            (enterprise, number, *span),
        )
        if row is not None:
            yield Good(row[0], row[1], json.dumps({"kind": "reading", "point": number, "value": row[2]}))


def _known(connection: Connection, enterprise: str, asset_no: str, span: tuple[int, int]) -> Iterable[Good]:
    rows = sql.rows(
        connection,
        'SELECT start, frame, runs FROM states WHERE enterprise = ? AND subject = ? AND "end" > ? AND start < ?'
        " ORDER BY start",
        (enterprise, asset_no, *span),
    )
    best: Good | None = None
    for start, frame, runs in rows:
        if best is not None and start > best.at:
            break
        for offset, state in json.loads(runs):
            if state != State.UNKNOWN:
                at = max(start + offset, span[0])
                said = json.dumps({"kind": "states", "value": state})
                if best is None or (at, said) < (best.at, best.evidence):
                    best = Good(at, frame, said)
                break
    if best is not None:
        yield best


def _committed(
    connection: Connection, enterprise: str, asset_no: str, registers: Iterable[str]
) -> tuple[int, int] | None:
    """The least commit time of a Good value, and its frame."""
    unknown = f'[[0,"{State.UNKNOWN}"]]'
    readings = "FROM reading s JOIN frame f ON f.id = s.frame WHERE s.enterprise = ? AND s.register = ?"
    queries: list[tuple[str, tuple[Any, ...]]] = [
        (f"{_STATES} AND s.runs <> ?", (enterprise, asset_no, unknown)),
        (f"{_EVENTS} AND s.kind = 'link_up'", (enterprise, asset_no)),
        *((readings, (enterprise, number)) for number in registers),
    ]
    found = []
    for query, values in queries:
        statement = f"SELECT f.committed_at, f.id {query} ORDER BY f.committed_at, f.id LIMIT 1"
        row = sql.first(connection, statement, values)
        if row is not None:
            found.append((row[0], row[1]))
    return min(found, default=None)
