"""What people ask of a device, through an open driver: of the agent's connection or of a session of its own."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from ganpo_config.plant import BoundConnection
from ganpo_drivers import (
    Address,
    Browses,
    ConnectionSettings,
    Driver,
    FaultKind,
    Identifies,
    Identity,
    Point,
    PointFault,
    Traces,
    Value,
)
from ganpo_model.errors import ConfigError, UnitError

AnyDriver = Driver[ConnectionSettings, Address]


class Told(NamedTuple):
    """What one address said: a value or a fault, and the device's own time where it has one."""

    value: Value | PointFault
    source_time: datetime | None


@dataclass(frozen=True, slots=True)
class Answered:
    """`told`: in the order of what was asked; `trace`: (`>` or `<`, bytes), None where the driver shows none."""

    told: list[Told]
    trace: list[tuple[str, bytes]] | None


def addresses(bound: BoundConnection, texts: Iterable[str], columns: Mapping[str, Any]) -> list[Address]:
    """Addresses as the lists have them, with their other columns. Raises ConfigError with the first that is none."""
    found = []
    for text in texts:
        try:
            found.append(bound.driver.address_type.parse(text, **bound.settings.columns() | dict(columns)))
        except ValueError as error:
            what = str(error)
            if isinstance(error, ValidationError):
                first = error.errors(include_url=False)[0]
                key = ".".join(map(str, first["loc"]))
                reason = first["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
                what = f"{key}: {reason}" if key else reason
            raise ConfigError(f"{text}: {what}", where=f"connections.{bound.name}") from error
    return found


def by_unit(asked: Sequence[Address]) -> list[list[int]]:
    """The places of addresses that can be read together."""
    units: dict[str, list[int]] = {}
    for place, address in enumerate(asked):
        units.setdefault(address.key, []).append(place)
    return list(units.values())


async def read(driver: AnyDriver, asked: Sequence[Address]) -> Answered:
    """Addresses of one unit, once. Raises what `Driver.read` does."""
    query = driver.prepare([Point(f"asked/{place}", address) for place, address in enumerate(asked)])
    scan = await driver.read(query)
    times = scan.source_times or [None] * len(scan.values)
    told = [Told(value, time) for value, time in zip(scan.values, times, strict=True)]
    return Answered(told, driver.trace() if isinstance(driver, Traces) else None)


async def identity(driver: AnyDriver, unit: str | None = None) -> Identity:
    """Who the device is, or one unit of its line. Raises ConfigError where the protocol cannot ask."""
    if not isinstance(driver, Identifies):
        raise ConfigError(
            "devices of this driver do not say who they are", hint="`ganpo driver list` shows which do"
        )
    return await (driver.identify() if unit is None else driver.identify(unit))  # type: ignore[call-arg]


def browsed(driver: AnyDriver, start: str) -> AsyncIterator[str]:
    """What the device offers below `start`. Raises ConfigError where the protocol cannot tell."""
    if not isinstance(driver, Browses):
        raise ConfigError(
            "devices of this driver do not say what they have", hint="`ganpo driver list` shows which do"
        )
    return driver.browse(start)


def silent(error: UnitError, number: int) -> list[Told]:
    """The same for each of so many addresses of a unit that did not answer."""
    return [Told(PointFault(FaultKind.MISSING, error.what), None)] * number
