"""Painting a day: the runs of all slots on one axis (metrics.md section 2, invariant I8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ganpo_model.states import State


@dataclass(frozen=True, slots=True)
class Slot:
    """The runs of one `states` fact: times in ms since 1970, runs as `(ms after start, state)`.

    `order` is (stream, seq, crc32, place in the frame): later paint covers earlier.
    """

    order: tuple[Any, ...]
    start: int
    end: int
    runs: tuple[tuple[int, State], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one state, half-open, in ms since 1970."""

    start: int
    end: int
    state: State


def paint(slots: Iterable[Slot], start: int, end: int) -> list[Span]:
    """The states of one subject over [start, end): adjacent spans that fill it exactly.

    Neighbours differ in state. Later paint covers earlier, UNKNOWN never covers known, what nobody
    painted is UNKNOWN. The same for any order and any copies of the slots. Empty for an empty day.
    """
    strokes = [
        stroke for slot in sorted(slots, key=lambda slot: slot.order) for stroke in _strokes(slot, start, end)
    ]
    edges = sorted({start, end, *(edge for a, b, _ in strokes for edge in (a, b))}) if start < end else []
    place = {edge: index for index, edge in enumerate(edges)}
    cells = [State.UNKNOWN] * max(len(edges) - 1, 0)
    # Newest first, each cell painted once: `following` skips what is taken already, so a day of
    # n strokes costs n log n however much of it came twice.
    following = list(range(len(cells) + 1))

    def free(index: int) -> int:
        while following[index] != index:
            following[index] = following[following[index]]
            index = following[index]
        return index

    for a, b, state in reversed(strokes):
        index = free(place[a])
        while index < place[b]:
            cells[index] = state
            following[index] = index + 1
            index = free(index)
    spans: list[Span] = []
    for (a, b), state in zip(pairwise(edges), cells, strict=True):
        if spans and spans[-1].state is state:
            spans[-1] = Span(spans[-1].start, b, state)
        else:
            spans.append(Span(a, b, state))
    return spans


def _strokes(slot: Slot, start: int, end: int) -> Iterable[tuple[int, int, State]]:
    """The known runs of a slot, clipped to it and to [start, end)."""
    ends = [offset for offset, _ in slot.runs[1:]] + [slot.end - slot.start]
    for (offset, state), until in zip(slot.runs, ends, strict=True):
        a = max(slot.start + offset, start)
        b = min(slot.start + until, slot.end, end)
        if a < b and state is not State.UNKNOWN:
            yield a, b, state
