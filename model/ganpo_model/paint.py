"""Painting a day: the runs of all slots on one axis (metrics.md section 2, invariant I8)."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from ganpo_model.states import State


class Slot(NamedTuple):
    """The runs of one `states` fact: times in ms since 1970, runs as `(ms after start, state)`.

    `order` is (stream, seq, crc32, place in the frame): later paint covers earlier.
    """

    order: tuple[Any, ...]
    start: int
    end: int
    runs: Sequence[tuple[int, State]]


class Span(NamedTuple):
    """A stretch of one state, half-open, in ms since 1970."""

    start: int
    end: int
    state: State


_span = partial(tuple.__new__, Span)
"""A span of a tuple: a day has hundreds."""


def paint(slots: Iterable[Slot], start: int, end: int) -> list[Span]:
    """The states of one subject over [start, end): adjacent spans that fill it exactly.

    Neighbours differ in state. Later paint covers earlier, UNKNOWN never covers known, what nobody
    painted is UNKNOWN. The same for any order and any copies of the slots. Empty for an empty day.
    """
    if start >= end:
        return []
    inside = (slot for slot in slots if slot.start < end and start < slot.end)
    rising = sorted(inside, key=lambda slot: slot.start)
    edges = _covered(rising, start, end) if overlap(rising) else _in_a_row(rising, start, end)
    starts, states = zip(*edges, strict=True)
    return list(map(_span, zip(starts, (*starts[1:], end), states, strict=True)))


def overlap(rising: Iterable[Slot]) -> bool:
    """Whether slots that rise by their start lie over each other: then it matters which came later."""
    return any(one.end > other.start for one, other in pairwise(rising))


_Edges = list[tuple[int, State]]
"""Where each state begins: neighbours differ."""


def _in_a_row(slots: Iterable[Slot], start: int, end: int) -> _Edges:
    """One pass over slots of which none covers another."""
    edges = [(start, State.UNKNOWN)]
    reached, last = start, State.UNKNOWN
    for _, begin, stop, runs in slots:
        if begin > reached and last is not State.UNKNOWN:
            edges.append((reached, State.UNKNOWN))
            last = State.UNKNOWN
        for offset, state in runs:
            at = begin + offset
            if at >= stop or at >= end:
                break
            if at <= start:
                edges[0] = (start, state)
            elif state is not last:
                edges.append((at, state))
            last = state
        reached = min(stop, end)
    if reached < end and last is not State.UNKNOWN:
        edges.append((reached, State.UNKNOWN))
    return edges


def _covered(slots: Iterable[Slot], start: int, end: int) -> _Edges:
    strokes = [
        stroke for slot in sorted(slots, key=lambda slot: slot.order) for stroke in _strokes(slot, start, end)
    ]
    edges = sorted({start, end, *(edge for a, b, _ in strokes for edge in (a, b))})
    place = {edge: index for index, edge in enumerate(edges)}
    cells = [State.UNKNOWN] * (len(edges) - 1)
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
    changes = [True, *(a is not b for a, b in pairwise(cells))]
    return [(edge, state) for edge, state, new in zip(edges, cells, changes, strict=False) if new]


def _strokes(slot: Slot, start: int, end: int) -> Iterable[tuple[int, int, State]]:
    """The known runs of a slot, clipped to it and to [start, end)."""
    ends = [offset for offset, _ in slot.runs[1:]] + [slot.end - slot.start]
    for (offset, state), until in zip(slot.runs, ends, strict=True):
        a = max(slot.start + offset, start)
        b = min(slot.start + until, slot.end, end)
        if a < b and state is not State.UNKNOWN:
            yield a, b, state
