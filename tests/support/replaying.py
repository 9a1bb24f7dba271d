"""Months in minutes: a clock that a recording moves, and the real outbox, uplink, broker and collector behind it."""

import asyncio
import random
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.keeping.outbox import Outbox
from ganpo_agent.observing.observer import Observer
from ganpo_agent.timekeeper import Timekeeper
from ganpo_agent.uplink.uplink import Uplink
from ganpo_cloud.days import days
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.store.settings import BrokerSettings
from ganpo_config.plant import Plant
from ganpo_model.clock import Clock, to_ms
from support import databases

ENTERPRISE = "91360000625912173B"


class ReplayClock:
    """The recording's own time by the wall, real time for what waits; trusted from its start."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def utc(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return time.monotonic()

    def trusted(self) -> bool:
        return True


class Gateway:
    """The agent without its connections and its schedule: a replay reads the drivers itself."""

    def __init__(self, plant: Plant, clock: ReplayClock, rng: random.Random) -> None:
        self.plant, self.clock = plant, clock
        self._rng = rng
        self._link: asyncio.Task[None] | None = None
        self.build()

    def build(self) -> None:
        """Everything anew, from the outbox' file alone."""
        timekeeper = Timekeeper(self.clock)
        outbox = Outbox(self.plant.gateway.state_dir, 256)
        self.uplink = Uplink(
            self.plant, timekeeper, self._rng, lambda: {"connections": {}, "subjects": {}, "versions": {}}
        )
        self.keeper = Keeper(outbox, timekeeper, self._rng, self.uplink.appended)
        self.observer = Observer(self.plant, self.keeper.put, to_ms(self.clock.now))

    async def rebuild(self) -> None:
        """As after a power cut: nothing is said, the file is all there is."""
        up = self._link is not None
        await self.unlink()
        self.keeper._thread.shutdown(wait=True)
        self.keeper.outbox.close()
        self.build()
        if up:
            self.link()

    def link(self) -> None:
        """The uplink is there."""
        if self._link is None:
            self._link = asyncio.create_task(self.uplink.run(self.keeper))

    async def unlink(self) -> None:
        """The uplink is gone."""
        if self._link is not None:
            self._link.cancel()
            await asyncio.wait([self._link])
            self._link = None

    async def drained(self, seconds: float = 60.0) -> None:
        """Wait until every frame is acknowledged."""
        self.link()
        async with asyncio.timeout(seconds):
            while (await self.keeper.call(self.keeper.outbox.counts))[0]:
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        await self.unlink()
        self.keeper._thread.shutdown(wait=True)
        self.keeper.outbox.close()


class Cloud:
    """Database and collector of one enterprise."""

    def __init__(
        self, folder: Path, broker: str, clock: Clock, *gateways: str, back_off_max_s: float = 1
    ) -> None:
        self.clock = clock
        self.database = databases.database(folder)
        for gateway in gateways:
            registry.add(self.database, gateway, ENTERPRISE, "plant-1")
        self.collector = Collector(
            BrokerSettings(url=broker, back_off_max_s=back_off_max_s), self.database, clock, random.Random(1)
        )
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self.collector.run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def settle(self) -> None:
        while await asyncio.to_thread(days.recompute, self.database, self.clock.utc()):
            pass


class Repeater:
    """Delivers every `n`-th frame twice: what it hears it says again, once."""

    def __init__(self, port: int, n: int) -> None:
        self.repeated = 0
        self._n, self._heard = n, 0
        self._said: set[bytes] = set()
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="repeater")
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("ganpo/v1/+/facts", qos=1)
        self._client.loop_start()
        assert self._ready.wait(20)

    def _message(self, client: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        if message.payload in self._said:
            return
        self._heard += 1
        if self._heard % self._n == 0:
            self._said.add(bytes(message.payload))
            self.repeated += 1
            client.publish(message.topic, message.payload, qos=1)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
