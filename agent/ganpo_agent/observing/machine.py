"""A machine: signals -> state -> runs (metrics.md section 2)."""

import math
from collections.abc import Mapping, Sequence

from ganpo_agent.observing.limits import POWER
from ganpo_agent.observing.rules import derive
from ganpo_agent.observing.runs import Beginning, Runs
from ganpo_agent.observing.signals import PointState
from ganpo_config.plant import Machine, SignalValue
from ganpo_drivers import FaultKind
from ganpo_model.facts import States
from ganpo_model.states import State

_IN_UNREST = (
    State.MAINTENANCE,
    State.FAULT,
    State.PRODUCING,
    State.SETUP,
    State.HELD,
    State.IDLE,
)
"""What a machine is in while no state lasts: the first that was derived. OFF needs a proof that lasts."""


class MachineRuns(Runs):
    """The runs of one machine, from its signals.

    A state is settled once it was derived without interruption for `debounce_s`, then from its beginning. Where none
    lasted so long for so long, the first of `_IN_UNREST` derived meanwhile is, from the beginning of that stretch.
    What is settled is shown, but for moments at which nothing is known.
    """

    def __init__(self, machine: Machine, now: int) -> None:
        super().__init__(machine.asset_no, now)
        self.machine = machine
        self.stale_at: float = math.inf
        """When the first of its values goes stale, as far as `advance` knew."""
        self.due: float = now
        """Before then `advance` changes nothing, unless a value says something new."""
        self._at = now
        self._settled = State.UNKNOWN
        self._unrest: list[Beginning] = []
        """What was derived since the last state that lasted, in the stretch that is looked at and the one before; the
        last one is derived now."""
        self._stretch = now
        """Where that stretch begins."""
        self._lasting_ms = round(machine.debounce_s * 1000)
        self._points = frozenset(machine.signals.values())
        self._power = machine.signals.get(POWER, "")
        self._unless_off = tuple(
            rule for rule in machine.rules if rule.state is not State.OFF or POWER not in rule.when
        )

    def advance(self, seen: Mapping[str, PointState], now: int) -> list[States]:
        """Bring the state to `now`, with every value that went stale on the way ending at its own moment.

        Returns facts that stand complete already (`tell`). Call it before `cut`.
        """
        done: list[States] = []
        ends = self._ends(seen)
        for moment in sorted(end for end in ends if self._at < end < now):
            done += self._look(seen, moment)
        done += self._look(seen, now)
        self._at = max(self._at, now)
        self.stale_at = min((end for end in ends if end > now), default=math.inf)
        self.due = min(self.stale_at, self._settles_at(now))
        return done

    def fall_due(self, seen: Mapping[str, PointState], now: int) -> list[States]:
        """`advance` at `due`, where nothing says anything new: mostly values that came since have put their end off."""
        if not self._unrest:
            stale_at = min((end for end in self._ends(seen) if end > self._at), default=math.inf)
            if stale_at > now:
                self.stale_at = self.due = stale_at
                return []
        return self.advance(seen, now)

    def restart(self, now: int, by: int) -> None:
        """What was derived before the step lies on another axis: what is derived now begins anew."""
        super().restart(now, by)
        self._at = self.due = now
        self._unrest = [(now, state) for _, state in self._unrest[-1:]]
        self._stretch = now

    def _ends(self, seen: Mapping[str, PointState]) -> set[int]:
        """When what its signals say is over, unless they say it again."""
        ends = {seen[name].until for name in self._points if name in seen}
        power = seen.get(self._power)
        if power is not None and (brakes_until := power.brakes_until) is not None:
            ends.add(brakes_until)
        return ends

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

        power = seen.get(self._power)
        brakes_until = None if power is None or moment >= power.until else power.brakes_until
        if brakes_until is None:
            return derive(self.machine.rules, value)

        def known(signal: str) -> SignalValue | None:
            return None if signal == POWER else value(signal)

        if moment >= brakes_until:
            return derive(self.machine.rules, known)
        # it is not off, and what else the amount means nobody knows: a machine that brakes stays as it is
        state = derive(self._unless_off, known)
        return self._settled if state is State.UNKNOWN else state

    def _look(self, seen: Mapping[str, PointState], moment: int) -> list[States]:
        """What was derived before held until `moment`; from then on it is what the signals say."""
        done = self._end_stretch(moment) + self._settle(moment)
        derived = self._derived(seen, moment)
        if self._unrest and self._unrest[-1][0] == moment:  # it was looked at before, and lasted no time
            self._unrest.pop()
        if derived is not (self._unrest[-1][1] if self._unrest else self._settled):
            if not self._unrest:
                self._stretch = moment
            self._unrest.append((moment, derived))
        done += self._settle(moment)
        shown = self._shown(derived)
        return done if shown is self.state else done + self.tell([(moment, shown)])

    def _settles_at(self, now: int) -> float:
        """When the state settles if the signals go on saying what they say."""
        if not self._unrest:
            return math.inf
        began = self._unrest[-1][0]
        return now if began - self._stretch >= self._lasting_ms else began + self._lasting_ms

    def _settle(self, moment: int) -> list[States]:
        """What is derived now is settled, if it has lasted."""
        if not self._unrest or moment - self._unrest[-1][0] < self._lasting_ms:
            return []
        lasting, self._unrest = self._unrest[-1:], []
        return self._change(lasting, lasting[0][1])

    def _end_stretch(self, moment: int) -> list[States]:
        """What was derived before what is derived now is over: none of it lasted, but did all of it together?

        It is looked at together with the stretch before, so that three states in turn are one.
        """
        if not self._unrest or not self._stretch < (end := self._unrest[-1][0]) < moment:
            return []
        if end - self._stretch < self._lasting_ms:
            return []
        found = {state for _, state in self._unrest[:-1]}
        settled = next((state for state in _IN_UNREST if state in found), State.UNKNOWN)
        told = self._unrest[-1:] if settled is State.UNKNOWN else self._unrest
        self._unrest = [run for run in self._unrest if run[0] >= self._stretch]
        self._stretch = end
        return self._change(told, settled)

    def _change(self, told: Sequence[Beginning], settled: State) -> list[States]:
        """`settled` holds from the beginning of what was derived on, wherever that was anything."""
        if settled is self._settled:
            return []
        self._settled = settled
        return self.tell([(at, self._shown(derived)) for at, derived in told])

    def _shown(self, derived: State) -> State:
        return State.UNKNOWN if derived is State.UNKNOWN else self._settled
