"""Storing the facts of frames, and marking what they touch dirty. One `Batch` per transaction."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.inlet import parts
from ganpo_cloud.inlet.decode import Frame
from ganpo_cloud.inlet.inventories import Told, refresh
from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of, days_from
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.owners import Registration, owner, owners
from ganpo_cloud.store.tables import event, inventory, reading, states, subject
from ganpo_model.clock import to_ms
from ganpo_model.facts import Event, EventKind, Fact, Inventory, Reading, States

_FACTS = (reading, states, event, inventory)
_AT_ONCE = 1000
"""Subjects of one question: a batch may name more than a database takes values."""
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
        self._rows: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table in _FACTS}
        self._touched: list[tuple[str, str, int, int]] = []
        self._proofs: list[tuple[Any, ...]] = []
        self._parts: list[tuple[parts.Row, tuple[int, int]]] = []

    def add(self, gateway: str, registered: Sequence[Registration], frame: Frame) -> bool:
        """Take a frame, unless it is stored already (told by RETURNING, never by a row count).

        `registered`: whose the gateway's facts are, at any time of this frame's.
        """
        new = sql.first(
            self._connection,
            "INSERT INTO frame (gateway, stream, seq, crc32, committed_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING id",
            (gateway, frame.stream, frame.seq, frame.crc32, self._now),
        )
        if new is None:
            return False
        for place, fact in enumerate(frame.facts):
            at = time_of(fact)
            whose = owners(registered, at) if isinstance(fact, Reading) else [owner(registered, at) or ""]
            for enterprise in whose:
                self._add(gateway, enterprise, new[0], place, fact)
        return True

    def write(self) -> None:
        """Store everything that was added. Sorted by key, so that writers never wait for each other in a ring."""
        self._rows["inventory"] += parts.complete(self._connection, self._parts)
        told: dict[str, list[Told]] = {}
        for _, _, gateway, enterprise, at, _, body in self._rows["inventory"]:
            told.setdefault(enterprise, []).append(Told(gateway, at, json.loads(body)))
        for table in _FACTS:
            sql.add(self._connection, table, self._rows[table.name])
        if self._proofs:
            sql.run(self._connection, _PROVE, sorted(self._proofs))
        for enterprise, inventories in sorted(told.items()):
            refresh(self._connection, enterprise, inventories)
        ledgers = {*told, *(row[0] for row in self._proofs)}
        mark(self._connection, Kind.LEDGER, ((enterprise, EVER) for enterprise in ledgers))
        mark(self._connection, Kind.DAY, self._dirty())

    def _dirty(self) -> Iterator[tuple[str, date]]:
        """The local days that are touched, where each subject is: as it is described now, this batch included."""
        of: dict[str, set[str]] = {}
        for enterprise, asset_no, *_ in self._touched:
            of.setdefault(enterprise, set()).add(asset_no)
        zones: dict[tuple[str, str], str] = {}
        for enterprise, found in of.items():
            numbers = sorted(found)
            for first in range(0, len(numbers), _AT_ONCE):
                mine = subject.c.asset_no.in_(numbers[first : first + _AT_ONCE])
                query = select(subject.c.asset_no, subject.c.timezone).where(mine)
                for row in self._connection.execute(query.where(subject.c.enterprise == enterprise)):
                    zones[enterprise, row.asset_no] = row.timezone
        for enterprise, asset_no, start, last in self._touched:
            zone = zones.get((enterprise, asset_no), DEFAULT_ZONE)
            for day in days_from(day_of(start, zone), day_of(last, zone)):
                yield key(enterprise, asset_no), day

    def _add(self, gateway: str, enterprise: str, frame: int, place: int, fact: Fact) -> None:
        if isinstance(fact, Reading):
            at = to_ms(fact.at)
            self._rows["reading"].append((enterprise, fact.register, at, fact.raw, frame))
            self._touched.append((enterprise, fact.register.partition("/")[0], at, at))
        elif isinstance(fact, States):
            runs = json.dumps(fact.runs, separators=(",", ":"))
            start, end = to_ms(fact.start), to_ms(fact.end)
            self._rows["states"].append((enterprise, fact.subject, start, frame, place, end, runs))
            self._touched.append((enterprise, fact.subject, start, end - 1))
        elif isinstance(fact, Event):
            data = json.dumps(fact.data, ensure_ascii=False)
            at = to_ms(fact.at)
            row = (frame, place, gateway, enterprise, at, str(fact.kind), fact.subject, data)
            self._rows["event"].append(row)
            if fact.kind is EventKind.LINK_UP and fact.subject is not None:
                self._touched.append((enterprise, fact.subject, at, at))
                flags = fact.data.get("proves")
                for flag in flags if isinstance(flags, list) else []:
                    self._proofs.append((enterprise, fact.subject, str(flag), at, frame))
        else:
            self._add_inventory(gateway, enterprise, frame, place, fact)

    def _add_inventory(self, gateway: str, enterprise: str, frame: int, place: int, fact: Inventory) -> None:
        body = json.dumps(asdict(fact), default=_plain, ensure_ascii=False)
        row = (frame, place, gateway, enterprise, to_ms(fact.at), fact.site.timezone, body)
        if fact.part is None:
            self._rows["inventory"].append(row)
        else:
            self._parts.append((row, fact.part))


def time_of(fact: Fact) -> int:
    """When it was so, in ms: of states when they begin."""
    return to_ms(fact.start if isinstance(fact, States) else fact.at)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not stored")
