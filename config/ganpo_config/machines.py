"""A machine: its profile's rules over the points that are really bound, and the states that can arise from them."""

from collections.abc import Mapping
from typing import Any

from ganpo_config.exact import NumberError
from ganpo_config.findings import Findings
from ganpo_config.parameters import Parameters
from ganpo_config.plant import Between, Machine, OneOf, Rule, SignalValue
from ganpo_config.profile import Band, Profile
from ganpo_model import reference
from ganpo_model.states import PRECEDENCE, State

_LONGEST_DEBOUNCE_S = 3600


def machine_of(
    asset_no: str,
    profile: Profile,
    parameters: Parameters,
    carriers: Mapping[str, str],
    path: str,
    findings: Findings,
) -> Machine | None:
    """The machine; `carriers`: signal to the name of the point that carries it. None: an error was found."""
    try:
        rules = tuple(_rule(rule.state, rule.when, parameters) for rule in profile.states)
        debounce = parameters.number(profile.debounce_s)
    except NumberError as error:
        findings.error(f"{path}.parameters", error.what, f"profile {profile.id} needs numbers here")
        return None
    if not 0 <= debounce <= _LONGEST_DEBOUNCE_S:
        what = f"debounce_s lies between 0 and {_LONGEST_DEBOUNCE_S} s"
        hint = "0 where the states of the machine need none"
        findings.error(f"{path}.parameters", what, hint, value=f"debounce_s={debounce:g}")
        return None
    for rule in rules:
        for signal, condition in rule.when.items():
            if isinstance(condition, Between) and _empty(condition):
                what = (
                    f"{rule.state} can never be: no {signal} from {condition.min} to below {condition.below}"
                )
                findings.error(f"{path}.parameters", what, "the lower limit has to lie below the upper one")
                return None
    _look_at_limits(rules, f"{path}.parameters", findings)
    absent = {name: about.absent for name, about in profile.signals.items() if about.absent is not None}
    proves = {}
    for flag, signals in profile.proves.items():
        if evidence := tuple(signal for signal in signals if signal in carriers):
            proves[flag] = evidence
    unneeded = frozenset(
        signal
        for signal in profile.signals.keys() - asked_for(profile)
        if reference.signals()[signal].type != "register"
    )
    return Machine(asset_no, carriers, absent, rules, debounce, proves, unneeded)


def asked_for(profile: Profile) -> set[str]:
    """The signals that a rule or a proof of the profile asks for."""
    proofs = (signal for signals in profile.proves.values() for signal in signals)
    return {signal for rule in profile.states for signal in rule.when} | set(proofs)


def states_of(machine: Machine) -> tuple[State, ...]:
    """The states that can arise with the signals really bound. Without any rule that can be decided: none but
    UNKNOWN."""
    possible = {rule.state for rule in machine.rules if _may_hold(rule, machine)}
    decided = any(signal in machine.signals for rule in machine.rules for signal in rule.when)
    always = {State.IDLE, State.UNKNOWN} if decided else {State.UNKNOWN}
    return tuple(state for state in State if state in possible | always)


def note_missing(machine: Machine, profile: Profile, states: tuple[State, ...], findings: Findings) -> None:
    """Which states it cannot show, and what to bind."""
    for state in PRECEDENCE:
        if state in states:
            continue
        rules = [rule for rule in machine.rules if rule.state is state]
        unbound = sorted({s for rule in rules for s in rule.when if s not in machine.signals})
        what = f"bind {' or '.join(unbound)} in [[points]]" if unbound else f"{profile.id} has no rule for it"
        findings.note(f"{machine.asset_no}: cannot show {state}: {what}")


def _rule(state: str, when: Mapping[str, Any], parameters: Parameters) -> Rule:
    conditions: dict[str, OneOf | Between] = {}
    for signal, condition in when.items():
        if isinstance(condition, Band):
            low, high = (
                None if end is None else parameters.number(end) for end in (condition.min, condition.below)
            )
            conditions[signal] = Between(low, high)
        else:
            conditions[signal] = OneOf(tuple(condition if isinstance(condition, list) else [condition]))
    return Rule(State(state), conditions)


def _empty(condition: Between) -> bool:
    return condition.min is not None and condition.below is not None and condition.min >= condition.below


def _look_at_limits(rules: tuple[Rule, ...], path: str, findings: Findings) -> None:
    """Two states that one number alone decides should not both hold: the first would hide the second."""
    limits = [(rule.state, *next(iter(rule.when.items()))) for rule in rules if len(rule.when) == 1]
    bands = [(state, name, band) for state, name, band in limits if isinstance(band, Between)]
    for number, (state, signal, band) in enumerate(bands):
        for other, name, next_band in bands[number + 1 :]:
            both = _both(band, next_band)
            if name == signal and other is not state and not _empty(both):
                what = f"{state} and {other} both hold for {signal} from {both.min} to below {both.below}"
                findings.warn(path, f"{what}: are the limits the wrong way round?")


def _both(one: Between, other: Between) -> Between:
    low = [end for end in (one.min, other.min) if end is not None]
    high = [end for end in (one.below, other.below) if end is not None]
    return Between(max(low, default=None), min(high, default=None))


def _may_hold(rule: Rule, machine: Machine) -> bool:
    """Whether every condition reads a point, or what holds where there is none satisfies it."""
    for signal, condition in rule.when.items():
        if signal in machine.signals:
            continue
        value = machine.absent.get(signal)
        if value is None or not _satisfies(value, condition):
            return False
    return True


def _satisfies(value: SignalValue, condition: OneOf | Between) -> bool:
    if isinstance(condition, OneOf):
        return value in condition.values
    return not isinstance(value, str) and not (
        (condition.min is not None and value < condition.min)
        or (condition.below is not None and value >= condition.below)
    )
