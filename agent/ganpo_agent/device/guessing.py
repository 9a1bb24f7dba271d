"""`ganpo identify --guess`: which profiles of the library would read plausible values here, the likeliest first."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product, zip_longest
from typing import Any, NamedTuple

from ganpo_agent.device.plausible import Judgement, judged, power_of
from ganpo_agent.device.session import Device
from ganpo_config.bind import Link, address_of
from ganpo_config.exact import NumberError, factor
from ganpo_config.parameters import PARAMETER, Parameters
from ganpo_config.profile import Profile, ProfileSignal
from ganpo_config.wanted import BindError, Wanted, of_profile, unit_factor
from ganpo_drivers import Address, FaultKind, PointFault, Value
from ganpo_model import reference
from ganpo_model.errors import ConnectionLost, UnitError, UnitSilent

RISE_S = 2.0
"""Between two looks at an energy."""
_LOOKED_AT = 8
"""Of how many the energies are read again."""
SILENT = 2
"""Questions without an answer, and none answered before: nobody is there."""
_SILENT = PointFault(FaultKind.MISSING, "the unit is silent")
_SEARCHED = 6
"""Reads of one profile while the driver still looks for illegal addresses."""
_KEYS = ("energy_import", "voltage_l1", "voltage_l1_l2", "power", "volume_total", "heat_total", "frequency")
"""By the first of these that a profile has, it is seen whether it is worth more."""
_CHOICES = {
    "order": ("ABCD", "CDAB"),
    "energy_unit": ("kWh", "MWh"),
    "volume_unit": ("m3", "L"),
    "heat_unit": ("kWh", "MJ", "GJ"),
    "unit": ("m3", "kWh", "MJ", "GJ"),
}
_STEPS = ("1", "0.1", "0.01", "0.001")
_FREE = 0.4
"""What each answer costs that was chosen so that it fits."""
_NOT_ASKED = re.compile("not asked")
_ROUND = {"modbus": "unit", "dlt645": "meter", "cjt188": "meter"}
"""The parameter of a profile that says which unit of a line it is."""


class Told(NamedTuple):
    """What one signal of a profile came to, in its own unit."""

    signal: str
    value: Value | PointFault
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Guess:
    """A profile with what a row would have to say of it. `score`: how much speaks for it; `told`: signal by signal, the
    strongest word first; `same`: other profiles that read the very same here."""

    profile: str
    parameters: Mapping[str, str]
    score: float
    told: Sequence[Told]
    same: Sequence[str] = ()

    @property
    def good(self) -> int:
        """Signals with a value that can be true."""
        return sum(not isinstance(one.value, PointFault) and one.judgement.weight > -0.1 for one in self.told)

    @property
    def row(self) -> str:
        """The cell `parameters` of a row of the list."""
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "profile": self.profile,
            "parameters": self.row,
            "score": self.score,
            "good": self.good,
            "of": len(self.told),
            "same": list(self.same),
            "reasons": [
                {
                    "signal": one.signal,
                    "value": None if isinstance(one.value, PointFault) else one.value,
                    "weight": one.judgement.weight,
                    "why": one.judgement.why,
                }
                for one in self.told
            ],
        }


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A profile with one way to answer what it asks for. `open`: what its scales ask for, to be answered so that the
    values fit."""

    profile: Profile
    values: Mapping[str, str]
    free: int
    addresses: Mapping[str, Address]


