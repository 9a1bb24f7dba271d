"""`ganpo identify --guess`: which profiles of the library would read plausible values here, the likeliest first."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, NamedTuple

from ganpo_agent.device.candidates import Candidate, candidates, identity, wanted_of, ways_of
from ganpo_agent.device.plausible import Judgement, judged, power_of
from ganpo_agent.device.session import Device
from ganpo_config.exact import NumberError, factor
from ganpo_config.profile import Profile
from ganpo_config.wanted import BindError, unit_factor
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
_FREE = 0.4
"""What each answer costs that was chosen so that it fits."""
_NOT_ASKED = re.compile("not asked")


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


async def guess(
    device: Device,
    unit: str,
    profiles: Mapping[str, Profile],
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> list[Guess]:
    """Those for which something speaks. `unit`: of the line, as a row of the list would say it; "" where there is none.

    Raises UnitError where the unit answers nothing at all, TransientError, PermanentError.
    """
    worth_a_look = [one for profile in profiles.values() for one in candidates(device, unit, profile)]
    seen: dict[object, Value | PointFault] = {}
    keys = {identity(one.key): one.key for one in worth_a_look}
    heard: dict[str, int] = {}  # by unit: 1 once it answered, below 0 how often it was silent before
    for done, address in enumerate(keys.values()):
        progress(done, 2 * len(keys), "first looks")
        unit_of = address.key
        if heard.get(unit_of, 0) <= -SILENT:
            seen[identity(address)] = _SILENT
            continue
        await _look(device, [address], seen)
        value = seen[identity(address)]
        silent = isinstance(value, PointFault) and value.kind is FaultKind.MISSING
        heard[unit_of] = heard.get(unit_of, 0) - 1 if silent and heard.get(unit_of, 0) <= 0 else 1
    if heard and max(heard.values()) < 0:
        where = f"{device.bound.name} unit {unit}"
        raise UnitSilent("it answers nothing", where=where, hint="`ganpo ping` goes step by step")
    worth = [one for one in worth_a_look if not _refused(seen[identity(one.key)])]
    for done, one in enumerate(worth):
        progress(len(worth) + done, 2 * len(worth), one.profile.id)
        await _look(device, list(one.addresses.values()), seen)
    found = [(told, one) for one in worth if (told := _guessed(one, seen)).score > 0]
    found.sort(key=lambda pair: _best_first(pair[0]))
    return _together(sorted(await _risen(device, found, seen), key=_best_first))


async def _look(device: Device, addresses: Sequence[Address], seen: dict[object, Value | PointFault]) -> None:
    """Read what was not read yet, again while the driver says that it has not asked for all of it."""
    for _ in range(_SEARCHED):
        asked = [one for one in addresses if identity(one) not in seen]
        if not asked:
            return
        try:
            answer = await device.read(asked)
        except UnitError as error:
            for one in asked:
                seen[identity(one)] = PointFault(FaultKind.MISSING, error.what)
            return
        except ConnectionLost:
            if len(asked) == 1:
                seen[identity(asked[0])] = PointFault(FaultKind.MISSING, "the session broke at this question")
                return
            for one in asked:
                await _look(device, [one], seen)
            return
        for one, value in zip(asked, answer.values, strict=True):
            if not (isinstance(value, PointFault) and _NOT_ASKED.match(value.text)):
                seen[identity(one)] = value
    for one in addresses:
        seen.setdefault(identity(one), PointFault(FaultKind.MISSING, "not asked"))


def _guessed(one: Candidate, seen: Mapping[object, Value | PointFault]) -> Guess:
    """What the values of a candidate say; scales that a plant has to say are those that fit best."""
    values = dict(one.values)
    for name in one.profile.parameters:
        if (
            len(ways := ways_of(name)) > 1
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
    one: Candidate,
    values: Mapping[str, str],
    signals: Sequence[str],
    seen: Mapping[object, Value | PointFault],
) -> float:
    return sum(t.judgement.weight for t in _told(one, values, signals, seen))


def _told(
    one: Candidate,
    values: Mapping[str, str],
    signals: Sequence[str],
    seen: Mapping[object, Value | PointFault],
) -> list[Told]:
    found = []
    for name in signals:
        if name not in one.addresses:
            continue
        value = seen[identity(one.addresses[name])]
        if isinstance(value, int | float) and not isinstance(value, bool):
            about, kind = one.profile.signals[name], reference.signals()[name]
            try:
                wanted = wanted_of(name, about, one.profile, values)
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
    device: Device, found: Sequence[tuple[Guess, Candidate]], seen: Mapping[object, Value | PointFault]
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
        before, after = (None if address is None else values[identity(address)] for values in (seen, later))
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


def _refused(value: Value | PointFault) -> bool:
    """That is no word about a value that the device says it has none of now."""
    return isinstance(value, PointFault) and "no value" not in value.text and "NaN" not in value.text
