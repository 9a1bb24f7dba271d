"""The line to a device, opened again whenever it has to be: one request at a time, and what its habits cost."""

from ganpo_drivers.lines import Flooded, new_trace
from ganpo_drivers.modbus.answers import Answer
from ganpo_drivers.modbus.mbap import NAMELESS
from ganpo_drivers.modbus.requests import Request
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.modbus.transports import wire_to
from ganpo_drivers.modbus.wire import Habits, Wire
from ganpo_model.errors import ConnectionLost, UnitSilent

SILENT_LIMIT = 3
"""Requests in a row without any answer, of whatever unit, after which the next read opens a new connection."""
BRIEF = "it ends the session after an answer: each request gets a session of its own"
SESSIONS = 3
"""That one request may take: one ends with it, and one is asked for something of another length first."""


class Session:
    """`reopened`: how often it was opened again by itself. `trace`: what went over the line, of all its sessions."""

    def __init__(self, settings: ModbusSettings) -> None:
        self.reopened = 0
        self.trace = new_trace()
        self._settings = settings
        self._wire: Wire | None = None
        self._habits = Habits()
        self._silent = 0

    @property
    def notes(self) -> list[str]:
        """What a person should know of the device's habits."""
        shown = ((NAMELESS, self._habits.nameless), (BRIEF, self._habits.brief))
        return [note for note, holds in shown if holds]

    async def open(self) -> Wire:
        """Connect anew. Raises what `ByteLine.open` does."""
        self.close()
        wire = wire_to(self._settings, self._habits)
        wire.traced(self.trace)
        try:
            await wire.connect()
        except BaseException:
            wire.close()
            raise
        self._wire = wire
        self._silent = 0
        return wire

    def close(self) -> None:
        """Leave the device. Safe at any time."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def reopen(self) -> Wire:
        """Connect anew because the line made it necessary. Raises what `ByteLine.open` does."""
        wire = await self.open()
        self.reopened += 1
        return wire

    async def ready(self) -> tuple[Wire, bool]:
        """What is open, and whether it was opened just now. Raises what `ByteLine.open` does."""
        if self._wire is not None and self._wire.open:
            return self._wire, False
        return await self.reopen(), True

    async def exchange(self, asked: Request) -> Answer:
        """One request and its answer. A session that the device had closed is no outage: open another, ask again. Where
        it was closed with the request in it, which another then answered, each request gets a session of its own.

        Raises what `Wire.ask` does.
        """
        habits = self._habits
        known = habits.brief
        for left in reversed(range(SESSIONS)):
            wire, fresh = await self.ready()
            try:
                answer = await wire.ask(asked)
                break
            except UnitSilent:
                self._silent += 1
                raise
            except ConnectionLost as lost:
                if not left or wire.open or isinstance(lost, Flooded) or (fresh and not wire.heard):
                    habits.brief = known
                    raise
                habits.brief |= wire.blind and wire.hasty
        if habits.brief:
            self.close()
        self._silent = 0
        return answer

    def after(self, error: Exception) -> None:
        """Leave it where what comes next could not be believed: it broke; or it has no ids, and a late answer would be
        taken for the next one's. Also where nobody has answered for long: perhaps it is half-open, and with several
        silent units it costs the others nothing."""
        blind = self._wire is not None and self._wire.blind
        if blind or isinstance(error, ConnectionLost) or self._silent >= SILENT_LIMIT:
            self.close()
