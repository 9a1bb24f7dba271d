"""Reads gauges that answer each line `NAME?` with a number, or with `?` where they have no such value."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field

from ganpo_drivers import Address, ConnectionSettings, Driver, FaultKind, Point, PointFault, Query, Scan
from ganpo_model.errors import ConnectionLost, TransientError, Unreachable


class LinesSettings(ConnectionSettings):
    host: str = Field(description="where the gauge listens")
    port: int = Field(default=4001, ge=1, le=65535, description="TCP port")
    timeout_s: float = Field(default=1.0, gt=0, le=30, description="seconds it may take to answer a line")


class LinesAddress(Address):
    name: str

    @classmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        if not (text.isascii() and text.isalpha() and text.islower()):
            raise ValueError(f"{text!r} is not a name in small letters")
        return cls(name=text)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class LinesQuery:
    points: Sequence[Point[LinesAddress]]

    def __str__(self) -> str:
        return f"{len(self.points)} lines"


class LinesDriver(Driver[LinesSettings, LinesAddress]):
    connection_type = LinesSettings
    address_type = LinesAddress
    _stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        async with self._asking(Unreachable):
            self._stream = await asyncio.open_connection(self.connection.host, self.connection.port)

    def prepare(self, points: Sequence[Point[LinesAddress]]) -> LinesQuery:
        return LinesQuery(points)

    async def read(self, query: Query) -> Scan:
        async with self._asking(ConnectionLost):
            return Scan([await self._value(point.address.name) for point in query.points])

    async def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].transport.abort()

    async def _value(self, name: str) -> float | PointFault:
        if self._stream is None:
            raise ConnectionError("not open")
        reader, writer = self._stream
        writer.write(f"{name}?\n".encode())
        async with asyncio.timeout(self.connection.timeout_s):
            answer = await reader.readuntil(b"\n")
        return PointFault(FaultKind.ABSENT, f"it has no {name}") if answer == b"?\n" else float(answer)

    @asynccontextmanager
    async def _asking(self, kind: type[TransientError]) -> AsyncIterator[None]:
        try:
            yield
        except (OSError, EOFError, ValueError) as error:
            await self.close()  # an answer that comes later is not the next one's
            where = f"{self.connection.host}:{self.connection.port}"
            raise kind(str(error) or "no answer in time", where=where) from error
