"""What has to hold inside a profile, beyond the types of its keys."""

from collections.abc import Iterable, Mapping

from ganpo_config.exact import NumberError, factor, plain
from ganpo_config.findings import Findings, nearest
from ganpo_config.nameplate import update_ms
from ganpo_config.parameters import PARAMETER
from ganpo_config.profile import Profile, ProfileSignal, StateRule
from ganpo_model import reference
from ganpo_model.states import PRECEDENCE, State

MODBUS = "modbus"


def check(profile: Profile, findings: Findings) -> None:
    """Everything at once."""
    for signal, about in profile.signals.items():
        _check_signal(signal, about, profile, findings)
    _check_templates({"addressing": profile.addressing}, profile, findings)
    if profile.max_registers is not None and profile.driver != MODBUS:
        what = f"means something with driver = {MODBUS} only"
        findings.error("max_registers", what, value=profile.max_registers)
    _check_templates({"debounce_s": profile.debounce_s}, profile, findings, numbers=True)
    ranks = [PRECEDENCE.index(State(rule.state)) for rule in profile.states]
    if ranks != sorted(ranks):
        wrong = next(n for n in range(1, len(ranks)) if ranks[n] < ranks[n - 1])
        what = f"rules stand in the order {', '.join(PRECEDENCE)}"
        findings.error(f"states[{wrong}].state", what, value=profile.states[wrong].state)
    for number, rule in enumerate(profile.states):
        _check_rule(f"states[{number}].when", rule, profile, findings)
    for flag, signals in profile.proves.items():
        if flag not in reference.flags():
            hint = nearest(flag, reference.flags())
            findings.error(f"proves.{flag}", f"no such flag ({', '.join(reference.flags())})", hint)
        for signal in signals:
            if signal not in profile.signals:
                hint = nearest(signal, profile.signals)
                findings.error(f"proves.{flag}", "the profile has no such signal", hint, value=signal)


def _check_signal(signal: str, about: ProfileSignal, profile: Profile, findings: Findings) -> None:
    path = f"signals.{signal}"
    kind = reference.signals().get(signal)
    if kind is None:
        findings.error(path, "no such signal (the table of signals)", nearest(signal, reference.signals()))
        return
    _check_texts(path, about, profile, findings)
    bounds = {} if about.valid is None else {"valid.min": about.valid.min, "valid.max": about.valid.max}
    numbers = {f"{path}.{key}": value for key, value in {"offset": about.offset, **bounds}.items()}
    _check_templates(numbers, profile, findings, numbers=True)
    _check_place(path, about, profile, findings)
    if kind.type == "enum" and about.enum is None and about.meter is None:
        findings.error(f"{path}.enum", "is missing: the words of this signal")
    if kind.type != "enum" and about.enum is not None:
        findings.error(f"{path}.enum", f"{signal} is a {kind.type}: it has no words")
    if about.valid is not None and kind.type != "number":
        findings.error(f"{path}.valid", f"{signal} is a {kind.type}: only a number has bounds")
    if about.absent is not None and not _fits(about.absent, kind.type, about):
        findings.error(f"{path}.absent", "no value this signal can have", value=about.absent)
    if kind.type != "register":
        for key in ("modulus", "max_rate", "update", "resets"):
            if getattr(about, key):
                findings.error(f"{path}.{key}", f"{signal} is a {kind.type}, no register")
        return
    if about.modulus is not None and about.resets:
        findings.error(f"{path}.resets", "with a modulus: they exclude each other")


def _check_texts(path: str, about: ProfileSignal, profile: Profile, findings: Findings) -> None:
    texts = ("address", "meter", "type", "order", "scale", "unit", "max_rate", "update")
    templates = {f"{path}.{key}": getattr(about, key) for key in texts}
    templates |= {f"{path}.parts": about.cell if about.parts else None, f"{path}.exponent": about.exponent}
    _check_templates(templates, profile, findings)
    for key, judge in {"scale": factor, "update": update_ms}.items():
        text = getattr(about, key)
        try:
            if not PARAMETER.search(text):
                judge(text)
        except NumberError as error:
            findings.error(f"{path}.{key}", error.what, error.hint, value=text)


def _check_place(path: str, about: ProfileSignal, profile: Profile, findings: Findings) -> None:
    if about.address is not None and about.parts:
        findings.error(f"{path}.parts", "either an address or parts")
    if about.cell is None and about.exponent:
        findings.error(f"{path}.exponent", "of what? the address is missing", value=about.exponent)
    if about.cell is not None and about.meter is not None:
        findings.error(f"{path}.meter", "either an address or a meter")
    if about.cell is not None and not profile.driver:
        findings.error("driver", "is missing: its signals have addresses")


def _check_rule(path: str, rule: StateRule, profile: Profile, findings: Findings) -> None:
    for signal, condition in rule.when.items():
        about, kind = profile.signals.get(signal), reference.signals().get(signal)
        if about is None:
            hint = nearest(signal, profile.signals)
            findings.error(f"{path}.{signal}", "the profile has no such signal", hint)
        elif kind is None:
            continue
        elif kind.type == "register":
            findings.error(f"{path}.{signal}", "a register says nothing about a state")
        elif isinstance(condition, bool | int | float | str | list):
            for word in condition if isinstance(condition, list) else [condition]:
                if not _fits(word, kind.type, about):
                    allowed = f" ({', '.join(about.enum)})" if about.enum else ""
                    findings.error(f"{path}.{signal}", f"no value this signal can have{allowed}", value=word)
        elif kind.type != "number":
            findings.error(f"{path}.{signal}", f"{signal} is no number: it has no min and below")
        else:
            ends = {f"{path}.{signal}.min": condition.min, f"{path}.{signal}.below": condition.below}
            _check_templates(ends, profile, findings, numbers=True)
            if condition.min is None and condition.below is None:
                findings.error(f"{path}.{signal}", "neither min nor below")


def _fits(word: bool | float | str, kind: str, about: ProfileSignal) -> bool:
    if kind == "enum":
        return about.enum is None or word in about.enum
    if kind == "bool":
        return isinstance(word, bool)
    if kind == "number":
        return isinstance(word, int | float) and not isinstance(word, bool)
    return isinstance(word, str)


def _check_templates(
    templates: Mapping[str, float | str | None],
    profile: Profile,
    findings: Findings,
    *,
    numbers: bool = False,
) -> None:
    for path, template in templates.items():
        if isinstance(template, str):
            for parameter in _unknown(template, profile.parameters):
                findings.error(
                    path, f"no such parameter: {parameter}", nearest(parameter, profile.parameters)
                )
        if (
            numbers
            and template is not None
            and not (isinstance(template, str) and PARAMETER.search(template))
        ):
            try:
                plain(template)
            except NumberError as error:
                findings.error(path, error.what, value=template)


def _unknown(template: str, known: Iterable[str]) -> list[str]:
    return [name for name in PARAMETER.findall(template) if name not in known]
