"""One Modbus line with wrong answers, under the whole agent: who is read, what is told (drivers.md, field cases)."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.local import metrics
from ganpo_config.plant import BoundPoint, Meaning
from ganpo_drivers import Identity, PointFault, Scan
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from support.broker import Mosquitto
from support.campaign import LONG
from support.collecting import PlayedCollector
from support.modbus_line import BROKEN, WHOLE, ModbusLine, Reply, exception, right
from support.plants import PlantBuilder

INTERVAL_S, TIMEOUT_S = (1.0, 1.0) if LONG else (0.1, 0.3)
PATIENT_S = 10.0
"""Where every request is answered: one that waits for the processor is not taken for one without an answer."""
KINDS: dict[str, Reply] = {**WHOLE, **BROKEN, "no answer": lambda _request: b""}


class Plant:
    """An agent that reads `line`. `good` and `lost`: how often each point had a value in a scan, or none."""

    def __init__(
        self, folder: Path, line: ModbusLine, broker: str, addresses: Sequence[str], **more: Any
    ) -> None:
        self.line = line
        settings: dict[str, Any] = {
            "driver": "modbus",
            "url": line.url,
            "addressing": "0-based",
            "max_gap": 0,
        }
        builder = PlantBuilder(folder / "state", broker, uplink={"live_s": 1})
        builder.connection(
            "line", ModbusDriver, ModbusSettings(**{**settings, "timeout_s": TIMEOUT_S, **more}), "modbus"
        )
        for text in addresses:
            address = ModbusAddress.parse(text, type="uint16")
            builder.point("line", "SB-1", text, address, Meaning("number"), INTERVAL_S)
        self.agent = Agent(builder.build(), rng=random.Random(1))
        (self.task,) = self.agent.connections
        self.good: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self._deliver = self.task._receive
        self.task._receive = self._count

    def _count(self, points: Sequence[BoundPoint], scan: Scan, identity: Identity | None) -> None:
        for point, value in zip(points, scan.values, strict=True):
            (self.lost if isinstance(value, PointFault) else self.good)[point.signal] += 1
            if not isinstance(value, PointFault):
                assert value == int(point.signal.split(":")[2]), "a value of another register"
        self._deliver(points, scan, identity)

    def metrics(self) -> dict[str, float]:
        found = (line.rpartition(" ") for line in metrics.of(self.agent).splitlines() if line[0] != "#")
        return {name: float(value) for name, _, value in found}

    async def read(self, seconds: float, points: Sequence[str], times: int) -> None:
        """Wait so long, and until each of the points was read so often."""
        before, end = self.good.copy(), asyncio.get_running_loop().time() + seconds
        await self.until(
            lambda: (
                asyncio.get_running_loop().time() >= end
                and all(self.good[point] - before[point] >= times for point in points)
            ),
            2 * seconds + 90,
        )

    async def until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(plant: Plant) -> AsyncIterator[Plant]:
    stop = asyncio.Event()
    task = asyncio.create_task(plant.agent.run(stop))
    try:
        yield plant
    finally:
        stop.set()
        await task


@pytest.fixture
async def line() -> AsyncIterator[ModbusLine]:
    async with ModbusLine() as line:
        yield line


@pytest.mark.campaign
@pytest.mark.timeout(1800 if LONG else 120)
async def test_wrong_answers_of_many_kinds_cost_their_block_and_no_other_block_or_unit(
    tmp_path: Path, line: ModbusLine
) -> None:
    """Two units, two blocks each; the first block of the first unit is answered wrong in one way after the other."""
    wrong, others = "1:holding:100", ["1:holding:200", "2:holding:100", "2:holding:200"]
    plant = Plant(tmp_path, line, "mqtt://127.0.0.1:1", [wrong, *others])
    seconds = 43 if LONG else 0.1
    least = (
        round(20 * seconds / 43) if LONG else 2
    )  # half of what a quiet line reads: a timeout leaves no less
    print(f"\n{seconds} s of each, a poll every {INTERVAL_S} s; values read:")
    print(
        f"{'block 100 of unit 1 is answered':32} {'1:100':>6} {'1:200':>6} {'2:100':>6} {'2:200':>6} sessions"
    )
    async with running(plant):
        await plant.until(lambda: all(plant.good[point] >= 3 for point in (wrong, *others)))
        for name, reply in KINDS.items():
            before, sessions = plant.good.copy(), line.sessions
            line.replies = {(1, 100): reply}
            await plant.read(seconds, others, least)
            read = {point: plant.good[point] - before[point] for point in (wrong, *others)}
            assert read[wrong] <= 1, "what was under way when it began"
            print(f"{name:32} {' '.join(f'{n:6}' for n in read.values())} {line.sessions - sessions:8}")
            line.replies = {}
            if name != "no answer":
                await plant.read(0, [wrong], 2)
        assert plant.task.state == "up"
        assert plant.task.error == ""
        assert plant.task.bugs == 0


async def test_what_goes_wrong_is_counted_by_connection_unit_and_kind_told_once_and_not_well(
    tmp_path: Path, line: ModbusLine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Mosquitto(tmp_path) as broker:
        collector = PlayedCollector(broker.port)
        addresses = ["1:holding:100", *(f"2:holding:{n}" for n in (100, 200, 300))]
        plant = Plant(tmp_path, line, broker.url, addresses, timeout_s=PATIENT_S)
        async with running(plant):
            await plant.until(lambda: bool(plant.agent.health()["ok"]))
            assert plant.agent.health()["points"] == {"bound": 4, "at_fault": 0}
            line.replies = {(2, 100): WHOLE["one register too few"], (2, 200): exception(1)}
            await plant.until(lambda: plant.lost["2:holding:100"] >= 3 and plant.lost["2:holding:200"] >= 1)
            await plant.until(lambda: plant.agent.health()["points"] == {"bound": 4, "at_fault": 2})
            health = plant.agent.health()
            assert health["ok"] is False
            assert (
                health["faults"]["SB-1/2:holding:100"] == "2:holding:100: asked 1 register, got 0 registers"
            )
            assert "exception 01" in health["faults"]["SB-1/2:holding:200"]
            told = plant.metrics()
            assert told['ganpo_requests_failed_total{connection="line",unit="2",kind="length"}'] >= 3
            assert told['ganpo_requests_failed_total{connection="line",unit="2",kind="exception_01"}'] == 1
            assert told['ganpo_points_at_fault{connection="line"}'] == 2
            line.replies = {(2, 100): BROKEN["an impossible length"]}
            broken = 'ganpo_requests_failed_total{connection="line",unit="2",kind="broken"}'
            await plant.until(lambda: plant.metrics().get(broken, 0) >= 3)
            line.replies = {}
            good = plant.good["2:holding:100"]
            await plant.until(lambda: plant.good["2:holding:100"] >= good + 2, 60)
        collector.stop()
    found = [record.message for record in caplog.records if record.name.startswith("ganpo_agent")]
    first = [text for text in found if text.startswith("first value")]
    assert first == ["first value connection=line point=SB-1/1:holding:100"]
    (begun,) = [
        text for text in found if text.startswith("at fault") and text.endswith(": SB-1/2:holding:100")
    ]
    assert begun == "at fault points=1 why='asked 1 register, got 0 registers': SB-1/2:holding:100"
    (ended,) = [
        text for text in found if text.startswith("good again") and text.endswith(": SB-1/2:holding:100")
    ]
    assert "after_s=" in ended


async def test_what_was_learned_outlives_the_session(tmp_path: Path, line: ModbusLine) -> None:
    addresses = [f"1:holding:{number}" for number in range(20)] + ["1:input:0"]

    def answer(request: bytes) -> bytes | None:
        if request[7] == 4:
            return exception(1)(request)
        first, count = int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big")
        return (exception(2) if first + count > 19 else right)(request)

    line.otherwise = answer
    plant = Plant(tmp_path, line, "mqtt://127.0.0.1:1", addresses, timeout_s=PATIENT_S)
    async with running(plant):
        await plant.until(lambda: plant.good["1:holding:0"] >= 3)
        await line.stop()
        await plant.until(lambda: plant.task.state == "waiting")
        line.requests.clear()
        await line.start()
        good = plant.good["1:holding:0"]
        await plant.until(lambda: plant.good["1:holding:0"] >= good + 3)
        assert set(line.requests) == {(1, 3, 0, 19)}
        told = plant.metrics()
        assert told['ganpo_sessions_lost_total{connection="line"}'] == 1
        assert told['ganpo_sessions_reopened_total{connection="line"}'] >= 1
