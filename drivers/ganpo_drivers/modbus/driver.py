"""Modbus over TCP, TLS, a serial line or a converter: function codes 1-4 and 43/14, nothing else exists here (I10)."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from ganpo_drivers.api import (
    Address,
    ConnectionSettings,
    Cost,
    Driver,
    Identity,
    Point,
    Query,
    Report,
    Scan,
)
from ganpo_drivers.lines import joined
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.answers import WrongAnswer
from ganpo_drivers.modbus.blocks import ModbusQuery, pack
from ganpo_drivers.modbus.costs import cost
from ganpo_drivers.modbus.reading import Met, Reading
from ganpo_drivers.modbus.requests import IDENTIFY, identification, objects
from ganpo_drivers.modbus.session import Session
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import ConnectionLost, UnitBusy, UnitSilent

log = logging.getLogger(__name__)

SHY_LIMIT = 3
"""Times that a device may fail over the question who it is: after that it is not asked any more."""


class ModbusDriver(Driver[ModbusSettings, ModbusAddress]):
    """One line to a device, or to several units: a port, or a TCP session."""

    connection_type: ClassVar[type[ConnectionSettings]] = ModbusSettings
    address_type: ClassVar[type[Address]] = ModbusAddress

    def __init__(self, connection: ModbusSettings) -> None:
        super().__init__(connection)
        self._session = Session(connection)
        self._met = Met()
        self._units: set[int] = set()
        self._shy = 0

    async def open(self) -> None:
        """Connect. Raises what `ByteLine.open` does."""
        await self._session.open()

    def prepare(self, points: Sequence[Point[ModbusAddress]]) -> ModbusQuery:
        """Pack the points into blocks."""
        limits = self.connection
        self._units.update(point.address.unit for point in points)
        return pack(points, limits.max_gap, limits.max_registers, limits.max_bits)

    def estimate(self, query: Query) -> Cost:
        """What reading it once costs."""
        return cost(_own(query), self.connection)

    async def read(self, query: Query) -> Scan:
        """Read all blocks. A session that ended, or broke on one of them, is opened again within the read."""
        query = _own(query)
        reading = Reading(query.width, self._session, self._met)
        self._session.trace.clear()
        await self._session.ready()
        await reading.blocks(query.blocks)
        unit = query.blocks[0].unit if query.blocks else 0
        where, heard = f"{self.connection.url} unit {unit}", self._met.heard[unit]
        if not reading.heard:
            if reading.broken is not None:
                raise UnitSilent(reading.broken.what, where=where) from reading.broken
            if reading.busy and query.heard == heard:
                raise UnitBusy(reading.busy, where=where, hint=reading.to_do)
        query.heard = heard
        return Scan(query.settled(reading.values))

    async def identify(self) -> Identity:
        """What the only unit of the line says of itself; nothing where there are several or it does not say.

        Some devices say nothing at all to a function they do not know, or end the session: such are soon left alone.
        """
        if len(self._units) > 1 or self._shy >= SHY_LIMIT:
            return Identity()
        unit = next(iter(self._units), 1)
        self._session.trace.clear()
        try:
            answer = await self._session.exchange(identification(unit))
        except (WrongAnswer, ConnectionLost, UnitSilent) as error:
            self._shy += 1
            log.debug("does not say who it is: %s", error)
            await self._session.reopen()
            return Identity()
        if (answer.unit, answer.function) != (unit, IDENTIFY):
            return Identity()
        said = objects(answer.data)
        model = said.get(1, "")
        return Identity(vendor=said.get(0, ""), model=model, controller=f"{model} {said.get(2, '')}".strip())

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """What units do not have, and which units there are, is not learned from what people try."""
        met, units, shy = self._met, self._units, self._shy
        self._met, self._units, self._shy = Met(), set(), 0
        try:
            yield
        finally:
            self._met, self._units, self._shy = met, units, shy

    async def close(self) -> None:
        """Leave the device."""
        self._session.close()

    def trace(self) -> list[tuple[str, bytes]]:
        """Of the last read, or of the question who the device is."""
        return joined(self._session.trace)

    def report(self) -> Report:
        """What it met on the line so far."""
        met = self._met
        return Report(self._session.reopened, met.faults, self._session.notes, holes=met.learned.told())


def _own(query: Query) -> ModbusQuery:
    if not isinstance(query, ModbusQuery):
        raise TypeError("this query was prepared by another driver")
    return query
