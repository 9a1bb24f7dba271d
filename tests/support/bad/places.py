"""Clocks, disks, files and ports that are not as they should be, under the agent and the collector."""

import asyncio
import json
import logging
import random
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from ganpo_agent.app import Agent
from ganpo_agent.keeping.outbox import Outbox
from ganpo_agent.owner import alone
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_demo.loopback import free_port
from ganpo_model.clock import Clock
from ganpo_model.facts import Event, EventKind
from ganpo_model.frame import unpack
from ganpo_service.clock import SystemClock
from support.broker import Mosquitto
from support.collecting import PlayedCollector
from support.configs import BUS, HEAD, meter
from support.damaging import KINDS, fill, judge
from support.plants import START, PlantBuilder, PlayedDriver
from support.processes import BIN


class Played(PlayedDriver):
    """The device of these cases."""


class Clockwork(SystemClock):
    """The machine's clocks, with the wall clock moved by `by`."""

    def __init__(self, by: timedelta = timedelta()) -> None:
        self.by = by

    def utc(self) -> datetime:
        return super().utc() + self.by

    def trusted(self) -> bool:
        return False


@asynccontextmanager
async def reading_all_the_time(
    folder: Path, clock: Clock | None = None, broker: str = "mqtt://127.0.0.1:1"
) -> AsyncIterator[Agent]:
    """An agent with one meter and one machine, slots of 1 s; no poll of it is skipped."""
    Played.values = {"r": 5, "x": "ACTIVE"}
    builder = PlantBuilder(folder / "state", broker, slot_ms=1000)
    builder.connection("bus", Played)
    builder.meter("bus", "DB-1", "r", interval_s=0.2)
    builder.machine("bus", "SB-1", {"execution": "x"}, interval_s=0.2)
    agent = Agent(builder.build(), clock, random.Random(1))
    stop = asyncio.Event()
    running = asyncio.create_task(agent.run(stop))
    try:
        yield agent
        assert agent.connections[0].polls.skipped == 0
        assert agent.connections[0].state == "up"
    finally:
        stop.set()
        await running


async def clock_of_1970(folder: Path) -> str:
    """A gateway without a clock: it waits for the time, and takes it from the collector."""
    with Mosquitto(folder) as broker:
        clock = Clockwork(datetime(1970, 1, 1, tzinfo=UTC) - datetime.now(UTC))
        async with reading_all_the_time(folder, clock, broker.url) as agent:
            await asyncio.sleep(0.5)
            told = str(agent.health()["time"])
            assert agent.keeper.outbox.seq == 0, "nothing is stamped with a time that nobody believes"
            collector = await asyncio.to_thread(PlayedCollector, broker.port)
            collector.now = lambda: datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
            try:
                await _until(lambda: bool(collector.facts("reading") and collector.facts("states")))
            finally:
                await asyncio.to_thread(collector.stop)
            assert {fact["at"][:13] for fact in collector.facts("reading")} == {"2027-03-01T08"}
    return f"/health: {told}"


async def clock_steps_back(folder: Path) -> str:
    """The wall clock steps back by 3 h: nothing is stamped until the collector says what time it is."""
    with Mosquitto(folder) as broker, listening("ganpo_agent") as said:
        clock = Clockwork()
        collector = await asyncio.to_thread(PlayedCollector, broker.port)
        try:
            async with reading_all_the_time(folder, clock, broker.url) as agent:
                await _until(lambda: bool(collector.facts("states")))
                clock.by -= timedelta(hours=3)
                await _until(lambda: bool(_steps(collector)))
                seen = len(collector.frames)
                await _until(lambda: len(collector.frames) > seen + 3)
                health = agent.health()
                assert (health["ok"], round(health["clock_off_ms"] / 3_600_000)) == (False, -3)
        finally:
            await asyncio.to_thread(collector.stop)
    assert len(_steps(collector)) == 1
    begun = _ms(min(fact["at"] for fact in collector.facts("event")))
    spans = sorted((_ms(fact["start"]), _ms(fact["end"])) for fact in collector.facts("states"))
    assert spans[0][0] >= begun, "nothing is stamped three hours ago"
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert all(_ms(fact["at"]) >= begun for fact in collector.facts("reading"))
    return next(line for line in said if "not trusted" in line)


