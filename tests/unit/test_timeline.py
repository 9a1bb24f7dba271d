"""A painted day as a bar: every alarm is seen, nothing is drawn of the future."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State
from ganpo_service.pages.timeline import CELLS, Piece, pieces

DAY = 86_400_000


def test_two_seconds_of_fault_are_a_slice_of_their_own() -> None:
    spans = [
        Span(0, 1_000_000, State.PRODUCING),
        Span(1_000_000, 1_002_000, State.FAULT),
        Span(1_002_000, DAY, State.PRODUCING),
    ]
    found = pieces(spans, 0, DAY, DAY)
    assert [piece.state for piece in found] == [State.PRODUCING, State.FAULT, State.PRODUCING]
    assert found[1].width == 1000 // CELLS


def test_the_worst_state_of_a_slice_wins_and_else_the_longest() -> None:
    cell = DAY // CELLS
    spans = [
        Span(0, cell // 4, State.IDLE),
        Span(cell // 4, cell // 4 + 5, State.HELD),
        Span(cell // 4 + 5, cell, State.PRODUCING),
        Span(cell, cell + cell // 4, State.SETUP),
        Span(cell + cell // 4, DAY, State.OFF),
    ]
    assert pieces(spans, 0, DAY, DAY)[:2] == [Piece(0, 5, State.HELD), Piece(5, 995, State.OFF)]


def test_the_future_is_empty() -> None:
    found = pieces(paint([], 0, DAY // 2), 0, DAY, DAY // 2)
    assert found == [Piece(0, 500, State.UNKNOWN)]
    assert pieces([], 0, DAY, 0) == []


@given(st.lists(st.tuples(st.integers(0, DAY), st.integers(1, DAY), st.sampled_from(State)), max_size=12))
def test_pieces_are_adjacent_differ_from_their_neighbours_and_fill_the_past(
    slots: list[tuple[int, int, State]],
) -> None:
    spans = paint([Slot((n,), a, a + length, ((0, s),)) for n, (a, length, s) in enumerate(slots)], 0, DAY)
    found = pieces(spans, 0, DAY, DAY)
    assert [piece.x for piece in found] == [0, *(piece.x + piece.width for piece in found)][:-1]
    assert sum(piece.width for piece in found) == 1000
    assert all(a.state is not b.state for a, b in pairwise(found))
    drawn = {piece.state for piece in found}
    assert {span.state for span in spans} & {State.FAULT} <= drawn
