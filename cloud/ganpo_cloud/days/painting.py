"""Painted stretches of subjects: from the facts as they are stored now, or as a day of them is stored."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ganpo_cloud.store import sql
from ganpo_cloud.store.runs import unpacked
from ganpo_model.paint import Slot, Span, overlap, paint
from ganpo_model.states import State

LONGEST_SLOT_MS = 24 * 3_600_000
_WHERE = (
    's.enterprise = ? AND s.subject = ? AND s.start >= ? AND s.start < ? AND s."end" > ? ORDER BY s.start'
)
_SLOTS = f'SELECT s.start, s."end", s.runs FROM states s WHERE {_WHERE}'
_ORDERED = (
    'SELECT s.start, s."end", s.runs, f.stream, f.seq, f.crc32, s.place FROM states s JOIN frame f ON f.id = s.frame'
    f" WHERE {_WHERE}"
)


class Axis(NamedTuple):
    """A stretch of time of one subject, in ms."""

    enterprise: str
    asset_no: str
    start: int
    end: int


def painted(connection: Connection, enterprise: str, asset_no: str, start: int, end: int) -> list[Span]:
    """The painted states of one subject over [start, end)."""
    (found,) = slots(connection, [Axis(enterprise, asset_no, start, end)])
    return paint(found, start, end)


def slots(connection: Connection, axes: Sequence[Axis]) -> Iterator[list[Slot]]:
    """What is stored of each, read at once, rising. In which order it is painted is asked where it matters."""
    asked = [(*axis[:2], axis.start - LONGEST_SLOT_MS, axis.end, axis.start) for axis in axes]
    for values, rows in zip(asked, sql.each(connection, _SLOTS, asked), strict=True):
        found = [Slot((), start, end, _runs(runs)) for start, end, runs in rows]
        if overlap(found):
            ordered = sql.rows(connection, _ORDERED, values)
            found = [Slot(tuple(order), start, end, _runs(runs)) for start, end, runs, *order in ordered]
        yield found


def stored(row: Any) -> list[Span]:
    """The spans of a row of `day`."""
    edges = [(row.start + offset, state) for offset, state in unpacked(row.spans)]
    return [Span(a, b, state) for (a, state), (b, _) in pairwise([*edges, (row.end, State.UNKNOWN)])]


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


def _runs(text: str) -> list[tuple[int, State]]:
    return [(offset, State(state)) for offset, state in json.loads(text)]
