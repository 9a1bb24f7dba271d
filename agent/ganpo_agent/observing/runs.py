"""The runs of one machine since the last cut, and how a stretch is told again once more is known."""

from collections.abc import Sequence
from datetime import datetime

from ganpo_model.clock import from_ms
from ganpo_model.facts import MAX_RUNS, States
from ganpo_model.states import State

Beginning = tuple[int, State]
"""A state from a time (ms) on."""


class Runs:
    """All times in ms; they never fall, but for `restart`."""

    def __init__(self, asset_no: str, now: int) -> None:
        self.state = State.UNKNOWN
        self.since = now
        self._asset_no = asset_no
        self._begun = now
        self._runs: list[Beginning] = [(0, State.UNKNOWN)]
        """As a fact has them: from the last cut."""

    def cut(self, end: int) -> States:
        """The runs up to `end`; the next begin there in the same state."""
        fact = self.open_fact(end)
        self._begun = end
        self._runs = [(0, self.state)]
        return fact

    def open_fact(self, end: int) -> States:
        """The runs up to `end` as a fact, without cutting."""
        runs = tuple(run for run in self._runs if run[0] < max(end - self._begun, 1))
        return States("states", self._asset_no, self.start, from_ms(end), runs)

    @property
    def start(self) -> datetime:
        """Where the runs since the last cut begin."""
        return from_ms(self._begun)

    def restart(self, now: int, by: int) -> None:
        """After a cut: the clock stepped by `by` ms, the next run begins at `now` in the same state."""
        self._begun = now
        self.since += by

    def tell(self, told: Sequence[Beginning]) -> list[States]:
        """The machine was in these states from their beginnings on, and is in the last one.

        Returns the facts that stand complete with that: what lies before the last cut, told again, for later paint
        covers earlier; and a piece of a slot with more runs than a fact holds.
        """
        told = [run for n, run in enumerate(told) if n == 0 or run[1] is not told[n - 1][1]]
        before = [run for run in told if run[0] < self._begun]
        # UNKNOWN alone would cover nothing
        done = self._again(before) if any(state is not State.UNKNOWN for _, state in before) else []
        self._runs = [run for run in self._runs if run[0] < told[0][0] - self._begun]
        for at, state in told:
            offset = max(at - self._begun, 0)
            if self._runs and self._runs[-1][0] == offset:
                self._runs.pop()
            if self._runs and self._runs[-1][1] is state:
                continue
            if len(self._runs) == MAX_RUNS:
                done.append(self.cut(at))
                self._runs, offset = [], 0
            self._runs.append((offset, state))
        self.since, self.state = told[-1]
        return done

    def _again(self, told: Sequence[Beginning]) -> list[States]:
        done = []
        for n in range(0, len(told), MAX_RUNS):
            piece, behind = told[n : n + MAX_RUNS], told[n + MAX_RUNS : n + MAX_RUNS + 1]
            start, end = piece[0][0], behind[0][0] if behind else self._begun
            runs = tuple((at - start, state) for at, state in piece)
            done.append(States("states", self._asset_no, from_ms(start), from_ms(end), runs))
        return done
