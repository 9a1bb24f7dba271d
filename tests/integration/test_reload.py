"""Another configuration while the gateway runs: real Modbus servers, a real broker, a collector that is played."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.reloading import reloading
from ganpo_config import Loaded, load
from ganpo_demo.loopback import free_port
from support.broker import Mosquitto
from support.collecting import PlayedCollector
from support.configs import HEAD
from support.modbus_server import ModbusServer, words

CONNECTIONS = 20


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def collector(broker: Mosquitto) -> Iterator[PlayedCollector]:
    played = PlayedCollector(broker.port)
    yield played
    played.stop()


@pytest.fixture
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        running.set_many([(unit, "holding", 0, words("uint32", 1000 + unit)) for unit in range(1, 40)])
        yield running


class File:
    """An agent.toml: each of the `connections` reads one meter; `units` says which unit that is."""

    def __init__(
        self, folder: Path, broker: Mosquitto, server: ModbusServer, connections: int = CONNECTIONS
    ) -> None:
        self.path = folder / "agent.toml"
        self.broker = broker.url
        self.url = dict.fromkeys(range(1, connections + 1), server.url)
        self.units = {number: number for number in self.url}
        self.more = ""
        self.head = HEAD.replace("/var/lib/ganpo", str(folder / "state")).replace(
            "[uplink]", 'http = "127.0.0.1:0"\n[uplink]\nlive_s = 1\nback_off_max_s = 2'
        )

    def write(self) -> None:
        text = self.head.replace("mqtt://127.0.0.1:1883", self.broker)
        for number, url in self.url.items():
            text += f"""
