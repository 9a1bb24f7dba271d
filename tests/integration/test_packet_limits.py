"""A broker that takes small packets only: what passes goes on, what does not is named at both ends (uplink.md)."""

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ganpo_agent.app import Agent
from ganpo_agent.uplink import window
from ganpo_cloud.days import observed
from ganpo_cloud.inlet import lives
from ganpo_cloud.store.tables import event, live, subject
from ganpo_cloud.store.tables import states as states_table
from ganpo_model.frame import MAX_PACKED
from ganpo_service.clock import SystemClock
from support.broker import Mosquitto
from support.plants import PlantBuilder, PlayedDriver
from support.replaying import Cloud

GATEWAY = "gw-test-0001"
MACHINES = 20


class Played(PlayedDriver):
    """Answers of this module's tests."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, "allow_anonymous true\nmax_packet_size 1500\n") as running:
        yield running


@asynccontextmanager
async def running(folder: Path, broker: Mosquitto) -> AsyncIterator[tuple[Agent, Cloud]]:
    cloud = Cloud(folder, broker.url, SystemClock(), GATEWAY)
    cloud.start()
    builder = PlantBuilder(folder / "state", broker.url, slot_ms=2000, uplink={"repeat_s": 2})
    builder.connection("cnc", Played)
    for n in range(MACHINES):
        builder.machine("cnc", f"SB-{n:04}", {"execution": f"x{n}"}, interval_s=0.5)
        Played.values[f"x{n}"] = "READY"
    plant = builder.build()
    named = tuple(
        replace(item, name=hashlib.sha512(item.asset_no.encode()).hexdigest()) for item in plant.equipment
    )
    agent = Agent(replace(plant, equipment=named), None, random.Random(1))
    stop = asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    try:
        yield agent, cloud
    finally:
        stop.set()
        await task
        await cloud.stop()
        cloud.database.close()


async def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


def count(cloud: Cloud, table: Any) -> int:
    with cloud.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def heard(cloud: Cloud) -> int:
    """Of how many subjects the present session told."""
    with cloud.database.read() as connection:
        return len(lives.items(connection, "subjects", [GATEWAY]).get(GATEWAY, {}))


@pytest.mark.slow
async def test_a_broker_of_1500_bytes_hears_of_every_subject_and_what_it_refuses_is_named_until_the_limit_is_raised(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, broker) as (agent, cloud):
        await until(lambda: "bytes too large for it?" in agent.uplink.problem)
        await until(lambda: heard(cloud) == MACHINES)
        await until(lambda: count(cloud, event.select().where(event.c.kind == "begun").subquery()) == 1)
        await until(lambda: agent.keeper.outbox.largest < MAX_PACKED)
        await until(lambda: count(cloud, states_table) > MACHINES)
        alone = agent.health()["uplink"]["alone"]
        assert any("bytes: the broker ended the session" in line for line in alone)
        assert not agent.health()["ok"], "not everything is acknowledged"
        said: dict[str, Any] = {}

        def told() -> bool:
            with cloud.database.read() as connection:
                said.update(json.loads(connection.execute(select(live.c.body)).scalar_one()))
            return "alone" in said

        await until(told)
        assert "bytes: the broker ended the session" in said["alone"][0]
        # It is told again, divided.
        await until(lambda: count(cloud, subject) == MACHINES)
        assert agent.health()["uplink"]["alone"], "the one that was refused waits all the same"
        monkeypatch.setattr(window, "ALONE_S", 3.0)
        agent.uplink.window._alone_after = 0.0
        broker.kill()
        broker.configure("allow_anonymous true\n")
        broker.start()
        await until(lambda: agent.health()["uplink"]["alone"] == [])
        assert agent.keeper.outbox.largest == MAX_PACKED

        def shown() -> set[str]:
            with cloud.database.read() as connection:
                return {str(view.state) for view in observed.subjects(connection, datetime.now(UTC))}

        await until(lambda: shown() == {"IDLE"})
