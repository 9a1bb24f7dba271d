"""Writing to the time-series store, synchronously, from a cursor over what is committed.

Each measurement goes its own way: what the store refuses of one holds up no other. A store that is killed loses what it
took seconds before, so the cursor that is kept trails, and at start and after a failure one goes back further still:
repetition is harmless.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from sqlalchemy import Connection, func, select, union_all
from sqlalchemy.exc import OperationalError
from urllib3.exceptions import HTTPError

from ganpo_cloud.projection import lines
from ganpo_cloud.store import projected
from ganpo_cloud.store.counted_tables import day, register_day
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import ProjectionSettings
from ganpo_cloud.store.tables import frame
from ganpo_model.clock import Clock
from ganpo_service.outage import Outage
from ganpo_service.supervisor import Beat, Work

log = logging.getLogger(__name__)

BATCH = 5000
"""Lines after which the next batch follows at once."""
REQUEST = 512 * 1024
"""Bytes of one request, at most: a proxy in between takes mostly 1 MiB."""
STEPS = 500
"""Frames, or instants at which days were worked out, of one batch."""
PAUSE_S = 2.0
RETRY_S, RETRY_MAX_S = 5.0, 60.0
"""A store that fails is asked again after so long, twice that, and so on to the longest."""
SETTLED_S = 60.0
"""After so long what a store took is on its disk."""
TIMEOUT_MS = 3000
"""Below the 5 s in which the process ends: a store that hangs must not hold it."""
FAILED = (ApiException, HTTPError, OSError, UnicodeDecodeError)
"""What a store that is away, or that does not want us, comes to; the last where its words are no UTF-8."""
_SENTENCE = 2000
"""Characters of what a store says, at most."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement: where its writing begins, how far its next batch goes, and the lines of it."""

    name: str
    begin: Callable[[Connection, str], int]
    until: Callable[[Connection, int], int | None]
    lines: Callable[[Connection, int, int], Iterable[str]]

    def next(self, database: Database, after: int | None) -> "Batch":
        """The batch behind a cursor, or where its writing begins; it ends at the cursor where there is none."""
        with database.read() as connection:
            after = self.begin(connection, self.name) if after is None else after
            until = self.until(connection, after)
            if until is None:
                return Batch(after, after, [])
            return Batch(after, until, list(self.lines(connection, after, until)))


class Batch(NamedTuple):
    """The lines behind a cursor up to another; up to the same: everything is written."""

    after: int
    until: int
    lines: list[str]


def works(database: Database, settings: ProjectionSettings, clock: Clock) -> dict[str, Work]:
    """The tasks that project what is committed, for ever, one for each measurement, by name. A store that is away costs
    nothing but its own delay: waiting for it is progress too."""
    store = _Store(settings)
    return {f"projection of {one.name}": _Writer(one, database, store, clock).run for one in MEASUREMENTS}


def rebuild(database: Database, settings: ProjectionSettings) -> int:
    """Write everything from the beginning, also beside a running collector. Gives the number of points."""
    store = _Store(settings)
    total = 0
    for measurement in MEASUREMENTS:
        batch = measurement.next(database, 0)
        while batch.until != batch.after:
            store.write(batch.lines)
            total += len(batch.lines)
            batch = measurement.next(database, batch.until)
    return total


def sentence(error: Exception) -> str:
    """What the store says, whole; or why it says nothing."""
    if isinstance(error, ApiException):
        body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else error.body
        said = error.message or body or error.reason
        return f"HTTP {error.status}: {' '.join(str(said).split())}"[:_SENTENCE]
    if isinstance(error, UnicodeDecodeError):
        return f"HTTP: {' '.join(error.object.decode(errors='replace').split())}"[:_SENTENCE]
    return (str(error) or type(error).__name__)[:_SENTENCE]


def bodies(batch: Sequence[str]) -> Iterator[bytes]:
    """The lines of a batch, in as many requests as they need."""
    waiting: list[bytes] = []
    size = 0
    for line in batch:
        packed = line.encode() + b"\n"
        if waiting and size + len(packed) > REQUEST:
            yield b"".join(waiting)
            waiting, size = [], 0
        waiting.append(packed)
        size += len(packed)
    if waiting:
        yield b"".join(waiting)


