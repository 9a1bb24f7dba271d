"""What is worked out: subjects with their registers, as they are described now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import DEFAULT_ZONE
from ganpo_model.activity import GONE_DAYS
from ganpo_model.clock import DAY_MS
from ganpo_model.registers import Register

COUNTED = ("parts_total", "parts_good_total")
"""Signals of which a production day knows what was made."""
_EVER = 2**62
WATCHED_MS = (GONE_DAYS + 10) * DAY_MS
"""What is withdrawn is watched for so long: until it is gone."""
_SUBJECT = (
    "SELECT kind, timezone, gateway, since, withdrawn, at FROM subject WHERE enterprise = ? AND asset_no = ?"
)
_REGISTERS = (
    "SELECT id, signal, carrier, unit, num, den, timezone, max_rate, modulus, resets, update_ms FROM register"
    " WHERE enterprise = ? AND subject = ? ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Counter:
    """A register: what its counts are, and by which rules it is judged."""

    id: str
    signal: str
    carrier: str | None
    unit: str
    num: int
    den: int
    zone: str
    rules: Register


@dataclass(frozen=True, slots=True)
class Subject:
    """A machine or a meter; nothing, and in our zone, until an inventory names it."""

    enterprise: str
    asset_no: str
    registers: Sequence[Counter] = ()
    kind: str = ""
    zone: str = DEFAULT_ZONE
    gateway: str = ""
    since: date = date.max
    watched_until: int = _EVER

    @property
    def machine(self) -> bool:
        """Whether it is a machine: then its days are painted whatever happens on them."""
        return self.kind == "equipment"

    @property
    def counts_parts(self) -> bool:
        """Whether it is a machine with a counter of parts."""
        return self.machine and any(counter.signal in COUNTED for counter in self.registers)

    def counting(self, signal: str) -> Iterator[Counter]:
        """Its registers of a signal."""
        return (counter for counter in self.registers if counter.signal == signal)


def one(connection: Connection, enterprise: str, asset_no: str) -> Subject:
    """A subject."""
    return read(connection, [(enterprise, asset_no)])[0]


def read(connection: Connection, names: Sequence[tuple[str, str]]) -> list[Subject]:
    """Subjects by enterprise and asset_no, in this order."""
    described = list(sql.each(connection, _SUBJECT, names))
    found = []
    for name, about, rows in zip(names, described, sql.each(connection, _REGISTERS, names), strict=True):
        registers = tuple(map(_counter, rows))
        found.append(Subject(*name, registers))
        for kind, zone, gateway, since, withdrawn, at in about:
            until = at + WATCHED_MS if withdrawn else _EVER
            found[-1] = Subject(*name, registers, kind, zone, gateway, sql.day_given(since), until)
    return found


def _counter(row: Any) -> Counter:
    number, signal, carrier, unit, num, den, zone, max_rate, modulus, resets, update_ms = row
    rules = Register(max_rate, modulus, bool(resets), update_ms)
    return Counter(number, signal, carrier, unit, num, den, zone, rules)
