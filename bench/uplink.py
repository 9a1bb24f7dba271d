"""From `append` to the acknowledgement, through Mosquitto and the collector's commit; bare PUBACKs beside it.

Frames of 20 readings. The limit is a bare paho publisher of the same bytes that waits for PUBACK alone, 16 in flight.
"""

import asyncio
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ganpo_model.clock import floor_ms
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from measure import Figure, ratio
from support.broker import Mosquitto
from support.plants import PlantBuilder
from support.replaying import Cloud, Gateway, ReplayClock

FACTS = 20
GATEWAY = "gw-bench-0001"


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    frames = 100 if short else 2000
    ours, single, bare = [], [], []
    for n in range(1 if short else 6):
        with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder)) as broker:
            many, one = asyncio.run(_ours(Path(folder), broker.url, frames))
            puback = _bare(broker.port, frames)
        if n or short:
            ours.append(many)
            single.append(one)
            bare.append(puback)
    yield str(Figure("ganpo, append to acknowledgement", ours, "frames/s"))
    yield str(Figure("ganpo, one frame alone", single, "ms"))
    yield str(Figure("bare paho publisher, PUBACK only", bare, "frames/s"))
    yield ratio("ganpo / bare", ours, bare, "printed")


def _facts(n: int) -> list[Reading]:
    at = floor_ms(datetime.now(UTC))
    return [Reading("reading", f"M-{i}/energy_import#{i:08x}", at, n) for i in range(FACTS)]


async def _ours(folder: Path, broker: str, frames: int) -> tuple[float, float]:
    clock = ReplayClock(datetime.now(UTC))
    cloud = Cloud(folder, broker, clock, GATEWAY)
    cloud.start()
    plant = PlantBuilder(folder / "state", broker, GATEWAY).build()
    gateway = Gateway(plant, clock, random.Random(1))
    await gateway.keeper.flush()
    await gateway.drained()
    alone = []
    for n in range(20):
        began = time.perf_counter()
        gateway.keeper.put(_facts(n))
        await gateway.keeper.flush()
        await _acknowledged(gateway, 0.001)
        alone.append((time.perf_counter() - began) * 1000)
    began = time.perf_counter()
    for n in range(frames):
        gateway.keeper.put(_facts(100 + n))
    await gateway.keeper.flush()
    await _acknowledged(gateway, 0.1)
    rate = frames / (time.perf_counter() - began)
    await gateway.close()
    await cloud.stop()
    cloud.database.close()
    return rate, sorted(alone)[len(alone) // 2]


async def _acknowledged(gateway: Gateway, look_s: float) -> None:
    """The outbox has one thread: looking often would hold up what is measured."""
    while (await gateway.keeper.call(gateway.keeper.outbox.counts))[0]:
        await asyncio.sleep(look_s)


def _bare(port: int, frames: int) -> float:
    packed = [pack("01HF7YAT00V3RS3DTR98H6BCFN", n + 1, _facts(n)) for n in range(frames)]
    window, done = threading.Semaphore(16), threading.Semaphore(0)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bare")
    client.max_inflight_messages_set(0)

    def published(*_: object) -> None:
        window.release()
        done.release()

    client.on_publish = published
    client.connect("127.0.0.1", port)
    client.loop_start()
    began = time.perf_counter()
    for frame in packed:
        window.acquire()
        client.publish("bare/facts", frame, qos=1)
    for _ in packed:
        done.acquire()
    seconds = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    return frames / seconds