class _Store:
    """The store. `outages`: how often it was away; of every measurement it may have lost what it took just before."""

    def __init__(self, settings: ProjectionSettings) -> None:
        self.outages = 0
        self._settings = settings

    def write(self, batch: list[str]) -> None:
        """Write lines, in as many requests as they need. Raises what is in `FAILED`."""
        of = self._settings
        token = of.token.get_secret_value() if of.token is not None else ""
        with (
            InfluxDBClient(url=of.url, token=token, org=of.org, timeout=TIMEOUT_MS) as client,
            client.write_api(write_options=SYNCHRONOUS) as api,
        ):
            for body in bodies(batch):
                api.write(bucket=of.bucket, record=body, write_precision="ms")


class _Writer:
    """Writes one measurement. A batch that was not taken is sent again as it was, until it is."""

    def __init__(self, measurement: Measurement, database: Database, store: _Store, clock: Clock) -> None:
        self._of, self._database, self._store, self._clock = measurement, database, store, clock
        self._at: int | None = None
        self._batch: Batch | None = None
        self._taken: deque[tuple[float, int]] = deque()
        self._outages = 0
        self._outage = Outage(log, f"projection of {measurement.name} waits", clock)
        self._problem: str | None = ""
        """What stands in the database; at first nobody knows."""
        self._retry_s = RETRY_S

    async def run(self, beat: Beat) -> None:
        """Write, for ever."""
        while True:
            beat()
            try:
                wait = await self._step()
            except OperationalError as error:
                self._outage.failed(f"the database does not answer: {error.orig}")
                wait = RETRY_S
            await asyncio.sleep(wait)

    async def _step(self) -> float:
        """Write the next batch. Gives how many seconds to wait before the one after it."""
        if self._outages != self._store.outages and not self._problem:
            self._outages, self._at, self._batch = self._store.outages, None, None
            self._taken.clear()
        if self._batch is None:
            self._batch = await asyncio.to_thread(self._of.next, self._database, self._at)
        done = self._batch
        try:
            if done.lines:
                await asyncio.to_thread(self._store.write, done.lines)
        except FAILED as error:
            wait, self._retry_s = self._retry_s, min(self._retry_s * 2, RETRY_MAX_S)
            if not isinstance(error, ApiException):
                self._store.outages += 1
            await self._told(sentence(error))
            return wait
        await self._told(None)
        now = self._clock.monotonic()
        if done.until != done.after:
            self._taken.append((now, done.until))
        while self._taken and self._taken[0][0] <= now - SETTLED_S:
            settled = self._taken.popleft()[1]
            await asyncio.to_thread(projected.keep, self._database, self._of.name, settled)
        self._at, self._batch, self._retry_s = done.until, None, RETRY_S
        return 0 if len(done.lines) >= BATCH else PAUSE_S

    async def _told(self, problem: str | None) -> None:
        """In the log and in the database: when it fails, when it says something else, when it is over."""
        if problem:
            self._outage.failed(problem)
        else:
            self._outage.over()
        if problem != self._problem:
            await asyncio.to_thread(projected.told, self._database, self._of.name, self._clock.utc(), problem)
            self._problem = problem


def _frames(connection: Connection, after: int) -> int | None:
    """The last of the next frames. They are numbered inside their transaction: none is ever committed behind it."""
    some = select(frame.c.id).where(frame.c.id > after).order_by(frame.c.id).limit(STEPS).subquery()
    return connection.execute(select(func.max(some.c.id))).scalar()


def _computed(connection: Connection, after: int) -> int | None:
    """The last of the next instants at which days were worked out. One loop does that: none comes behind it."""
    both = union_all(
        select(day.c.computed_at.label("at")).where(day.c.computed_at > after),
        select(register_day.c.computed_at.label("at")).where(register_day.c.computed_at > after),
    ).subquery()
    some = select(both.c.at).order_by(both.c.at).limit(STEPS).subquery()
    return connection.execute(select(func.max(some.c.at))).scalar()


MEASUREMENTS = (
    Measurement("reading", projected.begin_frame, _frames, lines.readings),
    Measurement("state", projected.begin_frame, _frames, lines.runs),
    Measurement("day", projected.begin_day, _computed, lines.days),
)