def _steps(collector: PlayedCollector) -> list[dict[str, Any]]:
    return [fact for fact in collector.facts("event") if fact["kind"] == "clock_step"]


async def clock_steps(folder: Path, hours: int) -> str:
    """The wall clock steps in the middle of a slot: slot and readings go on at the new time, and it is told."""
    clock = Clockwork(timedelta(days=1))
    with listening("ganpo_agent") as said:
        async with reading_all_the_time(folder, clock) as agent:
            await _until(lambda: agent.keeper.outbox.seq >= 8)
            clock.by += timedelta(hours=hours)
            await _until(lambda: any("stepped" in line for line in said))
            at = agent.keeper.outbox.seq
            await _until(lambda: agent.keeper.outbox.seq >= at + 8)
    facts = _facts(folder)
    (step,) = [fact for fact in facts if fact.get("kind") == "clock_step"]
    assert abs(step["data"]["by_ms"] - hours * 3_600_000) < 1000
    after = step["at"]
    spans = [(fact["start"], fact["end"]) for fact in facts if fact["type"] == "states"]
    before = [span for span in spans if abs(_ms(span[0]) - _ms(after)) > 3_000_000]
    assert len(before) >= 2
    assert len(spans) - len(before) >= 2
    for axis in (before, [span for span in spans if span not in before]):
        # Everything but the moment of the step is told, once.
        assert all(a[1] == b[0] for a, b in pairwise(sorted(axis)))
    assert sum(fact["type"] == "reading" for fact in facts) >= 4
    return next(line for line in said if "stepped" in line)


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """A tmpfs of its own."""
    mount = folder / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(mount)], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


async def full_disk(folder: Path) -> str:
    """Something else fills the disk under the outbox, for a while."""
    with small_disk(folder) as disk:
        async with reading_all_the_time(disk) as agent:
            await _until(lambda: agent.keeper.outbox.seq >= 4)
            filler = disk / "filler"
            _fill(filler)
            _burden(agent)
            await _until(lambda: agent.keeper.problem is not None)
            told = str(agent.health()["outbox"]["error"])
            filler.unlink()
            await _until(lambda: agent.keeper.problem is None)
        _complete(_facts(disk))
    return told


async def read_only_disk(folder: Path) -> str:
    """The disk under the outbox is read-only from the start, until somebody mounts it anew."""
    with small_disk(folder) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        async with reading_all_the_time(disk) as agent:
            await _until(lambda: agent.keeper.problem is not None)
            await asyncio.sleep(1.5)
            told = str(agent.health()["outbox"]["error"])
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            await _until(lambda: agent.keeper.problem is None and agent.keeper.outbox.seq >= 4)
        _complete(_facts(disk))
    return told


async def flipped_bit(folder: Path) -> str:
    """One bit of the outbox' file, at 50 places: whatever still stands somewhere arrives, the rest is declared."""
    told = []
    given = fill(folder, 1, closed=True)
    with listening("ganpo_agent") as said:
        for seed in range(50):
            shutil.copytree(given.folder, folder / f"{seed}")
            KINDS["a flipped bit in the file"](folder / f"{seed}", random.Random(seed))
            judge(folder / f"{seed}", given)
            told.append(next((line for line in said if "damaged" in line), ""))
            said.clear()
    assert sum(map(bool, told)) >= 25, "most places are of use to somebody"
    return next(line for line in told if line)


async def newer_outbox(folder: Path) -> str:
    """The outbox was written by a later version."""
    box = Outbox(folder / "state", 8)
    box.open()
    box.close()
    db = sqlite3.connect(box.path)
    db.execute(f"PRAGMA user_version = {(2 ^ 0x7FFF) << 16 | 2}")
    db.commit()
    db.close()
    before = box.path.read_bytes()
    file = folder / "agent.toml"
    file.write_text(
        HEAD.replace("/var/lib/ganpo", str(folder / "state")).replace(
            "[uplink]", 'http = "127.0.0.1:0"\n[uplink]'
        )
    )
    told = await refused("ganpo", "run", "--config", file)
    assert box.path.read_bytes() == before
    return told


