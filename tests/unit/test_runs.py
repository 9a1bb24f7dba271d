"""Runs and spans come out as they went in, in four bytes each."""

from hypothesis import given
from hypothesis import strategies as st

from ganpo_cloud.store.runs import packed, unpacked
from ganpo_model.clock import HOUR_MS
from ganpo_model.states import State

LONGEST_DAY_MS = 25 * HOUR_MS
RUNS = st.lists(st.tuples(st.integers(0, LONGEST_DAY_MS), st.sampled_from(State)), max_size=20)


@given(RUNS)
def test_runs_come_out_as_they_went_in(runs: list[tuple[int, State]]) -> None:
    stored = packed(runs)
    assert unpacked(stored) == runs
    assert len(stored) == 4 * len(runs)


def test_what_is_stored_stays_readable_whatever_this_code_becomes() -> None:
    assert packed([(0, State.PRODUCING), (700_000, State.UNKNOWN)]).hex() == "0000000007735500"
    assert [(0, state) for state in State] == unpacked(bytes(b for code in range(8) for b in (code, 0, 0, 0)))
