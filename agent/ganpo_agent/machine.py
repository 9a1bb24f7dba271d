"""A machine: signals -> state -> runs (metrics.md section 2)."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ganpo_agent.signals import PointState
from ganpo_config.plant import Between, Machine, OneOf, Rule, SignalValue
from ganpo_drivers import FaultKind
from ganpo_model.clock import from_ms
from ganpo_model.facts import MAX_RUNS, States
from ganpo_model.states import State

_EVEN_SO = (State.OFF, State.MAINTENANCE, State.FAULT)
"""States that may still win once a rule was passed over for lack of a value."""


def derive(rules: tuple[Rule, ...], value: Callable[[str], SignalValue | None]) -> State:
    """The state that the rules give. `value` answers a signal's value, None where it has none."""
    undecided = False
    for rule in rules:
        verdict = _verdict(rule, value)
        if verdict is None:
            undecided = True
        elif verdict and (not undecided or rule.state in _EVEN_SO):
            return rule.state
    return State.UNKNOWN if undecided else State.IDLE


def _verdict(rule: Rule, value: Callable[[str], SignalValue | None]) -> bool | None:
    undecided = False
    for signal, condition in rule.when.items():
        seen = value(signal)
        if seen is None:
            undecided = True
        elif not _holds(condition, seen):
            return False
    return None if undecided else True


def _holds(condition: OneOf | Between, value: SignalValue) -> bool:
    if isinstance(condition, OneOf):
        return value in condition.values
    if isinstance(value, str):
        return False
    return (condition.min is None or value >= condition.min) and (
        condition.below is None or value < condition.below
    )


class MachineRuns:
    """The runs of one machine since the last cut. All times in ms; they never fall, but for `restart`."""

    def __init__(self, machine: Machine, now: int) -> None:
        self.machine = machine
        self.state = State.UNKNOWN
        self.since = now
        self._begun = now
        self._at = now
        self._runs: list[tuple[int, State]] = [(0, State.UNKNOWN)]
        self._candidate: tuple[State, int] | None = None
        self._points = frozenset(machine.signals.values())

    def advance(self, seen: Mapping[str, PointState], now: int) -> list[States]:
        """Bring the state to `now`, with every value that went stale on the way ending at its own moment.

        Returns facts that stand complete already: a debounced state that began before the last cut, or a
        piece of a slot with more runs than a fact holds.
        """
        done: list[States] = []
        ends = {seen[name].until for name in self._points if name in seen}
        for moment in sorted(end for end in ends if self._at < end < now):
            done += self._become(self._derived(seen, moment), moment)
        done += self._become(self._derived(seen, now), now)
        self._at = max(self._at, now)
        return done

    def cut(self, end: int) -> States:
        """The runs up to `end`; the next begin there in the same state. Call `advance` to `end` before."""
        fact = self.open_fact(end)
        self._begun = end
        self._runs = [(0, self.state)]
        return fact

    def open_fact(self, end: int) -> States:
        """The runs up to `end` as a fact, without cutting."""
        runs = tuple(run for run in self._runs if run[0] < max(end - self._begun, 1))
        return States("states", self.machine.asset_no, self.start, from_ms(end), runs)

    @property
    def start(self) -> datetime:
        """Where the runs since the last cut begin."""
        return from_ms(self._begun)

    def restart(self, now: int, by: int) -> None:
        """After a cut: the clock stepped by `by` ms, the next run begins at `now` in the same state."""
        self._begun = self._at = now
        self.since += by
        if self._candidate is not None:
            self._candidate = (self._candidate[0], now)

    def _derived(self, seen: Mapping[str, PointState], moment: int) -> State:
        def value(signal: str) -> SignalValue | None:
            name = self.machine.signals.get(signal)
            if name is None:
                return self.machine.absent.get(signal)
            observed = seen.get(name)
            if observed is None:
                return None
            if observed.fault is not None and observed.fault.kind is FaultKind.ABSENT:
                return self.machine.absent.get(signal)
            return observed.value if moment < observed.until else None

        return derive(self.machine.rules, value)

    def _become(self, derived: State, moment: int) -> list[States]:
        """`derived` is what the signals say from `moment` on; what they said before held until then."""
        done = self._confirm(moment)
        if derived is self.state:
            self._candidate = None
        elif derived is State.UNKNOWN:
            self._candidate = None
            done += self._switch(derived, moment, moment)
        elif self._candidate is None or self._candidate[0] is not derived:
            self._candidate = (derived, moment)
            done += self._confirm(moment)
        return done

    def _confirm(self, moment: int) -> list[States]:
        """A state counts once it was derived without interruption for `debounce_s`, then from its beginning."""
        if self._candidate is None or moment - self._candidate[1] < self.machine.debounce_s * 1000:
            return []
        (state, began), self._candidate = self._candidate, None
        return self._switch(state, began, moment)

    def _switch(self, state: State, began: int, moment: int) -> list[States]:
        """The state is `state` since `began`, which may lie before the last cut: later paint covers earlier."""
        self.state, self.since = state, began
        done = []
        if began < self._begun:
            asset_no = self.machine.asset_no
            done.append(States("states", asset_no, from_ms(began), from_ms(self._begun), ((0, state),)))
        offset = max(began - self._begun, 0)
        if self._runs[-1][0] == offset:
            self._runs.pop()
        if not self._runs or self._runs[-1][1] is not state:
            self._runs.append((offset, state))
        if len(self._runs) == MAX_RUNS and moment > self._begun + offset:
            done.append(self.cut(moment))
        return done
