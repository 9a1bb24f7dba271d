"""Painted stretches of subjects: from the facts as they are stored now, or as a day of them is stored."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from sqlalchemy import Connection

from ganpo_cloud.days.subjects import Subject
from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import bounds, days_from
from ganpo_cloud.store.runs import unpacked
from ganpo_cloud.store.slots import LONGEST_MS, OVERLAPPING, overlapping
from ganpo_model.paint import Slot, Span, overlap, paint
from ganpo_model.states import State

_SLOTS = f"SELECT s.start, s.start + s.length, s.runs FROM {OVERLAPPING} ORDER BY s.start"
_ORDERED = (
    "SELECT o.start, o.until, o.runs, f.stream, f.seq, f.crc32, o.place"
    f" FROM (SELECT s.*, s.start + s.length AS until FROM {OVERLAPPING}) o JOIN frame f ON f.id = o.frame"
    " ORDER BY o.start"
)
_GOOD = (
    "SELECT EXISTS (SELECT 1 FROM event WHERE enterprise = ? AND subject = ? AND kind = 'link_up'"
    " AND at >= ? AND at < ?)"
    " OR EXISTS (SELECT 1 FROM register r JOIN reading o ON o.enterprise = r.enterprise AND o.register = r.id"
    " WHERE r.enterprise = ? AND r.subject = ? AND o.at >= ? AND o.at < ?)"
)


Axis = tuple[str, str, int, int]
"""A stretch of time of one subject: enterprise, asset_no, begin and end in ms."""


def painted(connection: Connection, enterprise: str, asset_no: str, start: int, end: int) -> list[Span]:
    """The painted states of one subject over [start, end)."""
    (found,) = slots(connection, [(enterprise, asset_no, start, end)])
    return paint(found, start, end)


def slots(connection: Connection, axes: Sequence[Axis]) -> Iterator[list[Slot]]:
    """What is stored of each, read at once, rising. In which order it is painted is asked where it matters."""
    asked = [overlapping(*axis) for axis in axes]
    for values, rows in zip(asked, sql.each(connection, _SLOTS, asked), strict=True):
        found = [Slot((), start, end, unpacked(runs)) for start, end, runs in rows]
        if overlap(found):
            ordered = sql.rows(connection, _ORDERED, values)
            found = [Slot(tuple(order), start, end, unpacked(runs)) for start, end, runs, *order in ordered]
        yield found


def stored(start: int, end: int, spans: bytes) -> list[Span]:
    """The spans of a row of `day`."""
    edges = [(start + offset, state) for offset, state in unpacked(spans)]
    return [Span(a, b, state) for (a, state), (b, _) in pairwise([*edges, (end, State.UNKNOWN)])]


def ms_per_state(spans: Iterable[Span]) -> dict[str, int]:
    """How long each state lasted; states that did not occur are left out."""
    found: dict[str, int] = {}
    for start, end, state in spans:
        found[state] = found.get(state, 0) + end - start
    return found


def of_subjects(
    connection: Connection, asked: Sequence[tuple[Subject, Sequence[date]]], now_ms: int
) -> list[dict[date, list[Span]]]:
    """The painted local days of each subject, of those that are asked for, which rise: of a machine its ended ones
    since it was named, and those on which anything is stored; of what is no machine, or nobody names yet, those with
    states."""
    found: list[dict[date, list[Span]]] = [{} for _ in asked]
    rows = [(n, first, last) for n, (_, days) in enumerate(asked) for first, last in _in_a_row(days)]
    axes = [
        (one.enterprise, one.asset_no, bounds(first, one.zone)[0], bounds(last, one.zone)[1])
        for one, first, last in ((asked[n][0], first, last) for n, first, last in rows)
    ]
    for (n, first, last), stored_slots in zip(rows, slots(connection, axes), strict=True):
        one, _ = asked[n]
        starts = [slot.start for slot in stored_slots]
        for local in days_from(first, last):
            start, end = bounds(local, one.zone)
            mine = stored_slots[bisect_left(starts, start - LONGEST_MS) : bisect_left(starts, end)]
            if any(slot.end > start for slot in mine) or _is_whole(connection, one, local, now_ms):
                found[n][local] = paint(mine, start, end)
    return found


def _is_whole(connection: Connection, one: Subject, local: date, now_ms: int) -> bool:
    """Whether a day without states is painted."""
    if not one.machine:
        return False
    ended = bounds(local, one.zone)[1] <= min(now_ms, one.watched_until)
    return (one.since <= local and ended) or good(connection, [(one, local)])[0]


def good(connection: Connection, asked: Sequence[tuple[Subject, date]]) -> list[bool]:
    """Whether there was a Good value on each of these local days, where no state was known (onboarding.md)."""
    days = [(one.enterprise, one.asset_no, *bounds(local, one.zone)) for one, local in asked]
    return [bool(found) for ((found,),) in sql.each(connection, _GOOD, [(*day, *day) for day in days])]


def _in_a_row(rising: Sequence[date]) -> Iterator[tuple[date, date]]:
    """First and last of every stretch of days without a gap."""
    begins = [day for before, day in pairwise([date.min, *rising]) if (day - before).days > 1]
    ends = [day for day, after in pairwise([*rising, date.max]) if (after - day).days > 1]
    return zip(begins, ends, strict=True)
