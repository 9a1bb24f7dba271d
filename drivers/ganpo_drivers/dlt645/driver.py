"""DL/T 645 over a serial line or TCP: reads data and addresses, nothing else exists here (I10)."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import ClassVar

from ganpo_drivers.api import Address, ConnectionSettings, PointFault, Value
from ganpo_drivers.dlt645.address import WILDCARD, Dlt645Address
from ganpo_drivers.dlt645.frame import (
    ANSWER,
    FUNCTION,
    MORE,
    READ_ADDRESS,
    REFUSED,
    Frame,
    edition_of,
    encoded,
    frames,
    size,
    told,
)
from ganpo_drivers.dlt645.identifiers import identifiers
from ganpo_drivers.dlt645.settings import Dlt645Settings
from ganpo_drivers.readout.driver import ReadoutDriver, Refused, Unusable
from ganpo_drivers.readout.formats import pieces
from ganpo_model.errors import UnitSilent

WAKES = 4
"""Wake-up bytes that meters send before an answer, at most."""
NOBODY = 3
"""Items in a row without an answer, and nothing before: the meter is not there."""
MOST_FRAMES = 20
"""Of one item: no meter has so much to say, and one that says "more" for ever is not to hold the line."""


class Dlt645Driver(ReadoutDriver[Dlt645Settings, Dlt645Address]):
    """Electricity meters on one line, each known by its address."""

    connection_type: ClassVar[type[ConnectionSettings]] = Dlt645Settings
    address_type: ClassVar[type[Address]] = Dlt645Address

    def __init__(self, connection: Dlt645Settings) -> None:
        super().__init__(connection)
        self._alone: str | None = None

    def item(self, address: Dlt645Address) -> str:
        """Meter and data identifier."""
        return f"{address.meter}:{address.di}"

    def sizes(self, address: Dlt645Address) -> tuple[int, int]:
        """Of a read without follow-up frames."""
        asked = len(address.di) // 2
        answer = asked + sum(piece.size for piece in address.pieces)
        return self.connection.wake_up + size(asked), WAKES + size(answer)

    async def fetch(self, address: Dlt645Address) -> bytes:
        """The data of an identifier, follow-up frames joined to it."""
        edition, asked = edition_of(address.di), bytes.fromhex(address.di)[::-1]
        expected = len(asked) + sum(piece.size for piece in address.pieces)
        frame = await self._answer(address.meter, edition.read, asked, expected)
        data, number = frame.data[len(asked) :], 0
        while frame.control & MORE:
            number += 1
            if number == MOST_FRAMES:
                what = f"more than {MOST_FRAMES} frames say that more follow"
                raise Unusable("endless", what, self.where(address.key))
            tail = bytes((number,)) if edition.numbered else b""
            frame = await self._answer(address.meter, edition.follow, asked, expected, tail)
            data += frame.data[len(asked) : len(frame.data) - len(tail)]
        return data

    def value(self, address: Dlt645Address, data: bytes) -> Value | PointFault:
        """The value of a point in the data of its identifier."""
        expected = sum(piece.size for piece in address.pieces)
        if len(data) != expected:
            what = f"{address.di} as {address.form} has {expected} bytes, {len(data)} came"
            raise Unusable("length", what, self.where(address.key))
        before = sum(piece.size for piece in address.pieces[: max(address.part - 1, 0)])
        piece = address.pieces[max(address.part - 1, 0)]
        return piece.value(data[before : before + piece.size])

    def notes(self) -> Sequence[str]:
        """Who answered to the wildcard."""
        if self._alone is None:
            return ()
        return (f"{self._alone} answered to {WILDCARD}: write that address into the list",)

    async def browse(self, start: str) -> AsyncIterator[str]:
        """What a meter gives of all that is known here. `start`: its address; empty: of the only meter of the line,
        which is asked for its address first. Raises ValueError (no address), UnitSilent (it answers nothing)."""
        meter = Dlt645Address.parse(f"{start or await self._address()}:00010000").meter
        heard, silent = False, 0
        for known in dict.fromkeys(identifiers().values()):
            count = len(pieces(known.format))
            parts = range(1, count + 1) if count > 1 else (0,)
            points = [Dlt645Address(meter=meter, di=known.di, part=part, form=known.format) for part in parts]
            try:
                await self.fetch(points[0])
            except Refused:
                heard = True
                continue
            except UnitSilent:
                await self.close()
                silent += 1
                if not heard and silent == NOBODY:
                    raise
                continue
            heard = True
            for point in points:
                yield str(point)

    async def _address(self) -> str:
        """The address of the only meter of the line."""
        frame = await self._exchanged_frame(
            WILDCARD, READ_ADDRESS, b"", 6, lambda frame: len(frame.data) == 6
        )
        return frame.meter

    async def _answer(
        self, meter: str, control: int, asked: bytes, expected: int, tail: bytes = b""
    ) -> Frame:
        """The answer to one request. Raises Refused where the meter says no."""

        def due(frame: Frame) -> bool:
            if frame.control & REFUSED:
                return len(frame.data) == 1
            return frame.data.startswith(asked) and frame.data[len(asked) :].endswith(tail)

        frame = await self._exchanged_frame(meter, control, asked + tail, expected + len(tail), due)
        if frame.control & REFUSED:
            raise Refused(told(edition_of(asked.hex()), frame.data[0]))
        return frame

    async def _exchanged_frame(
        self, meter: str, control: int, data: bytes, expected: int, due: Callable[[Frame], bool]
    ) -> Frame:
        def ours(frame: Frame) -> bool:
            said = frame.control & (ANSWER | FUNCTION)
            return meter in (frame.meter, WILDCARD) and said == ANSWER | control and due(frame)

        request = encoded(Frame(meter, control, data), self.connection.wake_up)
        answer = await self.exchange(meter, request, frames, ours, size(expected))
        if meter == WILDCARD and answer.meter != WILDCARD:
            self._alone = answer.meter
        return answer