async def guess(
    device: Device,
    unit: str,
    profiles: Mapping[str, Profile],
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> list[Guess]:
    """Those for which something speaks. `unit`: of the line, as a row of the list would say it; "" where there is none.

    Raises UnitError where the unit answers nothing at all, TransientError, PermanentError.
    """
    candidates = [one for profile in profiles.values() for one in _candidates(device, unit, profile)]
    seen: dict[object, Value | PointFault] = {}
    keys = {_key(one): _key_address(one) for one in candidates}
    heard: dict[str, int] = {}  # by unit: 1 once it answered, below 0 how often it was silent before
    for done, address in enumerate(keys.values()):
        progress(done, 2 * len(keys), "first looks")
        unit_of = address.key
        if heard.get(unit_of, 0) <= -SILENT:
            seen[_identity(address)] = _SILENT
            continue
        await _look(device, [address], seen)
        value = seen[_identity(address)]
        silent = isinstance(value, PointFault) and value.kind is FaultKind.MISSING
        heard[unit_of] = heard.get(unit_of, 0) - 1 if silent and heard.get(unit_of, 0) <= 0 else 1
    if heard and max(heard.values()) < 0:
        where = f"{device.bound.name} unit {unit}"
        raise UnitSilent("it answers nothing", where=where, hint="`ganpo ping` goes step by step")
    worth = [one for one in candidates if not _refused(seen[_identity(_key_address(one))])]
    for done, one in enumerate(worth):
        progress(len(worth) + done, 2 * len(worth), one.profile.id)
        await _look(device, list(one.addresses.values()), seen)
    found = [(told, one) for one in worth if (told := _guessed(one, seen)).score > 0]
    found.sort(key=lambda pair: _best_first(pair[0]))
    return _together(sorted(await _risen(device, found, seen), key=_best_first))


async def _look(device: Device, addresses: Sequence[Address], seen: dict[object, Value | PointFault]) -> None:
    """Read what was not read yet, again while the driver says that it has not asked for all of it."""
    for _ in range(_SEARCHED):
        asked = [one for one in addresses if _identity(one) not in seen]
        if not asked:
            return
        try:
            answer = await device.read(asked)
        except UnitError as error:
            for one in asked:
                seen[_identity(one)] = PointFault(FaultKind.MISSING, error.what)
            return
        except ConnectionLost:
            if len(asked) == 1:
                seen[_identity(asked[0])] = PointFault(
                    FaultKind.MISSING, "the session broke at this question"
                )
                return
            for one in asked:
                await _look(device, [one], seen)
            return
        for one, value in zip(asked, answer.values, strict=True):
            if not (isinstance(value, PointFault) and _NOT_ASKED.match(value.text)):
                seen[_identity(one)] = value
    for one in addresses:
        seen.setdefault(_identity(one), PointFault(FaultKind.MISSING, "not asked"))


def _candidates(device: Device, unit: str, profile: Profile) -> Iterator[_Candidate]:
    bound = device.bound
    if profile.driver != bound.driver_id:
        return
    here = _ROUND.get(bound.driver_id)
    given = {name: about.default for name, about in profile.parameters.items() if about.default is not None}
    if here is not None and here in profile.parameters and unit:
        given[here] = unit
    asked = [name for name in profile.parameters if name not in given]
    places = {
        name for s in profile.signals.values() for name in PARAMETER.findall(f"{s.cell} {s.type} {s.order}")
    }
    ways = [
        [(name, way) for way in _CHOICES.get(name, ())] or [(name, "")] for name in asked if name in places
    ]
    link = Link(bound.name, bound.driver_id, bound.driver, bound.settings)
    for some in product(*ways):
        values = given | {name: _first(name) for name in asked if name not in places} | dict(some)
        addresses = {}
        for name, about in profile.signals.items():
            address = _address(name, about, profile, values, link)
            if address is not None:
                addresses[name] = address
        if addresses:
            yield _Candidate(profile, values, len(asked), addresses)


def _address(
    name: str, about: ProfileSignal, profile: Profile, values: Mapping[str, str], link: Link
) -> Address | None:
    """None: it has none, or one that the plant alone knows."""
    template = f"{about.cell or ''} {about.type} {about.order}"
    if about.cell is None or not Parameters(values).fill(about.cell):
        return None
    known = {key for key, said in profile.parameters.items() if said.default is not None or values.get(key)}
    if not known.issuperset(PARAMETER.findall(template)):
        return None
    try:
        wanted = _wanted(name, about, profile, values)
        return address_of(wanted, link, 1.0)
    except BindError:
        return None


def _wanted(name: str, about: ProfileSignal, profile: Profile, values: Mapping[str, str]) -> Wanted:
    return of_profile("guess", reference.signals()[name], about, profile, Parameters(values))


def _guessed(one: _Candidate, seen: Mapping[object, Value | PointFault]) -> Guess:
    """What the values of a candidate say; scales that a plant has to say are those that fit best."""
    values = dict(one.values)
    for name in one.profile.parameters:
        if (
            len(ways := _ways(name)) > 1
            and values.get(name) == ways[0]
            and one.profile.parameters[name].default is None
        ):
            scaled = [
                s
                for s, about in one.profile.signals.items()
                if f"{{{name}}}" in f"{about.scale} {about.unit}"
            ]
            values[name] = max(ways, key=lambda way: _sum(one, values | {name: way}, scaled, seen))
    told = _told(one, values, list(one.addresses), seen)
    numbers = {t.signal: float(t.value) for t in told if isinstance(t.value, int | float)}
    together = power_of(numbers)
    if together is not None:
        told.append(Told("power", numbers["power"], together))
    score = sum(t.judgement.weight for t in told) - _FREE * one.free
    told.sort(key=lambda t: -abs(t.judgement.weight))
    said = {
        name: value
        for name, value in values.items()
        if value and value != one.profile.parameters[name].default
    }
    return Guess(one.profile.id, said, round(score, 2), told)


def _sum(
    one: _Candidate,
    values: Mapping[str, str],
    signals: Sequence[str],
    seen: Mapping[object, Value | PointFault],
) -> float:
    return sum(t.judgement.weight for t in _told(one, values, signals, seen))


def _told(
    one: _Candidate,
    values: Mapping[str, str],
    signals: Sequence[str],
    seen: Mapping[object, Value | PointFault],
) -> list[Told]:
    found = []
    for name in signals:
        if name not in one.addresses:
            continue
        value = seen[_identity(one.addresses[name])]
        if isinstance(value, int | float) and not isinstance(value, bool):
            about, kind = one.profile.signals[name], reference.signals()[name]
            try:
                wanted = _wanted(name, about, one.profile, values)
                if value in wanted.unavailable:
                    value = PointFault(FaultKind.BAD, f"the device itself says {value!r}")
                elif kind.type in ("number", "register"):
                    value = (
                        value * float(factor(wanted.scale) * unit_factor(wanted.unit, kind.unit))
                        + wanted.offset
                    )
            except (BindError, NumberError):
                continue
        found.append(Told(name, value, judged(name, value)))
    return found


async def _risen(
    device: Device, found: Sequence[tuple[Guess, _Candidate]], seen: Mapping[object, Value | PointFault]
) -> list[Guess]:
    """The energies of the best are read again a little later: one that fell is none."""
    addresses = [one.addresses.get("energy_import") for _, one in found[:_LOOKED_AT]]
    later: dict[object, Value | PointFault] = {}
    if any(addresses):
        await asyncio.sleep(RISE_S)
    for again in addresses:
        if again is not None:
            await _look(device, [again], later)
    weighed = []
    for (told, _), address in zip_longest(found, addresses):
        before, after = (None if address is None else values[_identity(address)] for values in (seen, later))
        if isinstance(before, int | float) and isinstance(after, int | float) and before != after:
            rises = after > before
            why = "it rises" if rises else "it falls: no register of energy"
            more = Told("energy_import", after, Judgement(1.0 if rises else -2.0, why))
            told = replace(told, score=told.score + more.judgement.weight, told=[more, *told.told])
        weighed.append(told)
    return weighed


def _best_first(one: Guess) -> tuple[float, str]:
    return -one.score, one.profile


def _together(found: Sequence[Guess]) -> list[Guess]:
    """Profiles that read the very same values are one guess; of the ways to answer what one asks for, the best."""
    kept: dict[object, Guess] = {}
    names: set[str] = set()
    for one in found:
        if one.profile in names:
            continue
        names.add(one.profile)
        content = tuple(sorted((t.signal, str(t.value)) for t in one.told))
        if content in kept:
            kept[content] = replace(kept[content], same=[*kept[content].same, one.profile])
        else:
            kept[content] = one
    return list(kept.values())


def _key_address(one: _Candidate) -> Address:
    name = next((key for key in _KEYS if key in one.addresses), next(iter(one.addresses)))
    return one.addresses[name]


def _key(one: _Candidate) -> object:
    return _identity(_key_address(one))


def _identity(address: Address) -> object:
    """What is asked for, and as what; how much a unit answers at once does not matter."""
    return type(address), str(address), getattr(address, "type", ""), getattr(address, "order", "")


def _refused(value: Value | PointFault) -> bool:
    """That is no word about a value that the device says it has none of now."""
    return isinstance(value, PointFault) and "no value" not in value.text and "NaN" not in value.text


def _ways(name: str) -> Sequence[str]:
    if name.endswith(("_scale", "_step")):
        return _STEPS
    return _CHOICES.get(name, ()) if name.endswith("_unit") else ()


def _first(name: str) -> str:
    return next(iter(_ways(name)), "")
