"""The uplink: frames of the outbox to the collector, and its acknowledgements back (uplink.md)."""

import asyncio
import json
import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ganpo_agent.keeper import Keeper
from ganpo_agent.outbox import Key, Row
from ganpo_agent.timekeeper import Timekeeper
from ganpo_agent.window import SIZE, Window
from ganpo_config.plant import Plant
from ganpo_model.clock import iso, to_ms
from ganpo_model.errors import GanpoError
from ganpo_model.frame import new_stream
from ganpo_service.backoff import Backoff
from ganpo_service.mqtt import Login, Session

log = logging.getLogger(__name__)

_FETCH = 64
_SHORT_LIVED_S = 10.0
_HELLO_S = 1.0


class Uplink:
    """Sends what waits in the outbox, for ever. `picture` gives connections and subjects for `live`."""

    def __init__(
        self, plant: Plant, time: Timekeeper, rng: random.Random, picture: Callable[[], dict[str, Any]]
    ) -> None:
        gateway, settings = plant.gateway, plant.uplink
        password = settings.password.get_secret_value() if settings.password is not None else None
        ca_file = str(settings.ca_path) if settings.ca_path is not None else None
        user = gateway.id if password else None
        self._login = Login(settings.broker, gateway.id, "uplink", user, password, ca_file)
        self._topic = f"{settings.root}/{gateway.id}/"
        self._live_s = settings.live_s
        self._time = time
        self._rng = rng
        self._picture = picture
        self._backoff = Backoff(settings.back_off_max_s, rng)
        self._wake = asyncio.Event()
        self._rows: dict[Key, Row] = {}
        self._more = True
        self._live_due = 0.0
        self.window = Window(settings.repeat_s)
        self.progress = time.monotonic()
        self.connected = False
        self.problem = ""
        self.last_ack: datetime | None = None

    def appended(self, _row: Row) -> None:
        """A frame is on disk."""
        self._more = True
        self._wake.set()

    def changed(self) -> None:
        """A connection changed: say `live` now."""
        self._live_due = 0.0
        self._wake.set()

    async def run(self, keeper: Keeper) -> None:
        """Connect, converse, and again, for ever."""
        while True:
            began = self._time.monotonic()
            session_id = new_stream(to_ms(self._time.now()), None, self._rng)
            will = json.dumps({"v": 1, "session": session_id, "offline": True}).encode()
            session = Session(self._login, self._wake.set, (self._topic + "live", will))
            try:
                await session.open([(self._topic + "ack", 1)])
                await self._converse(session, session_id, keeper)
            except GanpoError as error:
                self._failed(str(error))
            finally:
                self.connected = False
                self.window.lost(self._time.monotonic())
                await session.close()
            if self._time.monotonic() - began >= _SHORT_LIVED_S:
                self._backoff.reset()
            await self._sleep(self._backoff.pause())

    async def _converse(self, session: Session, session_id: str, keeper: Keeper) -> None:
        began = self._time.monotonic()
        self.connected = True
        self.window.connected()
        self._live_due = 0.0
        sent: dict[int, Key] = {}
        while not session.closed:
            self._wake.clear()
            await self._take(session, sent, keeper)
            now = self.progress = self._time.monotonic()
            if now >= self._live_due:
                self._live_due = now + (self._live_s if self.window.open else _HELLO_S)
                session.publish(self._topic + "live", await self._live(session_id, keeper), qos=0)
            if self._more and len(self._rows) < SIZE:
                self._more = False
                rows = await keeper.call(keeper.outbox.waiting, _FETCH + len(self.window.suspects()))
                self._rows = {row.key: row for row in rows}
                self._more = self._more or len(rows) >= _FETCH
            for row in self.window.due(list(self._rows.values()), now):
                sent[session.publish(self._topic + "facts", row.packed, qos=1)] = row.key
            await self._wait(min(self._live_due, self.window.next_due(now)) - now)
        lived = self._time.monotonic() - began
        hint = "; another client uses this id?" if lived < _SHORT_LIVED_S else ""
        self._failed(f"the broker closed the session after {lived:.0f} s: {session.reason}{hint}")

    async def _take(self, session: Session, sent: dict[int, Key], keeper: Keeper) -> None:
        """What the session brought: PUBACKs and acknowledgements."""
        published, session.published = session.published, []
        for mid in published:
            if (key := sent.pop(mid, None)) is not None:
                self.window.puback(key)
        for topic, payload in session.take():
            ack = _read_ack(payload)
            if topic != self._topic + "ack" or ack is None:
                log.warning("ignored what is no acknowledgement topic=%s bytes=%d", topic, len(payload))
                continue
            told, stream, ranges = ack
            self._time.tell(told)
            self._heard(told)
            if stream is not None and ranges:
                await keeper.call(keeper.outbox.acknowledge, stream, ranges, self._time.now())
                keys = [
                    key for key in self._rows if key[0] == stream and any(a <= key[1] <= b for a, b in ranges)
                ]
                for key in keys:
                    del self._rows[key]
                self.window.acknowledged(keys, self._time.monotonic())
            else:
                self.window.acknowledged((), self._time.monotonic())

    async def _live(self, session_id: str, keeper: Keeper) -> bytes:
        waiting, oldest = await keeper.call(keeper.outbox.counts)
        trusted = self._time.trusted()
        body = {
            "v": 1,
            "at": iso(self._time.now()) if trusted else None,
            "session": session_id,
            "interval_s": self._live_s,
            "stream": keeper.outbox.stream or None,
            "issued": keeper.outbox.seq,
            "oldest": oldest,
            "waiting": waiting,
            "trusted": trusted,
            **self._picture(),
        }
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()

    def _heard(self, told: datetime) -> None:
        if self.problem:
            log.info("uplink works: the collector answers broker=%s", self._login.url)
            self.problem = ""
        self.last_ack = told

    def _failed(self, why: str) -> None:
        log.log(logging.DEBUG if self.problem else logging.WARNING, "uplink: %s", why)
        self.problem = why

    async def _sleep(self, seconds: float) -> None:
        self.progress = self._time.monotonic() + seconds
        await asyncio.sleep(seconds)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._wake.wait()
        except TimeoutError:
            pass


def _read_ack(payload: bytes) -> tuple[datetime, str | None, list[tuple[int, int]]] | None:
    """(now, stream, ranges) of an acknowledgement, or None for anything else."""
    try:
        body = json.loads(payload)
        now = datetime.fromisoformat(body["now"])
        ranges = [(int(first), int(last)) for first, last in body.get("seqs", [])]
        stream = body.get("stream")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    known = body.get("v") == 1 and now.tzinfo is not None and (stream is None or isinstance(stream, str))
    if not known or any(not 0 < first <= last < 2**53 for first, last in ranges):
        return None
    return now, stream, ranges
