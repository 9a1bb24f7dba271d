"""Reading meters item by item over one line: what each outcome costs, and how it is told."""

import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from ganpo_drivers.api import (
    Address,
    Cost,
    Driver,
    FaultKind,
    Point,
    PointFault,
    Query,
    Report,
    Scan,
    Value,
)
from ganpo_drivers.lines import ByteLine, Flooded, Until, joined, new_trace
from ganpo_drivers.readout.frames import START, WAKE_UP
from ganpo_drivers.readout.patience import Patience
from ganpo_drivers.readout.settings import ReadoutSettings
from ganpo_model.errors import ConnectionLost, UnitSilent

ANSWERS_S = 0.1
"""Until a meter begins to answer, usually; DL/T 645-2007 lets it take from 20 to 500 ms."""
BROKEN_LIMIT = 2
"""Requests of one read that may come to nothing before no more is asked in it."""
_GARBLED = "not even the beginning of a frame: are baud, parity and stop bits those of the meters?"
_WAKE_UP = bytes((WAKE_UP,))
_SHOWN = 24
"""Bytes that are shown to a person."""
_NOT_ASKED = PointFault(FaultKind.MISSING, "not asked: earlier answers of this read did not come")

SettingsT = TypeVar("SettingsT", bound=ReadoutSettings)
AddressT = TypeVar("AddressT", bound=Address)
FrameT = TypeVar("FrameT")


class Refused(Exception):
    """The meter says that it does not give this."""


