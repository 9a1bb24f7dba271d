"""What people ask of a device, through an open driver: of the agent's connection or of a session of its own."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

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


def by_unit(asked: Sequence[Address]) -> list[list[int]]:
    """The places of addresses that can be read together."""
    units: dict[str, list[int]] = {}
    for place, address in enumerate(asked):
        units.setdefault(address.key, []).append(place)
    return list(units.values())


async def read(driver: AnyDriver, asked: Sequence[Address]) -> Answered:
    """Addresses of one unit, once. Raises what `Driver.read` does."""
    with driver.by_hand():
        query = driver.prepare([Point(f"asked/{place}", address) for place, address in enumerate(asked)])
        scan = await driver.read(query)
    times = scan.source_times or [None] * len(scan.values)
    told = [Told(value, time) for value, time in zip(scan.values, times, strict=True)]
    return Answered(told, driver.trace() if isinstance(driver, Traces) else None)


async def identity(driver: AnyDriver, unit: Address | None = None) -> Identity:
    """Who the device is, or the unit on its line that has this address. Raises ConfigError where its driver cannot ask,
    else as `Driver.read`."""
    if not isinstance(driver, Identifies):
        hint = "`ganpo driver list` shows which do"
        raise ConfigError("devices of this driver do not say who they are", hint=hint)
    if unit is None:
        return await driver.identify()
    with driver.by_hand():
        driver.prepare([Point("it", unit)])  # it asks the only unit that it knows
        return await driver.identify()


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
