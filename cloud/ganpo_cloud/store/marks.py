"""Marks of what has to be worked out again: in one table, whatever it is. The loop of `computing.py` answers them.

Each marking has a word of its own: who worked something out answers the mark that he saw, and no later one. So what is
marked may be worked out outside the writer's lock.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, Select, exists, func, select

from ganpo_cloud.store import sql
from ganpo_cloud.store.tables import apart, counter, dirty

EVER = date.min
"""The day of a mark that is of no single day."""
OUTLOOKS = "outlooks_from"
"""The counter that says from which month on (202610) outlooks have to be worked out again; below 0: all of them."""
_PASSES = "SELECT value FROM counter WHERE name = ?"
_SET_APART = exists().where(apart.c.key == dirty.c.key)
_ANSWER = "DELETE FROM dirty WHERE kind = ? AND key = ? AND day = ? AND word = ?"


class Kind(StrEnum):
    """What is marked, and what its key is made of."""

    DAY = "day"
    """A local day of a subject: enterprise, asset_no."""
    SUBJECT = "subject"
    """Every day of a subject, because it is described or planned in other words: enterprise, asset_no."""
    REGISTER = "register"
    """A register from its first reading on, for the same reason: enterprise, register."""
    LEDGER = "ledger"
    """An enterprise of which the registry, or what gateways tell of it, says something new."""
    SUMS = "sums"
    """The sums of a day; no key."""
    PLAN = "plan"
    """What the lists of the plan come to at the end of a month, its last day; no key."""


class Mark(NamedTuple):
    """A mark as somebody saw it."""

    kind: str
    key: str
    day: date
    word: int


def key(*names: str) -> str:
    """What is marked, or set apart: an enterprise, and something of it. No name but a register's has a slash."""
    return "/".join(names)


def names(of: str) -> tuple[str, str]:
    """Enterprise, and subject or register of it; the latter empty where the enterprise itself is meant."""
    enterprise, _, rest = of.partition("/")
    return enterprise, rest


def mark(connection: Connection, kind: Kind, what: Iterable[tuple[str, date]]) -> None:
    """Mark keys and days. Sorted, so that writers never wait for each other in a ring."""
    word = secrets.randbits(62) + 1
    sql.replace(connection, dirty, ((kind.value, of, day, word) for of, day in what))


def planned_anew(connection: Connection) -> None:
    """Somebody said other planned days, for all times: every outlook counts them. Below 0 the counter is a word of its
    own, as marks have one."""
    sql.replace(connection, counter, [(OUTLOOKS, -secrets.randbits(62) - 1)])


def waiting(kind: Kind) -> Select[tuple[str, str, date, int]]:
    """The marks of a kind in the order of key and day, without those of what is set apart."""
    return select(dirty).where((dirty.c.kind == kind.value) & ~_SET_APART).order_by(dirty.c.key, dirty.c.day)


def left(connection: Connection, last: date) -> int:
    """How many marks wait of days up to one, without those of what is set apart."""
    count = select(func.count()).select_from(dirty).where((dirty.c.day <= last) & ~_SET_APART)
    return int(connection.execute(count).scalar_one())


def seen(connection: Connection, query: Select[tuple[str, str, date, int]]) -> list[Mark]:
    """The marks that a question finds."""
    return [Mark._make(row) for row in connection.execute(query)]


def answer(connection: Connection, marks: Sequence[Mark]) -> None:
    """What these asked for is worked out; what was marked again since is not."""
    sql.run(connection, _ANSWER, [*marks])


def passes(connection: Connection, loop: str) -> int:
    """How often anybody wrote what a loop worked out."""
    found = sql.first(connection, _PASSES, (_name(loop),))
    return int(found[0]) if found else 0


def is_next(connection: Connection, loop: str, after: int) -> bool:
    """Count a pass, of what was read when there had been so many; False where another one wrote meanwhile: what it read
    may be newer."""
    if passes(connection, loop) != after:
        return False
    sql.replace(connection, counter, [(_name(loop), after + 1)])
    return True


def _name(loop: str) -> str:
    return f"{loop} passes"
