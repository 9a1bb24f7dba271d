"""The uplink: frames of the outbox to the collector, and its acknowledgements back (uplink.md)."""

import asyncio
import gzip
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.keeping.outbox import Key, Row
from ganpo_agent.timekeeper import Timekeeper
from ganpo_agent.uplink.acknowledgement import Ack, ack_of
from ganpo_agent.uplink.picture import Picture
from ganpo_agent.uplink.window import QUIET_S, SIZE, Window
from ganpo_config.plant import Plant
from ganpo_model.clock import iso, to_ms
from ganpo_model.errors import ConnectionLost, GanpoError, Unreachable
from ganpo_model.frame import new_stream
from ganpo_service.backoff import SHORT_LIVED_S, Reconnect
from ganpo_service.mqtt import Login, Session

log = logging.getLogger(__name__)

_FETCH = 64
_HELLO_S = 1.0
_ASK_S = 3.0
"""Frames are in flight and nothing is heard: the collector is asked so often ..."""
_ASK_FAST_S = 120.0
"""... for so long, and then ever more rarely, to once a minute."""
_ASK_SLOW_S = 60.0
_CUT_S = 5.0
"""A session that ends so soon after a `live` without an answer may have ended because of its size."""
_ALONE = 5
"""Frames that a `live` names with their reason, at most."""
_ROOM = 1024
"""Where it has to be small it names fewer: one in so many bytes."""


