"""The edge process: one TaskGroup with a task per connection, the ticker, the keeper, the uplink and status."""

import asyncio
import json
import logging
import random
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.keeping.outbox import Outbox, Row
from ganpo_agent.keeping.outbox_file import OutboxNewer
from ganpo_agent.local.answers import VERSION
from ganpo_agent.local.health import health
from ganpo_agent.local.socket import listening
from ganpo_agent.local.today import Today
from ganpo_agent.local.waited import Waited
from ganpo_agent.local.worst import worst
from ganpo_agent.observing.observer import Observer
from ganpo_agent.page import pages, served
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.reloading.difference import Difference
from ganpo_agent.reloading.reloading import Reloading
from ganpo_agent.tasks import Tasks
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_agent.uplink.uplink import Uplink
from ganpo_config.load import Loaded
from ganpo_config.plant import BoundConnection, BoundPoint, Plant
from ganpo_drivers import Identity, Scan
from ganpo_model.clock import Clock, from_ms, iso, to_ms
from ganpo_model.errors import FrameError, GanpoError, StorageError
from ganpo_model.facts import Event, EventKind, Fact
from ganpo_model.frame import unpack
from ganpo_service import systemd
from ganpo_service.http import listen

log = logging.getLogger(__name__)

KEEP_OPEN_S = 120.0
STUCK_S = 90.0
"""A task that made no progress for so long is stuck, and systemd hears nothing any more."""
_LAST_WORDS_S = 2.0
_TELL_AGAIN_S = 600.0
_VERSIONS = {"ganpo": VERSION}
_FRAMES = 10
"""Frames of the past that are read at once."""
_SHARE_S = 5.0
"""Readings wait at most so long for others (4.5 s where a slot is 15 min): in each slot every register sends one."""


