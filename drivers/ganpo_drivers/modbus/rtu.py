"""Modbus RTU, on a serial line or behind a converter on TCP: frames without ids (Modbus over Serial Line 2.5.1).

An answer is known by what is due: unit, function, length and checksum. It is found behind stray bytes and behind the
echo of the request. What may still come of an earlier request is kept in mind.
"""

import asyncio
import contextlib
import struct
from collections.abc import Set

from pymodbus.framer import FramerRTU

from ganpo_drivers.lines import ByteLine
from ganpo_drivers.modbus.answers import Answer
from ganpo_drivers.modbus.requests import AREAS, EXCEPTION, Request, read_request
from ganpo_drivers.modbus.wire import BrokeOff, Habits, Owed, Wire
from ganpo_model.errors import ConnectionLost, UnitSilent

PAUSE_CHARACTERS = 3.5
PAUSE_AT_LEAST_S = 0.002
OWED_S = 60.0
"""How long an answer that did not come may still be on its way."""
_CHECKSUM = 2
_ENDED = frozenset({0x01, 0x02, 0x03})
"""Exceptions that say something of the request itself."""
_SHOWN = 12
_ANYBODY = frozenset(range(256))
Owing = dict[tuple[int, int | None], Owed]


def crc(data: bytes) -> int:
    """The checksum of a frame (CRC-16/MODBUS), high byte first on the line; 0 over a whole frame with its checksum."""
    return int(FramerRTU.compute_CRC(data))


def framed(unit: int, pdu: bytes) -> bytes:
    """The frame of a request."""
    body = bytes((unit,)) + pdu
    return body + struct.pack(">H", crc(body))


def pause_s(character_s: float) -> float:
    """How long the line has to be silent before a frame."""
    return max(PAUSE_CHARACTERS * character_s, PAUSE_AT_LEAST_S)


def frame_s(request: Request, character_s: float) -> float:
    """How long the characters of a request and of its answer take."""
    return (1 + len(request.pdu) + _CHECKSUM + _length(request)) * character_s


class _Hearing:
    """Finds the answer to a request that was sent as `frame`.

    `answer`: what was found; `other`: a whole frame that is none, and that nobody owes; `late`: one that is owed;
    `rest`: what came behind the echo.
    """

    def __init__(self, request: Request, frame: bytes, owing: Set[int]) -> None:
        self._request, self._frame, self._owing = request, frame, owing
        self.answer: Answer | None = None
        self.other: Answer | None = None
        self.late = False
        self.rest = b""

    def __call__(self, data: bytes) -> int | None:
        if self._frame.startswith(data):
            return None
        echo = data.find(self._frame)
        begin = echo + len(self._frame) if echo >= 0 else 0
        self.rest = rest = data[begin:]
        under_way = False
        at = rest.find(self._request.unit)
        while at >= 0:
            end = self._request.end(rest, at + 1)
            whole = end is not None and 0 < end <= len(rest) - _CHECKSUM
            if end is None or end > len(rest) - _CHECKSUM:
                under_way |= at == 0
            elif whole and crc(rest[at : end + _CHECKSUM]) == 0:
                self.answer = Answer(rest[at], rest[at + 1], rest[at + 2 : end])
                return begin + end + _CHECKSUM
            at = rest.find(self._request.unit, at + 1)
        if len(rest) > 1 + _CHECKSUM and not under_way and crc(rest) == 0:
            if rest[0] in self._owing:
                self.late = True
                return None
            self.other = Answer(rest[0], rest[1], rest[2:-_CHECKSUM])
            return len(data)
        return None


class _Garbled(BrokeOff):
    """As much came as was due: nothing of it is still on its way."""


