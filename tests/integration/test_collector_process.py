"""`ganpo-cloud` as a process: what it tells, what commands do beside it, how it ends."""

import json
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from ganpo_cloud.cli.main import main
from ganpo_cloud.store.schema import HEAD
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from support.broker import Mosquitto
from support.cloud import Cloud
from support.gateways import PlayedGateway, wait_for
from support.shut import shut

ENTERPRISE = "91360000625912173B"
GATEWAY = "gw-test-0001"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def cloud(tmp_path: Path, broker: Mosquitto) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, broker.url)
    yield cloud
    if cloud.process is not None and cloud.process.poll() is None:
        cloud.process.kill()
        cloud.process.wait(10)


def frame(seq: int, at: datetime | None = None) -> bytes:
    instant = (at or datetime.now(UTC) - timedelta(minutes=1)).replace(microsecond=0)
    return pack(STREAM, seq, [Reading("reading", "DB-1/energy_import#0123abcd", instant, 1000 + seq)])


def test_a_gateway_registered_beside_a_running_collector_gets_what_waited_applied(
    cloud: Cloud, broker: Mosquitto
) -> None:
    cloud.start()
    cloud.ready()
    gateway = PlayedGateway(broker.port, GATEWAY)
    gateway.send(frame(1))
    gateway.send(frame(2, datetime(1970, 1, 1, tzinfo=UTC)))
    wait_for(lambda: gateway.acknowledged(STREAM) == {1, 2})
    listed = cloud.type("quarantine", "list").stdout
    print(listed)
    assert f"{GATEWAY}  gateway  1 frame  gateway {GATEWAY} is not registered" in listed
    assert f"{GATEWAY}  time  1 frame  facts[0]: 1970-01-01T00:00:00.000Z lies more than 400 days" in listed
    added = cloud.type("gateway", "add", GATEWAY, "--enterprise", ENTERPRISE, "--site", "plant-1")
    assert added.stdout == f"{GATEWAY} belongs to {ENTERPRISE}, site plant-1; 1 waiting frame applied\n"
    gateway.send(frame(3))
    wait_for(lambda: gateway.acknowledged(STREAM) == {1, 2, 3})
    gateway.leave()
    assert cloud.type("quarantine", "retry").stdout == "0 frames applied\n"
    assert "  time  1 frame" in cloud.type("quarantine", "list").stdout
    pages = cloud.health()[1]["pages"]["pid"]
    code, seconds = cloud.end()
    assert (code, seconds < 5) == (0, True)
    assert not psutil.pid_exists(pages)
    assert "Traceback" not in cloud.log.read_text()


def test_it_ends_within_five_seconds_with_a_frozen_broker_and_a_locked_database(
    cloud: Cloud, broker: Mosquitto
) -> None:
    cloud.type("gateway", "add", GATEWAY, "--enterprise", ENTERPRISE, "--site", "plant-1")
    cloud.start()
    cloud.ready()
    gateway = PlayedGateway(broker.port, GATEWAY)
    other = sqlite3.connect(cloud.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    gateway.send(frame(1))
    wait_for(lambda: "database is locked" in str(cloud.health()[1].get("problem")))
    assert gateway.acks == []
    broker.freeze()
    code, seconds = cloud.end()
    print(f"{seconds:.1f} s")
    assert (code, seconds < 5) == (0, True)
    assert "Traceback" not in cloud.log.read_text()
    other.close()
    broker.thaw()
    gateway.leave()


def test_systemd_is_told_when_it_answers_and_that_it_lives_and_the_log_may_be_json(
    cloud: Cloud, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(20)
        cloud.start("--log-format", "json", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="300000")
        told: set[bytes] = set()
        while len(told) < 2:
            told.add(sock.recv(100))
        assert told == {b"READY=1", b"WATCHDOG=1"}
        wait_for(lambda: "collecting broker=" in cloud.log.read_text())
        assert cloud.end()[0] == 0
    for line in cloud.log.read_text().splitlines():
        assert {"level", "logger", "message"} <= set(json.loads(line))


def test_a_database_of_a_newer_version_is_refused_with_the_reason(cloud: Cloud) -> None:
    assert cloud.type("quarantine", "list").stdout == "nothing is quarantined\n"
    with sqlite3.connect(cloud.path) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    told = (
        f"{cloud.path}: schema 9999, this version knows {HEAD}: it was written by a newer ganpo-cloud;"
        " install that version again, or give another database.url; nothing was changed [storage]\n"
    )
    print(told)
    said = cloud.type("quarantine", "list")
    assert (said.exit_code, said.stderr) == (1, told)
    cloud.start()
    assert cloud.process is not None
    assert cloud.process.wait(30) == 1
    assert cloud.log.read_text() == told


def test_who_may_not_write_is_told_as_whom_to_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = "cannot be written: Permission denied; run it as the user that collects: sudo -u ganpo-cloud ..."
    typed = ["alarm", "list", "--config", "cloud.toml"]
    Path("cloud.toml").write_text('[database]\nurl = "sqlite:///ours/cloud.db"\n')
    assert CliRunner().invoke(main, typed).exit_code == 0  # by now it has imported what nobody else may read
    Path("cloud.toml").write_text('[database]\nurl = "sqlite:///theirs/cloud.db"\n')
    with shut(Path("theirs")):
        found = CliRunner().invoke(main, typed)
    assert (found.exit_code, found.stderr) == (1, f"{tmp_path}/theirs/cloud.db: {told} [storage]\n")


def test_what_is_no_gateway_id_and_no_credit_code_is_refused(cloud: Cloud) -> None:
    said = cloud.type("gateway", "add", "GW 7", "--enterprise", ENTERPRISE, "--site", "plant-1")
    assert said.exit_code == 1
    assert said.stderr.endswith("ID: 'GW 7' is no gateway id ([a-z0-9-], 8 to 40) [config]\n")
    said = cloud.type("gateway", "add", GATEWAY, "--enterprise", "9136", "--site", "plant-1")
    assert said.stderr == "--enterprise 9136: 4 characters: a unified social credit code has 18 [config]\n"
    said = cloud.type("gateway", "add", GATEWAY, "--enterprise", ENTERPRISE, "--site", "")
    assert said.exit_code == 1
    assert said.stderr.startswith("--site: '' is no id of a site")