class Agent:
    """One gateway. `clock` and `rng` are arguments so that months can be replayed in minutes; `config`: its file; for
    `load`, `keep` and `wrong` see `Reloading`; `demo` marks its page DEMO DATA. `page`: where that can be opened from
    elsewhere, once it is known."""

    def __init__(
        self,
        plant: Plant,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        *,
        config: Path | None = None,
        load: Callable[[], Loaded] | None = None,
        keep: Callable[[Loaded], None] = lambda _loaded: None,
        wrong: Sequence[GanpoError] = (),
        demo: bool = False,
    ) -> None:
        self.plant = plant
        self._rng = rng or random.Random()  # noqa: S311 - jitter and ids, nothing secret
        clock = clock or GatewayClock()
        outbox = Outbox(plant.gateway.state_dir, plant.gateway.outbox_mib)
        self.time = Timekeeper(clock, _newest(outbox))
        self.began = self.time.monotonic()
        self.today = Today(plant.site.timezone)
        self.waited = Waited()
        self.demo = demo
        self.config = config
        self.page: str | None = None
        self.observer: Observer | None = None
        self.uplink = Uplink(plant, self.time, self._rng, lambda: self.picture() | worst(self))
        slot_s = plant.site.slot_ms / 1000
        share_s = min(slot_s / 200, _SHARE_S)
        self.keeper = Keeper(outbox, self.time, self._rng, self._appended, share_s)
        self.connections = [self._connection(bound) for bound in plant.connections]
        self.reloading = Reloading(self, load, keep, wrong)
        self._tasks: Tasks | None = None
        self._spread_s = (
            zlib.crc32(plant.gateway.id.encode()) % max(round(min(60.0, slot_s / 5) * 1000), 1) / 1000
        )
        self._ticked = self.time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then close what is open and keep what was observed.

        Raises ConfigError where the port of `gateway.http` or the socket cannot be had.
        """
        servers = served.servers(self)
        with (
            listen(self.plant.gateway.http, "gateway.http") as port,
            listening(self.plant.gateway) as socket,
        ):
            self.page = pages.url(self, port.getsockname()[1])
            scheme = "https" if self.plant.gateway.http_certificate else "http"
            log.info("page at %s://%s:%d/", scheme, *port.getsockname()[:2])
            async with asyncio.TaskGroup() as group:
                tasks = self._tasks = Tasks(group)
                tasks.start(
                    {
                        "keeper": self.keeper.run,
                        "uplink": self._speak,
                        "ticker": self._tick,
                        "waited": lambda: self.waited.run(self.keeper, self.time),
                        "watchdog": lambda: systemd.watch(self._stuck),
                        "reloading": self.reloading.run,
                        "today": self._remember,
                    }
                )
                tasks.start({_named(task): task.run for task in self.connections})
                serving = [
                    group.create_task(server.serve(sockets=[sock]), name="api")
                    for server, sock in zip(servers, (port, socket), strict=True)
                    if sock is not None
                ]
                systemd.notify("READY=1")
                await stop.wait()
                systemd.notify("STOPPING=1")
                for server in servers:
                    server.end()
                ending, self._tasks = tasks.cancel(), None
                await asyncio.wait([*ending, *serving], timeout=4.0)
        await self._last_words()

    def apply(self, plant: Plant, changes: Difference) -> None:
        """Run another plant from now on; `changes`: what differs from the one that runs. All else goes on. Connections
        begin once those have ended whose place or line they may take."""
        self.plant = plant
        former = {task.bound.name: task for task in self.connections}
        ended = {name: former[name] for name in (*changes.connections.changed, *changes.connections.removed)}
        for task in ended.values():
            task.retire()
        changed = changes.connections.all()
        self.connections = [
            self._connection(bound, former.get(bound.name)) if bound.name in changed else former[bound.name]
            for bound in plant.connections
        ]
        if changes.uplink:
            self.uplink.take(plant)
        if self._tasks is not None:
            if changes.uplink:
                self._tasks.start({"uplink": self._speak}, ["uplink"])
            begun = {_named(task): task.run for task in self.connections if task.bound.name in changed}
            self._tasks.start(begun, map(_named, ended.values()))
        if (now := self._now()) is not None and self.observer is not None:
            self.observer.become(plant, changes.subjects.all(), now)
        self.uplink.changed()

    def health(self) -> dict[str, Any]:
        """As `/health` gives it."""
        return health(self)

    def picture(self) -> dict[str, Any]:
        """Connections and subjects, as `live` and `/health` show them."""
        connections = {
            task.bound.name: {"state": task.state, "since": iso(task.since), "error": task.error or None}
            for task in self.connections
        }
        subjects = self.observer.subjects() if self.observer is not None else {}
        found = {"connections": connections, "subjects": subjects, "versions": _VERSIONS}
        return found if self.page is None else found | {"page": self.page}

    def _connection(self, bound: BoundConnection, former: ConnectionTask | None = None) -> ConnectionTask:
        """`former`: whose place it takes."""
        equipment = {item.asset_no for item in self.plant.equipment}
        identify = any(point.subject in equipment for point in bound.points)
        made = ConnectionTask(
            bound, self.time, self._receive, self._failed, self.uplink.changed, identify=identify
        )
        if former is not None:
            made.succeed(former)
        return made

    async def _speak(self) -> None:
        await self.uplink.run(self.keeper)

    def _receive(self, points: Sequence[BoundPoint], scan: Scan, identity: Identity | None) -> None:
        """A scan, stamped here, once, at its receipt (I3). Before time is trusted nothing is stamped."""
        if (now := self._now()) is not None and self.observer is not None:
            self.observer.feed(points, scan, identity, now)

    def _failed(self, subjects: set[str], reason: str) -> None:
        if self.observer is not None:
            self.observer.failed(subjects, reason)

    def _now(self) -> int | None:
        """The stamp of this moment; the observer begins with the first, and hears of every step.

        While time is not trusted there is none, and no observer: the next tells everything anew.
        """
        if not self.time.trusted():
            if self.observer is not None:
                self.observer.finish(self.time.last)
                self.observer = None
            return None
        again = self.observer is None and self.time.last > 0
        now, by = self.time.stamp()
        if self.observer is None:
            self.observer = Observer(self.plant, self._put, now)
        elif by:
            self.observer.step(now, by)
        if again:
            self.keeper.put([Event("event", from_ms(now), EventKind.CLOCK_STEP, None, {"by_ms": by})])
            self.uplink.changed()
            log.warning("time is trusted again now=%s by_ms=%d", iso(from_ms(now)), by)
        elif by:
            log.warning("the wall clock stepped by_ms=%d", by)
        return now

    def _put(self, facts: Sequence[Fact]) -> None:
        self.today.take(facts)
        self.keeper.put(facts)

    def _appended(self, row: Row) -> None:
        if row.kind == "states":
            self.uplink.window.hold(row.key, self.time.monotonic() + self._spread_s)
        self.uplink.appended(row)

    async def _tick(self) -> None:
        """Once a second: stale values, slots that ended; every 2 min the open slots go to disk. Where a broker is found
        to take small frames only, the inventory is told again: now it is divided."""
        kept, slot = self.time.monotonic(), -1
        told, largest = kept - _TELL_AGAIN_S, self.keeper.outbox.largest
        while True:
            now = self._now()
            if now is not None and self.observer is not None:
                if self.keeper.outbox.largest < largest and self.time.monotonic() - told >= _TELL_AGAIN_S:
                    told = self.time.monotonic()
                    self.observer.tell_again()
                largest = self.keeper.outbox.largest
                self.observer.tick(now)
                if self.observer.slot != slot or self.time.monotonic() - kept >= KEEP_OPEN_S:
                    kept, slot = self.time.monotonic(), self.observer.slot
                    self.keeper.keep_open(self.observer.open_slots(now))
            self._ticked = self.time.monotonic()
            await asyncio.sleep(1.0)

    async def _remember(self) -> None:
        """What the outbox has of the day before this run: a few frames at a time, nothing waits for it."""
        await self.keeper.begun.wait()
        outbox, began = self.keeper.outbox, self.today.begins(to_ms(self.time.now()))
        with suppress(StorageError):
            keys = await self.keeper.call(outbox.since, began)
            for first in range(0, len(keys), _FRAMES):
                self.today.take(await self.keeper.call(outbox.facts, keys[first : first + _FRAMES]))
                await asyncio.sleep(0.05)

    def _stuck(self) -> list[str]:
        now = self.time.monotonic()
        progress = {"ticker": self._ticked, "keeper": self.keeper.progress, "uplink": self.uplink.progress}
        progress |= {task.bound.name: task.progress for task in self.connections}
        return [name for name, at in progress.items() if now - at > STUCK_S]

    async def _last_words(self) -> None:
        """What was observed until now goes to disk; what the disk does not take in time is lost as in a power cut."""
        if (now := self._now()) is not None and self.observer is not None:
            self.observer.finish(now)
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                await self.keeper.flush()
        except TimeoutError:
            log.error("the outbox did not take the last facts in %g s", _LAST_WORDS_S)
        self.keeper.close()


def _named(task: ConnectionTask) -> str:
    return f"connection {task.bound.name}"


def _newest(outbox: Outbox) -> datetime | None:
    """The time of the newest frame in the outbox. A disk that refuses now is tried again by the keeper.

    Raises OutboxNewer: an older program must not write into a newer one's file.
    """
    try:
        outbox.open()
        packed = outbox.newest()
        facts = json.loads(unpack(packed))["facts"] if packed is not None else []
        return max((datetime.fromisoformat(fact.get("end") or fact["at"]) for fact in facts), default=None)
    except OutboxNewer:
        raise
    except StorageError as error:
        log.error("outbox refuses: %s", error)
    except (FrameError, ValueError, KeyError) as error:
        log.error("the newest frame of the outbox cannot be read: %s", error)
    return None