async def newer_database(folder: Path) -> str:
    """The collector's database was written by a later version."""
    path = folder / "cloud.db"
    Database(DatabaseSettings(url=f"sqlite:///{path}")).close()
    db = sqlite3.connect(path)
    db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.commit()
    db.close()
    before = path.read_bytes()
    told = await refused("ganpo-cloud", "run", "--config", _cloud(folder, "127.0.0.1:0"))
    assert path.read_bytes() == before
    return told


async def port_in_use(folder: Path) -> str:
    """Another program has the port of the agent, and of the collector."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        file = folder / "agent.toml"
        file.write_text(
            HEAD.replace("/var/lib/ganpo", str(folder / "state")).replace(
                "[uplink]", f'http = "{address}"\n[uplink]'
            )
        )
        agent = await refused("ganpo", "run", "--config", file)
        return agent + await refused("ganpo-cloud", "run", "--config", _cloud(folder, address))


async def two_agents(folder: Path) -> str:
    """A second agent is started on the state folder of the first, with a port of its own."""
    file = folder / "agent.toml"
    file.write_text(
        HEAD.replace("/var/lib/ganpo", str(folder / "state")).replace(
            "[uplink]", f'http = "127.0.0.1:{free_port()}"\n[uplink]'
        )
    )
    with alone(folder / "state"):
        told = await refused("ganpo", "run", "--config", file)
    assert not (folder / "state" / "outbox.db").exists(), "nothing was touched"
    with alone(folder / "state"):  # whoever ended holds nothing
        return told


async def wrong_configuration(folder: Path) -> str:
    """An unknown key, a wrong type and a number that stands twice: all told at once, with their places."""
    file = folder / "agent.toml"
    text = HEAD + BUS.replace("addressing", "adressing") + meter() + meter()
    file.write_text(text.replace('id = "plant-1"', "id = 1"))
    return await refused("ganpo", "check", "--config", file)


async def refused(command: str, *args: object) -> str:
    """What a command says that ends with 1, without a traceback."""
    process = await asyncio.create_subprocess_exec(
        BIN / command, *map(str, args), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert b"Traceback" not in err
    return (out + err).decode()


@contextmanager
def listening(logger: str) -> Iterator[list[str]]:
    """The lines that a logger writes."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger(logger).addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger(logger).removeHandler(handler)


def _cloud(folder: Path, listen: str) -> Path:
    file = folder / "cloud.toml"
    file.write_text(
        f'format = 1\n[database]\nurl = "sqlite:///{folder}/cloud.db"\n[http]\nlisten = "{listen}"\n'
    )
    return file


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(1024))
        except OSError:
            return


def _burden(agent: Agent) -> None:
    """More to write than a page that is free already may hold."""
    for n in range(20):
        text = random.Random(n).randbytes(10_000).hex()
        agent.keeper.put([Event("event", START, EventKind.SUSPECT, None, {"n": n, "text": text})])


def _facts(folder: Path) -> list[dict[str, Any]]:
    """What the outbox holds once the agent ended."""
    box = Outbox(folder / "state", 64)
    box.open()
    rows = box.waiting(10_000)
    assert [row.seq for row in rows] == list(range(rows[0].seq, rows[0].seq + len(rows))), (
        "no number is missing"
    )
    facts = [fact for row in rows for fact in json.loads(unpack(row.packed))["facts"]]
    box.close()
    return facts


def _complete(facts: list[dict[str, Any]]) -> None:
    """Slot follows slot from the first to the last: nothing that was observed is missing."""
    spans = sorted((fact["start"], fact["end"]) for fact in facts if fact["type"] == "states")
    assert len(spans) >= 2
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)