class RtuWire(Wire):
    """One opening of the port, or one TCP session to a converter. `character_s`: of one character on the line."""

    def __init__(self, line: ByteLine, timeout_s: float, habits: Habits, character_s: float) -> None:
        super().__init__(line, timeout_s, habits)
        self._character_s = character_s
        self._pause_s = pause_s(character_s)
        self._late = False  # an answer came after its time

    @property
    def blind(self) -> bool:
        """Always: a late answer of the same shape looks as the due one."""
        return True

    async def ask(self, request: Request) -> Answer:
        """The next frame of this unit, function and length with a right checksum, while the unit owes no such; or a
        whole frame that nobody owes, for the caller to say what is wrong with it."""
        owing = self._habits.owing.setdefault(request.unit, {})
        if owing:
            now = asyncio.get_running_loop().time()
            for shape in [shape for shape, owed in owing.items() if now - owed.sent > OWED_S]:
                del owing[shape]
            # Who a device is, it says the same way each time.
            if request.size is not None and (owed := owing.get(request.shape)) is not None:
                await self._wait(request, owed)
                if not owed.met:
                    answer = await self._settle(request, owing)
                    if answer is not None:
                        return answer
                    if self._habits.brief:
                        self._line.close()
                        raise ConnectionLost("it has answered in this session", where=self.where)
        return await self._exchange(request, owing)

    async def _wait(self, request: Request, owed: Owed) -> None:
        """For what the unit owes, as long again as it had."""
        late_s = owed.sent + 2 * self._patience_s(request) - asyncio.get_running_loop().time()
        if late_s > 0:
            with contextlib.suppress(TimeoutError):
                await self._line.receive(_Hearing(request, b"", _ANYBODY), late_s)
                self._late = True

    async def _settle(self, request: Request, owing: Owing) -> Answer | None:
        """Ask for something whose answer looks different.

        A device answers in the order in which it is asked: once that answer is there, what is older will not come.
        Returns what came instead of it.
        """
        probe = _different(request, owing)
        answer = await self._exchange(probe, owing)
        right = answer.unit == probe.unit and (
            (answer.function == probe.function and answer.data[:1] == bytes((probe.size or 0,)))
            or (answer.function == probe.function | EXCEPTION and answer.data[0] in _ENDED)
        )
        if not right:
            return answer
        owing.clear()
        return None

    async def _exchange(self, request: Request, owing: Owing) -> Answer:
        await self._silence()
        frame = framed(request.unit, request.pdu)
        older = any(not owed.met for shape, owed in owing.items() if shape != request.shape)
        owing[request.shape] = Owed(asyncio.get_running_loop().time())
        others = (u for u, owed in self._habits.owing.items() if u != request.unit and owed)
        hearing = _Hearing(request, frame, {*others, *([request.unit] if older else [])})
        self._line.send(frame)
        try:
            await self._line.receive(hearing, self._patience_s(request))
        except TimeoutError as error:
            silent = self._unheard(request, hearing)
            if isinstance(silent, _Garbled):
                del owing[request.shape]
            raise silent from error
        answer = hearing.answer or hearing.other
        assert answer is not None
        if hearing.answer is not None:
            del owing[request.shape]
            self._late = False
        elif answer.unit == request.unit:
            owing[request.shape] = owing[request.shape]._replace(met=True)
        self._habits.known = True
        return answer

    async def _silence(self) -> None:
        """The pause before a frame. What came until then belongs to nobody."""
        line, loop = self._line, asyncio.get_running_loop()
        limit = loop.time() + self._timeout_s + self._pause_s
        while (left := line.heard_at + self._pause_s - loop.time()) > 0 or line.drop():
            if loop.time() > limit:
                what = "the line is never silent: is there another master on it, does the baud rate match?"
                raise ConnectionLost(what, where=self.where)
            await asyncio.sleep(max(left, 0))

    def _patience_s(self, request: Request) -> float:
        """How long to wait for a whole answer."""
        return self._timeout_s + frame_s(request, self._character_s)

    def _unheard(self, request: Request, hearing: _Hearing) -> UnitSilent | BrokeOff:
        where, rest = f"{self.where} unit {request.unit}", hearing.rest
        if not rest or hearing.late:
            late = hearing.late or self._late
            told = "; one to an earlier request came: is `timeout_s` too short?" if late else ""
            return UnitSilent(f"no answer within {self._timeout_s:g} s{told}", where=where)
        if rest[:2] != bytes((request.unit, request.function)):
            shown = rest[:_SHOWN].hex(" ") + (" ..." if len(rest) > _SHOWN else "")
            doubt = "do baud rate and parity match, do two devices have this number?"
            return BrokeOff(f"{len(rest)} bytes came that are no answer ({shown}): {doubt}", where=where)
        if len(rest) < _length(request):
            return BrokeOff(f"the answer broke off after {len(rest)} bytes", where=where)
        return _Garbled("the answer is garbled: its checksum is wrong", where=where)


def _length(request: Request) -> int:
    """Of the frame that is due."""
    return 1 + request.longest + _CHECKSUM


def _different(request: Request, owing: Owing) -> Request:
    """A read of the same area whose answer has a length that is not owed."""
    _, first, _ = struct.unpack(">BHH", request.pdu)
    area = AREAS[request.function]
    for count in range(1, 2000, 8) if area in ("coil", "discrete") else range(1, 126):
        probe = read_request(request.unit, area, min(first, 0x10000 - count), count)
        if probe.shape not in owing:
            break
    return probe
