"""The collector: frames from the broker into the database, acknowledgements back (uplink.md)."""

import asyncio
import json
import logging
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy.exc import OperationalError

from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.came import Came, told_until
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.inlet.refusals import Refusals, Refused
from ganpo_cloud.store import owners
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import BrokerSettings
from ganpo_model.clock import Clock, iso, to_ms
from ganpo_model.errors import ConnectionLost, GanpoError, Unreachable
from ganpo_model.facts import GATEWAY
from ganpo_service.backoff import SHORT_LIVED_S, Reconnect
from ganpo_service.exposition import Histogram
from ganpo_service.mqtt import Login, Session

log = logging.getLogger(__name__)

BATCH = 64
"""Messages of one transaction, at most."""
BATCH_BYTES = 1 << 20
"""Their bytes, about: nobody waits long for what another sends."""
_LAG = "From what a frame tells last to its commit, in seconds: what waited at its gateway is old."
_LAG_BOUNDS = (1, 5, 15, 60, 300, 900, 3600, 86_400)
_COMMITS = "Time that a transaction with frames takes, in seconds."
_COMMIT_BOUNDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10)
_IDLE_S = 5.0
_RETRY_S = 1.0


class Collector:
    """Takes what gateways send, for ever.

    `problem`: why it does not, or empty; `applied`, `quarantined`: frames committed; `unanswered`: frames that are not
    kept, because their gateway is unknown, or that nobody could name; `dropped`: messages for which there was no room,
    they come again; `lag`, `commits`: how old what frames tell is at their commit, and how long commits take.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        database: Database,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self.problem = "not connected yet"
        self.applied = 0
        self.quarantined = 0
        self.unanswered = 0
        self.dropped = 0
        self.lag = Histogram("ganpo_cloud_ingest_lag_seconds", _LAG, _LAG_BOUNDS)
        self.commits = Histogram("ganpo_cloud_commit_duration_seconds", _COMMITS, _COMMIT_BOUNDS)
        self._root = settings.root
        self._topic = re.compile(f"{re.escape(settings.root)}/({GATEWAY})/(facts|live)")
        self._login = Login(
            settings.url,
            settings.client_id,
            "broker",
            settings.user,
            settings.password.get_secret_value() if settings.password is not None else None,
            str(settings.ca_path) if settings.ca_path is not None else None,
        )
        self._reconnect = Reconnect(settings.back_off_max_s, rng)
        self._database = database
        self._clock = clock
        self._beat: Callable[[], None] = lambda: None
        self._refusals = Refusals()
        self._registered: frozenset[str] = frozenset()
        self._look_again = 0.0
        self._wake = asyncio.Event()
        self._thread: ThreadPoolExecutor
        """The one thread in which the database is written; nobody waits for it at the end."""

    async def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Connect, collect, and again, for ever. `beat` is called whenever it makes progress."""
        self._beat = beat
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        try:
            while True:
                pause = await self._session()
                self._beat()
                await asyncio.sleep(pause)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _session(self) -> float:
        """One session with the broker, to its end. Gives how many seconds to wait before the next."""
        began, up, refused = self._clock.monotonic(), None, False
        session = Session(self._login, self._wake.set, whose=self._whose)
        try:
            await session.open([(f"{self._root}/+/facts", 1), (f"{self._root}/+/live", 0)])
            log.info("collecting broker=%s", self._login.url)
            self.problem = ""
            up = self._clock.monotonic()
            await self._collect(session)
            lived = self._clock.monotonic() - up
            hint = f"another client uses the id {self._login.client_id}?" if lived < SHORT_LIVED_S else ""
            what = f"the broker ended the session: {session.reason}"
            self._failed(str(ConnectionLost(what, where=self._login.url, hint=hint)))
        except GanpoError as error:
            refused = not isinstance(error, Unreachable)
            self._failed(str(error))
        finally:
            await session.close()
        return self._reconnect.pause(began, self._clock.monotonic(), up=up, refused=refused)

    async def _collect(self, session: Session) -> None:
        while not session.closed:
            self._beat()
            self._wake.clear()
            if batch := session.take(BATCH, BATCH_BYTES):
                await self._take(session, batch)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_S):
                        await self._wake.wait()
            self._refusals.tell(self._clock.monotonic())
            self.dropped += session.dropped
            session.dropped = 0

    async def _take(self, session: Session, batch: Iterable[tuple[str, bytes]]) -> None:
        """Commit a batch and answer it; while the database fails it is tried again, and the rest waits."""
        frames: list[tuple[str, bytes]] = []
        said: list[tuple[str, bytes]] = []
        for topic, payload in batch:
            # What is not addressed to us is ignored: the broker has to see to it that names are true.
            if (found := self._topic.fullmatch(topic)) is not None:
                (frames if found[2] == "facts" else said).append((found[1], payload))
        loop = asyncio.get_running_loop()
        while not session.closed:
            self._beat()
            try:
                done, heard = await loop.run_in_executor(self._thread, self._commit, frames, said)
            except OperationalError as error:
                self._failed(f"the database does not answer: {error.orig}; frames wait at their gateways")
                await asyncio.sleep(_RETRY_S)
                continue
            if self.problem:
                log.info("collector: the database answers again")
            self.problem = ""
            self._counted(done)
            self.unanswered += len(frames) - len(done)
            for gateway, ack in _acks(done, heard, self._clock.utc()):
                session.publish(f"{self._root}/{gateway}/ack", ack, qos=1)
            return

    def _commit(
        self, frames: list[tuple[str, bytes]], said: list[tuple[str, bytes]]
    ) -> tuple[list[Came], list[str]]:
        """In the thread of the database."""
        if self._clock.monotonic() >= self._look_again:
            with self._database.read() as connection:
                self._registered = owners.numbers(connection)
            self._look_again = self._clock.monotonic() + _IDLE_S
        began = self._clock.monotonic()
        done = ingest(self._database, frames, self._clock.utc(), self._refused) if frames else []
        if frames:
            self.commits.observe(self._clock.monotonic() - began)
        heard = lives.hear(self._database, said, self._clock.utc(), self._refused) if said else []
        return done, heard

    def _counted(self, done: Iterable[Came]) -> None:
        """Of frames that are committed."""
        now = to_ms(self._clock.utc())
        for one in done:
            if one.error is not None:
                self.quarantined += 1
                continue
            self.applied += 1
            self.lag.observe(max(now - told_until(one.facts[-1]), 0) / 1000)

    def _whose(self, topic: str) -> str:
        """Gateways take turns; unknown ones, of which anybody may invent more, share one. One that was registered
        seconds ago still shares it."""
        found = self._topic.fullmatch(topic)
        return found[1] if found is not None and found[1] in self._registered else ""

    def _refused(self, refused: Refused) -> None:
        self._refusals.add(refused, self._clock.monotonic())

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


def _acks(done: Iterable[Came], heard: Iterable[str], now: datetime) -> Iterator[tuple[str, bytes]]:
    """What is answered after the commit, and to which gateway: the time, of each stream the frames that are committed
    and how many of them are in quarantine for what; and to a `live` that the next may be gzip."""
    streams: dict[tuple[str, str], list[Came]] = {}
    for one in done:
        streams.setdefault((one.gateway, one.stream), []).append(one)
    for (gateway, stream), frames in [*streams.items(), *(((gateway, ""), []) for gateway in heard)]:
        body: dict[str, object] = {"v": 1, "now": iso(now.astimezone(UTC))}
        body |= {"stream": stream} if stream else {"gz": 1}
        body["seqs"] = ranges(one.seq for one in frames)
        if quarantined := Counter(one.reason for one in frames if one.reason):
            body["quarantined"] = quarantined
        yield gateway, json.dumps(body).encode()
