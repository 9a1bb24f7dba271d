"""The collector against a real broker: acknowledged is what is committed, and nothing else."""

import asyncio
import json
import random
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.collector import BATCH, Collector
from ganpo_cloud.inlet.ingest import retry
from ganpo_cloud.inlet.lives import mark_silent
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import BrokerSettings
from ganpo_cloud.store.tables import frame as stored_frame
from ganpo_cloud.store.tables import live, quarantine, reading, transition
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from ganpo_service import mqtt
from ganpo_service.clock import SystemClock
from ganpo_service.turns import OVERHEAD
from support import databases
from support.broker import Mosquitto
from support.gateways import PlayedGateway

GATEWAY = "gw-test-0001"
STRANGER = "gw-stranger-01"
ENTERPRISE = "91360000625912173B"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    database = databases.database(tmp_path, patience_s=0.2)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    yield database
    database.close()


@pytest.fixture
def gateway(broker: Mosquitto) -> Iterator[PlayedGateway]:
    gateway = PlayedGateway(broker.port, GATEWAY)
    yield gateway
    gateway.leave()


def collector(url: str, database: Database, **settings: Any) -> Collector:
    about = BrokerSettings(url=url, back_off_max_s=1, **settings)
    return Collector(about, database, SystemClock(), random.Random(1))


@asynccontextmanager
async def running(broker: Mosquitto, database: Database) -> AsyncIterator[Collector]:
    collecting = collector(broker.url, database)
    task = asyncio.create_task(collecting.run())
    try:
        await until(lambda: not collecting.problem)
        yield collecting
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def frame(seq: int) -> bytes:
    return pack(STREAM, seq, [Reading("reading", "DB-1/energy_import#0123abcd", AT, 1000 + seq)])


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


async def test_a_frame_is_acknowledged_once_it_is_committed_with_the_time(
    broker: Mosquitto, database: Database, gateway: PlayedGateway
) -> None:
    async with running(broker, database) as collecting:
        for seq in (1, 2, 3, 5):
            gateway.send(frame(seq))
        await until(lambda: gateway.acknowledged(STREAM) == {1, 2, 3, 5})
    assert count(database, reading) == 4
    assert collecting.applied == 4
    ack = gateway.acks[0]
    assert set(ack) == {"v", "now", "stream", "seqs"}
    assert abs(datetime.fromisoformat(ack["now"]) - datetime.now(UTC)) < timedelta(seconds=10)


async def test_an_acknowledgement_says_how_many_of_its_frames_are_in_quarantine_and_for_what(
    broker: Mosquitto, database: Database, gateway: PlayedGateway
) -> None:
    ahead = [Reading("reading", "DB-1/energy_import#0123abcd", AT + timedelta(hours=3), 1000)]
    async with running(broker, database):
        gateway.send(frame(1))
        for seq in (2, 3):
            gateway.send(pack(STREAM, seq, ahead))
        await until(lambda: gateway.acknowledged(STREAM) == {1, 2, 3})
    assert sum(ack.get("quarantined", {}).get("time", 0) for ack in gateway.acks) == 2
    assert all(ack["quarantined"] != {} for ack in gateway.acks if "quarantined" in ack)


async def test_every_live_of_a_registered_gateway_is_answered_with_the_time_and_of_an_unknown_one_not(
    broker: Mosquitto, database: Database, gateway: PlayedGateway
) -> None:
    stranger = PlayedGateway(broker.port, STRANGER)
    async with running(broker, database):
        stranger.live()
        gateway.live()
        await until(lambda: gateway.acks)
        gateway.live()
        await until(lambda: len(gateway.acks) == 2)
    stranger.leave()
    assert [set(ack) for ack in gateway.acks] == [{"v", "now", "seqs", "gz"}] * 2
    assert gateway.acks[0]["gz"] == 1, "the next may be gzip"
    assert gateway.acks[0]["seqs"] == []
    assert stranger.acks == []
    assert count(database, live) == 1


