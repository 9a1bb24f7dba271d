"""Clocks that are wrong, from the gateway to the page: whom the agent believes, and who is told."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ganpo_agent.app import Agent
from ganpo_agent.keeping.outbox import Outbox
from ganpo_cloud.days import observed
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.gateways import Gateway, known_gateways
from ganpo_cloud.province.why import why
from ganpo_cloud.store.tables import event, quarantine, reading, states
from ganpo_cloud.web.i18n import translator
from ganpo_cloud.web.pages.needs import needs
from ganpo_model.clock import iso, to_ms
from ganpo_model.states import State
from ganpo_service.clock import SystemClock
from support import databases
from support.broker import Mosquitto
from support.plants import PlantBuilder, PlayedDriver
from support.province import NOW, Plant, inventory
from support.replaying import ENTERPRISE, Cloud, ReplayClock

GATEWAY = "gw-test-0001"
HOUR = timedelta(hours=1)


class Played(PlayedDriver):
    """The devices of this module."""


class Wrong(SystemClock):
    """The machine's clocks, the wall clock moved by `by`; `mark`: what systemd says."""

    def __init__(self, *, mark: bool = False) -> None:
        self.by = timedelta()
        self.mark = mark

    def utc(self) -> datetime:
        return super().utc() + self.by

    def trusted(self) -> bool:
        return self.mark


