"""A painted day as a bar: what is drawn where (ui.md, State timeline). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ganpo_model.paint import Span
from ganpo_model.states import State

CELLS = 200
"""Slices of a bar: about 3 px each at desk size, so that nothing is drawn thinner."""
_WORST = (State.FAULT, State.HELD)
"""A slice that holds any of these shows it, the worst first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the bar: from `x`, `width` wide, in thousandths of it."""

    x: int
    width: int
    state: State


def pieces(spans: Sequence[Span], start: int, end: int, now: int) -> list[Piece]:
    """The bar of [start, end): the past up to `now`, nothing of the future."""
    until = min(end, now)
    found: list[Piece] = []
    step = 1000 // CELLS
    place = 0
    for cell in range(CELLS):
        a = start + (end - start) * cell // CELLS
        b = min(start + (end - start) * (cell + 1) // CELLS, until)
        if a >= until or a >= b:
            break
        while place < len(spans) and spans[place].end <= a:
            place += 1
        state = _shown(spans, place, a, b)
        if found and found[-1].state is state:
            found[-1] = Piece(found[-1].x, found[-1].width + step, state)
        else:
            found.append(Piece(cell * step, step, state))
    return found


def _shown(spans: Sequence[Span], place: int, a: int, b: int) -> State:
    lengths: dict[State, int] = {}
    for span in spans[place:]:
        if span.start >= b:
            break
        lengths[span.state] = lengths.get(span.state, 0) + min(span.end, b) - max(span.start, a)
    for state in _WORST:
        if state in lengths:
            return state
    return max(lengths, key=lambda state: lengths[state], default=State.UNKNOWN)
