"""Registers of a Modbus unit as they are, whatever they mean."""

import re
from collections.abc import Sequence
from typing import NamedTuple, cast, get_args

from ganpo_agent.device.session import Device
from ganpo_drivers import PointFault
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.cells import Area
from ganpo_drivers.modbus.values import TYPES
from ganpo_model.errors import ConfigError

_EVERY = 0xFFFF
_PLACE = re.compile(r"(?P<area>[a-z]+):(?P<number>\d{1,5})", re.ASCII)
_MANUAL = re.compile(r"[34]\d{4,5}", re.ASCII)
_EXCEPTION = re.compile(r"exception ([0-9A-F]{2})\b")
_PREFIX = {"3": "input", "4": "holding"}


class Place(NamedTuple):
    """The protocol's own number of a register in its area."""

    area: Area
    number: int


def place_of(text: str) -> Place:
    """`40001` and `30001` as manuals have them, `holding:0` and `input:0` with the protocol's own number.

    Raises ConfigError.
    """
    if (match := _PLACE.fullmatch(text)) is not None and match["area"] in get_args(Area):
        area, number = match["area"], int(match["number"])
    elif _MANUAL.fullmatch(text) is not None:
        area, number = _PREFIX[text[0]], int(text[1:]) - 1
    else:
        hint = "40001 as manuals have it (30001: input), or holding:0 with the protocol's own number, from 0"
        raise ConfigError("is no register", where=f"--at {text}", hint=hint)
    if area not in _PREFIX.values():
        raise ConfigError(
            "is a bit: it has no type and no order", where=f"--at {text}", hint="`ganpo read` shows it"
        )
    if not 0 <= number <= 65535:
        raise ConfigError("registers are 0 to 65535 (40001 to 465536)", where=f"--at {text}")
    return Place(cast(Area, area), number)


def addresses(unit: int, area: str, first: int, count: int) -> list[ModbusAddress]:
    """Registers from `first` on, each by itself."""
    kind = "bit" if area in ("coil", "discrete") else "uint16"
    return [
        ModbusAddress(unit=unit, area=cast(Area, area), number=number, type=kind)
        for number in range(first, first + count)
    ]


async def words(device: Device, unit: int, place: Place, count: int) -> Sequence[int | PointFault]:
    """What registers hold, or why they give nothing. Raises what `Device.read` does."""
    answer = await device.read(addresses(unit, place.area, place.number, count))
    return [word_of(value) for value in answer.values]


def word_of(value: object) -> int | PointFault:
    """The register behind a value of type uint16: all bits set is no value of that type, and bits all the same."""
    if isinstance(value, PointFault):
        return _EVERY if value.text == TYPES["uint16"].no_value[_EVERY].text else value
    return int(cast(int, value))


def exception_of(said: str) -> int | None:
    """The code of the exception with which a unit answered, by the driver's words; None where it was none."""
    found = _EXCEPTION.match(said)
    return None if found is None else int(found[1], 16)
