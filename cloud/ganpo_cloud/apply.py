"""Storing the facts of frames, and marking what they touch dirty. One `Batch` per transaction."""

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud import inventories, parts
from ganpo_cloud.database import driver_sql
from ganpo_cloud.decode import Frame
from ganpo_cloud.localdays import DEFAULT_ZONE, day_of, days_from
from ganpo_cloud.marks import mark, mark_ledgers
from ganpo_model.clock import to_ms
from ganpo_model.facts import Event, EventKind, Fact, Inventory, Reading, States

_INSERT = {
    "reading": "INSERT INTO reading VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "states": "INSERT INTO states VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "event": "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "inventory": "INSERT INTO inventory VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
}
_PROVE = (
    "INSERT INTO proof VALUES (?, ?, ?, ?, ?) ON CONFLICT (enterprise, asset_no, flag)"
    " DO UPDATE SET at = excluded.at, frame = excluded.frame WHERE excluded.at < proof.at"
)
"""The earliest wins, in whatever order they come."""


class Batch:
    """Frames of one transaction: `add` tells whether a frame is new, `write` stores the facts of all."""

    def __init__(self, connection: Connection, now_ms: int) -> None:
        self._connection = connection
        self._now = now_ms
        self._rows: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in _INSERT}
        self._dirty: set[tuple[str, str, date]] = set()
        self._proofs: list[tuple[Any, ...]] = []
        self._parts: list[tuple[parts.Row, tuple[int, int]]] = []
        self._zones: dict[str, str] = {}

    def add(self, gateway: str, enterprise: str, frame: Frame) -> bool:
        """Take a frame, unless it is stored already (told by RETURNING, never by a row count)."""
        new = driver_sql(
            self._connection,
            "INSERT INTO frame (gateway, stream, seq, crc32, committed_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING id",
            (gateway, frame.stream, frame.seq, frame.crc32, self._now),
        ).first()
        if new is None:
            return False
        zone = self._zone(enterprise, gateway)
        for place, fact in enumerate(frame.facts):
            self._add(gateway, enterprise, zone, new[0], place, fact)
        return True

    def write(self) -> None:
        """Store everything that was added. Sorted by key, so that writers never wait for each other in a ring."""
        self._rows["inventory"] += parts.complete(self._connection, self._parts)
        described = {row[3] for row in self._rows["inventory"]}
        for kind, statement in _INSERT.items():
            if rows := self._rows[kind]:
                driver_sql(self._connection, statement, sorted(rows))
        if self._proofs:
            driver_sql(self._connection, _PROVE, sorted(self._proofs))
            mark_ledgers(self._connection, {row[0] for row in self._proofs})
        mark(self._connection, self._dirty)
        for enterprise in sorted(described):
            inventories.refresh(self._connection, enterprise)
        mark_ledgers(self._connection, described)

    def _add(self, gateway: str, enterprise: str, zone: str, frame: int, place: int, fact: Fact) -> None:
        if isinstance(fact, Reading):
            at = to_ms(fact.at)
            self._rows["reading"].append((enterprise, fact.register, at, fact.raw, frame))
            self._dirty.add((enterprise, fact.register.partition("/")[0], day_of(at, zone)))
        elif isinstance(fact, States):
            runs = json.dumps(fact.runs, separators=(",", ":"))
            start, end = to_ms(fact.start), to_ms(fact.end)
            self._rows["states"].append((enterprise, fact.subject, start, frame, place, end, runs))
            for day in days_from(day_of(start, zone), day_of(end - 1, zone)):
                self._dirty.add((enterprise, fact.subject, day))
        elif isinstance(fact, Event):
            data = json.dumps(fact.data, ensure_ascii=False)
            row = (frame, place, gateway, enterprise, to_ms(fact.at), str(fact.kind), fact.subject, data)
            self._rows["event"].append(row)
            if fact.kind is EventKind.LINK_UP and fact.subject is not None:
                self._dirty.add((enterprise, fact.subject, day_of(to_ms(fact.at), zone)))
                flags = fact.data.get("proves")
                for flag in flags if isinstance(flags, list) else []:
                    self._proofs.append((enterprise, fact.subject, str(flag), to_ms(fact.at), frame))
        else:
            self._add_inventory(gateway, enterprise, frame, place, fact)

    def _add_inventory(self, gateway: str, enterprise: str, frame: int, place: int, fact: Inventory) -> None:
        body = json.dumps(asdict(fact), default=_plain, ensure_ascii=False)
        row = (frame, place, gateway, enterprise, to_ms(fact.at), fact.site.timezone, body)
        if fact.part is None:
            self._rows["inventory"].append(row)
        else:
            self._parts.append((row, fact.part))

    def _zone(self, enterprise: str, gateway: str) -> str:
        """Where the gateway's site is: what its facts touch are local days."""
        if gateway not in self._zones:
            found = driver_sql(
                self._connection,
                "SELECT timezone FROM inventory WHERE enterprise = ? AND gateway = ? ORDER BY at DESC LIMIT 1",
                (enterprise, gateway),
            ).first()
            self._zones[gateway] = found[0] if found else DEFAULT_ZONE
        return self._zones[gateway]


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not stored")
