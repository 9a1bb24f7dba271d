"""Storing the facts of frames, and marking what they touch dirty: all of a transaction at once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.inlet import parts
from ganpo_cloud.inlet.came import Came, time_of
from ganpo_cloud.inlet.inventories import Told, refresh
from ganpo_cloud.inlet.observations import Ran, Read
from ganpo_cloud.store import slots, sql
from ganpo_cloud.store.localdays import DEFAULT_ZONE, QUARTER_MS, day_of, days_from
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.owners import owner, owners
from ganpo_cloud.store.tables import event, inventory, reading, states
from ganpo_cloud.store.tables import frame as stored
from ganpo_model.clock import to_ms
from ganpo_model.facts import Event, EventKind, Inventory
from ganpo_model.frame import crc32_of

_PROVE = (
    "INSERT INTO proof VALUES (?, ?, ?, ?, ?) ON CONFLICT (enterprise, asset_no, flag)"
    " DO UPDATE SET at = excluded.at, frame = excluded.frame WHERE excluded.at < proof.at"
)
Proof = tuple[str, str, str, int, int]
"""(enterprise, asset_no, flag, at, frame): a row of the table `proof`."""
_ABOUT = (
    "SELECT a, b, n.id, s.timezone FROM asked LEFT JOIN named n ON n.enterprise = a AND n.name = b"
    " LEFT JOIN subject s ON s.enterprise = a AND s.asset_no = b"
)


def store(connection: Connection, came: Sequence[Came], now_ms: int) -> None:
    """Store the frames that are not stored already, with their facts; only while nobody else writes. Their numbers rise
    in the order of commits."""
    last = sql.first(connection, "SELECT max(id) FROM frame")[0] or 0
    numbered = dict(enumerate(came, last + 1))
    rows = [
        (number, one.gateway, one.stream, one.seq, crc32_of(one.packed), now_ms)
        for number, one in numbered.items()
    ]
    sql.add(connection, stored, rows)
    batch = _Batch(connection)
    for (number,) in sql.rows(connection, "SELECT id FROM frame WHERE id > ? ORDER BY id", (last,)):
        batch.add(number, numbered[number])
    batch.write()


class _Batch:
    """The facts of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._readings: list[tuple[str, str, int, int, int]] = []
        self._slots: list[tuple[tuple[str, str], int, int, Ran]] = []
        self._events: list[tuple[Any, ...]] = []
        self._inventories: list[parts.Row] = []
        self._touched: set[tuple[tuple[str, str], int, int]] = set()
        self._proofs: list[Proof] = []
        self._parts: list[tuple[parts.Row, tuple[int, int]]] = []

    def add(self, number: int, came: Came) -> None:
        """Take the facts of a new frame."""
        registered = came.registered
        whose = [registered[0].enterprise]
        for place, fact in enumerate(came.facts):
            if len(registered) > 1:
                at = time_of(fact)
                whose = owners(registered, at) if isinstance(fact, Read) else [owner(registered, at) or ""]
            for enterprise in whose:
                if isinstance(fact, Read):
                    register, at, raw = fact
                    self._readings.append((enterprise, register, at, raw, number))
                    self._touch((enterprise, register.partition("/")[0]), at, at)
                elif isinstance(fact, Ran):
                    of = (enterprise, fact.subject)
                    self._slots.append((of, number, place, fact))
                    self._touch(of, fact.at, fact.end - 1)
                else:
                    self._told(came.gateway, enterprise, number, place, fact)

    def write(self) -> None:
        """Store everything that was added, and mark what it touches: what inventories describe, in their words."""
        connection = self._connection
        self._inventories += parts.complete(connection, self._parts)
        told: dict[str, list[Told]] = {}
        for _, _, gateway, enterprise, at, _, body in self._inventories:
            told.setdefault(enterprise, []).append(Told(gateway, at, json.loads(body)))
        sql.add(connection, inventory, self._inventories)
        for enterprise, inventories in sorted(told.items()):
            refresh(connection, enterprise, inventories)
        rows = sql.of_pairs(connection, _ABOUT, {of for of, *_ in self._touched})
        numbers = {(enterprise, asset_no): number for enterprise, asset_no, number, _ in rows if number}
        numbers |= slots.numbers(connection, {of for of, *_ in self._slots if of not in numbers})
        runs = [
            (slot.at, number, numbers[of], slot.end - slot.at, place, slot.runs)
            for of, number, place, slot in self._slots
        ]
        sql.add(connection, states, runs)
        sql.add(connection, reading, self._readings)
        sql.add(connection, event, self._events)
        prove(connection, self._proofs)
        ledgers = {*told, *(row[0] for row in self._proofs)}
        mark(connection, Kind.LEDGER, ((enterprise, EVER) for enterprise in ledgers))
        mark(connection, Kind.DAY, self._days({row[:2]: row[3] or DEFAULT_ZONE for row in map(tuple, rows)}))

    def _days(self, zones: Mapping[tuple[str, str], str]) -> Iterable[tuple[str, date]]:
        """The local days that are touched, where each subject is."""
        found: set[tuple[tuple[str, str], date]] = set()
        for of, start, last in self._touched:
            first, end = day_of(start, zones[of]), day_of(last, zones[of])
            found.add((of, first))
            if first != end:
                found.update((of, local) for local in days_from(first, end))
        return ((key(*of), local) for of, local in found)

    def _touch(self, of: tuple[str, str], start: int, last: int) -> None:
        """Something of a subject is new from `start` to `last`: in these quarters of an hour."""
        self._touched.add((of, start - start % QUARTER_MS, last - last % QUARTER_MS))

    def _told(self, gateway: str, enterprise: str, number: int, place: int, fact: Event | Inventory) -> None:
        at = to_ms(fact.at)
        if isinstance(fact, Inventory):
            body = json.dumps(asdict(fact), default=lambda day: day.isoformat(), ensure_ascii=False)
            about = (number, place, gateway, enterprise, at, fact.site.timezone, body)
            if fact.part is None:
                self._inventories.append(about)
            else:
                self._parts.append((about, fact.part))
            return
        data = json.dumps(fact.data, ensure_ascii=False)
        self._events.append((number, place, gateway, enterprise, at, str(fact.kind), fact.subject, data))
        if fact.kind is EventKind.LINK_UP and fact.subject is not None:
            self._touch((enterprise, fact.subject), at, at)
            self._proofs += proofs(enterprise, fact.subject, fact.data, at, number)


def proofs(enterprise: str, asset_no: str, data: Mapping[str, Any], at: int, frame: int) -> list[Proof]:
    """What a `link_up` of a subject proves."""
    flags = data.get("proves")
    return [
        (enterprise, asset_no, str(flag), at, frame) for flag in (flags if isinstance(flags, list) else [])
    ]


def prove(connection: Connection, proofs: Iterable[Proof]) -> None:
    """Keep the earliest proof of every flag, in whatever order they come."""
    sql.run(connection, _PROVE, sorted(proofs))