class Unusable(UnitSilent):
    """What came is no answer that can be believed: `kind` is the word it is counted under."""

    def __init__(self, kind: str, what: str, where: str, hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Question(Generic[AddressT]):
    """One item of one meter. `address`: of any of its points; `places`: where its points stand in the query."""

    item: str
    address: AddressT
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadoutQuery(Generic[AddressT]):
    """Points of one meter, a question per item."""

    points: Sequence[Point[AddressT]]
    questions: tuple[Question[AddressT], ...]

    def __str__(self) -> str:
        return "\n".join(f"{question.item}: {len(question.places)} values" for question in self.questions)


class ReadoutDriver(Driver[SettingsT, AddressT]):
    """Meters on one line. A driver says which item a point belongs to, how it is asked for, and what it means."""

    def __init__(self, connection: SettingsT) -> None:
        super().__init__(connection)
        self._line: ByteLine | None = None
        self._trace = new_trace()
        self._patience = Patience()
        self._faults: Counter[tuple[str, str]] = Counter()
        self._reopened = 0

    @abstractmethod
    def item(self, address: AddressT) -> str:
        """What is asked for, with the meter: points that share it come in one answer."""

    @abstractmethod
    async def fetch(self, address: AddressT) -> bytes:
        """The data of an item. Raises Refused, Unusable, UnitSilent, ConnectionLost."""

    @abstractmethod
    def value(self, address: AddressT, data: bytes) -> Value | PointFault:
        """A point's value in the data of its item. Raises Unusable where the data are not laid out as expected."""

    @abstractmethod
    def sizes(self, address: AddressT) -> tuple[int, int]:
        """The bytes of the request for an item, and those of its answer, with wake-up bytes."""

    async def open(self) -> None:
        """Open the line. Raises TransientError or PermanentError."""
        await self.close()
        line = self.connection.new_line()
        line.trace = self._trace
        await line.open()
        self._line = line

    def prepare(self, points: Sequence[Point[AddressT]]) -> ReadoutQuery[AddressT]:
        """A question per item."""
        found: dict[str, list[int]] = {}
        for place, point in enumerate(points):
            found.setdefault(self.item(point.address), []).append(place)
        return ReadoutQuery(
            points,
            tuple(Question(item, points[places[0]].address, tuple(places)) for item, places in found.items()),
        )

    def estimate(self, query: Query) -> Cost:
        """What it costs the line. Every meter is taken to begin its answer in `ANSWERS_S`."""
        if not isinstance(query, ReadoutQuery):
            raise TypeError("this query was prepared by another driver")
        sizes = [self.sizes(question.address) for question in query.questions]
        characters = [asked + told for asked, told in sizes]
        return Cost(
            len(sizes),
            len(query.points),
            0,
            sum(self.connection.characters_s(count) + ANSWERS_S for count in characters),
            self.connection.answer_s(max(characters, default=0)),
            f"meters begin to answer after {ANSWERS_S:g} s, {self.connection.speed}",
        )

    async def read(self, query: Query) -> Scan:
        """Ask item by item, what was answered last time first. One that comes to nothing costs its own points."""
        if not isinstance(query, ReadoutQuery):
            raise TypeError("this query was prepared by another driver")
        values: list[Value | PointFault] = [_NOT_ASKED] * len(query.points)
        broken: list[tuple[Question[AddressT], UnitSilent]] = []
        heard = False
        self._trace.clear()
        for question in sorted(query.questions, key=lambda question: self._patience.vain(question.item)):
            fault = self._patience.fault(question.item, time.monotonic())
            if fault is not None:
                _fill(values, question, fault)
            elif len(broken) < BROKEN_LIMIT:
                try:
                    await self._ask(question, query.points, values)
                    heard = True
                except UnitSilent as wrong:
                    # What comes late is not to be taken for the answer to another question: open the line anew.
                    await self.close()
                    self._patience.asked_in_vain(question.item)
                    kind = wrong.kind if isinstance(wrong, Unusable) else "silent"
                    self._faults[question.address.key, kind] += 1
                    if not isinstance(wrong, Unusable) and not heard:
                        raise
                    broken.append((question, wrong))
        if broken and not heard:
            raise broken[-1][1]
        for question, cause in broken:
            fault = _fill(values, question, PointFault(FaultKind.MISSING, cause.what))
            self._patience.missed(question.item, fault, time.monotonic())
        return Scan(values)

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """What meters do not answer is not learned from what people try."""
        patience, faults = self._patience, self._faults
        self._patience, self._faults = Patience(), Counter()
        try:
            yield
        finally:
            self._patience, self._faults = patience, faults

    async def close(self) -> None:
        """Leave the line."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def trace(self) -> list[tuple[str, bytes]]:
        """Of the last read, or of all that was browsed."""
        return joined(self._trace)

    def report(self) -> Report:
        """What it met on the line so far."""
        return Report(self._reopened, self._faults, self.notes())

    def notes(self) -> Sequence[str]:
        """What a person should know of the meters."""
        return ()

    def where(self, key: str) -> str:
        """Line and meter, for errors."""
        return f"{self.connection.url} meter {key}"

    async def exchange(
        self,
        key: str,
        request: bytes,
        frames: Callable[[bytes], Iterable[tuple[FrameT, int]]],
        due: Callable[[FrameT], bool],
        answer: int,
    ) -> FrameT:
        """The first of the `frames` that come after `request` which is `due`. `answer`: the bytes it has.

        A session that the other side had closed is no outage: the line is opened again and asked once more.
        Raises UnitSilent (nothing came), Unusable (what came has no such answer in it), TransientError.
        """
        found: list[FrameT] = []

        def until(came: bytes) -> int | None:
            for frame, end in frames(came):
                if due(frame):
                    found.append(frame)
                    return end
            return None

        if self._line is not None and self._line.is_open:
            try:
                await self._exchanged(self._line, key, request, until, answer)
                return found[0]
            except ConnectionLost as lost:
                if self._line.is_open or isinstance(lost, Flooded):
                    raise
        await self.open()
        self._reopened += 1
        assert self._line is not None
        await self._exchanged(self._line, key, request, until, answer)
        return found[0]

    async def _exchanged(self, line: ByteLine, key: str, request: bytes, until: Until, answer: int) -> None:
        line.drop()  # a second answer, or noise: nothing that lies here was asked for now
        line.send(request)
        within_s = self.connection.answer_s(len(request) + answer)
        try:
            await line.receive(until, within_s)
        except TimeoutError as error:
            came = line.drop()
            # An adapter that hears itself gives the request back; wake-up bytes alone say nothing either.
            if not came.replace(request.lstrip(_WAKE_UP), b"").strip(_WAKE_UP):
                raise UnitSilent(f"no answer within {within_s:.1f} s", where=self.where(key)) from error
            shown = came[:_SHOWN].hex(" ").upper() + (" ..." if len(came) > _SHOWN else "")
            raise Unusable(
                "unusable",
                f"no answer to this in the {len(came)} bytes that came: {shown}",
                self.where(key),
                "" if START in came else _GARBLED,
            ) from error

    async def _ask(
        self,
        question: Question[AddressT],
        points: Sequence[Point[AddressT]],
        values: list[Value | PointFault],
    ) -> None:
        try:
            data = await self.fetch(question.address)
            found = [self.value(points[place].address, data) for place in question.places]
        except Refused as refused:
            fault = _fill(values, question, PointFault(FaultKind.BAD, str(refused)))
            self._faults[question.address.key, "refused"] += 1
            self._patience.refused(question.item, fault, time.monotonic())
            return
        for place, value in zip(question.places, found, strict=True):
            values[place] = value
        self._patience.answered(question.item)


def _fill(values: list[Value | PointFault], question: Question[AddressT], fault: PointFault) -> PointFault:
    """Put one fault into all places of a question."""
    for place in question.places:
        values[place] = fault
    return fault
