"""A profile told to a person: what `ganpo profile show` prints."""

from collections.abc import Iterator

from ganpo_config.profile import Band, Profile, ProfileSignal, StateRule
from ganpo_model import reference
from ganpo_model.states import PRECEDENCE

_OF_MACHINES = ("parts_total", "program", "power")
_OF_METERS = (
    "energy_export",
    "power",
    "voltage_l1",
    "current_l1",
    "power_factor",
    "frequency",
    "reactive_energy",
)


def device_of(profile: Profile) -> str:
    """Vendor and device; empty where the profile is none of one device."""
    return f"{profile.vendor} {profile.device}".strip()


def factory_of(profile: Profile) -> str:
    """`modbus-rtu 9600 8N1, unit 1`; empty where nothing is known."""
    if profile.factory is None:
        return ""
    told = f"{profile.factory.speaks} {profile.factory.line}".strip()
    return told if profile.factory.unit is None else f"{told}, unit {profile.factory.unit}"


def to_change(profile: Profile, connection: str, characters: str) -> str:
    """What has to be set, at the device or at its connection, before it can be read; empty where it is read as it
    comes. `characters`: how those of a serial line look there."""
    if profile.factory is None:
        return ""
    speaks = profile.factory.speaks
    if speaks == "none":
        return f"{profile.id} comes with {profile.driver} switched off: switch it on at the device"
    if speaks == "modbus-ascii" or not speaks.startswith(profile.driver):
        set_to = factory_of(profile)
        return f"{profile.id} comes set to {set_to}, which {profile.driver} does not read: change it at the device"
    set_to = profile.factory.line
    if characters and set_to not in ("", characters):
        return f"{profile.id} comes set to {set_to}, and {connection} is read at {characters}: set one like the other"
    return ""


def place_of(about: ProfileSignal) -> str:
    """Address, type and order as they stand in the profile; empty where a point has to be bound by hand."""
    if about.meter is not None:
        return f"of meter {about.meter}"
    return " ".join(text for text in (about.cell or "", about.type, about.order) if text)


def states_missing(profile: Profile) -> list[str]:
    """The states that no rule gives. A profile without rules is no machine: none."""
    given = {rule.state for rule in profile.states}
    return [str(state) for state in PRECEDENCE if state not in given] if given else []


def _not_said(profile: Profile) -> list[str]:
    """What people look for at such a device and do not find."""
    usual = _OF_MACHINES if profile.states else _OF_METERS if "energy_import" in profile.signals else ()
    return [name for name in usual if name not in profile.signals]


def told(profile: Profile, lang: str) -> Iterator[tuple[str, str]]:
    """What a person has to know before using it: a name, and what it is. What the profile has in both is in `lang`."""
    driver = f"{profile.driver}, addressing {profile.addressing}" if profile.addressing else profile.driver
    driver += f", at most {most} registers a request" if (most := profile.max_registers) else ""
    yield (profile.id, profile.title.zh)
    yield ("", profile.title.en)
    for key, text in {
        "device": device_of(profile),
        "confidence": profile.confidence,
        "from": profile.origin,
        "out of the box": factory_of(profile),
        "reads": profile.reads and f"{profile.reads} side of its current transformers",
        "builds on": profile.base,
        "driver": driver,
        "cannot show": ", ".join(states_missing(profile)),
        "does not say": ", ".join(_not_said(profile)),
    }.items():
        if text:
            yield (key, text)
    if profile.parameters:
        yield "parameters", ""
    for name, parameter in profile.parameters.items():
        yield (f"  {name}", f"{parameter.zh if lang == 'zh' else parameter.en}{_default(parameter.default)}")
    yield "signals", ""
    for name, signal in profile.signals.items():
        yield (f"  {name}", _signal(name, signal))
    if profile.states:
        yield "states", ""
    for rule in profile.states:
        yield (f"  {rule.state}", _conditions(rule))
    if profile.note:
        yield "notes", ""
    for note in profile.note:
        yield "  -", note.zh if lang == "zh" else note.en


def _default(default: str | None) -> str:
    if default is None:
        return ""
    return f" (default {default})" if default else " (may be left out)"


def _signal(name: str, about: ProfileSignal) -> str:
    place = place_of(about)
    if not place:
        told = "bind it in [[points]]"
        return told if about.absent is None else f"{told}; without it: {_word(about.absent)}"
    unit = about.unit or reference.signals()[name].unit
    told = place if about.scale == "1" else f"{place} x {about.scale}"
    told += f" {unit}" if unit not in ("", "1") else ""
    if about.enum is not None:
        words = about.enum if isinstance(about.enum, list) else [f"{n} {w}" for w, n in about.enum.items()]
        told += f": {', '.join(words)}"
    return told if about.absent is None else f"{told}; where it has none: {_word(about.absent)}"


def _conditions(rule: StateRule) -> str:
    return " and ".join(f"{name} {_condition(condition)}" for name, condition in rule.when.items())


def _condition(condition: object) -> str:
    if isinstance(condition, Band):
        ends = {">=": condition.min, "<": condition.below}
        return " and ".join(f"{sign} {end}" for sign, end in ends.items() if end is not None)
    if isinstance(condition, list):
        return f"is {' or '.join(map(_word, condition))}"
    return f"is {_word(condition)}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
