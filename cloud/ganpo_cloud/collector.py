"""The collector: frames from the broker into the database, acknowledgements back (uplink.md)."""

import asyncio
import json
import logging
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy.exc import OperationalError

from ganpo_cloud import lives
from ganpo_cloud.database import Database
from ganpo_cloud.ingest import Committed, ingest
from ganpo_cloud.mqtt import Login, Session
from ganpo_cloud.settings import BrokerSettings
from ganpo_model.clock import Clock, iso
from ganpo_model.errors import GanpoError

log = logging.getLogger(__name__)

BATCH = 64
"""Frames of one transaction, at most."""
_SHORT_LIVED_S = 10.0


class Collector:
    """Takes what gateways send, for ever. `problem` says why it does not, `stored` counts committed frames."""

    def __init__(
        self, settings: BrokerSettings, database: Database, clock: Clock, rng: random.Random
    ) -> None:
        self.problem = "not connected yet"
        self.stored = 0
        self.dropped = 0
        self.progress = clock.monotonic()
        self._root = settings.root
        self._login = Login(
            settings.url,
            settings.client_id,
            settings.user,
            settings.password.get_secret_value() if settings.password is not None else None,
            str(settings.ca_path) if settings.ca_path is not None else None,
        )
        self._longest = settings.back_off_max_s
        self._database = database
        self._clock = clock
        self._rng = rng
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Connect, collect, and again, for ever. Pauses double from 1 s, with full jitter."""
        bound = 1.0
        while True:
            began = self._clock.monotonic()
            session = Session(self._login, self._wake.set)
            try:
                await session.open([(f"{self._root}/+/facts", 1), (f"{self._root}/+/live", 0)])
                log.info("collecting broker=%s", self._login.url)
                self.problem = ""
                await self._collect(session)
                self._failed(f"the broker closed the session: {session.reason}; another client uses this id?")
            except GanpoError as error:
                self._failed(str(error))
            finally:
                await session.close()
            if self._clock.monotonic() - began >= _SHORT_LIVED_S:
                bound = 1.0
            pause = self._rng.uniform(0, min(bound, self._longest))
            bound = min(bound * 2, self._longest)
            self.progress = self._clock.monotonic() + pause
            await asyncio.sleep(pause)

    async def _collect(self, session: Session) -> None:
        while not session.closed:
            self.progress = self._clock.monotonic()
            if not session.messages:
                self._wake.clear()
                try:
                    async with asyncio.timeout(5):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            await self._take(session)
            self.dropped += session.dropped
            session.dropped = 0

    async def _take(self, session: Session) -> None:
        """One batch: whatever waits, in the order in which it came."""
        frames: list[tuple[str, bytes]] = []
        said: dict[str, bytes] = {}
        while session.messages and len(frames) < BATCH:
            topic, payload = session.messages.popleft()
            gateway, _, what = topic.removeprefix(f"{self._root}/").partition("/")
            if what == "facts":
                frames.append((gateway, payload))
            elif what == "live":
                said[gateway] = payload
        loop = asyncio.get_running_loop()
        try:
            if frames:
                done = await loop.run_in_executor(
                    self._thread, ingest, self._database, frames, self._clock.utc()
                )
                self.stored += len(done)
                self._acknowledge(session, done)
            for gateway, payload in said.items():
                heard = lives.hear
                if await loop.run_in_executor(
                    self._thread, heard, self._database, gateway, payload, self._clock.utc()
                ):
                    session.publish(f"{self._root}/{gateway}/ack", _ack(self._clock.utc(), None, []))
        except OperationalError as error:
            self._failed(f"the database does not answer: {error.orig}; frames wait at their gateways")
            await asyncio.sleep(1.0)
        else:
            self.problem = ""

    def _acknowledge(self, session: Session, done: Iterable[Committed]) -> None:
        """After the commit, one message per stream."""
        streams: dict[tuple[str, str], list[int]] = {}
        for one in done:
            streams.setdefault((one.gateway, one.stream), []).append(one.seq)
        for (gateway, stream), seqs in streams.items():
            session.publish(f"{self._root}/{gateway}/ack", _ack(self._clock.utc(), stream, ranges(seqs)))

    def _failed(self, why: str) -> None:
        log.log(logging.DEBUG if self.problem == why else logging.WARNING, "collector: %s", why)
        self.problem = why


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as rising ranges, ends included."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _ack(now: datetime, stream: str | None, seqs: list[list[int]]) -> bytes:
    body: dict[str, object] = {"v": 1, "now": iso(now.astimezone(UTC))}
    if stream is not None:
        body["stream"] = stream
    return json.dumps(body | {"seqs": seqs}).encode()