async def test_an_unknown_gateway_is_acknowledged_too_and_what_it_sent_is_applied_once_it_is_registered(
    broker: Mosquitto, database: Database
) -> None:
    stranger = PlayedGateway(broker.port, STRANGER)
    async with running(broker, database):
        stranger.send(frame(1))
        await until(lambda: stranger.acknowledged(STREAM) == {1})
        assert (count(database, reading), count(database, quarantine)) == (0, 1)
        registry.add(database, STRANGER, ENTERPRISE, "plant-2")
        assert retry(database, datetime.now(UTC), STRANGER) == 1
        stranger.send(frame(1))
        stranger.send(frame(2))
        await until(lambda: stranger.acknowledged(STREAM) == {1, 2})
    stranger.leave()
    assert (count(database, reading), count(database, quarantine)) == (2, 0)


async def test_the_will_ends_a_gateway_at_once_but_only_that_of_the_session_heard_last(
    broker: Mosquitto, database: Database
) -> None:
    def turns() -> list[bool]:
        with database.read() as connection:
            query = select(transition.c.online).order_by(transition.c.at)
            return list(connection.execute(query).scalars())

    gateway = PlayedGateway(broker.port, GATEWAY, will="S2")
    async with running(broker, database):
        gateway.live("S2")
        await until(lambda: turns() == [True])
        gateway.live("S1", offline=True)
        gateway.live("S2")
        await until(lambda: len(gateway.acks) == 2)
        assert turns() == [True], "the will of an older session is not heeded"
        gateway.vanish()
        await until(lambda: turns() == [True, False])
        again = PlayedGateway(broker.port, GATEWAY)
        again.live("S3")
        await until(lambda: turns() == [True, False, True])
        mark_silent(database, datetime.now(UTC) + timedelta(seconds=170))
        assert turns() == [True, False, True]
        mark_silent(database, datetime.now(UTC) + timedelta(seconds=190))
        assert turns() == [True, False, True, False], "silent for three intervals"
        again.leave()