class Uplink:
    """Sends what waits in the outbox, for ever. `look` gives connections and subjects for `live`.

    `quarantined`: frames that the collector keeps but could not apply, by reason; `refused` says so of the newest.
    `expires`: when the certificate ends that the broker showed last; None without TLS.
    """

    def __init__(
        self, plant: Plant, time: Timekeeper, rng: random.Random, look: Callable[[], dict[str, Any]]
    ) -> None:
        self._time = time
        self._rng = rng
        self._picture = Picture(look)
        self._wake = asyncio.Event()
        self._rows: dict[Key, Row] = {}
        self._more = True
        self._live_at: float | None = None
        self._soon = False
        self._small = False
        self._asked: float | None = None
        self._session: str | None = None
        self.window = Window(plant.uplink.repeat_s)
        self.progress = time.monotonic()
        self.connected = False
        self.problem = ""
        self.refused = ""
        self._refused_key: Key = ("", 0)
        self.quarantined: Counter[str] = Counter()
        self.last_ack: datetime | None = None
        self.expires: datetime | None = None
        self.take(plant)

    def take(self, plant: Plant) -> None:
        """What a plant says of the uplink holds from the next session on: it is for whoever ends this one."""
        gateway, settings = plant.gateway, plant.uplink
        password = settings.password.get_secret_value() if settings.password is not None else None
        ca_file = str(settings.ca_path) if settings.ca_path is not None else None
        user = gateway.id if password else None
        self._login = Login(settings.broker, gateway.id, "uplink", user, password, ca_file)
        self._topic = f"{settings.root}/{gateway.id}/"
        self._live_s = settings.live_s
        self._reconnect = Reconnect(settings.back_off_max_s, self._rng)
        self.window.repeat_s = settings.repeat_s

    def appended(self, _row: Row) -> None:
        """A frame is on disk."""
        self._more = True
        self._wake.set()

    def changed(self) -> None:
        """A connection changed: say `live` now, but not oftener than once a second."""
        self._soon = True
        self._wake.set()

    async def run(self, keeper: Keeper) -> None:
        """Connect, converse, and again, for ever."""
        while True:
            began, up, refused, learns = self._time.monotonic(), None, False, False
            session_id = self._session = new_stream(to_ms(self._time.now()), self._session, self._rng)
            will = json.dumps({"v": 1, "session": session_id, "offline": True}).encode()
            session = Session(self._login, self._wake.set, (self._topic + "live", will))
            try:
                await session.open([(self._topic + "ack", 1)])
                up, self.expires = self._time.monotonic(), session.expires
                await self._converse(session, session_id, keeper)
            except GanpoError as error:
                refused = not isinstance(error, Unreachable)
                self._failed(str(error))
            finally:
                self.connected = False
                learns = self.window.unproven
                self.window.lost(self._time.monotonic())
                keeper.outbox.largest = self.window.wanted
                await session.close()
            now = self._time.monotonic()
            await self._sleep(self._reconnect.pause(began, now, up=up, refused=refused, learns=learns))

    async def _converse(self, session: Session, session_id: str, keeper: Keeper) -> None:
        began = self._time.monotonic()
        self.connected = True
        self.window.connected()
        self._picture.begin()
        self._live_at = self._asked = None
        self._small = False
        sent: dict[int, Key] = {}
        with suppress(ConnectionLost):
            await self._speak(session, session_id, sent, keeper)
        lived = self._time.monotonic() - began
        reason = session.reason or "connection lost"
        self._failed(f"the broker closed the session after {lived:.0f} s: {reason}{self._hint(sent, lived)}")

    async def _speak(self, session: Session, session_id: str, sent: dict[int, Key], keeper: Keeper) -> None:
        """Until the session ends; `sent`: what the broker has not taken yet. Raises ConnectionLost."""
        while not session.closed:
            self._wake.clear()
            await self._take(session, sent, keeper)
            now = self.progress = self._time.monotonic()
            if now >= self._live_due(now):
                self._live_at, self._soon = now, False
                self._asked = now if self._asked is None else self._asked
                session.publish(self._topic + "live", await self._live(session_id, keeper), qos=0)
            alone = len(self.window.suspects())
            if self._more and len(self._rows) - alone < SIZE:
                self._more = False
                rows = await keeper.call(keeper.outbox.waiting, _FETCH + alone)
                self._rows = {row.key: row for row in rows}
                self._more = self._more or len(rows) >= _FETCH
            for row in self.window.due(list(self._rows.values()), now):
                self._asked = now if self._asked is None else self._asked
                sent[session.publish(self._topic + "facts", row.packed, qos=1)] = row.key
            await self._wait(min(self._live_due(now), self.window.next_due(now)) - now)

    def _hint(self, sent: Mapping[int, Key], lived: float) -> str:
        """Why a session may have ended. Brokers of MQTT 3.1.1 say of a packet that is too large no word."""
        suspects = self.window.suspects()
        if alone := [key for key in sent.values() if key in suspects]:
            stream, seq = alone[0]
            return f" while frame {stream}/{seq} was sent alone: {suspects[alone[0]]}"
        sizes = [len(row.packed) for key in sent.values() if (row := self._rows.get(key)) is not None]
        if self._live_at is not None and self._time.monotonic() - self._live_at < _CUT_S:
            sizes.append(self._picture.refused())
        asked = (
            [f"are packets of {size:,} bytes too large for it?"] if (size := max(sizes, default=0)) else []
        )
        asked += ["another client uses this id?"] if lived < SHORT_LIVED_S else []
        return "; " + " or: ".join(asked) if asked else ""

    def _live_due(self, now: float) -> float:
        """When to say `live` again: every second until an ack comes and time is trusted, often while frames are not
        answered."""
        if self._live_at is None:
            return now
        if self._soon or not self.window.open or not self._time.trusted():
            return self._live_at + _HELLO_S
        silent = self.window.silent_s(now)
        if silent < QUIET_S:
            return self._live_at + self._live_s
        asked = silent - (now - self._live_at)
        pause = min(max(_ASK_S, _ASK_S + asked - _ASK_FAST_S), _ASK_SLOW_S)
        return self._live_at + min(pause, self._live_s)

    async def _take(self, session: Session, sent: dict[int, Key], keeper: Keeper) -> None:
        """What the session brought: PUBACKs and acknowledgements."""
        published, session.published = session.published, []
        for mid in published:
            if (key := sent.pop(mid, None)) is not None:
                self.window.puback(key)
        for topic, payload in session.take():
            ack = ack_of(payload)
            if topic != self._topic + "ack" or ack is None:
                log.warning("ignored what is no acknowledgement topic=%s bytes=%d", topic, len(payload))
                continue
            if self._asked is not None:
                self._time.tell(ack.now, self._time.monotonic() - self._asked)
                self._asked = None
            self._heard(ack.now)
            if ack.stream is not None and ack.ranges:
                self._judged(ack)
                await keeper.call(keeper.outbox.acknowledge, ack.stream, ack.ranges, self._time.now())
                keys = [key for key in self._rows if ack.names(key)]
                for key in keys:
                    del self._rows[key]
                self.window.acknowledged(keys, self._time.monotonic())
                keeper.outbox.largest = self.window.wanted
            else:
                self.window.acknowledged((), self._time.monotonic())
                self._small = ack.small
                self._picture.answered()
                if self._picture.rest:
                    self.changed()

    async def _live(self, session_id: str, keeper: Keeper) -> bytes:
        outbox = keeper.outbox
        # In one piece: a frame written between the two would look as if it were lost.
        (waiting, oldest), stream, issued = await keeper.call(
            lambda: (outbox.counts(), outbox.stream, outbox.seq)
        )
        trusted = self._time.trusted()
        head: dict[str, Any] = {
            "v": 1,
            "at": iso(self._time.now()) if trusted else None,
            "session": session_id,
            "interval_s": self._live_s,
            "stream": stream or None,
            "issued": issued,
            "oldest": oldest,
            "waiting": waiting,
            "trusted": trusted,
            "clock_off_ms": self._time.off_ms(),
        }
        if alone := self.window.suspects():
            head["alone"] = named(alone)[: max(1, min(_ALONE, self._picture.largest // _ROOM))]
        told = self._picture.next(head)
        return gzip.compress(told, compresslevel=6, mtime=0) if self._small else told

    def _heard(self, told: datetime) -> None:
        if self.problem:
            log.info("uplink works: the collector answers broker=%s", self._login.url)
            self.problem = ""
        self.last_ack = told

    def _judged(self, ack: Ack) -> None:
        """What the collector says of the frames that it acknowledges. Later frames that are good end the complaint."""
        newest = (ack.stream or "", max(last for _, last in ack.ranges))
        self.quarantined.update(ack.quarantined)
        if ack.quarantined:
            counts = ", ".join(f"{number} for their {reason}" for reason, number in ack.quarantined.items())
            log.log(
                logging.DEBUG if self.refused else logging.WARNING,
                "uplink: frames are in quarantine: %s",
                counts,
            )
            self.refused = f"the collector keeps frames in quarantine: {counts}"
            self._refused_key = max(newest, self._refused_key)
        elif newest > self._refused_key:
            self.refused = ""

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


def named(frames: Mapping[Key, str]) -> list[str]:
    """Frames that go alone, each with its size and the reason."""
    return [f"{stream}/{seq}: {why}" for (stream, seq), why in sorted(frames.items())]
