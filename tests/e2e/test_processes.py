"""The two commands as processes: plug pulled, agent, collector, broker stopped, for 2.5 s or the 6 s of Show 6 each."""

import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ganpo_demo.loopback import free_port
from ganpo_drivers.testing import Proxy
from support.broker import Mosquitto
from support.campaign import LONG
from support.modbus_server import ModbusServer, words
from support.processes import BIN, end

ENTERPRISE = "91360000625912173B"
GATEWAY = "gw-test-0001"
AWAY_S = 6.0 if LONG else 2.5
AGENT = """
format = 1
[gateway]
id = "{gateway}"
state_dir = "{folder}/state"
http = "127.0.0.1:{http}"
[uplink]
broker = "{broker}"
live_s = 1
repeat_s = 3
back_off_max_s = 2
[site]
id = "plant-1"
name = "Plant"
timezone = "Asia/Shanghai"
slot = "2s"
[connections.bus]
driver = "modbus"
url = "tcp://127.0.0.1:{port}"
addressing = "0-based"
[[meters]]
asset_no = "DB-1"
name = "Meter"
carrier = "electricity"
role = "boundary_in"
[[points]]
asset_no = "DB-1"
signal = "energy_import"
connection = "bus"
address = "1:holding:0"
type = "uint32"
scale = "0.01"
max_rate = "10000"
interval_s = "0.5"
stale_s = "3"
"""


class Counting:
    """A meter that rises by 10 counts every 100 ms; `raw` is the truth."""

    def __init__(self, server: ModbusServer) -> None:
        self.raw = 1000
        self._server = server
        self._over = threading.Event()
        self._server.set(1, "holding", 0, words("uint32", self.raw))
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    def _count(self) -> None:
        while not self._over.wait(0.1):
            self.raw += 10
            self._server.set(1, "holding", 0, words("uint32", self.raw))

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


class Plant:
    """Both processes, restarted at will, and the API."""

    def __init__(self, folder: Path, broker: str, port: int) -> None:
        self.agent_file, self.cloud_file = folder / "agent.toml", folder / "cloud.toml"
        self.http = free_port()
        self.api = f"http://127.0.0.1:{self.http}/api/v1"
        self.agent_file.write_text(
            AGENT.format(gateway=GATEWAY, folder=folder, http=free_port(), broker=broker, port=port),
            encoding="utf-8",
        )
        self.cloud_file.write_text(
            f'format = 1\n[broker]\nurl = "{broker}"\nback_off_max_s = 2\n'
            f'[database]\nurl = "sqlite:///{folder}/cloud.db"\n[http]\nlisten = "127.0.0.1:{self.http}"\n',
            encoding="utf-8",
        )
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        added = self.cloud("gateway", "add", GATEWAY, "--enterprise", ENTERPRISE, "--site", "plant-1")
        assert "belongs to" in added

    def cloud(self, *words: str) -> str:
        command: list[str | Path] = [BIN / "ganpo-cloud", *words, "--config", self.cloud_file]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def start(self, name: str) -> None:
        program, file = ("ganpo", self.agent_file) if name == "agent" else ("ganpo-cloud", self.cloud_file)
        self.processes[name] = subprocess.Popen(
            [BIN / program, "run", "--config", file], stderr=subprocess.DEVNULL
        )

    def stop(self, name: str) -> int:
        return end(self.processes.pop(name))

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.api}/{path}", timeout=5) as answer:
            return json.load(answer)

    def register(self) -> dict[str, Any] | None:
        """The meter's register as the API shows it, None while nothing is there."""
        try:
            subjects = self.get("subjects")
        except OSError:
            return None
        registers = [r for subject in subjects for r in subject["registers"]]
        return registers[0] if registers and registers[0]["raw"] is not None else None

    def wait(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come in time"
            time.sleep(0.1)

    def caught_up(self, raw: int) -> None:
        """Until the API's register has passed `raw`."""
        self.wait(lambda: (found := self.register()) is not None and found["raw"] >= raw, 60)

    def total(self) -> tuple[int, int]:
        """(what the API counts since the first reading, in counts; where the register stands)."""
        found = self.register()
        assert found is not None
        span = f"from={quote('2026-01-01T00:00:00Z')}&to={quote(found['at'])}"
        quantity = self.get(f"quantities?subject={ENTERPRISE}/DB-1&carrier=electricity&{span}")
        assert quantity["open"] == []
        return quantity["millionths"] // 10_000, found["raw"]


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[tuple[Plant, Proxy, Counting, Mosquitto]]:
    with Mosquitto(tmp_path) as broker, ModbusServer() as server, Proxy("127.0.0.1", server.port) as proxy:
        counting = Counting(server)
        plant = Plant(tmp_path, broker.url, proxy.port)
        plant.start("cloud")
        plant.start("agent")
        try:
            yield plant, proxy, counting, broker
        finally:
            counting.stop()
            for name in list(plant.processes):
                plant.stop(name)


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.timeout(180)
def test_totals_are_right_each_time(plant: tuple[Plant, Proxy, Counting, Mosquitto]) -> None:
    processes, proxy, counting, broker = plant
    processes.caught_up(1000)
    first = processes.total()[1] - processes.total()[0]

    def still_right() -> None:
        processes.caught_up(counting.raw)
        used, stands = processes.total()
        assert abs(stands - first - used) <= 2 * 100, "but for a reading that came in between two questions"

    proxy.refuse()
    time.sleep(AWAY_S)
    proxy.restore()
    still_right()

    assert processes.stop("agent") == 0
    time.sleep(AWAY_S)
    processes.start("agent")
    still_right()

    assert processes.stop("cloud") == 0
    time.sleep(AWAY_S)
    processes.start("cloud")
    still_right()

    broker.kill()
    time.sleep(AWAY_S)
    broker.start()
    still_right()

    (gateway,) = processes.get("gateways")
    assert sum(stream["lost"] for stream in gateway["streams"]) == 0
    processes.wait(lambda: sum(s["missing"] for s in processes.get("gateways")[0]["streams"]) <= 2)