[connections.line-{number}]
driver = "modbus"
url = "{url}"
addressing = "0-based"
[[meters]]
asset_no = "DB-{number}"
name = "Meter {number}"
carrier = "electricity"
role = "sub"
[[points]]
asset_no = "DB-{number}"
signal = "energy_import"
connection = "line-{number}"
address = "{self.units[number]}:holding:0"
type = "uint32"
max_rate = "1000"
interval_s = "1"
"""
        self.path.write_text(text + self.more, encoding="utf-8")

    def load(self) -> Loaded:
        return load(self.path, {})


@asynccontextmanager
async def running(file: File) -> AsyncIterator[Agent]:
    file.write()
    found = file.load()
    assert found.plant is not None, found.errors
    agent = Agent(found.plant, rng=random.Random(1), load=file.load)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.run(stop))
        try:
            await until(lambda: all(task.state == "up" for task in agent.connections))
            yield agent
        finally:
            stop.set()


async def until(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def asked(server: ModbusServer) -> Counter[int]:
    return Counter(unit for unit, *_ in server.requests())


async def test_one_of_twenty_connections_changes_and_the_others_miss_no_scan(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector, server: ModbusServer
) -> None:
    file = File(tmp_path, broker, server)
    async with running(file) as agent:
        await until(lambda: len({f["register"] for f in collector.facts("reading")}) == CONNECTIONS)
        before = {task.bound.name: task for task in agent.connections}
        inventories = len(collector.facts("inventory"))
        await asyncio.to_thread(asked, server)
        polls = {name: task.polls.made for name, task in before.items()}
        file.units[7] = 30
        file.write()
        outcome = await agent.reloading.reload(wait=True)
        assert outcome.changes.connections.changed == ("line-7",)
        assert outcome.changes.subjects.changed == ("DB-7",)
        await until(lambda: all(t.polls.made >= polls[n] + 3 for n, t in before.items() if n != "line-7"))
        after = {task.bound.name: task for task in agent.connections}
        seen = await asyncio.to_thread(asked, server)
        for number in range(1, CONNECTIONS + 1):
            task = after[name := f"line-{number}"]
            if number != 7:
                assert task is before[name]
                assert (task.polls.skipped, task.opened, task.lost) == (0, 1, 0)
                assert seen[number] >= 3, "the server saw every one of them"
        assert after["line-7"] is not before["line-7"]
        assert seen[30] >= 1
        assert seen[7] <= 1
        assert agent.health()["configuration"]["ok"]
        await until(lambda: len(collector.facts("inventory")) == inventories + 1)
    readings = Counter(fact["register"].partition("#")[0] for fact in collector.facts("reading"))
    assert readings["DB-7/energy_import"] == 2, "of the unit before and of the one now"
    assert set(readings.values()) == {1, 2}
    assert {fact["raw"] for fact in collector.facts("reading")} == {*range(1001, 1021), 1030}
    registers = collector.facts("inventory")[-1]["registers"]
    assert {r["id"] for r in registers} == {r.meaning.item.id for r in agent.plant.registers()}  # type: ignore[union-attr]


async def test_a_bad_configuration_leaves_the_old_one_running_and_every_error_is_told(
    tmp_path: Path, broker: Mosquitto, server: ModbusServer, caplog: pytest.LogCaptureFixture
) -> None:
    file = File(tmp_path, broker, server, 2)
    async with running(file) as agent:
        before = list(agent.connections)
        file.units[1] = 30
        file.write()
        bad = (
            file.path.read_text()
            .replace("30:holding:0", "300:holding:0")
            .replace("2:holding:0", "2:holding:x")
        )
        file.path.write_text(bad)
        outcome = await agent.reloading.reload(wait=True)
        assert len(outcome.errors) == 2
        assert not outcome.changes
        assert agent.connections == before
        told = agent.health()["configuration"]
        assert not told["ok"]
        assert not agent.health()["ok"]
        assert told["errors"] == [str(error) for error in outcome.errors]
        assert all(str(error) in caplog.text for error in outcome.errors)
        file.path.unlink()
        assert "no such file" in (await agent.reloading.reload()).as_json()["errors"][0]
        file.units[1] = 1
        file.write()
        assert (await agent.reloading.reload()).errors == ()
        assert agent.connections == before
        assert agent.health()["configuration"]["ok"]


async def test_what_holds_from_the_next_start_on_is_told_and_nothing_is_half_applied(
    tmp_path: Path, broker: Mosquitto, server: ModbusServer
) -> None:
    file = File(tmp_path, broker, server, 2)
    async with running(file) as agent:
        before = list(agent.connections)
        file.units[1] = 30
        file.head = file.head.replace('id = "gw-test-0001"', 'id = "gw-test-0002"\noutbox_mib = 7')
        file.write()
        outcome = await agent.reloading.reload(wait=True)
        assert [error.where for error in outcome.errors] == ["gateway.id", "gateway.outbox_mib"]
        assert agent.connections == before
        assert agent.plant.gateway.id == "gw-test-0001"


async def test_the_uplink_alone_connects_anew_where_the_broker_changes(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector, server: ModbusServer
) -> None:
    (tmp_path / "other").mkdir()
    file = File(tmp_path, broker, server, 2)
    with Mosquitto(tmp_path / "other") as other:
        there = PlayedCollector(other.port)
        try:
            async with running(file) as agent:
                await until(lambda: agent.uplink.last_ack is not None)
                before = list(agent.connections)
                file.broker = other.url
                file.write()
                outcome = await agent.reloading.reload(wait=True)
                assert outcome.changes.uplink
                assert not outcome.changes.connections
                await until(lambda: bool(there.facts("inventory")))
                assert agent.connections == before
                assert all((task.opened, task.polls.skipped) == (1, 0) for task in before)
            assert collector.lives[-1].get("offline") is None, "it left in order: its will is not told"
        finally:
            there.stop()


async def test_a_connection_that_was_up_and_stays_away_brings_the_configuration_of_before_back(
    tmp_path: Path, broker: Mosquitto, server: ModbusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "BACK_S", 1.5)
    file = File(tmp_path, broker, server, 3)
    kept: list[Loaded] = []
    async with running(file) as agent:
        agent.reloading._keep = kept.append
        before = {task.bound.name: task for task in agent.connections}
        file.url[2] = f"tcp://127.0.0.1:{free_port()}"
        file.write()
        outcome = await agent.reloading.reload(wait=True)
        assert outcome.returned
        (error,) = outcome.errors
        assert error.where == "connections.line-2"
        assert "did not come back within 1.5 s" in error.what
        assert kept == [], "what did not work is no good one"
        await until(lambda: all(task.state == "up" for task in agent.connections))
        after = {task.bound.name: task for task in agent.connections}
        assert after["line-2"].bound == before["line-2"].bound
        assert (after["line-1"], after["line-3"]) == (before["line-1"], before["line-3"])
        assert "did not come back" in agent.health()["configuration"]["errors"][0]
        file.url[2] = server.url
        file.write()
        agent.reloading.ask()  # as SIGHUP does
        await until(lambda: bool(kept))
        assert agent.health()["configuration"]["ok"]


async def test_a_reload_within_the_trial_of_another_goes_back_to_what_worked_last(
    tmp_path: Path, broker: Mosquitto, server: ModbusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "BACK_S", 2.0)
    file = File(tmp_path, broker, server, 2)
    async with running(file) as agent:
        file.url[1] = f"tcp://127.0.0.1:{free_port()}"
        file.write()
        assert not (await agent.reloading.reload()).errors
        file.units[2] = 30
        file.write()
        outcome = await agent.reloading.reload(wait=True)
        assert outcome.returned
        assert [error.where for error in outcome.errors] == ["connections.line-1"]
        await until(lambda: all(task.state == "up" for task in agent.connections))
        assert {str(p.address) for task in agent.connections for p in task.bound.points} == {
            "1:holding:0",
            "2:holding:0",
        }


async def test_a_connection_under_another_name_begins_once_the_one_before_has_ended(
    tmp_path: Path, broker: Mosquitto, server: ModbusServer
) -> None:
    file = File(tmp_path, broker, server, 1)
    async with running(file) as agent:
        (before,) = agent.connections
        file.write()
        file.path.write_text(file.path.read_text().replace("line-1", "hall"))
        closed: list[bool] = []
        driver = before._driver
        assert driver is not None
        close = driver.close

        async def slowly() -> None:
            await asyncio.sleep(0.5)
            closed.append(agent.connections[0].opened == 0)
            await close()

        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr(driver, "close", slowly)
        outcome = await agent.reloading.reload(wait=True)
        assert (outcome.changes.connections.added, outcome.changes.connections.removed) == (
            ("hall",),
            ("line-1",),
        )
        await until(lambda: agent.connections[0].state == "up")
        assert closed == [True]
