"""What a site of 30 machines and 12 meters costs the line: MQTT bytes without TCP, both directions, all topics, a day.

Every setting at its default. A relay between gateway and broker counts from shortly after one slot's end to shortly
after the second next: half an hour, times 48. A machine changes its state every five minutes, one after the other.
"""

import asyncio
import contextlib
import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ganpo_agent.app import Agent
from ganpo_config.settings import UplinkSettings
from measure import Figure
from support.broker import Mosquitto
from support.plants import PlantBuilder, PlayedDriver
from support.replaying import Cloud, ReplayClock

GATEWAY = "gw-bench-0001"
MACHINES, METERS = 30, 12
GOAL = 0.9
_DAY_S = 86_400


class _Devices(PlayedDriver):
    """The machines and meters."""


class _RealClock(ReplayClock):
    """The machine's own time."""

    def utc(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class _Count:
    """Bytes through the relay."""

    up: int = 0
    down: int = 0


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    slot_s, live_s = (10, 5.0) if short else (900, 60.0)
    count, seconds = asyncio.run(_site(slot_s, live_s))
    scale = _DAY_S / seconds / 1e6
    yield str(Figure("gateway to broker", [count.up * scale], "MB a day"))
    yield str(Figure("broker to gateway", [count.down * scale], "MB a day"))
    yield f"{Figure('both', [(count.up + count.down) * scale], 'MB a day')}   goal <= {GOAL:g}"


async def _site(slot_s: int, live_s: float) -> tuple[_Count, float]:
    """What went through the relay in how many seconds."""
    count = _Count()
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker:
        folder = Path(name)
        cloud = Cloud(folder, broker.url, _RealClock(datetime.now(UTC)), GATEWAY)
        cloud.start()
        relay = await asyncio.start_server(
            lambda reader, writer: _relay(reader, writer, broker.port, count), "127.0.0.1"
        )
        url = f"mqtt://127.0.0.1:{relay.sockets[0].getsockname()[1]}"
        plant = _plant(folder, slot_s * 1000).build()
        agent = Agent(replace(plant, uplink=UplinkSettings(broker=url, live_s=live_s)))
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        working = asyncio.create_task(_work())
        # The frames of a slot wait up to a fifth of it, at most a minute: the count begins well after its end.
        await asyncio.sleep(slot_s - time.time() % slot_s + min(slot_s / 2, 90))
        began, count.up, count.down = time.monotonic(), 0, 0
        await asyncio.sleep(2 * slot_s)
        seconds, found = time.monotonic() - began, replace(count)
        working.cancel()
        stop.set()
        await running
        relay.close()
        await cloud.stop()
        cloud.database.close()
    return found, seconds


def _plant(folder: Path, slot_ms: int) -> PlantBuilder:
    """Three cells of ten machines each, and two buses of six meters each."""
    builder = PlantBuilder(folder / "state", gateway=GATEWAY, slot_ms=slot_ms)
    for n in range(MACHINES):
        if n % 10 == 0:
            builder.connection(f"cell-{n // 10}", _Devices)
        builder.machine(f"cell-{n // 10}", f"SB-{n:04}", {"execution": f"x{n}"}, interval_s=1.0)
        _Devices.values[f"x{n}"] = "READY"
    for n in range(METERS):
        if n % 6 == 0:
            builder.connection(f"bus-{n // 6}", _Devices)
        register = f"DB-{n:04}/energy_import#{n:08x}"
        builder.meter(f"bus-{n // 6}", f"DB-{n:04}", f"{n}:r{n}", register, interval_s=5.0)
        _Devices.values[f"{n}:r{n}"] = 1_000_000 * n
    return builder


async def _work() -> None:
    """Machines begin and end to work, meters count."""
    rng = random.Random(1)
    began = time.monotonic()
    for n in itertools.count():
        machine = f"x{rng.randrange(MACHINES)}"
        _Devices.values[machine] = "ACTIVE" if _Devices.values[machine] == "READY" else "READY"
        for meter in range(METERS):
            _Devices.values[f"{meter}:r{meter}"] = 1_000_000 * meter + n * 3
        await asyncio.sleep(began + (n + 1) * 300 / MACHINES - time.monotonic())


async def _relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, count: _Count
) -> None:
    """One connection, to its end."""
    from_broker, to_broker = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, direction: str) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                setattr(count, direction, getattr(count, direction) + len(data))
                sink.write(data)
        sink.close()

    await asyncio.gather(pump(reader, to_broker, "up"), pump(from_broker, writer, "down"))
