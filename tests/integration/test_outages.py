"""A plug pulled, an agent stopped, a collector stopped: totals are right, and holes are shown as holes (Show 6)."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ganpo_cloud.days import painting
from ganpo_cloud.days.consumed import of_carrier
from ganpo_drivers import Scan
from ganpo_model.clock import to_ms
from support.broker import Mosquitto
from support.plants import PlantBuilder
from support.replaying import ENTERPRISE, Cloud, Gateway, ReplayClock

START = datetime.fromisoformat("2026-11-25T10:00:00+08:00")
GATEWAY = "gw-test-0001"


class Plant:
    """A meter that counts 7 a second and a machine that produces, in simulated seconds."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.clock = ReplayClock(START)
        builder = PlantBuilder(folder / "state", broker, GATEWAY, slot_ms=60_000, uplink={"repeat_s": 2})
        builder.connection("bus")
        builder.meter("bus", "DB-1", "r", max_rate=36_000, interval_s=5, stale_s=30)
        builder.machine("bus", "SB-1", {"execution": "x"}, interval_s=5, stale_s=30)
        self.plant = builder.build()
        self.cloud = Cloud(folder, broker, self.clock, GATEWAY)
        self.gateway = Gateway(self.plant, self.clock, random.Random(1))

    @property
    def seconds(self) -> int:
        return round((self.clock.now - START).total_seconds())

    async def run(self, minutes: float, *, plugged: bool = True, running: bool = True) -> None:
        for _ in range(round(minutes * 12)):
            self.clock.now += timedelta(seconds=5)
            if not running:
                continue
            now = to_ms(self.clock.now)
            if plugged:
                scan = Scan([1000 + 7 * self.seconds, "ACTIVE"])
                self.gateway.observer.feed(self.plant.connections[0].points, scan, None, now)
            else:
                self.gateway.observer.tick(now)
            await self.gateway.keeper.flush()

    async def settled(self) -> None:
        await self.gateway.drained()
        await self.cloud.settle()

    def consumption(self) -> int | None:
        with self.cloud.database.read() as connection:
            span = to_ms(START), to_ms(self.clock.now)
            quantity = of_carrier(connection, ENTERPRISE, "DB-1", "electricity", *span)
        return quantity.millionths if quantity is not None else None

    def spans(self) -> list[tuple[int, int, str]]:
        with self.cloud.database.read() as connection:
            found = painting.painted(connection, ENTERPRISE, "SB-1", to_ms(START), to_ms(self.clock.now))
        begin = to_ms(START)
        return [((s.start - begin) // 1000, (s.end - begin) // 1000, str(s.state)) for s in found]

    async def close(self) -> None:
        await self.gateway.close()
        await self.cloud.stop()
        self.cloud.database.close()


async def test_totals_are_right_and_holes_are_shown_through_every_outage(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        plant = Plant(tmp_path, broker.url)
        plant.cloud.start()
        plant.gateway.link()
        await plant.run(10)
        await plant.run(5, plugged=False)
        await plant.run(10)
        await check(plant, [(5, 600, "PRODUCING"), (630, 905, "UNKNOWN")])

        await plant.run(10, running=False)
        await plant.gateway.rebuild()
        await plant.run(10)
        await check(plant, [(1500, 2105, "UNKNOWN")], slack=120)

        await plant.cloud.stop()
        await plant.run(10)
        before = plant.spans()
        plant.cloud.start()
        await plant.run(5)
        await check(plant, [])
        assert plant.spans() != before
        assert [state for a, _, state in plant.spans() if a >= 2700] in ([], ["PRODUCING"]), (
            "nothing was lost of it"
        )
        await plant.close()


async def check(plant: Plant, expected: list[tuple[int, int, str]], slack: int = 30) -> None:
    """The total up to the last reading that is sent, and the holes that must be there."""
    await plant.settled()
    found: Any = plant.consumption()
    # the first reading of every slot of a minute is sent: the last one is at most a minute old
    truth = 7 * (plant.seconds - 5) * 10_000
    assert truth - 7 * 60 * 10_000 <= found <= truth
    spans = plant.spans()
    for start, end, state in expected:
        assert any(s == state and abs(a - start) <= slack and abs(b - end) <= slack for a, b, s in spans), (
            spans
        )
    assert {state for _, _, state in spans} <= {"PRODUCING", "UNKNOWN"}