class Right(ReplayClock):
    """The collector's."""

    def utc(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


class Site:
    """An agent with a wrong clock, a collector with a right one."""

    def __init__(self, folder: Path, broker: str, clock: Wrong) -> None:
        Played.values = {"r": 1000, "x": "ACTIVE"}
        builder = PlantBuilder(folder / "state", broker, GATEWAY, slot_ms=1000)
        builder.connection("bus", Played)
        builder.meter("bus", "DB-1", "r", interval_s=0.2)
        builder.machine("bus", "SB-1", {"execution": "x"}, interval_s=0.2)
        self.clock = clock
        self.agent = Agent(builder.build(), clock, random.Random(1))
        self.cloud = Cloud(folder, broker, Right(datetime.now(UTC)), GATEWAY)
        self.began = to_ms(datetime.now(UTC))

    def stored(self, *columns: Any) -> list[Any]:
        with self.cloud.database.read() as connection:
            return list(connection.execute(select(*columns)).all())

    def steps(self) -> list[Any]:
        return [row for row in self.stored(event.c.kind, event.c.at) if row.kind == "clock_step"]

    def gateway(self) -> Gateway:
        with self.cloud.database.read() as connection:
            (found,) = known_gateways(connection, datetime.now(UTC))
        return found

    def told(self) -> tuple[list[str], list[str]]:
        """What the page says needs a person, and the codes of `why`."""
        now = datetime.now(UTC)
        with self.cloud.database.read() as connection:
            found = needs(connection, now, [], known_gateways(connection, now))
            return [need.told(translator("en")) for need in found], [
                reason.code for reason in why(connection, ENTERPRISE, None, now)
            ]


@asynccontextmanager
async def running(folder: Path, broker: Mosquitto, clock: Wrong) -> AsyncIterator[Site]:
    site = Site(folder, broker.url, clock)
    site.cloud.start()
    stop = asyncio.Event()
    task = asyncio.create_task(site.agent.run(stop))
    try:
        await until(lambda: len(site.stored(states.c.start)) >= 2)
        yield site
    finally:
        stop.set()
        await task
        await site.cloud.stop()
        site.cloud.database.close()


async def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come in time"
        await asyncio.sleep(0.05)


async def becomes_wrong(folder: Path, by: timedelta) -> None:
    """The own clock, without the mark, steps by so much in the middle of the run."""
    folder.mkdir()
    with Mosquitto(folder) as broker:
        async with running(folder, broker, Wrong()) as site:
            site.clock.by = by
            stepped = to_ms(datetime.now(UTC))
            await until(site.steps)
            (step,) = site.steps()
            await until(lambda: [row for row in site.stored(states.c.start) if row.start > step.at])
            health = site.agent.health()
            assert health["ok"] is False
            assert abs(health["clock_off_ms"] - by / timedelta(milliseconds=1)) < 60_000
            await until(lambda: any("its clock differs" in told for told in site.told()[0]))
            assert site.told()[1][-1] == "clock_off"
            assert site.stored(quarantine.c.reason) == []
            now = to_ms(datetime.now(UTC))
            spans = sorted(
                (row.start, row.start + row.length) for row in site.stored(states.c.start, states.c.length)
            )
            assert all(site.began - 5000 <= start < end <= now + 5000 for start, end in spans)
            assert all(a[1] <= b[0] for a, b in pairwise(spans)), "nothing is painted over"
            assert all(site.began - 5000 <= row.at <= now + 5000 for row in site.stored(reading.c.at))
            over = [row for row in spans if row[0] < min(stepped + 1000, step.at) and row[1] > step.at]
            assert not over, "a hole is a hole"


async def test_a_clock_that_becomes_wrong_costs_seconds_and_no_frame_and_is_shown_at_both_ends(
    tmp_path: Path,
) -> None:
    to_1970 = datetime(1970, 1, 1, tzinfo=UTC) - datetime.now(UTC)
    async with asyncio.TaskGroup() as group:
        for folder, by in (("ahead", 3 * HOUR), ("back", -3 * HOUR), ("1970", to_1970)):
            group.create_task(becomes_wrong(tmp_path / folder, by))


async def test_with_the_mark_of_systemd_it_goes_on_stamping_and_what_is_refused_is_told_at_both_ends(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async with running(tmp_path, broker, Wrong(mark=True)) as site:
        assert site.agent.health()["uplink"]["quarantined"] == {}
        site.clock.by = HOUR
        await until(lambda: site.agent.health()["uplink"]["quarantined"].get("time", 0) >= 2)
        assert site.agent.time.trusted()
        health = site.agent.health()
        assert health["ok"] is False
        assert "quarantine" in health["uplink"]["error"]
        assert round(health["clock_off_ms"] / 60_000) == 60
        await until(lambda: any("its clock differs from ours by +1:00:00" in told for told in site.told()[0]))
        needs, reasons = site.told()
        assert any("frames are in quarantine: time: " in told for told in needs)
        assert {"clock_off", "quarantine"} <= set(reasons)
        (kept,) = site.gateway().kept
        assert (kept.reason, kept.frames >= 2) == ("time", True)
        site.clock.by = timedelta()
        await until(lambda: site.agent.health()["ok"])


def test_what_a_gateway_says_that_does_not_trust_its_clock_is_shown_as_unknown(tmp_path: Path) -> None:
    plant = Plant(databases.database(tmp_path))
    registry.add(plant.database, GATEWAY, ENTERPRISE, "plant-1")
    plant.send(GATEWAY, [inventory("SB-1")])
    for trusted, state in ((True, State.PRODUCING), (False, State.UNKNOWN), (True, State.PRODUCING)):
        said = {"v": 1, "session": "S1", "trusted": trusted, "connections": {}}
        said["subjects"] = {"SB-1": {"state": "PRODUCING", "since": iso(NOW)}}
        lives.hear(plant.database, [(GATEWAY, json.dumps(said).encode())], NOW)
        with plant.database.read() as connection:
            (seen,) = observed.subjects(connection, NOW, ENTERPRISE)
        assert seen.state is state
    plant.database.close()


async def test_what_was_seen_until_trust_was_lost_is_on_disk_when_the_process_ends_without_it(
    tmp_path: Path,
) -> None:
    builder = PlantBuilder(tmp_path / "state", slot_ms=900_000)
    builder.connection("bus", Played)
    builder.machine("bus", "SB-1", {"execution": "x"}, interval_s=0.2)
    Played.values = {"x": "ACTIVE"}
    clock = Wrong()
    agent = Agent(builder.build(), clock, random.Random(1))
    stop = asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    await until(lambda: agent.health()["subjects"].get("SB-1", {}).get("state") == "PRODUCING")
    await until(lambda: agent.connections[0].polls.made >= 4)
    clock.by -= HOUR
    await until(lambda: agent.health()["time"] == "waiting for time")
    assert agent.health()["ok"] is False
    stop.set()
    await task
    found = Outbox(tmp_path / "state", 16)
    found.open()
    kinds = [row.kind for row in found.waiting(100)]
    found.close()
    assert kinds.count("states") == 1
    assert agent.observer is None
