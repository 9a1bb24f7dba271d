"""The pages' process: it lives and dies beside whoever collects, and never writes."""

import asyncio
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ganpo_cloud.web.keeper import WebKeeper
from ganpo_cloud.web.process import Serving
from ganpo_demo.loopback import free_port
from ganpo_model.errors import ConnectionLost
from support import seeding
from support.broker import Mosquitto
from support.cloud import Cloud
from support.gateways import PlayedGateway, wait_for
from support.processes import BIN, end

pytestmark = pytest.mark.timeout(600)
"""The pages' process stands behind whoever else wants the processor: beside busy ones it starts in a minute."""
GATEWAY = "gw-test-0001"
SECRET = "s3cret-of-the-database"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def cloud(tmp_path: Path, broker: Mosquitto) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, broker.url, 'password_file = "db_password"')
    (tmp_path / "db_password").write_text(SECRET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        yield cloud
    cloud.kill()


def pages_of(cloud: Cloud, other_than: int | None = None) -> int:
    """The pid of its pages' process, as `/health` names it; who asks while there is none waits for the next."""
    found: list[int] = []

    def asked() -> bool:
        pid = cloud.health()[1].get("pages", {}).get("pid")
        found.append(pid)
        return pid not in (None, other_than)

    wait_for(asked, 120)
    return found[-1]


def page(url: str) -> str:
    with urllib.request.urlopen(f"{url}/?lang=en", timeout=60) as answer:
        return str(answer.read().decode())


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_it_is_started_again_alone_when_it_dies_and_is_gone_at_once_when_whoever_collects_is(
    cloud: Cloud, broker: Mosquitto
) -> None:
    cloud.start()
    cloud.ready()
    assert cloud.process is not None
    first = pages_of(cloud)
    assert psutil.Process(first).ppid() == cloud.process.pid
    for name in ("cmdline", "environ"):
        assert SECRET not in Path(f"/proc/{first}/{name}").read_text()
    assert "</html>" in page(cloud.url)
    os.kill(first, signal.SIGKILL)
    gateway = PlayedGateway(broker.port, GATEWAY)
    gateway.send(b"taken all the same")
    wait_for(lambda: cloud.type("quarantine", "list").stdout.startswith(GATEWAY), 60)
    second = pages_of(cloud, other_than=first)
    assert "task failed name=pages why=the pages' process ended: by signal 9" in cloud.log.read_text()
    assert "name=collector" not in cloud.log.read_text()
    assert "</html>" in page(cloud.url)
    gateway.leave()
    cloud.kill()
    wait_for(lambda: gone(second))
    wait_for(lambda: free(int(cloud.url.rpartition(":")[2])))
    assert "Traceback" not in cloud.log.read_text()


async def test_one_that_starts_slowly_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganpo_cloud.web.keeper._STARTS", 5000)
    seeding.empty(tmp_path).close()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        serving = Serving(f"sqlite:///{tmp_path}/cloud.db", None, None, exposed=False, demo=False, inlet=None)
        keeper = WebKeeper(serving, sock, ("text", "info"), patience_s=0.1)
        async with asyncio.timeout(300), asyncio.TaskGroup() as group:
            running = group.create_task(_why(keeper))
            await keeper.answers.wait()
            assert await running == "the pages' process said nothing for 0.1 s", (
                "once it is there it has to speak"
            )


async def test_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganpo_cloud.web.keeper._STARTS", 500)
    seeding.empty(tmp_path).close()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        serving = Serving(f"sqlite:///{tmp_path}/cloud.db", None, None, exposed=False, demo=False, inlet=None)
        keeper = WebKeeper(serving, sock, ("text", "info"), patience_s=1.5)
        async with asyncio.timeout(300), asyncio.TaskGroup() as group:
            running = group.create_task(_why(keeper))
            await keeper.answers.wait()
            assert keeper.pid is not None
            pid = keeper.pid
            os.kill(pid, signal.SIGSTOP)
            assert await running == "the pages' process said nothing for 1.5 s"
    assert gone(pid)
    assert keeper.pid is None


async def _why(keeper: WebKeeper) -> str:
    with pytest.raises(ConnectionLost) as error:
        await keeper.run(lambda: None)
    return str(error.value)


@pytest.mark.slow
def test_two_more_of_them_answer_beside_each_other_and_never_write(tmp_path: Path) -> None:
    plant = seeding.plant(tmp_path)
    before = (tmp_path / "cloud.db").read_bytes()
    ports = [free_port(), free_port()]
    workers = []
    for port in ports:
        file = tmp_path / f"{port}.toml"
        file.write_text(
            f'[database]\nurl = "sqlite:///{tmp_path}/cloud.db"\n[http]\nlisten = "127.0.0.1:{port}"\n'
        )
        workers.append(
            subprocess.Popen([BIN / "ganpo-cloud", "web", "--config", file], stderr=subprocess.PIPE)
        )
    with plant.database.write():  # somebody writes, and takes his time: readers do not care
        wait_for(lambda: all(map(_answers, ports)), 120)
        for port in ports:
            for path in ("/", "/overview", "/api/v1/subjects", "/api/v1/overview"):
                assert _answers(port, path), path
    for worker in workers:
        assert end(worker) == 0
        assert worker.stderr is not None
        with worker.stderr:
            assert worker.stderr.read() == b""
    plant.database.close()
    assert (tmp_path / "cloud.db").read_bytes() == before


def _answers(port: int, path: str = "/") -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return bool(answer.status == 200)
    except ConnectionRefusedError:
        return False
    except OSError as error:
        if isinstance(error.__cause__ or getattr(error, "reason", None), ConnectionRefusedError):
            return False
        raise


def test_without_a_database_of_this_version_it_says_so(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, "mqtt://127.0.0.1:1")
    said = cloud.type("web")
    print(said.stderr)
    assert said.exit_code == 1
    assert said.stderr.startswith(f"{cloud.path}: cannot be read: unable to open database file")
    assert not cloud.path.exists()