async def test_a_retained_message_is_no_word_of_a_gateway(
    broker: Mosquitto, database: Database, gateway: PlayedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """A bridge or a test left it at the broker: a dead gateway must not come back with every start."""
    body = b'{"v":1,"session":"S9","interval_s":60,"trusted":true,"connections":{},"subjects":{}}'
    gateway.leave_behind("live", body)
    gateway.leave_behind("facts", frame(7))
    async with running(broker, database):
        gateway.send(frame(8))
        await until(lambda: 8 in gateway.acknowledged(STREAM))
    assert gateway.acknowledged(STREAM) == {8}
    assert count(database, live) == count(database, transition) == 0
    told = [record.getMessage() for record in caplog.records if "retained" in record.getMessage()]
    assert len(told) == 1, "once a session, however many there are"
    assert f"mosquitto_pub -r -n -t ganpo/v1/{GATEWAY}/" in told[0]


async def test_what_is_not_addressed_to_it_and_what_is_no_live_is_ignored(
    broker: Mosquitto, database: Database, gateway: PlayedGateway
) -> None:
    async with running(broker, database):
        gateway.send(frame(1), "ganpo/v1/no gateway/facts")
        gateway.send(frame(1), "ganpo/v1/GW/facts")
        gateway.send(frame(1), f"ganpo/v1/{GATEWAY}/facts/more")
        for said in (b"", b"{", b"[]", b'{"v":2,"session":"S"}', b"\xff\x00", b'{"v":1,"session":"a b"}'):
            gateway.send(said, f"ganpo/v1/{GATEWAY}/live")
        gateway.send(frame(2))
        await until(lambda: gateway.acknowledged(STREAM) == {2})
    assert gateway.acks[0]["seqs"] == [[2, 2]]
    assert (count(database, reading), count(database, live), count(database, quarantine)) == (1, 0, 0)


async def test_frames_keep_while_the_database_is_locked_and_are_committed_once_it_answers(
    broker: Mosquitto, database: Database, gateway: PlayedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ganpo_cloud.inlet.collector")
    async with running(broker, database) as collecting:
        with databases.held(database):
            gateway.send(frame(1))
            await until(lambda: "the database does not answer: " in collecting.problem)
            gateway.send(frame(2))
            began = time.monotonic()
            await asyncio.sleep(0.5)
            assert time.monotonic() - began < 1, "the loop never waits for the database"
            assert gateway.acks == []
        await until(lambda: gateway.acknowledged(STREAM) == {1, 2})
        assert collecting.problem == ""
    told = [record.message for record in caplog.records if "the database" in record.message]
    assert len(told) == 2
    assert told[1] == "collector: the database answers again"
    assert count(database, reading) == 2


async def test_when_no_room_is_left_messages_are_dropped_unacknowledged_and_counted_and_come_again(
    broker: Mosquitto,
    database: Database,
    gateway: PlayedGateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt, "MAX_WAITING", 5 * (OVERHEAD + len(frame(1))))
    async with running(broker, database) as collecting:
        with databases.held(database):
            gateway.send(frame(1))
            await until(lambda: collecting.problem)
            for seq in range(2, 42):
                gateway.send(frame(seq))
            await asyncio.sleep(0.2)
        await until(lambda: collecting.dropped > 0)
        assert collecting.applied < 41
        for seq in range(1, 42):
            while seq not in gateway.acknowledged(STREAM):
                gateway.send(frame(seq))
                await asyncio.sleep(0.02)
    assert count(database, reading) == 41


@pytest.mark.parametrize("invented", [False, True])
async def test_one_that_floods_delays_nobody_else_and_costs_one_line_of_the_log(
    broker: Mosquitto,
    database: Database,
    gateway: PlayedGateway,
    caplog: pytest.LogCaptureFixture,
    invented: bool,
) -> None:
    """`invented`: under the names of two hundred gateways that nobody registered."""
    registry.add(database, "gw-loud-0002", ENTERPRISE, "plant-1")
    loud = PlayedGateway(broker.port, "gw-loud-0002")
    async with running(broker, database) as collecting:
        gateway.live()
        await until(lambda: gateway.acks)
        with databases.held(database):
            for n in range(600):
                name = f"ganpo/v1/gw-invented-{n % 200}/facts" if invented else None
                loud.send(b"no frame %d" % n, name)
            gateway.send(frame(1))
            await until(lambda: collecting.problem)
        await until(lambda: gateway.acknowledged(STREAM) == {1})
        await until(lambda: collecting.unanswered == 600, 60)
    loud.leave()
    told = [record.getMessage() for record in caplog.records if "quarantined gateway=" in record.getMessage()]
    assert len(told) == (200 if invented else 1)
    name = "gw-invented-0" if invented else "gw-loud-0002"
    assert told[0].startswith(f"quarantined gateway={name} frames=1 reason=schema why=")
    with database.read() as connection:
        taken_at = connection.execute(select(stored_frame.c.committed_at)).scalar_one()
        before = quarantine.c.received_at < taken_at
        waited_for = connection.execute(
            select(func.count()).select_from(quarantine).where(before)
        ).scalar_one()
    assert count(database, quarantine) == 600
    assert waited_for <= 2 * BATCH, "the flood had come before it"


async def test_it_is_back_after_the_broker_was_killed(
    broker: Mosquitto, database: Database, gateway: PlayedGateway
) -> None:
    async with running(broker, database) as collecting:
        broker.kill()
        await until(lambda: "the broker ended the session" in collecting.problem)
        assert "another client uses the id ganpo-collector?" in collecting.problem
        broker.start()
        await until(lambda: not collecting.problem)
        again = PlayedGateway(broker.port, GATEWAY)
        again.send(frame(1))
        await until(lambda: again.acknowledged(STREAM) == {1})
        again.leave()


async def test_it_ends_within_five_seconds_with_a_frozen_broker(
    broker: Mosquitto, database: Database
) -> None:
    async with running(broker, database):
        broker.freeze()
        began = time.monotonic()
    assert time.monotonic() - began < 5
    broker.thaw()


async def test_a_password_the_broker_refuses_is_told_and_never_shown(
    tmp_path: Path, database: Database
) -> None:
    passwords = tmp_path / "passwords"
    command = ["mosquitto_passwd", "-b", "-c", str(passwords), "ganpo-collector", "right"]
    subprocess.run(command, check=True, capture_output=True)
    passwords.chmod(0o644)
    with Mosquitto(tmp_path, f"allow_anonymous false\npassword_file {passwords}\n") as broker:
        collecting = collector(broker.url, database, user="ganpo-collector", password="s3cret")
        task = asyncio.create_task(collecting.run())
        await until(lambda: "Not authorized" in collecting.problem)
        task.cancel()
        await asyncio.wait([task])
        assert collecting.problem == (
            f"{broker.url}: Not authorized; check user and password in [broker], and what the broker knows of them"
        )
        assert "s3cret" not in json.dumps(str(vars(collecting)))
