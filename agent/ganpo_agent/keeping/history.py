"""What an outbox still has of the states and readings since a moment: also of runs before this one."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ganpo_model.clock import to_ms
from ganpo_model.errors import FrameError
from ganpo_model.facts import Fact, Reading, States
from ganpo_model.frame import unpack
from ganpo_model.states import State

MOST = 3000
"""Frames that are looked through, at most: the newest."""
Key = tuple[str, int]


def since(db: sqlite3.Connection, start: int) -> list[Key]:
    """The frames of states and readings that may tell of `start` (ms) or later, oldest first. Numbers rise with time,
    so that the first of them is found by halving."""
    query = "SELECT stream, seq FROM frame WHERE kind IN ('states', 'reading') ORDER BY stream DESC, seq DESC LIMIT ?"
    keys: list[Key] = list(reversed(db.execute(query, (MOST,)).fetchall()))
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        told = [_end(fact) for fact in _said(db, keys[middle])]
        if told and max(told) < start:
            low = middle + 1
        else:
            high = middle
    return keys[low:]


def facts(db: sqlite3.Connection, keys: Sequence[Key]) -> list[Fact]:
    """What these frames tell; what cannot be read is left out."""
    found: list[Fact] = []
    for key in keys:
        for fact in _said(db, key):
            if fact["type"] == "reading":
                at = datetime.fromisoformat(fact["at"])
                found.append(Reading("reading", fact["register"], at, fact["raw"]))
            elif fact["type"] == "states":
                start, end = datetime.fromisoformat(fact["start"]), datetime.fromisoformat(fact["end"])
                runs = tuple((ms, State(state)) for ms, state in fact["runs"])
                found.append(States("states", fact["subject"], start, end, runs))
    return found


def _said(db: sqlite3.Connection, key: Key) -> Iterator[dict[str, Any]]:
    row = db.execute("SELECT bytes FROM frame WHERE stream = ? AND seq = ?", key).fetchone()
    try:
        yield from json.loads(unpack(row[0]))["facts"] if row is not None else ()
    except (FrameError, ValueError, KeyError, TypeError):
        return


def _end(fact: dict[str, Any]) -> int:
    return to_ms(datetime.fromisoformat(fact.get("end") or fact["at"]))
