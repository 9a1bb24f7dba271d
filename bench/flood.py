"""A gateway that sends 1,000 malformed frames a second, and one that sends a reading a second: how old is its newest?

Age: now less the time of the newest stored reading of the good gateway, looked at every 50 ms, so that 1 s between two
readings alone make 0.95 s at the 95th percentile. Calm beside it is the same without the other gateway. The quarantine
of the loud one holds 150,000 frames before.
"""

import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ganpo_cloud.imports import registry
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_model.clock import floor_ms
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from support.broker import Mosquitto
from support.cloud import Cloud
from support.gateways import PlayedGateway
from support.processes import end, python

ENTERPRISE = "91360000625912173B"
GOOD, LOUD = "gw-good-0001", "gw-loud-0002"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
HELD = 150_000


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    seconds = 3.0 if short else 30.0
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker, ExitStack() as at_end:
        cloud = started(Path(name), broker.url)
        at_end.callback(cloud.end)
        fill(cloud.path, 1000 if short else HELD)
        good = Sending(broker.port, cloud.path)
        at_end.callback(good.stop)
        yield from good.watched("calm", seconds)
        loud = python(__file__, broker.port)
        at_end.callback(end, loud)
        time.sleep(2)
        yield from good.watched("beside a flood", seconds, " goal p95 <= 1 s")
        with sqlite3.connect(f"file:{cloud.path}?mode=ro", uri=True) as db:
            (kept,) = db.execute("SELECT frames FROM quarantine_total").fetchone()
        lines = cloud.log.read_text().count("quarantined gateway=")
    yield f"  {'in quarantine at the end; lines of the log':<46} {kept:>9,}; {lines}"


def started(folder: Path, broker: str) -> Cloud:
    """A collector's process in which both gateways are registered."""
    cloud = Cloud(folder, broker)
    database = Database(DatabaseSettings(url=f"sqlite:///{cloud.path}"))
    for gateway in (GOOD, LOUD):
        registry.add(database, gateway, ENTERPRISE, "plant-1")
    database.close()
    cloud.start()
    cloud.ready()
    return cloud


def fill(path: Path, frames: int) -> None:
    """What an earlier flood left."""
    rows = [(LOUD, 1, "schema", "not gzip", n, b"%020d" % n, 20) for n in range(frames)]
    with sqlite3.connect(path, timeout=60) as db:
        db.executemany(
            "INSERT INTO quarantine (gateway, received_at, reason, detail, digest, bytes, size)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        db.execute("INSERT INTO quarantine_total VALUES (?, ?, ?)", (LOUD, frames, 20 * frames))
    db.close()


class Sending:
    """The good gateway: a reading a second, and how long each waits for its acknowledgement."""

    def __init__(self, port: int, path: Path, every_s: float = 1.0) -> None:
        self.acknowledged: list[float] = []
        self._path, self._every_s = path, every_s
        self._gateway = PlayedGateway(port, GOOD)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def watched(self, name: str, seconds: float, goal: str = "") -> Iterator[str]:
        """Lines of a while: ages of the newest reading, seconds to the acknowledgement."""
        self.acknowledged.clear()
        ages = []
        with sqlite3.connect(f"file:{self._path}?mode=ro", uri=True) as db:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                (newest,) = db.execute("SELECT max(at) FROM reading").fetchone()
                if newest is not None:
                    ages.append(time.time() - newest / 1000)
                time.sleep(0.05)
        db.close()
        yield line(f"newest reading, {name}", ages, goal)
        yield line(f"acknowledged after, {name}", self.acknowledged)

    def stop(self) -> None:
        """Send no more."""
        self._over.set()
        self._thread.join()
        self._gateway.leave()

    def _send(self) -> None:
        stream, seq = STREAM, 0
        due = time.monotonic()
        while not self._over.is_set():
            seq += 1
            fact = Reading("reading", "DB-1/energy_import#0123abcd", floor_ms(datetime.now(UTC)), seq)
            began = time.monotonic()
            self._gateway.send(pack(stream, seq, [fact]))
            while seq not in self._gateway.acknowledged(stream) and not self._over.is_set():
                time.sleep(0.002)
            self.acknowledged.append(time.monotonic() - began)
            self._gateway.acks.clear()
            due = max(due + self._every_s, time.monotonic())
            self._over.wait(due - time.monotonic())


def line(name: str, seconds: list[float], goal: str = "") -> str:
    """Median and 95th percentile."""
    p95 = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    return f"  {name:<46} {median(seconds):>9.3f} s p50  {p95:>9.3f} s p95  {goal}"


def _flood(port: int) -> None:
    """A thousand a second, until SIGTERM."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=LOUD)
    client.max_inflight_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    began, sent = time.monotonic(), 0
    while True:
        while sent < (time.monotonic() - began) * 1000:
            sent += 1
            client.publish(f"ganpo/v1/{LOUD}/facts", b"no frame, number %d" % sent, qos=1)
        time.sleep(0.005)


if __name__ == "__main__":
    _flood(int(sys.argv[1]))
