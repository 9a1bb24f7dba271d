"""A profile's rules: what the signals of a machine mean together (metrics.md section 2)."""

from collections.abc import Callable

from ganpo_agent.observing.limits import POWER
from ganpo_config.plant import Between, OneOf, Rule, SignalValue
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
            continue
        if rule.state is State.OFF and signal == POWER and not isinstance(seen, str):
            seen = abs(seen)  # the sign says only which way a transformer is mounted
        if not _holds(condition, seen):
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
