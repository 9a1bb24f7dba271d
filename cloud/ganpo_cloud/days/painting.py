"""Painted stretches of one subject, from the facts as they are stored now."""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection

from ganpo_cloud.store import sql
from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State

LONGEST_SLOT_MS = 24 * 3_600_000
_SLOTS = (
    "SELECT f.stream, f.seq, f.crc32, s.place, s.start, s.end, s.runs FROM states s JOIN frame f ON f.id = s.frame"
    " WHERE s.enterprise = ? AND s.subject = ? AND s.start >= ? AND s.start < ? AND s.end > ? ORDER BY s.start"
)


def painted(connection: Connection, enterprise: str, asset_no: str, start: int, end: int) -> list[Span]:
    """The painted states of one subject over [start, end)."""
    return paint(_slots(connection, enterprise, asset_no, start, end), start, end)


def of_days(
    connection: Connection, enterprise: str, asset_no: str, borders: Sequence[tuple[int, int]]
) -> list[list[Span]]:
    """The same over days in a row, each by its begin and end, read at once."""
    slots = _slots(connection, enterprise, asset_no, borders[0][0], borders[-1][1])
    starts = [slot.start for slot in slots]
    found = []
    for start, end in borders:
        mine = slots[bisect_left(starts, start - LONGEST_SLOT_MS) : bisect_left(starts, end)]
        found.append(paint((slot for slot in mine if slot.end > start), start, end))
    return found


def ms_per_state(spans: Iterable[Span]) -> dict[str, int]:
    """How long each state lasted; states that did not occur are left out."""
    found: dict[str, int] = {}
    for span in spans:
        found[span.state] = found.get(span.state, 0) + span.end - span.start
    return found


def in_a_row(rising: Iterable[date]) -> Iterator[tuple[date, date]]:
    """First and last of every stretch of days without a gap."""
    first = last = None
    for day in rising:
        if first is not None and last is not None and day - last != timedelta(days=1):
            yield first, last
            first = None
        first, last = first or day, day
    if first is not None and last is not None:
        yield first, last


def _slots(connection: Connection, enterprise: str, asset_no: str, start: int, end: int) -> list[Slot]:
    values = (enterprise, asset_no, start - LONGEST_SLOT_MS, end, start)
    return [
        Slot(tuple(row[:4]), row[4], row[5], _runs(row[6])) for row in sql.rows(connection, _SLOTS, values)
    ]


def _runs(text: str) -> tuple[tuple[int, State], ...]:
    return tuple((offset, State(state)) for offset, state in json.loads(text))
