"""Profiles: the signals, addresses and state rules of a kind of equipment (formats.md)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from ganpo_config.explain import explained
from ganpo_config.settings import Section
from ganpo_model import reference
from ganpo_model.errors import ConfigError
from ganpo_model.states import PRECEDENCE, State

_PARAMETER = re.compile(r"\{([a-z_]+)\}")
Number = float | str


class Words(Section):
    """A text in both languages."""

    zh: str
    en: str


class Parameter(Words):
    """What a plant has to say of its own machine."""

    default: str | None = None


class Range(Section):
    """Bounds of a number; either may be a parameter."""

    min: Number | None = None
    max: Number | None = None


class ProfileSignal(Section):
    """How one signal is read, and what its values mean."""

    address: str | None = Field(default=None, description="with {parameters}; none: bound in the point list")
    meter: str | None = Field(default=None, description="asset_no of the meter whose point it reads")
    type: str = ""
    order: str = ""
    scale: str = "1"
    offset: Number = 0.0
    unit: str = ""
    modulus: int | None = None
    max_rate: str = ""
    resets: bool = False
    enum: dict[str, int | str] | list[str] | None = None
    unavailable: list[int | float | str] = []
    valid: Range | None = None
    absent: bool | int | float | str | None = None
    interval_s: float | None = Field(default=None, gt=0)
    stale_s: float | None = Field(default=None, gt=0)


class Band(Section):
    """min <= number < below; either may be a parameter."""

    min: Number | None = None
    below: Number | None = None


class StateRule(Section):
    """All conditions must hold."""

    state: Literal["OFF", "MAINTENANCE", "FAULT", "SETUP", "HELD", "PRODUCING"]
    when: dict[str, bool | int | float | str | list[bool | int | float | str] | Band]


class Profile(Section):
    """One profile file."""

    format: Literal[1]
    id: str = Field(pattern=r"^[a-z0-9_]{1,64}$")
    title: Words
    origin: str
    driver: str = ""
    addressing: str = ""
    debounce_s: Number = 0.0
    parameters: dict[str, Parameter] = {}
    namespaces: dict[str, str] = {}
    signals: dict[str, ProfileSignal]
    states: list[StateRule] = []
    proves: dict[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one subject, filled into a profile's templates."""

    values: Mapping[str, str]

    def fill(self, template: str) -> str:
        """The text with every {parameter} replaced."""
        return _PARAMETER.sub(lambda match: self.values[match[1]], template)

    def number(self, template: Number) -> float:
        """A number, or one that a parameter gives. Raises ValueError."""
        return float(self.fill(template)) if isinstance(template, str) else template


def load_profiles(own: Path) -> tuple[dict[str, Profile], list[ConfigError]]:
    """Profiles by id: the site's own folder first, then ours. Two files of one id in a folder are an error."""
    found: dict[str, Profile] = {}
    errors: list[ConfigError] = []
    ours = files("ganpo_config").joinpath("profiles")
    sources = sorted(own.glob("*.toml")) if own.is_dir() else []
    for path in [*sources, *sorted(ours.iterdir(), key=lambda item: item.name)]:
        if not path.name.endswith(".toml"):
            continue
        profile, wrong = _read(path.name, path.read_bytes())
        errors += wrong
        if profile is None:
            continue
        if profile.id in found and path in sources:
            errors.append(ConfigError(f"another file has the id {profile.id} too", where=path.name))
        found.setdefault(profile.id, profile)
    return found, errors


def _read(name: str, raw: bytes) -> tuple[Profile | None, list[ConfigError]]:
    try:
        document: dict[str, Any] = tomllib.loads(raw.decode())
        profile = Profile(**document)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [ConfigError(f"not TOML: {error}", where=name)]
    except ValidationError as error:
        return None, [explained(item, name, Profile) for item in error.errors(include_url=False)]
    return profile, _check(profile, name)


def _check(profile: Profile, name: str) -> list[ConfigError]:
    errors = []
    known = reference.signals()
    for signal, about in profile.signals.items():
        if signal not in known:
            errors.append(
                ConfigError("no such signal (the table of signals)", where=f"{name}: signals.{signal}")
            )
        for template in (about.address, about.meter):
            for parameter in _PARAMETER.findall(template or ""):
                if parameter not in profile.parameters:
                    errors.append(
                        ConfigError(f"no parameter {parameter!r}", where=f"{name}: signals.{signal}")
                    )
    ranks = [PRECEDENCE.index(State(rule.state)) for rule in profile.states]
    if ranks != sorted(ranks):
        order = ", ".join(PRECEDENCE)
        errors.append(ConfigError(f"rules stand in the order {order}", where=f"{name}: states"))
    for number, rule in enumerate(profile.states):
        for signal, condition in rule.when.items():
            where = f"{name}: states[{number}].when.{signal}"
            if signal not in profile.signals:
                errors.append(ConfigError("the profile has no such signal", where=where))
            elif (enum := profile.signals[signal].enum) is not None and not isinstance(condition, Band):
                for word in condition if isinstance(condition, list) else [condition]:
                    if word not in enum:
                        errors.append(ConfigError(f"{word!r} is none of {', '.join(enum)}", where=where))
    for flag, signals in profile.proves.items():
        if flag not in reference.flags():
            errors.append(
                ConfigError(f"no flag ({', '.join(reference.flags())})", where=f"{name}: proves.{flag}")
            )
        errors += [
            ConfigError("the profile has no such signal", where=f"{name}: proves.{flag} = {signal}")
            for signal in signals
            if signal not in profile.signals
        ]
    return errors
