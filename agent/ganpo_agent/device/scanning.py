"""`ganpo scan`: which units of a Modbus line answer, and which of their registers. Slow; it can be taken up again.

Registers are asked for one by one until one answers, then in blocks, which the driver takes apart where a part of them
is refused. Meters that answer whole values alone are asked for pairs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from ganpo_agent.device.registers import addresses, exception_of
from ganpo_agent.device.session import Answer, Device
from ganpo_drivers import Address, FaultKind, PointFault, Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.cells import Area
from ganpo_model.errors import ConnectionLost, UnitBusy, UnitError

BLOCK = 32
"""Registers asked for at once where the one before answered."""
LOST_LIMIT = 3
"""Sessions that may break one after another."""
TRIES = 3
_ANSWERS = "answers"
_NOBODY_BEHIND = (0x0A, 0x0B)
"""Exceptions of a converter that has no such unit."""
_AGAIN = 8
"""Reads of a block of which the driver has not asked for all."""

Tell = Callable[[float, float, str], None]


@dataclass(slots=True)
class Found:
    """What was found so far. `units`: by what they said (None: silent); `ranges`: (unit, area, first, last); `next`:
    the register with which it goes on, by `unit area`; `pairs`: whether a unit answers pairs alone, likewise."""

    units: dict[int, str | None] = field(default_factory=dict)
    ranges: list[tuple[int, str, int, int]] = field(default_factory=list)
    next: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def there(self) -> list[int]:
        """The units that answer."""
        return [unit for unit, said in self.units.items() if said is not None]

    def as_json(self) -> dict[str, Any]:
        """For programs, and for the next time."""
        return {
            "units": {str(unit): said for unit, said in self.units.items()},
            "ranges": [list(one) for one in self.ranges],
            "next": self.next,
            "pairs": self.pairs,
            "notes": self.notes,
        }

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Found":
        """What `as_json` gave. Raises ValueError, KeyError, TypeError for anything else."""
        units = {int(unit): word for unit, word in said["units"].items()}
        ranges = [(int(unit), str(area), int(first), int(last)) for unit, area, first, last in said["ranges"]]
        return cls(units, ranges, dict(said["next"]), dict(said["pairs"]), list(said["notes"]))

    def add(self, unit: int, area: str, first: int, last: int) -> None:
        """Registers that answer; those that touch are one range."""
        if self.ranges and self.ranges[-1][:2] == (unit, area) and self.ranges[-1][3] + 1 == first:
            first = self.ranges.pop()[2]
        self.ranges.append((unit, area, first, last))


async def scan(
    device: Device,
    units: Sequence[int],
    areas: Sequence[str],
    span: tuple[int, int],
    found: Found,
    tell: Tell,
) -> None:
    """Fill `found`, which is whole after every answer. `span`: first and last register of each area.

    Raises TransientError, PermanentError where the line itself is away.
    """
    lost = 0
    for place, unit in enumerate(units):
        if unit in found.units:
            continue
        tell(place, len(units), f"unit {unit}")
        try:
            found.units[unit] = await _answers(device, unit)
            lost = 0
        except ConnectionLost:
            lost += 1
            if lost >= LOST_LIMIT:
                raise
            found.units[unit] = None
    there = found.there
    if len(there) == len(units) > 3:
        speaking = [unit for unit in there if found.units[unit] == _ANSWERS]
        if 0 < len(speaking) < len(there):
            there, note = (
                speaking,
                "units that answer with an exception alone may be a converter's word for none",
            )
        else:
            there = there[:1]
            note = f"it answers as every unit: one device, whose registers are looked for as unit {there[0]}"
        if note not in found.notes:
            found.notes.append(note)
    for number, (unit, area) in enumerate((unit, area) for unit in there for area in areas):
        told = partial(_told, tell, number, len(there) * len(areas), f"unit {unit} {area}")
        await _area(device, unit, area, span, found, told)


def _told(tell: Tell, number: int, of: int, about: str, share: float) -> None:
    tell(number + share, of, about)


async def _answers(device: Device, unit: int) -> str | None:
    """What a unit says to whoever asks; None: nothing."""
    try:
        await device.read(addresses(unit, "holding", 0, 1))
    except UnitBusy as error:
        return None if exception_of(error.what) in _NOBODY_BEHIND else error.what
    except UnitError:
        return None
    return _ANSWERS


async def _area(
    device: Device, unit: int, area: str, span: tuple[int, int], found: Found, told: Callable[[float], None]
) -> None:
    key, (first, last) = f"{unit} {area}", span
    at, run = found.next.get(key, first), False
    while at <= last:
        told((at - first) / (last - first + 1))
        pairs = found.pairs.get(key)
        try:
            if run:
                readable, at_next, over = await _block(device, unit, area, at, last, pairs=bool(pairs))
            else:
                readable, at_next, over = await _first(device, unit, area, at, last, found, key)
        except UnitError as error:
            found.notes.append(f"unit {unit} {area}: ends at {at}: {error.what}")
            at_next, readable, over = last + 1, [], True
        for one_first, one_last in _runs(readable):
            found.add(unit, area, one_first, one_last)
        run = bool(readable) and readable[-1] == at_next - 1
        at = last + 1 if over else at_next
        found.next[key] = at
    told(1.0)


async def _first(
    device: Device, unit: int, area: str, at: int, last: int, found: Found, key: str
) -> tuple[list[int], int, bool]:
    """One register; while nobody knows whether single ones answer, first the pair that begins with it: what was
    refused alone the driver does not ask for within more."""
    pairs = found.pairs.get(key)
    pair = False
    if pairs is not False and area in ("holding", "input") and at < last:
        (value,) = await _values(device, [_pair(unit, area, at)])
        pair = _there(value)
        if isinstance(value, PointFault) and exception_of(value.text) == 1:
            return [], at, True
    if not pairs:
        (value,) = await _values(device, addresses(unit, area, at, 1))
        if _there(value):
            found.pairs[key] = False
            return [at], at + 1, False
        if isinstance(value, PointFault) and exception_of(value.text) == 1:
            return [], at, True
    if pair:
        found.pairs[key] = True
        return [at, at + 1], at + 2, False
    return [], at + 1, False


async def _block(
    device: Device, unit: int, area: str, at: int, last: int, *, pairs: bool
) -> tuple[list[int], int, bool]:
    end = min(at + BLOCK, last + 1)
    if not pairs:
        values = await _values(device, addresses(unit, area, at, end - at))
        return [at + n for n, value in enumerate(values) if _there(value)], end, False
    places = range(at, end - 1, 2)
    values = await _values(device, [_pair(unit, area, number) for number in places]) if places else []
    readable = [
        n for place, value in zip(places, values, strict=True) if _there(value) for n in (place, place + 1)
    ]
    return readable, max(end - (end - at) % 2, at + 1), False


async def _values(device: Device, asked: Sequence[Address]) -> list[Value | PointFault]:
    """What each holds, asked for until the driver has asked for all of them."""
    found: dict[int, Value | PointFault] = {}
    for _ in range(_AGAIN):
        left = [place for place in range(len(asked)) if place not in found]
        if not left:
            break
        answer = await _patiently(device, [asked[place] for place in left])
        found |= {
            place: value
            for place, value in zip(left, answer.values, strict=True)
            if not (isinstance(value, PointFault) and value.text.startswith("not asked"))
        }
    return [found.get(place, _NEVER) for place in range(len(asked))]


async def _patiently(device: Device, asked: Sequence[Address]) -> Answer:
    """A unit that has answered before may miss one question: it is asked again. Raises UnitError."""
    for _ in range(TRIES - 1):
        try:
            return await device.read(asked)
        except UnitError:
            continue
    return await device.read(asked)


def _there(value: Value | PointFault) -> bool:
    """All bits set is no value, and a register all the same."""
    return not isinstance(value, PointFault) or value.text.endswith("no value")


def _pair(unit: int, area: str, number: int) -> ModbusAddress:
    return ModbusAddress(unit=unit, area=cast(Area, area), number=number, type="uint32", order="ABCD")


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of what follows without a gap."""
    begin = None
    for place, number in enumerate(numbers):
        begin = number if begin is None else begin
        if place + 1 == len(numbers) or numbers[place + 1] != number + 1:
            yield begin, number
            begin = None


_NEVER = PointFault(FaultKind.MISSING, "never asked")
