"""The agent against a real broker: what travels, and what survives (uplink.md)."""

import asyncio
import json
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.keeping import issued
from ganpo_model.clock import Clock
from ganpo_model.errors import AccessRefused, Unreachable
from ganpo_service.mqtt import Login, Session
from support.broker import Mosquitto
from support.collecting import PlayedCollector
from support.plants import REGISTER, PlantBuilder, PlayedDriver, TestClock


class Played(PlayedDriver):
    """Answers of this module's tests."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def collector(broker: Mosquitto) -> Iterator[PlayedCollector]:
    played = PlayedCollector(broker.port)
    yield played
    played.stop()


def agent(folder: Path, broker: Mosquitto, clock: Clock | None = None, **uplink: Any) -> Agent:
    builder = PlantBuilder(folder / "state", broker.url, slot_ms=2000, uplink=uplink)
    builder.connection("bus", Played)
    builder.meter("bus", "DB-1", "r", interval_s=0.2)
    builder.machine(
        "bus", "SB-1", {"execution": "x"}, interval_s=0.2, proves={"numerical_control": ("execution",)}
    )
    return Agent(builder.build(), clock, random.Random(1))


@asynccontextmanager
async def running(agent: Agent) -> AsyncIterator[Agent]:
    stop = asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    try:
        yield agent
    finally:
        stop.set()
        await task


async def until(condition: Any, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_fresh_start_tells_begun_inventory_link_up_states_and_reading(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    Played.values = {"r": 48203, "x": "ACTIVE"}
    async with running(agent(tmp_path, broker)):
        await until(lambda: len(collector.facts("states")) >= 2)
    first = min(collector.frames)
    assert collector.frames[first]["seq"] == 1
    assert [fact["kind"] for fact in collector.frames[first]["facts"]] == ["begun"]
    (inventory,) = collector.facts("inventory")
    assert inventory["registers"][0]["id"] == REGISTER
    ups = {fact["subject"]: fact["data"] for fact in collector.facts("event") if fact["kind"] == "link_up"}
    assert ups["DB-1"] | {"source_time": None} == ups["DB-1"]
    assert (ups["DB-1"]["point"], ups["DB-1"]["value"], ups["DB-1"]["proves"]) == (
        "DB-1/energy_import",
        48203,
        [],
    )
    assert (ups["SB-1"]["point"], ups["SB-1"]["value"]) == ("SB-1/execution", "ACTIVE")
    assert ups["SB-1"]["proves"] == ["numerical_control"]
    reading = collector.facts("reading")[0]
    assert (reading["register"], reading["raw"]) == (REGISTER, 48203)
    assert reading["at"].endswith("Z")
    assert len(reading["at"]) == len("2026-11-25T02:15:03.120Z")
    states = collector.facts("states")[0]
    assert states["subject"] == "SB-1"
    assert "PRODUCING" in {state for _, state in states["runs"]}


async def test_live_is_said_at_once_and_carries_the_running_picture(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    Played.values = {"r": 1, "x": "READY"}
    async with running(agent(tmp_path, broker)):
        await until(
            lambda: any(
                live.get("subjects", {}).get("SB-1", {}).get("state") == "IDLE" for live in collector.lives
            )
        )
    live = next(live for live in collector.lives if live.get("subjects"))
    assert live["v"] == 1
    assert live["trusted"] is True
    assert set(live) == {
        *("v", "at", "session", "interval_s", "stream", "issued", "oldest", "waiting"),
        *("trusted", "clock_off_ms", "connections", "counts", "subjects", "versions"),
        *("points", "units", "faults", "silent"),
    }
    assert live["connections"]["bus"]["state"] in ("opening", "up")


async def test_the_broker_tells_the_will_when_a_session_is_cut_off(
    broker: Mosquitto, collector: PlayedCollector
) -> None:
    login = Login(broker.url, "gw-test-0001", "uplink")
    will = json.dumps({"v": 1, "session": "01S", "offline": True}).encode()
    session = Session(login, lambda: None, ("ganpo/v1/gw-test-0001/live", will))
    await session.open([("ganpo/v1/gw-test-0001/ack", 1)])
    session.abort()
    await until(lambda: {"v": 1, "session": "01S", "offline": True} in collector.lives)


@pytest.mark.parametrize("port", ["refused", "frozen"])
async def test_a_broker_that_cannot_be_reached_is_told_with_its_address(
    tmp_path: Path, broker: Mosquitto, port: str
) -> None:
    if port == "refused":
        broker.kill()
    else:
        broker.freeze()
    session = Session(Login(broker.url, "gw-test-0001", "uplink"), lambda: None)
    with pytest.raises(Unreachable, match=broker.url):
        await session.open([("ganpo/v1/gw-test-0001/ack", 1)], timeout_s=1.0)
    session.abort()
    broker.thaw()


async def test_a_password_the_broker_refuses_is_told_and_never_shown(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "gw-test-0001", "right"], check=True)
    passwords.chmod(0o644)
    with Mosquitto(tmp_path, f"allow_anonymous false\npassword_file {passwords}\n") as broker:
        session = Session(Login(broker.url, "gw-test-0001", "uplink", "gw-test-0001", "s3cret"), lambda: None)
        with pytest.raises(AccessRefused) as told:
            await session.open([("ganpo/v1/gw-test-0001/ack", 1)])
        assert "s3cret" not in str(told.value) + repr(session) + repr(Login("", "", "", None, "s3cret"))
        assert "check user and password in [uplink]" in str(told.value)
        session = Session(Login(broker.url, "gw-test-0001", "uplink", "gw-test-0001", "right"), lambda: None)
        await session.open([("ganpo/v1/gw-test-0001/ack", 1)])
        await session.close()


async def test_an_outage_of_the_broker_costs_nothing_and_no_poll_is_skipped(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    Played.values = {"r": 1, "x": "READY"}
    async with running(agent(tmp_path, broker, repeat_s=2)) as mine:
        await until(lambda: collector.facts("states"))
        broker.kill()
        before = mine.keeper.outbox.seq
        await until(lambda: not mine.uplink.connected and mine.keeper.outbox.seq >= before + 2, 15)
        issued = mine.keeper.outbox.seq
        broker.start()
        await until(lambda: len(collector.frames) > issued, 15)
        assert mine.connections[0].polls.skipped == 0
    numbers = sorted(seq for _, seq in collector.frames)
    assert numbers[:issued] == list(range(1, issued + 1))


async def test_two_boxes_with_one_id_ask_who_the_other_is_and_nothing_of_either_is_lost(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    """F19, a copied card: each throws the other out."""
    Played.values = {"r": 1, "x": "READY"}
    boxes = [agent(tmp_path / name, broker, repeat_s=2) for name in ("one", "copy")]
    asked: set[int] = set()

    def both_asked() -> bool:
        asked.update(n for n, box in enumerate(boxes) if "another client uses this id?" in box.uplink.problem)
        return len(asked) == 2

    def arrived() -> bool:
        streams = {stream for stream, _ in collector.frames}
        return len(streams) == 2 and all(
            {seq for found, seq in collector.frames if found == stream} >= {1, 2, 3} for stream in streams
        )

    async with running(boxes[0]), running(boxes[1]):
        await until(lambda: both_asked() and arrived(), 30)


async def test_a_collector_that_was_away_hears_within_seconds_and_is_sent_what_was_in_flight_again(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    Played.values = {"r": 1, "x": "READY"}
    async with running(agent(tmp_path, broker, live_s=60)) as mine:
        await until(lambda: collector.facts("states"))
        collector.stop()
        known = len(collector.frames)
        await until(lambda: mine.uplink.window.silent_s(mine.time.monotonic()) > 5.5, 30)
        issued = mine.keeper.outbox.seq
        back = PlayedCollector(broker.port)
        await until(lambda: len({*collector.frames, *back.frames}) > issued, 12)
        back.stop()
    assert issued > known


async def test_a_gateway_that_starts_while_the_broker_is_away_reads_and_keeps(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    broker.kill()
    Played.values = {"r": 1, "x": "READY"}
    async with running(agent(tmp_path, broker)) as mine:
        await until(lambda: mine.keeper.outbox.seq >= 5)
        broker.start()
        await until(lambda: len(collector.facts("states")) >= 2, 15)


async def test_only_the_ack_counts_and_a_puback_does_not(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    refused: list[int] = []

    def answer(body: dict[str, Any]) -> bool:
        if body["seq"] == 3 and len(refused) < 2:
            refused.append(3)
            return False
        return True

    collector.answer = answer
    Played.values = {"r": 1, "x": "READY"}
    async with running(agent(tmp_path, broker, repeat_s=1)):
        await until(lambda: any(seq == 3 for _, seq in collector.frames))
    assert refused == [3, 3]


async def test_the_ack_tells_the_time_to_a_gateway_whose_clock_starts_in_1970(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    class Stopped(TestClock):
        def monotonic(self) -> float:
            return asyncio.get_running_loop().time()

    Played.values = {"r": 1, "x": "READY"}
    told = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
    collector.now = lambda: told
    clock = Stopped(wall=datetime(1970, 1, 1, tzinfo=UTC), sure=False)
    async with running(agent(tmp_path, broker, clock)) as mine:
        assert mine.health()["time"] == "waiting for time"
        await until(lambda: collector.facts("reading"))
    assert collector.lives[0]["at"] is None
    assert collector.lives[0]["trusted"] is False
    assert {fact["at"][:16] for fact in collector.facts("reading")} == {"2027-03-01T08:00"}


async def test_what_was_given_and_is_gone_is_declared_lost(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    Played.values = {"r": 1, "x": "READY"}
    state = tmp_path / "state"
    state.mkdir()
    issued.write(state / "outbox.db", "01HF7YAT00V3RS3DTR98H6BCFN", 6)
    async with running(agent(tmp_path, broker)):
        await until(lambda: any(fact["kind"] == "loss" for fact in collector.facts("event")))
    (loss,) = [fact for fact in collector.facts("event") if fact["kind"] == "loss"]
    assert loss["data"] == {"stream": "01HF7YAT00V3RS3DTR98H6BCFN", "seqs": [[1, 6]]}


async def test_shutdown_takes_less_than_five_seconds_with_a_frozen_broker(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    Played.values = {"r": 1, "x": "READY"}
    mine = agent(tmp_path, broker)
    stop = asyncio.Event()
    task = asyncio.create_task(mine.run(stop))
    await until(lambda: collector.facts("reading"))
    broker.freeze()
    began = asyncio.get_running_loop().time()
    stop.set()
    await task
    assert asyncio.get_running_loop().time() - began < 5
    broker.thaw()


async def test_what_is_no_acknowledgement_is_ignored(
    tmp_path: Path, broker: Mosquitto, collector: PlayedCollector
) -> None:
    Played.values = {"r": 1, "x": "READY"}
    async with running(agent(tmp_path, broker)) as mine:
        await until(lambda: collector.facts("reading"))
        for payload in (
            b"",
            b"{",
            b"[]",
            json.dumps({"v": 2, "now": "2026-01-01T00:00:00Z"}).encode(),
            b"\xff\x00",
        ):
            collector._client.publish(f"ganpo/v1/{mine.plant.gateway.id}/ack", payload, qos=1)
        before = len(collector.frames)
        await until(lambda: len(collector.frames) > before)
